"""Abusive conduct from the flag to the end of a restriction, over Zendesk alone (story 7)."""

from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest

from connectors.store import Evidence, OutboxState
from connectors.store.evidence import broken
from flows import abuse, company_delivery, delivery, evidence_delivery, outbox, sync
from flows.managers import manager_at
from flows.report import page
from mappings.plan import NotConnected
from tests.faults.points import Killed, watch
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


def customer(desk: Desk, ticket: int) -> str:
    """The address of a ticket's requester."""
    return str(desk.sim.account.users[desk.sim.account.tickets[ticket].requester_id].email)


def organization(desk: Desk, ticket: int) -> Any:
    """A ticket's company in the account."""
    return desk.sim.account.organizations[desk.sim.account.tickets[ticket].organization_id or 0]


def company(desk: Desk, ticket: int) -> dict[str, Any]:
    """The fields of a ticket's company as the account has them now."""
    return dict(organization(desk, ticket).fields)


def writes(desk: Desk, ticket: int) -> list[dict[str, Any]]:
    """What we have really changed of a ticket's company."""
    record = f"zendesk:organization:{organization(desk, ticket).id}"
    return [row.detail["fields"] for row in desk.core.journal.rows(record=record) if row.actor == desk.us]


def said(desk: Desk, ticket: int, words: str) -> list[str]:
    """Our notes with these words."""
    return [note for note in desk.notes(ticket) if words in note]


def kept(desk: Desk, ticket: int) -> list[Evidence]:
    """What is kept of a ticket."""
    return desk.ctx.store.evidence(f"zendesk:{ticket}")


def told(desk: Desk, ticket: int) -> int:
    """How many formal warnings the customer was sent."""
    return len([reply for reply in desk.replies(ticket) if "formal warning" in reply])


@pytest.fixture
def flagged(desk: Desk) -> int:
    """A ticket that an agent has flagged, and with which all that follows at once is done."""
    ticket = desk.file("P3", "business", body="You will regret this.")
    desk.minutes(1)
    flag(desk, ticket)
    desk.minutes(2)
    return ticket


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
    assert len(said(desk, first, "Flagged as abusive (threats) by")) == 1
    (copy,) = kept(desk, first)
    assert "I will find you" in copy.content
    (mail,) = desk.mail.to("support-manager@example.com")
    assert f"ticket {first} (business)" in mail.subject
    assert desk.ctx.ticket_link(first) in mail.text
    desk.minutes(6)
    assert said(desk, first, "Review of an abuse flag was due")
    decide(desk, first, "warn")
    desk.minutes(2)
    assert company(desk, first)["warnings"] == 1
    assert company(desk, first)["last_warning_at"] == "2026-03-03"
    assert told(desk, first) == 1
    assert desk.clocks(first)["Abuse review"].stopped_at is not None

    desk.move("2026-03-05 10:00")
    second = desk.file("P3", requester=customer(desk, first))
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
    assert [list(fields) for fields in writes(desk, first)] == [
        ["warnings", "last_warning_at"],
        ["warnings", "last_warning_at"],
        ["restricted_until"],
        ["restricted_until"],
    ]
    assert broken(kept(desk, first)) is None
    assert unfinished(desk.rows()) == []


@pytest.mark.req("ABU-01")
def test_flag_without_a_category(desk: Desk) -> None:
    """The tag alone goes to a manager all the same, and the note asks what it is."""
    ticket = desk.file("P3", "business")
    desk.minutes(1)
    desk.sim.edit(ticket, author=desk.agent, tags_add=("abusive",))
    desk.minutes(2)
    assert desk.group(ticket) == "Management"
    (note,) = said(desk, ticket, "Flagged as abusive by")
    assert "Please say what it is, in the field Abuse: verbal abuse, threats, harassment; profanity counts as" in note
    assert len(kept(desk, ticket)) == 1


