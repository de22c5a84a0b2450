"""After hours from end to end: pages by calendar, the queue for the next business day, and on-call's own ladder."""

from collections.abc import Callable

import pytest

from mappings.model import ClockState
from tests.flows.desk import Desk
from tests.flows.test_escalation import move
from tests.stories import at

Open = Callable[[str], Desk]


@pytest.mark.req("AFT-04", "AFT-09")
def test_pmerit_nights_and_weekends(desk_of: Open) -> None:
    """P1 on a weekday night pages; on Saturday it is queued with a notice; a P0 pages on Saturday too."""
    desk = desk_of("pmerit")
    move(desk, "2026-03-05 20:00")
    night = desk.file("P1", "standard", fields={"kind": "technical"})
    desk.minutes(3)
    assert desk.states(night, "page") == [("page", "done")]
    assert desk.replies(night) == []
    move(desk, "2026-03-07 12:00")
    saturday = desk.file("P1", "standard", fields={"kind": "technical"})
    worst = desk.file("P0", "standard", fields={"kind": "technical", "working": "working_no"})
    desk.minutes(3)
    assert desk.states(saturday, "page") == []
    assert "next_business_day" in desk.tags(saturday)
    (told,) = desk.replies(saturday)
    assert "You will hear from us by Mon 9 Mar 02:00 EDT." in told
    assert desk.states(worst, "page") == [("page", "done")]
    assert len(desk.incidents) == 2
    assert "escalated" not in desk.tags(saturday)


@pytest.mark.req("AFT-05")
def test_archbuilder_enterprise_is_served_at_night(desk_of: Open) -> None:
    """03:00: the Enterprise clock runs and its P2 pages; the Professional one begins at 09:00 and nobody is woken."""
    desk = desk_of("archbuilder")
    move(desk, "2026-03-04 02:57")
    ours = {"fields": {"kind": "software_bug"}}
    enterprise, professional = desk.file("P2", "enterprise", **ours), desk.file("P2", "professional", **ours)
    desk.minutes(3)
    zone = desk.ctx.profile.zone
    assert desk.clocks(enterprise)["Response"].due_at == at("2026-03-04 07:00", zone)
    assert desk.clocks(professional)["Response"].due_at == at("2026-03-04 13:00", zone)
    assert len(desk.incidents) == 1
    move(desk, "2026-03-04 07:00")
    assert "escalated" in desk.tags(enterprise)
    assert desk.clocks(professional)["Response"].state is ClockState.RUNNING
    assert "escalated" not in desk.tags(professional)


@pytest.mark.req("AFT-08")
def test_a_page_that_nobody_takes_climbs(desk: Desk) -> None:
    """No acknowledgement in fifteen minutes: PagerDuty pages the second responder, once, and it is still one incident.
    Whoever takes it stands in the ticket, and the climbing ends."""
    desk.move("2026-03-04 02:00")
    desk.minutes(3)
    ticket = desk.file("P1", "business")
    desk.minutes(2)
    (incident,) = desk.incidents
    first = {user.name for _, user in incident.assignments}
    desk.minutes(16)
    second = {user.name for _, user in incident.assignments}
    assert second != first
    assert len(desk.incidents) == 1
    assert desk.states(ticket, "page") == [("page", "done")]
    desk.phone.acknowledge(incident.id)
    desk.minutes(20)
    assert {user.name for _, user in incident.assignments} == second
    (note,) = [note for note in desk.notes(ticket) if "acknowledged the page" in note]
    assert any(name in note for name in second)


@pytest.mark.req("AFT-01", "AFT-07")
def test_a_night_page_is_not_repeated_in_the_morning(desk: Desk) -> None:
    """Paged at 02:00, resolved by on-call; the office opens, people work on the ticket: nobody is paged again."""
    desk.move("2026-03-04 02:00")
    desk.minutes(3)
    ticket = desk.file("P1", "business")
    desk.minutes(2)
    desk.sim.reply(ticket, author=desk.agent, body="We restart it.")
    desk.phone.resolve(desk.incidents[0].id)
    desk.minutes(2)
    desk.move("2026-03-04 08:00")
    desk.minutes(3)
    desk.sim.edit(ticket, author=desk.agent, fields={"severity": "P2"})
    desk.minutes(2)
    desk.sim.edit(ticket, author=desk.agent, fields={"severity": "P1"})
    desk.minutes(4)
    assert len(desk.incidents) == 1
