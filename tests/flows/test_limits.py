"""Blast limits from end to end: a burst waits for its operator, and nobody else waits with it."""

import msgspec
import pytest

from connectors.store import OutboxState
from flows import operations
from flows.report import page
from tests.flows.desk import Desk, unfinished
from tests.profiles import edited


def climbed(desk: Desk, ticket: int) -> int:
    return len([note for note in desk.notes(ticket) if "Moved to" in note])


@pytest.fixture
def burst(desk: Desk) -> list[int]:
    """Three tickets late at once, of which a profile lets two climb unasked."""
    desk.ctx.profile = edited("builder", "limits: {most: {escalate: 2}}")
    tickets = [desk.file("P2", "business") for _ in range(3)]
    desk.minutes(2)
    desk.move("2026-03-03 14:03")
    return tickets


def test_a_burst_is_told_where_people_look(desk: Desk, burst: list[int]) -> None:
    """The page of the pulse that held it back, and of those after it, says how much, where, why, and what to type."""
    (beat,) = desk.minutes(1)
    (batch,) = desk.ctx.store.batches()
    states = {state for decided in beat.decided for key, state in decided.states.items() if "late:escalate" in key}
    assert states == {"held"}
    for told in (beat, desk.minutes(1)[0]):
        text = page(desk.ctx, told, "pulse")
        assert "## Held back" in text
        assert "**3 × escalate** by sla, more at once than the profile allows" in text
        assert f"`helpdesk approve {batch.hash}` releases it" in text
        assert f"3 × First response: [zendesk:{burst[-1]}]({desk.ctx.ticket_link(burst[-1])})" in text
        assert "For example: First response was due 14:03" in text


def test_a_plan_says_what_would_wait(desk: Desk, burst: list[int]) -> None:
    """Planned only, a burst is said to be over the limit; within it, nothing is said."""
    desk.ctx.plan_only = True
    text = page(desk.ctx, desk.beat(), "plan")
    assert "## Would be held back" in text
    assert "**3 × escalate** by sla, of which the profile lets 2 pass at once" in text
    desk.ctx.profile = edited("builder", "limits: {most: {escalate: 3}}")
    assert "held back" not in page(desk.ctx, desk.beat(), "plan")


def test_nobody_waits_with_it(desk: Desk, burst: list[int]) -> None:
    """A page, a warning, and other policies' work go on; so does what comes when the burst is over."""
    (beat,) = desk.minutes(1)
    assert beat.delivered.problems == []
    soon = desk.file("P1", "enterprise")
    desk.minutes(12)
    assert any("is due" in note for note in desk.notes(soon))
    assert desk.field(soon, "sla_due") is not None
    desk.move("2026-03-03 14:33")
    desk.minutes(1)
    assert climbed(desk, soon) == 1
    assert [climbed(desk, ticket) for ticket in burst] == [0, 0, 0]


def test_approved_it_is_looked_at_again(desk: Desk, burst: list[int]) -> None:
    """What is still late climbs, once; a ticket that was answered and solved while it waited is left alone."""
    desk.minutes(1)
    answered, *others = burst
    desk.sim.reply(answered, author=desk.agent, body="Here is how.", status="solved")
    desk.minutes(2)
    operations.settle(desk.ctx.store, desk.now, desk.ctx.store.batches()[0].hash)
    desk.minutes(3)
    assert climbed(desk, answered) == 0
    assert [climbed(desk, ticket) for ticket in others] == [1, 1]
    row = next(row for row in desk.rows(answered) if row.action.verb == "escalate")
    assert row.error == "released by an operator; looked at again, it did not hold any more"
    assert unfinished(desk.rows()) == []


def test_refused_it_never_comes(desk: Desk, burst: list[int]) -> None:
    """Refused: nobody climbs for this, however often we look."""
    desk.minutes(1)
    operations.settle(desk.ctx.store, desk.now, desk.ctx.store.batches()[0].hash, refuse=True)
    desk.minutes(4)
    assert [climbed(desk, ticket) for ticket in burst] == [0, 0, 0]
    assert desk.ctx.store.batches() == []


def test_a_held_message_is_not_sent_when_its_hour_is_over(desk: Desk) -> None:
    """Messages to customers, held and approved the next morning: too late to say that we are closed."""
    desk.ctx.profile = edited("builder", "limits: {most: {reply: 0}}")
    desk.move("2026-03-03 19:00")
    desk.minutes(1)
    ticket = desk.file("P3", "business")
    desk.minutes(2)
    assert desk.states(ticket, "reply") == [("reply", "held")]
    assert "next_business_day" in desk.tags(ticket)
    desk.move("2026-03-04 08:00")
    desk.minutes(1)
    operations.settle(desk.ctx.store, desk.now, desk.ctx.store.batches()[0].hash)
    desk.minutes(3)
    assert desk.replies(ticket) == []
    row = next(row for row in desk.rows(ticket) if row.action.verb == "reply")
    assert (row.state, (row.error or "")[:8]) == (OutboxState.DROPPED, "too late")


def test_a_held_message_is_sent_within_its_hour(desk: Desk) -> None:
    """Approved some minutes later it goes out, once."""
    desk.ctx.profile = edited("builder", "limits: {most: {rules reply: 0}}")
    desk.move("2026-03-03 19:00")
    desk.minutes(1)
    ticket = desk.file("P3", "business")
    desk.minutes(2)
    operations.settle(desk.ctx.store, desk.now, desk.ctx.store.batches()[0].hash)
    desk.minutes(3)
    assert len(desk.replies(ticket)) == 1


@pytest.mark.req("NFR-04")
def test_ten_times_the_volume_passes(desk: Desk) -> None:
    """500 tickets in half an hour at night: each is answered and tagged within the vendors' limits, nothing is held."""
    desk.move("2026-03-03 19:00")
    desk.minutes(1)
    tickets = []
    for minute in range(30):
        tickets += [desk.file("P3", "business") for _ in range(17 if minute < 20 else 16)]
        desk.minutes(1)
    desk.minutes(5)
    assert desk.ctx.store.batches() == []
    assert unfinished(desk.rows()) == []
    assert [len(desk.replies(ticket)) for ticket in tickets] == [1] * 500


def test_shadow_says_what_it_would_do(desk: Desk) -> None:
    """In shadow mode a pulse counts by rule what it would have done, with reasons and links, once; nothing is done."""
    desk.ctx.settings = desk.ctx.settings.model_copy(update={"mode": "shadow"})
    desk.minutes(1)
    before = len(desk.core.journal)
    desk.move("2026-03-03 19:00")
    desk.minutes(1)
    ticket = desk.file("P3", "business")
    (beat,) = desk.minutes(1)
    text = page(desk.ctx, beat, "pulse")
    assert "## In shadow: what would have been done" in text
    assert "| rules | night queue | reply after_hours | 1 |" in text
    assert f"| [zendesk:{ticket}]({desk.ctx.ticket_link(ticket)}) | P3 | reply after_hours, not done: shadow |" in text
    assert sum(len(decided.actions) for decided in desk.minutes(1)[0].decided) == 0
    told = operations.summary(desk.ctx.store, OutboxState.SHADOW)
    assert "1 × rules  night queue  reply" in told.text
    assert msgspec.json.encode(told.value)
    assert desk.effects(after=before) == []
