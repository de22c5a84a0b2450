"""The SLA policy from end to end: what people do in Zendesk, minutes passing, and what we then did there."""

import pytest

from connectors.sandbox.zendesk.records import API, Comment
from connectors.store import OutboxState
from mappings.model import ClockState
from tests.flows.desk import Desk
from tests.flows.test_delivery import climbed, late
from tests.stories import at


def test_first_run_writes_nothing(fresh_desk: Desk) -> None:
    """An account with long late tickets: the first runs write nothing to anybody and page nobody."""
    desk = fresh_desk
    desk.beat()
    desk.minutes(5)
    states = {row.state for row in desk.rows() if row.action.policy == "sla"}
    assert states == {OutboxState.BASELINE}
    assert desk.effects() == []


@pytest.mark.req("SLA-08", "ESC-01")
def test_late_ticket_climbs_one_tier(desk: Desk) -> None:
    """P2 on Business, due after four open hours: moved once to the next tier with one note, however often we look."""
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    assert desk.clocks(ticket)["First response"].due_at == at("2026-03-03 14:03")
    desk.move("2026-03-03 14:01")
    desk.minutes(1)
    assert desk.group(ticket) == "Support"
    desk.minutes(4)
    assert desk.group(ticket) == "Technical"
    assert desk.field(ticket, "tier") == "tier_2"
    assert {"sla_breached", "escalated"} <= desk.tags(ticket)
    notes = [note for note in desk.notes(ticket) if "was due" in note]
    assert len(notes) == 1
    assert "First response was due 14:03 (P2, Business: 4 business hours). Moved to Technical support" in notes[0]


def test_warned_once(desk: Desk) -> None:
    """A warning at three quarters of the target, once."""
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    desk.move("2026-03-03 13:00")
    desk.minutes(2)
    assert desk.notes(ticket) == []
    desk.minutes(4)
    assert len(desk.notes(ticket)) == 1
    assert "First response is due 14:03" in desk.notes(ticket)[0]


def late_soon(desk: Desk) -> int:
    """A P2 on Business, due 14:03, everything else about it being done; it is 14:01."""
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    desk.move("2026-03-03 13:57")
    desk.minutes(4)
    return ticket


def test_answer_in_the_hidden_minute(desk: Desk) -> None:
    """An agent answers twenty seconds before the due time, which no export shows yet: nobody escalates."""
    ticket = late_soon(desk)
    desk.sandbox.advance(100)
    desk.sim.reply(ticket, author=desk.agent, body="Try this.")
    desk.sandbox.advance(25)
    desk.beat()
    desk.minutes(3)
    assert desk.group(ticket) == "Support"
    assert not [note for note in desk.notes(ticket) if "was due" in note]
    assert desk.clocks(ticket)["First response"].state is ClockState.MET


def test_written_on_behalf_of_the_customer(desk: Desk) -> None:
    """An agent's program writes what the customer said: the updater is an agent, the author is not. No answer."""
    ticket = late_soon(desk)
    desk.sim.desk.update(
        desk.sim.user(desk.agent),
        desk.sim.account.tickets[ticket],
        {},
        Comment(desk.sim.user(desk.customer("business")).id, "They called: it is still broken.", True),
        via=API,
    )
    desk.minutes(5)
    assert desk.group(ticket) == "Technical"


def test_written_on_behalf_of_an_agent(desk: Desk) -> None:
    """A program of ours writes what an agent said: the author counts, and the clock stops."""
    ticket = late_soon(desk)
    desk.sim.desk.update(
        desk.sim.user(desk.us),
        desk.sim.account.tickets[ticket],
        {},
        Comment(desk.sim.user(desk.agent).id, "We are on it.", True),
        via=API,
    )
    desk.minutes(5)
    assert desk.group(ticket) == "Support"
    assert desk.clocks(ticket)["First response"].state is ClockState.MET


@pytest.mark.req("INT-06")
def test_internal_note_is_no_answer(desk: Desk) -> None:
    """An agent's note to colleagues does not stop the clock."""
    ticket = late_soon(desk)
    desk.sim.reply(ticket, author=desk.agent, body="Looks like the importer.", public=False)
    desk.minutes(4)
    assert desk.group(ticket) == "Technical"


@pytest.mark.req("SLA-04")
def test_fields_say_when(desk: Desk) -> None:
    """Due time, tier and next escalation stand on the ticket; the answer's and the solution's time follow."""
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    assert desk.field(ticket, "sla_due") == "2026-03-03T14:03:00-06:00"
    assert desk.field(ticket, "next_escalation") == "T2 at 14:03"
    desk.sim.reply(ticket, author=desk.agent, body="Try this.")
    desk.minutes(4)
    assert desk.field(ticket, "first_response_at") == "2026-03-03T10:05:00-06:00"
    assert desk.field(ticket, "sla_due") is None
    desk.sim.reply(ticket, author=desk.agent, body="Good.", status="solved")
    desk.minutes(4)
    assert desk.field(ticket, "resolved_at") == "2026-03-03T10:09:00-06:00"


def test_a_persons_value_stays(desk: Desk) -> None:
    """An agent changes a field of ours: it stays theirs."""
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    desk.sim.edit(ticket, author=desk.agent, fields={"sla_due": "before lunch"})
    desk.minutes(5)
    assert desk.field(ticket, "sla_due") == "before lunch"


@pytest.mark.req("ESC-01", "ESC-02")
def test_ladder_to_management(desk: Desk) -> None:
    """Nobody answers at all: tier 2, tier 3, then management is called, each once."""
    ticket = desk.file("P1", "enterprise")
    desk.minutes(1)
    for minute in ("10:17", "10:33", "10:48"):
        desk.move(f"2026-03-03 {minute}")
        desk.minutes(4)
    moved = [note.split("Moved to ")[1].split(" (")[0] for note in desk.notes(ticket) if "Moved to " in note]
    assert moved == ["Technical support", "Engineering"]
    assert len([note for note in desk.notes(ticket) if "Management is called" in note]) == 1
    assert "escalated_management" in desk.tags(ticket)


@pytest.mark.parametrize("status", [403, 500])
def test_a_ticket_that_cannot_be_read_waits_alone(desk: Desk, status: int) -> None:
    """Zendesk does not tell of one late ticket: the others climb, and it follows once it is known."""
    closed, *others = late(desk, 3)
    for ticket in (closed, *others):
        desk.sim.reply(ticket, author=desk.agent, body="Somebody looks at it.", public=False)
    desk.fail(vendor="zendesk", kind="status", status=status, path=f"tickets/{closed}/audits")
    desk.minutes(1)
    assert [climbed(desk, ticket) for ticket in (closed, *others)] == [0, 1, 1]
    desk.well()
    desk.minutes(5)
    assert climbed(desk, closed) == 1