@pytest.mark.req("ABU-09")
def test_an_agent_may_not_decide(desk: Desk, flagged: int) -> None:
    """An agent's decision is set back with a note that names them, and is in the journal; nothing else comes of it."""
    outsider = desk.sim.agents("Support")[-1]
    decide(desk, flagged, "warn", outsider)
    desk.minutes(3)
    assert desk.field(flagged, "abuse_decision") is None
    (note,) = said(desk, flagged, "only a manager may decide on abuse")
    assert desk.sim.user(outsider).name in note
    assert desk.states(flagged, "refuse") == [("refuse", "done")]
    assert (writes(desk, flagged), told(desk, flagged)) == ([], 0)
    decide(desk, flagged, "none")
    desk.minutes(2)
    decide(desk, flagged, "restrict", outsider)
    desk.minutes(3)
    assert desk.field(flagged, "abuse_decision") == "abuse_decision_none"
    assert writes(desk, flagged) == []


def test_a_manager_decides_while_an_attempt_is_set_back(desk: Desk, flagged: int) -> None:
    """Between our decision to set an attempt back and its delivery a manager decides: theirs stays, and is done."""
    decide(desk, flagged, "restrict", desk.sim.agents("Support")[-1])
    desk.sandbox.advance(30)
    sync.all_tools(desk.ctx)
    abuse.decide(desk.ctx)
    desk.sandbox.advance(10)
    decide(desk, flagged, "warn")
    delivery.deliver(desk.ctx)
    assert desk.field(flagged, "abuse_decision") == "abuse_decision_warn"
    desk.minutes(4)
    assert desk.field(flagged, "abuse_decision") == "abuse_decision_warn"
    assert told(desk, flagged) == 1
    assert len(said(desk, flagged, "only a manager may decide on abuse")) == 1
    assert [list(fields) for fields in writes(desk, flagged)] == [["warnings", "last_warning_at"]]


def test_the_runs_page_names_nobody(desk: Desk, flagged: int) -> None:
    """A run's page says what was decided without the names of the manager, the agent or the company."""
    decide(desk, flagged, "warn")
    desk.sandbox.advance(60)
    found = desk.beat()
    text = page(desk.ctx, found, title="pulse")
    assert "A warning is counted on the company." in text
    for name in (desk.sim.user(manager(desk)).name, organization(desk, flagged).name):
        assert name not in text


def test_an_attempt_does_not_end_the_review(desk: Desk, flagged: int) -> None:
    """The review's clock runs on after an agent's attempt, and its lateness is told."""
    decide(desk, flagged, "warn", desk.sim.agents("Support")[-1])
    desk.minutes(9)
    assert desk.clocks(flagged)["Abuse review"].stopped_at is None
    assert len(said(desk, flagged, "Review of an abuse flag was due")) == 1


@pytest.mark.req("ABU-06")
def test_account_review_names_the_evidence(desk: Desk, flagged: int) -> None:
    """A review of the account waits for Jira, and carries the hash of what was kept."""
    decide(desk, flagged, "account_review")
    desk.minutes(3)
    (row,) = [row for row in desk.rows(flagged) if row.action.verb == "review"]
    assert isinstance(row.action.change, NotConnected)
    assert row.action.change.needs.startswith("jira: ")
    assert kept(desk, flagged)[0].sha256 in row.action.reason.text


@pytest.mark.req("ABU-07")
def test_evidence_outlives_the_ticket(desk: Desk) -> None:
    """Blacked out, edited and deleted: what was kept is as it was, with its attachment, and verifies."""
    ticket = desk.file("P3", "business", body="I know where you live.")
    desk.sim.reply(ticket, author=customer(desk, ticket), body="Look.", files={"threat.png": 2048})
    desk.sim.reply(ticket, author=desk.agent, body="He has called, too.", public=False)
    flag(desk, ticket)
    desk.minutes(2)
    (before,) = kept(desk, ticket)
    desk.sim.redact(ticket, "I know where you live.")
    desk.sim.edit(ticket, author=desk.agent, subject="Nothing", tags_remove=("abusive",))
    desk.sim.delete(ticket, author=desk.agent)
    desk.minutes(3)
    assert kept(desk, ticket) == [before]
    assert broken([before]) is None
    for words in ("I know where you live.", "He has called, too.", "threat.png", "2048", customer(desk, ticket)):
        assert words in before.content


