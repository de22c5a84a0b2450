"""Tickets that end in between: what was decided is dropped with its reason, and what comes back goes on quietly."""

import pytest

from connectors.store import Facts, OutboxState, SourceState
from flows import delivery
from flows.ticket_looks import UNSEEN
from mappings.model import ClockState
from tests.flows.desk import Desk, unfinished
from tests.flows.test_delivery import climbed, decide_late, late, settled
from tests.flows.test_ticket_looks import row_of

ENDS = ("close", "merge", "delete", "spam")


def end(desk: Desk, ticket: int, how: str) -> None:
    """An agent ends a ticket."""
    if how == "close":
        desk.sim.edit(ticket, author=desk.agent, assignee=desk.agent, status="closed")
    elif how == "merge":
        desk.sim.merge(desk.file("P4", "business"), [ticket], author=desk.agent)
    elif how == "delete":
        desk.sim.delete(ticket, author=desk.agent)
    else:
        desk.sim.mark_spam(ticket, author=desk.agent)


@pytest.mark.parametrize("how", ENDS)
def test_ended_between_decide_and_deliver(desk: Desk, how: str) -> None:
    """Ended after the decision: nothing is written to it, its row says why, nothing waits for ever."""
    (ticket,) = late(desk)
    decide_late(desk)
    desk.sandbox.advance(10)
    end(desk, ticket, how)
    delivery.deliver(desk.ctx)
    settled(desk, 6)
    state, said = row_of(desk, ticket)
    assert state is OutboxState.DROPPED
    assert "the ticket is" in said or "changed" in said
    assert climbed(desk, ticket) == 0


