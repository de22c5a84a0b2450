"""Delivery: whatever happens on the way, each decision comes out once, or its row says why not."""

from types import ModuleType

import msgspec
import pytest

from connectors.store import Mode, OutboxState
from flows import delivery, outbox, pulse, rules, sla, sync
from mappings.plan import Action, Lane, TicketChange
from mappings.reasons import reason
from tests.flows.desk import Desk, unfinished


def late(desk: Desk, count: int = 1) -> list[int]:
    """Tickets that will be late with the next minute, everything else about them being done."""
    filed = [desk.file("P2", "business") for _ in range(count)]
    desk.minutes(1)
    desk.move("2026-03-03 14:00")
    desk.minutes(2)
    assert desk.now.strftime("%H:%M") == "20:02"
    return filed


def climbed(desk: Desk, ticket: int) -> int:
    """How many of our notes say that the ticket moved up."""
    return len([note for note in desk.notes(ticket) if "Moved to" in note])


def settled(desk: Desk, minutes: int = 5) -> None:
    """Some minutes later nothing is under way any more."""
    desk.minutes(minutes)
    assert unfinished(desk.rows()) == []


def decide_late(desk: Desk) -> None:
    """The next minute's reading and deciding, without its delivery."""
    desk.sandbox.advance(60)
    sync.all_tools(desk.ctx)
    sla.decide(desk.ctx)


def test_agent_edits_between_decide_and_deliver(desk: Desk) -> None:
    """The ticket changed under us: our row is dropped, the agent's change stays, and it comes out once: still due."""
    (ticket,) = late(desk)
    decide_late(desk)
    assert desk.states(ticket, "escalate") == [("escalate", "planned")]
    desk.sandbox.advance(10)
    desk.sim.edit(ticket, author=desk.agent, subject="What the agent wrote", tags_add=("theirs",))
    delivery.deliver(desk.ctx)
    assert desk.states(ticket, "escalate") == [("escalate", "dropped")]
    settled(desk)
    assert climbed(desk, ticket) == 1
    assert desk.sim.account.tickets[ticket].subject == "What the agent wrote"
    assert {"theirs", "escalated"} <= desk.tags(ticket)


def test_agent_answers_between_decide_and_deliver(desk: Desk) -> None:
    """An answer in between: the row is dropped, and decided again it is not planned any more."""
    (ticket,) = late(desk)
    decide_late(desk)
    desk.sim.reply(ticket, author=desk.agent, body="Here is how.")
    delivery.deliver(desk.ctx)
    settled(desk)
    # the answer came after the due time: late all the same, and noted once
    assert desk.states(ticket, "escalate")[-1][1] in ("dropped", "done")
    assert climbed(desk, ticket) <= 1
    assert desk.replies(ticket) == []


@pytest.mark.parametrize("keeps_metadata", [True, False])
def test_cut_after_the_effect(desk: Desk, keeps_metadata: bool) -> None:
    """The update was done and its answer lost: unknown, found by looking, done; nothing doubled."""
    desk.core.switches.bulk_keeps_metadata = keeps_metadata
    tickets = late(desk, 3)
    desk.fail(kind="cut_after", method="PUT", path="update_many", count=1)
    desk.minutes(1)
    assert [desk.states(ticket, "escalate") for ticket in tickets] == [[("escalate", "unknown")]] * 3
    settled(desk)
    assert [desk.states(ticket, "escalate") for ticket in tickets] == [[("escalate", "done")]] * 3
    assert [climbed(desk, ticket) for ticket in tickets] == [1, 1, 1]


def test_cut_before_the_effect(desk: Desk) -> None:
    """No answer and nothing done: looked for, not there, sent once."""
    (ticket,) = late(desk)
    desk.fail(kind="cut_before", method="PUT", path="update_many", count=1)
    desk.minutes(1)
    assert desk.states(ticket, "escalate") == [("escalate", "unknown")]
    assert climbed(desk, ticket) == 0
    settled(desk)
    assert climbed(desk, ticket) == 1


@pytest.mark.parametrize("keeps_metadata", [True, False])
def test_reply_whose_answer_was_lost(desk: Desk, keeps_metadata: bool) -> None:
    """A message to a customer, done, its answer lost: it is not sent again, with or without metadata to find it by."""
    desk.core.switches.bulk_keeps_metadata = keeps_metadata
    desk.move("2026-03-03 18:30")
    desk.minutes(2)
    ticket = desk.file("P2", "business")
    desk.fail(kind="cut_after", method="PUT", path="update_many", count=1)
    settled(desk, 8)
    assert len(desk.replies(ticket)) == 1
    assert "next_business_day" in desk.tags(ticket)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500, "count": 8},
        {"kind": "status", "status": 404, "count": 1},
        {"kind": "cut_before", "count": 8},
        {"kind": "html", "count": 8},
    ],
    ids=["500", "404", "cut", "html"],
)
def test_job_that_cannot_be_asked(desk: Desk, fault: dict[str, object]) -> None:
    """The job was taken and does its work, but asking for it fails: its rows may be done, so they are looked for."""
    (ticket,) = late(desk)
    desk.fail(path="job_statuses", **fault)
    desk.minutes(1)
    assert desk.states(ticket, "escalate") in ([("escalate", "unknown")], [("escalate", "sending")])
    settled(desk)
    assert climbed(desk, ticket) == 1