@pytest.mark.req("ABU-03", "ABU-07")
def test_merged_right_after_the_flag(desk: Desk) -> None:
    """Flagged, and merged into another ticket before we looked: what it said is kept, and a manager hears of it."""
    other = desk.file("P3", "business")
    ticket = desk.file("P3", "business", body="You will regret this.")
    desk.minutes(1)
    flag(desk, ticket)
    desk.sim.merge(other, [ticket], author=desk.agent)
    desk.minutes(3)
    (copy,) = kept(desk, ticket)
    assert "You will regret this." in copy.content
    assert [mail.subject for mail in desk.mail.to("support-manager@example.com")] == [
        f"[builder] P3 Minor issue: ticket {ticket} (business)"
    ]
    assert unfinished(desk.rows()) == []


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_write_without_an_answer(desk: Desk, flagged: int, kind: str) -> None:
    """No answer to the company's change: looked for in its fields, and counted once."""
    desk.fail(kind=kind, method="PUT", path="organizations", count=1)
    decide(desk, flagged, "warn")
    desk.minutes(6)
    assert [fields["warnings"] for fields in writes(desk, flagged)] == [1]
    assert company(desk, flagged)["warnings"] == 1
    assert told(desk, flagged) == 1
    assert unfinished(desk.rows()) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "headers": {"retry-after": "3"}},
        {"kind": "status", "status": 503, "headers": {"retry-after": "2"}},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 500, "after": True},
        {"kind": "truncate"},
        {"kind": "token_expired"},
    ],
    ids=["429", "503", "500", "500 after", "truncate", "401"],
)
def test_trouble_with_the_company(desk: Desk, flagged: int, fault: dict[str, Any]) -> None:
    """Whatever Zendesk answers to the company's change, twice: it is counted once."""
    desk.fail(method="PUT", path="organizations", count=2, **fault)
    decide(desk, flagged, "warn")
    desk.minutes(9)
    assert company(desk, flagged)["warnings"] == 1
    assert [fields["warnings"] for fields in writes(desk, flagged)] == [1]


CALLS = {
    *(f"store.{name}" for name in ("decide", "take", "hold", "finish", "expire", "note_ref", "keep_evidence", "save")),
    *(
        f"zendesk.{name}"
        for name in ("organizations", "update_organization", "update_many", "users", "comments", "jobs")
    ),
}
"""Where a process may die on its way, for the test that lets it die anywhere."""


@pytest.mark.parametrize("status", [403, 500, 503, 401])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_companies_hold_up_no_ticket(desk: Desk, flagged: int, status: int, method: str) -> None:
    """Zendesk does not answer for companies for ten minutes: the customer is warned, tickets go on, one row waits."""
    desk.fail(kind="status", status=status, method=method, path="/organizations/", count=10_000)
    decide(desk, flagged, "warn")
    other = desk.file("P3", "business", fields={"kind": "security"})
    desk.minutes(4)
    assert told(desk, flagged) == 1
    assert "security" in desk.tags(other)
    waiting = [row for row in desk.rows() if row.state in (OutboxState.UNKNOWN, OutboxState.FAILED)]
    assert [row.action.verb for row in waiting] == ["count_warning"]
    desk.well()
    for row in waiting:
        if row.state is OutboxState.FAILED:
            desk.ctx.store.retry(row.id, desk.now)
    desk.minutes(4)
    assert company(desk, flagged)["warnings"] == 1


STEPS: dict[str, tuple[ModuleType, str]] = {
    "before the evidence is read": (evidence_delivery, "_read"),
    "after the evidence was kept": (evidence_delivery, "Result"),
    "before the company is looked at": (company_delivery, "_shown"),
    "before the company's call": (company_delivery, "company_row"),
    "after the company's call": (company_delivery, "read_company"),
    "before its result is noted": (company_delivery, "finish"),
    "before delivery": (delivery, "deliver"),
}