@pytest.mark.parametrize("how", ENDS)
def test_ended_between_take_and_call(desk: Desk, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Ended in the moment before the call: its job's row says so; others of the same job are done."""
    ticket, other = late(desk, 2)
    decide_late(desk)
    send = delivery._send_job

    def and_then(*given: object) -> object:
        desk.sandbox.advance(1)
        if not desk.sim.account.tickets[ticket].deleted_at and desk.sim.account.tickets[ticket].status != "closed":
            end(desk, ticket, how)
        return send(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(delivery, "_send_job", and_then)
    delivery.deliver(desk.ctx)
    settled(desk, 6)
    assert row_of(desk, ticket)[0] is OutboxState.DROPPED
    assert (climbed(desk, ticket), climbed(desk, other)) == (0, 1)


@pytest.mark.parametrize("keeps_metadata", [True, False])
@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
@pytest.mark.parametrize("how", ENDS)
def test_ended_while_unknown(desk: Desk, how: str, kind: str, keeps_metadata: bool) -> None:
    """The answer was lost, and then the ticket ended: its row is done or dropped, whichever is true, and not sent
    again."""
    desk.core.switches.bulk_keeps_metadata = keeps_metadata
    (ticket,) = late(desk)
    desk.fail(kind=kind, method="PUT", path="update_many", count=1)
    desk.minutes(1)
    desk.sandbox.advance(5)
    end(desk, ticket, how)
    settled(desk, 6)
    done = climbed(desk, ticket)
    assert done == (kind == "cut_after")
    seen = {OutboxState.DONE} if done and how in ("close", "merge") else {OutboxState.DROPPED}
    assert row_of(desk, ticket)[0] in seen


@pytest.mark.parametrize("how", ["delete", "spam"])
def test_restored_goes_on_where_it_stopped(desk: Desk, how: str) -> None:
    """Deleted for a day and restored: the time away counts for nothing, nothing is sent that was sent before, and the
    clock goes on with what it had left."""
    ticket = desk.file("P2", "business")
    desk.minutes(3)
    desk.move("2026-03-03 13:01")
    desk.minutes(3)
    assert len(desk.notes(ticket)) == 1  # the warning
    end(desk, ticket, how)
    desk.minutes(3)
    assert {clock.state for clock in desk.clocks(ticket).values()} <= {ClockState.VOID, ClockState.MET}
    desk.move("2026-03-04 13:04")
    desk.minutes(2)
    before = len(desk.notes(ticket))
    desk.sim.restore(ticket, author=desk.agent)
    settled(desk)
    assert len(desk.notes(ticket)) == before == 1
    clock = desk.clocks(ticket)["First response"]
    assert clock.state is ClockState.RUNNING
    assert clock.due_at is not None
    left = (clock.due_at - desk.now).total_seconds()
    assert 45 * 60 < left < 60 * 60
    desk.until("2026-03-04 14:20")
    assert climbed(desk, ticket) == 1


def lose_delete_restore(desk: Desk, ticket: int, kind: str) -> None:
    """The next update's answer is lost, the ticket deleted before we can look, and restored minutes later."""
    desk.fail(kind=kind, method="PUT", path="update_many", count=1)
    desk.minutes(1)
    desk.sandbox.advance(5)
    desk.sim.delete(ticket, author=desk.agent)
    desk.minutes(4)
    desk.sim.restore(ticket, author=desk.agent)
    settled(desk, 6)


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_reply_to_a_restored_ticket(desk: Desk, kind: str) -> None:
    """The answer to a reply was lost, the ticket deleted and soon restored: the customer is not written to twice."""
    desk.move("2026-03-03 18:30")
    desk.minutes(2)
    ticket = desk.file("P2", "business")
    lose_delete_restore(desk, ticket, kind)
    assert len(desk.replies(ticket)) == (kind == "cut_after")
    (row,) = desk.rows(ticket, verb="reply")
    assert (row.state, row.error) == (OutboxState.DROPPED, UNSEEN)


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_step_of_a_restored_ticket(desk: Desk, kind: str) -> None:
    """The answer to a step was lost, the ticket deleted and restored: it has climbed once."""
    (ticket,) = late(desk)
    lose_delete_restore(desk, ticket, kind)
    assert climbed(desk, ticket) == 1


def test_restored_after_its_step(desk: Desk) -> None:
    """Late, moved up, deleted and restored: the step is not taken again."""
    (ticket,) = late(desk)
    settled(desk)
    notes = len(desk.notes(ticket))
    desk.sim.delete(ticket, author=desk.agent)
    desk.minutes(4)
    desk.sim.restore(ticket, author=desk.agent)
    settled(desk, 6)
    assert (climbed(desk, ticket), len(desk.notes(ticket))) == (1, notes)


def test_restored_before_its_step_went_out(desk: Desk) -> None:
    """Late and decided, deleted before delivery: dropped; restored, it is still late, and the step is taken once."""
    (ticket,) = late(desk)
    decide_late(desk)
    desk.sim.delete(ticket, author=desk.agent)
    delivery.deliver(desk.ctx)
    desk.minutes(5)
    assert climbed(desk, ticket) == 0
    before = desk.core.recorder.count
    desk.minutes(2)
    assert not [
        call for call in desk.calls(path="tickets/show_many", after=before) if str(ticket) in str(call["query"])
    ]
    desk.sim.restore(ticket, author=desk.agent)
    settled(desk, 6)
    assert climbed(desk, ticket) == 1


def test_page_of_a_restored_ticket(desk: Desk) -> None:
    """A P1's page closes when the ticket is deleted; restored, nobody is paged for it a second time."""
    desk.move("2026-03-04 02:00")
    desk.minutes(3)
    ticket = desk.file("P1", "business")
    desk.minutes(2)
    desk.sim.delete(ticket, author=desk.agent)
    desk.minutes(4)
    assert [incident.status for incident in desk.incidents] == ["resolved"]
    desk.sim.restore(ticket, author=desk.agent)
    desk.minutes(4)
    assert len(desk.incidents) == 1


def test_a_failed_row_goes_with_its_ticket(desk: Desk) -> None:
    """A failed row parks its ticket; when the ticket is closed, the row and what waited behind it are dropped."""
    (ticket,) = late(desk)
    group = next(group for group in desk.sim.account.groups.values() if group.name == "Technical")
    group.name = "Tech"
    unknown = SourceState(tool="zendesk", name="account", cursor=None, fresh_through=None)
    desk.ctx.store.save(Facts(), source=unknown)  # its groups are read anew
    desk.minutes(3)
    assert row_of(desk, ticket)[0] is OutboxState.FAILED
    end(desk, ticket, "close")
    settled(desk)
    assert row_of(desk, ticket)[0] is OutboxState.DROPPED
    assert unfinished(desk.rows(ticket)) == []
