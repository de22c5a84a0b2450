"""The SLA policy from end to end: what people do in Zendesk, minutes passing, and what we then did there."""

import pytest

from connectors.store import OutboxState
from tests.flows.desk import Desk
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
    desk.until("2026-03-03 13:02")
    assert desk.notes(ticket) == []
    desk.minutes(4)
    assert len(desk.notes(ticket)) == 1
    assert "First response is due 14:03" in desk.notes(ticket)[0]