def test_one_bad_row_of_a_job(desk: Desk) -> None:
    """One of three tickets is closed under us: that row is dropped with its reason, the others are done."""
    good, bad, other = late(desk, 3)
    decide_late(desk)
    account = desk.sim.account.tickets[bad]
    account.status = "closed"  # without an update: what we know of its stamp still holds
    delivery.deliver(desk.ctx)
    row = next(row for row in desk.rows(bad) if row.action.verb == "escalate")
    assert (row.state, row.error) == (OutboxState.DROPPED, "the ticket is closed: nothing is done to it any more")
    assert [climbed(desk, ticket) for ticket in (good, other)] == [1, 1]


def test_unknown_group_fails_its_row_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile names a group that the account lacks: those rows fail and say so, everybody else is served."""
    (ticket,) = late(desk)
    group = next(group for group in desk.sim.account.groups.values() if group.name == "Technical")
    group.name = "Tech"
    desk.ctx.store.save(
        sync.Facts(), source=sync.SourceState(tool="zendesk", name="account", cursor=None, fresh_through=None)
    )
    night = desk.file("P2", "business", fields={"kind": "security"})
    desk.minutes(3)
    row = next(row for row in desk.rows(ticket) if row.action.verb == "escalate")
    assert row.state is OutboxState.FAILED
    assert "group 'Technical': Zendesk has none of that name" in (row.error or "")
    assert "security" in desk.tags(night)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "headers": {"retry-after": "3"}},
        {"kind": "status", "status": 429, "headers": {"retry-after": "Tue, 03 Mar 2026 20:05:00 GMT"}},
        {"kind": "status", "status": 429, "headers": {"retry-after": "90"}},
        {
            "kind": "status",
            "status": 429,
            "headers": {"retry-after": "60"},
            "body": {"error": "TooManyJobs", "description": "Too many jobs"},
        },
        {"kind": "status", "status": 503, "headers": {"retry-after": "2"}},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 500, "after": True},
        {"kind": "status", "status": 409},
        {"kind": "token_expired"},
        {"kind": "html"},
        {"kind": "truncate"},
    ],
    ids=["429", "429 date", "429 long", "TooManyJobs", "503", "500", "500 after", "409", "401", "html", "truncate"],
)
def test_trouble_with_the_update(desk: Desk, fault: dict[str, object]) -> None:
    """Whatever Zendesk answers to an update, once or twice: nothing is lost and nothing doubled."""
    (ticket,) = late(desk)
    desk.fail(method="PUT", path="update_many", count=2, **fault)
    settled(desk, 7)
    assert climbed(desk, ticket) == 1
    assert desk.group(ticket) == "Technical"


def test_unknown_row_of_a_deleted_ticket(desk: Desk) -> None:
    """A lost answer, and then the ticket is deleted: its row is given up with a reason and does not hold others up."""
    ticket, other = late(desk, 2)
    desk.fail(kind="cut_before", method="PUT", path="update_many", count=1)
    desk.minutes(1)
    desk.sim.delete(ticket, author=desk.agent)
    settled(desk, 6)
    assert climbed(desk, other) == 1
    row = next(row for row in desk.rows(ticket) if row.action.verb == "escalate")
    assert row.state is OutboxState.DROPPED


STEPS: dict[str, tuple[ModuleType, str]] = {
    "after reading tickets": (sync, "newest"),
    "after reading": (sync, "unread"),
    "before deciding": (sla, "decide"),
    "between policies": (rules, "decide"),
    "before delivery": (delivery, "deliver"),
    "after taking": (delivery, "_stamped"),
    "before the call": (delivery, "_send_job"),
    "after the call": (delivery, "_read_jobs"),
    "before noting results": (delivery, "finish"),
}


class Killed(BaseException):
    """The process died here: nothing of ours may catch this."""


@pytest.mark.req("NFR-03")
@pytest.mark.parametrize("step", STEPS)
def test_killed_and_run_again(desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Killed at any point and started again: the same notes, tags, fields and pages as without, each once."""
    module, name = STEPS[step]
    (ticket,) = late(desk)
    before = len(desk.core.journal)
    monkeypatch.setattr(outbox, "CALL_SECONDS", -1)  # what was in flight is overdue when the next process looks

    def die(*_: object, **__: object) -> None:
        raise Killed(step)

    with monkeypatch.context() as dying:
        dying.setattr(module, name, die)
        if name == "decide":  # the pulse keeps a table of its own
            dying.setitem(pulse.DECIDERS, module.POLICY, die)
        desk.sandbox.advance(60)
        with pytest.raises(Killed):
            desk.beat()
    desk.restart()
    desk.beat()
    settled(desk, 6)
    assert climbed(desk, ticket) == 1
    assert len([row for row in desk.effects(ticket, after=before) if row.kind == "note"]) == 1
    assert desk.group(ticket) == "Technical"
    assert desk.field(ticket, "tier") == "tier_2"
    assert {"sla_breached", "escalated"} <= desk.tags(ticket)


