"""Tickets that come with a past of their own: brought over from another tool, they wake and tell nobody."""

from datetime import timedelta

import pytest

from connectors.store import OutboxState
from tests.flows.desk import Desk


def bring(desk: Desk, days: float, severity: str = "P1") -> int:
    """An admin imports a ticket that a customer filed so many days ago."""
    return desk.sim.import_ticket(
        requester=desk.customer("enterprise"),
        subject="From the old tool",
        body="It broke.",
        at=desk.now - timedelta(days=days),
        fields={"severity": severity, "kind": "bug"},
    )


@pytest.mark.parametrize("days", [0.5, 3, 400])
def test_imported_tickets_have_no_effects(desk: Desk, days: float) -> None:
    """Long late by its own times, also by times after our start: no page, no note, no reply, and nothing later."""
    desk.minutes(2)
    desk.move("2026-03-06 10:00")
    desk.minutes(3)
    before = len(desk.core.journal)
    ticket = bring(desk, days)
    desk.minutes(12)
    done = desk.effects(ticket, after=before)
    assert [row for row in done if row.kind != "field" or row.detail["field"] == "group_id"] == []
    assert desk.incidents == []
    desk.sim.edit(ticket, author=desk.agent, subject="Looked at")
    desk.minutes(3)
    assert desk.incidents == []
    assert desk.notes(ticket) == []
    sent = {row.state for row in desk.rows(ticket) if row.action.verb not in ("fields", "leave")}
    assert sent <= {OutboxState.BASELINE}


def test_a_ticket_of_our_own_outage_is_no_import(desk: Desk) -> None:
    """Filed while we were down for three hours: late when we come back, and it climbs."""
    desk.minutes(2)
    desk.sandbox.advance(60)
    ticket = desk.file("P1", "enterprise")
    desk.sandbox.advance(3 * 3600)
    desk.minutes(3)
    assert [note for note in desk.notes(ticket) if "Moved to" in note]
    assert len(desk.incidents) <= 1


def test_a_ticket_whose_events_come_late_is_no_import(desk: Desk) -> None:
    """The events' export is down for half an hour and tickets are not: what was filed meanwhile is late."""
    desk.minutes(2)
    desk.fail(kind="status", status=503, path="ticket_events|audits")
    ticket = desk.file("P1", "enterprise")
    desk.sandbox.advance(5)
    desk.sim.edit(ticket, author=desk.agent, subject="Seen")
    desk.minutes(30)
    desk.well()
    desk.minutes(4)
    assert [note for note in desk.notes(ticket) if "Moved to" in note]
