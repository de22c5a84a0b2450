"""Abusive conduct from the flag to the end of a restriction, over Zendesk alone (story 7)."""

from typing import Any

import pytest

from connectors.store import OutboxState
from connectors.store.evidence import broken
from tests.flows.desk import Desk, unfinished


def manager(desk: Desk) -> str:
    """Somebody who may decide."""
    return desk.sim.agents("Management")[0]


def decide(desk: Desk, ticket: int, what: str | None, author: str | None = None) -> None:
    """Somebody sets the field Abuse decision; a manager, unless said otherwise."""
    desk.sim.edit(ticket, author=author or manager(desk), fields={"abuse_decision": what})


def flag(desk: Desk, ticket: int, category: str = "threats") -> None:
    """An agent flags a ticket."""
    desk.sim.edit(ticket, author=desk.agent, fields={"abuse": category})


def company(desk: Desk, ticket: int) -> dict[str, Any]:
    """The fields of a ticket's company as the account has them now."""
    id = desk.sim.account.tickets[ticket].organization_id
    assert id is not None
    return desk.sim.account.organizations[id].fields


def said(desk: Desk, ticket: int, words: str) -> list[str]:
    """Our notes with these words."""
    return [note for note in desk.notes(ticket) if words in note]


@pytest.mark.req("ABU-01", "ABU-03", "ABU-04", "ABU-05", "ABU-07", "ABU-09")
def test_story_of_an_abusive_customer(either_desk: Desk) -> None:
    """Flag with category, manager at once, two warnings counted with both dates, 14 days restricted, lifted once on the
    fifteenth, and the evidence verifies after the ticket was edited."""
    desk = either_desk
    first = desk.file("P3", "business", body="You are all idiots, I will find you.")
    desk.minutes(1)
    flag(desk, first)
    desk.minutes(1)
    assert desk.group(first) == "Management"
    assert "abusive" in desk.tags(first)
    assert len(said(desk, first, "Flagged as abusive as threats")) == 1
    (entry,) = desk.ctx.store.evidence(f"zendesk:{first}")
    assert "I will find you" in entry.content
    desk.minutes(2)
    assert said(desk, first, "Review of an abuse flag was due")
    decide(desk, first, "warn")
    desk.minutes(2)
    assert company(desk, first)["warnings"] == 1
    assert company(desk, first)["last_warning_at"] == "2026-03-03"
    assert len([reply for reply in desk.replies(first) if "formal warning" in reply]) == 1
    assert desk.clocks(first)["Abuse review"].stopped_at is not None

    desk.move("2026-03-05 10:00")
    second = desk.file("P3", requester=desk.sim.user(requester(desk, first)).email)
    flag(desk, second, "harassment")
    decide(desk, second, "warn")
    desk.minutes(3)
    assert company(desk, second)["warnings"] == 2
    assert company(desk, second)["last_warning_at"] == "2026-03-05"
    assert said(desk, second, "2026-03-03, 2026-03-05")

    decide(desk, second, "restrict")
    desk.minutes(3)
    assert company(desk, second)["restricted_until"] == "2026-03-19"
    desk.move("2026-03-18 10:00")
    desk.minutes(2)
    assert company(desk, second)["restricted_until"] == "2026-03-19"
    desk.move("2026-03-20 00:00")
    desk.minutes(3)
    assert company(desk, second)["restricted_until"] is None
    lifted = [row for row in desk.rows(policy="abuse") if row.action.verb == "lift"]
    assert [row.state for row in lifted] == [OutboxState.DONE]

    assert broken(desk.ctx.store.evidence(f"zendesk:{first}")) is None
    assert unfinished(desk.rows()) == []
    assert company(desk, second)["warnings"] == 2


def requester(desk: Desk, ticket: int) -> str:
    """The address of a ticket's requester."""
    return str(desk.sim.account.users[desk.sim.account.tickets[ticket].requester_id].email)