@pytest.mark.req("NFR-03")
@pytest.mark.parametrize("step", STEPS)
def test_killed_and_run_again(either_desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Killed on the way of evidence or company and started again: one copy, one warning, told once; both databases."""
    desk = either_desk
    ticket = desk.file("P3", "business", body="You will regret this.")
    desk.minutes(1)
    monkeypatch.setattr(outbox, "CALL_SECONDS", -1)  # what was in flight is overdue when the next process looks
    flag(desk, ticket)
    decide(desk, ticket, "warn")

    def die(*_: object, **__: object) -> None:
        raise Killed(step)

    module, name = STEPS[step]
    with monkeypatch.context() as dying:
        dying.setattr(module, name, die)
        with pytest.raises(Killed):
            desk.minutes(3)
    desk.restart()
    desk.minutes(6)
    assert len(kept(desk, ticket)) == 1
    assert broken(kept(desk, ticket)) is None
    assert [fields["warnings"] for fields in writes(desk, ticket)] == [1]
    assert told(desk, ticket) == 1
    assert unfinished(desk.rows()) == []


def test_an_end_set_by_hand_stays(desk: Desk, flagged: int) -> None:
    """An admin moves the end of a restriction: theirs holds, and it is lifted on their day."""
    decide(desk, flagged, "restrict")
    desk.minutes(3)
    assert company(desk, flagged)["restricted_until"] == "2026-03-17"
    desk.sim.change_company(organization(desk, flagged).name, restricted_until="2026-03-20")
    desk.minutes(6)
    desk.move("2026-03-19 10:00")
    desk.minutes(7)
    assert company(desk, flagged)["restricted_until"] == "2026-03-20"
    desk.move("2026-03-21 10:00")
    desk.minutes(7)
    assert company(desk, flagged)["restricted_until"] is None


def test_an_end_moved_just_before_it_is_lifted(desk: Desk, flagged: int) -> None:
    """Moved in the very minute in which we would lift it: our change looks first, and leaves it."""
    decide(desk, flagged, "restrict")
    desk.minutes(7)
    desk.move("2026-03-18 00:00")
    abuse.decide(desk.ctx)
    desk.sim.change_company(organization(desk, flagged).name, restricted_until="2026-04-01")
    desk.minutes(3)
    assert company(desk, flagged)["restricted_until"] == "2026-04-01"
    (row,) = [row for row in desk.rows(policy="abuse") if row.action.verb == "lift"]
    assert row.state is OutboxState.DROPPED
    assert "somebody has changed the company's restricted until meanwhile: it stays as it is" in (row.error or "")


def test_a_count_mended_by_hand_is_counted_on_from(desk: Desk, flagged: int) -> None:
    """A manager takes a warning back in the company's field: the next one counts on from there, at once and exactly."""
    decide(desk, flagged, "warn")
    desk.minutes(3)
    desk.sim.change_company(organization(desk, flagged).name, warnings=4)
    decide(desk, flagged, "none")
    decide(desk, flagged, "warn")
    desk.minutes(4)
    assert company(desk, flagged)["warnings"] == 5
    assert told(desk, flagged) == 2


def test_two_warnings_in_one_minute(desk: Desk) -> None:
    """Two tickets of one company are warned about before anything was written: the count is two."""
    first = desk.file("P3", "business")
    second = desk.file("P3", requester=customer(desk, first))
    desk.minutes(1)
    for ticket in (first, second):
        flag(desk, ticket)
        decide(desk, ticket, "warn")
    desk.minutes(3)
    assert [fields["warnings"] for fields in writes(desk, first)] == [1, 2]


def test_held_ticket_is_only_copied(desk: Desk) -> None:
    """With hf_hold nothing is written to the ticket, its evidence is kept; decided while held, done once it is free."""
    ticket = desk.file("P3", "business")
    desk.sim.edit(ticket, author=desk.agent, tags_add=("hf_hold",))
    desk.minutes(2)
    flag(desk, ticket)
    decide(desk, ticket, "warn")
    desk.minutes(3)
    assert len(kept(desk, ticket)) == 1
    assert (desk.notes(ticket), told(desk, ticket), writes(desk, ticket)) == ([], 0, [])
    desk.sim.edit(ticket, author=desk.agent, tags_remove=("hf_hold",))
    desk.minutes(3)
    assert (told(desk, ticket), company(desk, ticket)["warnings"]) == (1, 1)


def test_who_decides_is_asked_when_zendesk_answers(desk: Desk, flagged: int) -> None:
    """The roles cannot be asked: the decision waits, and is carried out once they can."""
    desk.fail(kind="status", status=500, path="group_memberships", count=50)
    decide(desk, flagged, "warn")
    desk.minutes(3)
    assert told(desk, flagged) == 0
    desk.well()
    desk.minutes(3)
    assert told(desk, flagged) == 1
    assert manager_at(desk.ctx, manager(desk).upper()) == desk.sim.user(manager(desk)).id
    assert manager_at(desk.ctx, desk.agent) is None


def test_what_came_before_us_is_not_acted_on(fresh_desk: Desk) -> None:
    """Flags and decisions from before the first day are known and not acted on."""
    desk = fresh_desk
    ticket = desk.file("P3", "business")
    flag(desk, ticket)
    decide(desk, ticket, "warn")
    desk.sandbox.advance(3600)
    desk.minutes(5)
    assert (kept(desk, ticket), told(desk, ticket), writes(desk, ticket)) == ([], 0, [])
    assert {state for verb, state in desk.states(ticket, "keep_evidence", "decide", "reply")} == {"baseline"}


@pytest.mark.req("SEC-01")
def test_security_tickets_are_among_few(desk: Desk) -> None:
    """A security ticket is in its own group within a minute: others cannot open it, its members and we can."""
    group, member = desk.sim.account.group_named("Security"), desk.sim.agents("Engineering")[0]
    assert group is not None
    desk.sim.account.add_membership(desk.sim.user(member), group.id)
    ticket = desk.file("P3", "business", fields={"kind": "security"})
    desk.minutes(1)
    assert desk.group(ticket) == "Security"
    assert "security" in desk.tags(ticket)
    assert not desk.sim.sees(desk.sim.agents("Support")[-1], ticket)
    assert desk.sim.sees(member, ticket)
    with pytest.raises(LookupError, match="it is in a private group"):
        desk.sim.reply(ticket, author=desk.agent, body="May I see?", public=False)
    desk.sim.reply(ticket, author=member, body="On it.")
    desk.minutes(3)
    assert unfinished(desk.rows(ticket)) == []


@pytest.mark.req("NFR-03")
@pytest.mark.parametrize("point", range(41, 150, 9))
def test_killed_anywhere(desk: Desk, monkeypatch: pytest.MonkeyPatch, point: int) -> None:
    """Killed before or after the n-th call that writes or asks about abuse: it makes no difference in the end."""
    monkeypatch.setattr(outbox, "CALL_SECONDS", -1)
    ticket = desk.file("P3", "business", body="You will regret this.")
    desk.minutes(1)
    flag(desk, ticket)
    decide(desk, ticket, "warn")
    calls = []

    def reached(name: str) -> None:
        if name.partition(":")[0] in CALLS:
            calls.append(name)
            if len(calls) == point:
                raise Killed(name)

    watch(desk.ctx, reached)
    with suppress(Killed):
        desk.minutes(4)
    desk.restart()
    desk.minutes(6)
    assert [entry.kind for entry in kept(desk, ticket)] == ["copy"]
    assert broken(kept(desk, ticket)) is None
    assert [fields["warnings"] for fields in writes(desk, ticket)] == [1]
    assert told(desk, ticket) == 1
    assert len(said(desk, ticket, "Abuse decision: warn")) == 1
    assert unfinished(desk.rows()) == []
