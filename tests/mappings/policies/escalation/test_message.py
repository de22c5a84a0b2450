"""The escalation message: eight lines, whole in the ticket, and without anybody's words outside it."""

from typing import Any

import msgspec
import pytest

from mappings.model import Actor
from mappings.policies.escalation import escalation_message, escalation_subject
from mappings.policies.sla.measures import Life
from tests.mappings.policies.escalation.climbing import life_of
from tests.profiles import profile
from tests.stories import Story, at

LINES = ["Priority", "Ticket", "User", "Issue", "Impact", "Attempted", "Needed", "Timeline"]
BUILDER = profile("builder")
NOW = at("2026-03-03 12:00")
FILLED = {
    "impact": "No invoices\nat all since Monday",
    "attempted": "Cleared the cache, asked Ann",
    "needed": "Somebody who reads the importer",
    "affected_users": "14",
}


def a_life(**fields: str) -> Life:
    """A ticket with a subject, answered once, moved to tier 2 at 11:00, with these fields."""
    story = Story("2026-03-03 10:00").reply("2026-03-03 10:20").reply("2026-03-03 10:40", Actor.CUSTOMER)
    story.set("2026-03-03 10:50", **fields).set("2026-03-03 11:00", Actor.US, tier="2")
    life = life_of(story, BUILDER)
    ticket = msgspec.structs.replace(life.history.ticket, subject="Ann's import is broken", module="invoicing")
    return msgspec.structs.replace(life, history=msgspec.structs.replace(life.history, ticket=ticket))


def message(life: Life, **more: Any) -> dict[str, str]:
    """The message's lines by their label."""
    return dict(line.split(": ", 1) for line in escalation_message(life, BUILDER, at=NOW, **more).splitlines())  # type: ignore[misc]


@pytest.mark.req("ESC-12")
def test_eight_lines() -> None:
    """Priority, ticket, user, issue, impact, attempted, needed and timeline, in this order, one line each."""
    found = message(a_life(**FILLED), due_at=at("2026-03-03 15:00"))
    assert list(found) == LINES
    assert found == {
        "Priority": "P2 Major feature broken",
        "Ticket": "123",
        "User": "Ann, owner, Acme, plan Business",
        "Issue": "Ann's import is broken (bug, Invoicing)",
        "Impact": "No invoices at all since Monday, 14 users affected",
        "Attempted": "Cleared the cache, asked Ann",
        "Needed": "Somebody who reads the importer",
        "Timeline": "filed 10:00; Help and chat since 10:00; Technical support since 11:00; last answered 10:20; "
        "customer last wrote 10:40; reply owed by 15:00",
    }


@pytest.mark.req("ESC-12")
def test_what_is_missing_is_asked_for() -> None:
    """An empty field keeps its line and asks the agent to fill it in."""
    found = message(a_life())
    assert found["Attempted"] == "not filled in; please fill in the field “Attempted”"
    assert list(found) == LINES


@pytest.mark.req("ESC-12")
def test_outside_the_ticket_nothing_is_personal() -> None:
    """Outside: role and plan, kind and module, a link; no names, no subject, no words that people wrote."""
    told = escalation_message(a_life(**FILLED), BUILDER, at=NOW, inside=False, link="https://desk.example/123")
    assert [line.split(":")[0] for line in told.splitlines()] == LINES
    for private in ("Ann", "Acme", "broken is", "import", "cache", "Monday"):
        assert private not in told
    assert "User: owner, plan Business" in told
    assert "Ticket: 123 https://desk.example/123" in told
    assert "Impact: see the ticket, 14 users affected" in told


def test_hardly_anything_known() -> None:
    """A ticket without severity, kind and company still has its eight lines."""
    life = life_of(Story("2026-03-03 10:00", severity=None, kind=None), BUILDER)
    bare = msgspec.structs.replace(life, history=msgspec.structs.replace(life.history, requester=None, company=None))
    found = message(bare)
    assert list(found) == LINES
    assert (found["Priority"], found["Issue"]) == ("not set", "not classified")


def test_long_words_are_cut() -> None:
    """An agent's essay takes one line of three hundred characters."""
    assert len(message(a_life(attempted="word " * 500))["Attempted"]) == 300


@pytest.mark.req("ESC-12")
def test_subject() -> None:
    """The subject of a message has the priority and a short text."""
    assert escalation_subject(a_life(), BUILDER, at=NOW) == "P2 escalated: ticket 123 (bug)"