def test_hundreds_of_breached_tickets(desk: Desk) -> None:
    """300 tickets late at once are held back whole; approved, they take three fresh reads, three writes, two looks at
    all jobs at once (counted here: show_many, update_many and job_statuses; not the reading that found them)."""
    desk.ctx.store.set_mode("triage", Mode.OFF, desk.now)
    tickets = [desk.file("P2", "business") for _ in range(300)]
    desk.core.switches.rate_limits = False
    desk.move("2026-03-03 14:04")
    desk.beat()
    assert sum(climbed(desk, ticket) for ticket in tickets) == 0
    (batch,) = desk.ctx.store.batches()
    assert (batch.policy, batch.verb, batch.count) == ("sla", "escalate", 300)
    desk.minutes(1)
    desk.ctx.store.approve(batch.hash, desk.now)
    before = desk.core.recorder.count
    desk.minutes(1)
    calls = [call["path"].removeprefix("/api/v2/") for call in desk.calls(path="/api/v2/", after=before)]
    assert len([path for path in calls if "show_many" in path and path.startswith("tickets")]) == 3
    assert len([path for path in calls if "update_many" in path]) == 3
    assert len([path for path in calls if path.startswith("job_statuses")]) <= 2
    assert sum(climbed(desk, ticket) for ticket in tickets) == 300
    assert unfinished(desk.rows()) == []


def test_nobody_stays_behind_a_ticket_that_breaks_jobs(desk: Desk) -> None:
    """Jobs break down at certain tickets and do nothing for those behind: the others are done in a few tries."""
    late(desk, 1)
    row = desk.rows()[-1]
    waiting = {number: msgspec.structs.replace(row, id=number, attempts=1) for number in range(1, 41)}
    breaking = {1, 7, 30}
    for tries in range(1, 13):
        job = sorted((delivery.Spelled([row], {}) for row in waiting.values()), key=delivery.turn)
        numbers = [one.rows[0].id for one in job]
        assert numbers == sorted(numbers) or tries > 1
        for number in numbers[: min(numbers.index(poison) for poison in breaking)]:
            del waiting[number]
        waiting = {id: msgspec.structs.replace(row, attempts=tries + 1) for id, row in waiting.items()}
    assert waiting.keys() == breaking


def test_given_to_somebody_who_is_moved_away_from(desk: Desk) -> None:
    """One action moves a ticket, another, decided without it, gives it to somebody: the move is done, the other anew.

    Zendesk refuses the two as one, and with them all else that was to be done.
    """
    ticket = desk.file("P3", "business")
    desk.minutes(2)
    stamp = desk.ctx.store.histories([ticket])[0].ticket.updated_at
    chosen = desk.sim.user(desk.sim.agents("Support")[0]).id
    changes = {
        "move": TicketChange(group="Management", add_tags=("moved",)),
        "give": TicketChange(assignee_id=chosen),
        "tag": TicketChange(add_tags=("tagged",)),
    }
    actions = [
        Action(
            key=f"test:{key}:zendesk:{ticket}",
            policy="rules",
            rule="test",
            verb="assign",
            tool="zendesk",
            record=f"zendesk:{ticket}",
            change=change,
            reason=reason("rule_held", "test", "For a test.", desk.ctx.profile),
            lane=Lane.ESCALATION,
            cause_at=desk.now,
            expects={"updated_at": stamp.isoformat()},
        )
        for key, change in changes.items()
    ]
    desk.ctx.store.decide(policy="rules", decided_seq=None, now=desk.now, mode=Mode.APPLY, actions=actions)
    delivery.deliver(desk.ctx)
    states = {row.action.key.split(":")[1]: row.state.value for row in desk.rows(ticket) if row.action.rule == "test"}
    assert states == {"move": "done", "give": "dropped", "tag": "done"}
    assert (desk.group(ticket), {"moved", "tagged"} <= desk.tags(ticket)) == ("Management", True)
