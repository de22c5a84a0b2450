"""PagerDuty and tickets in step: one page, its acknowledgement as a note, its end with the ticket's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.store import OutboxRow, OutboxState
from flows.outbox import real_time
from tests.flows.desk import Desk, unfinished
from tests.flows.test_delivery import climbed, late
from tests.profiles import edited


@pytest.fixture
def night(desk: Desk) -> Desk:
    """Two in the morning, and everything from before is done."""
    desk.move("2026-03-04 02:00")
    desk.minutes(3)
    return desk


@pytest.mark.req("AFT-01")
def test_first_p1_ever_pages_once(night: Desk) -> None:
    """P1 at 02:00: one incident with the ticket's link, however often we look; P2 makes none."""
    ticket = night.file("P1", "starter")
    night.file("P2", "starter")
    night.minutes(5)
    (incident,) = night.incidents
    assert incident.title == f"P1 System down: ticket {ticket} (starter)"
    assert "Yes" not in incident.title
    assert night.states(ticket, "page") == [("page", "done")]


@pytest.mark.req("AFT-07")
def test_acknowledged_page_becomes_a_note(night: Desk) -> None:
    """Somebody takes the page: the ticket says who and when, once."""
    ticket = night.file("P1", "business")
    night.minutes(2)
    night.phone.acknowledge(night.incidents[0].id)
    night.minutes(5)
    said = [note for note in night.notes(ticket) if "acknowledged the page" in note]
    assert len(said) == 1


@pytest.mark.req("AFT-07")
@pytest.mark.parametrize("end", ["solve", "delete"])
def test_finished_ticket_closes_its_page(night: Desk, end: str) -> None:
    """The ticket is solved (or deleted): its incident resolves, and nobody is paged any more."""
    ticket = night.file("P1", "business")
    night.minutes(2)
    if end == "solve":
        night.sim.reply(ticket, author=night.agent, body="Fixed.", status="solved")
    else:
        night.sim.delete(ticket, author=night.agent)
    night.minutes(5)
    assert [incident.status for incident in night.incidents] == ["resolved"]


def solve_and_reopen(night: Desk, ticket: int, between: int) -> None:
    """An agent solves the ticket; minutes later its customer says that it is not."""
    night.sim.reply(ticket, author=night.agent, body="Fixed.", status="solved")
    night.minutes(between)
    night.sim.reply(ticket, author=night.customer("business"), body="It is down again.")


@pytest.mark.req("AFT-01")
def test_reopened_at_night_pages_anew(night: Desk) -> None:
    """Solved, its page closed, and reopened while the office is closed: somebody is woken for what began then."""
    ticket = night.file("P1", "business")
    night.minutes(3)
    solve_and_reopen(night, ticket, between=5)
    night.minutes(5)
    assert [incident.status for incident in night.incidents] == ["resolved", "triggered"]


@pytest.mark.parametrize("between", [0, 5], ids=["at once", "later"])
def test_reopened_before_its_page_could_go(night: Desk, between: int) -> None:
    """PagerDuty is away while the ticket is solved and reopened: afterwards it pages, once."""
    night.fail(vendor="pagerduty", kind="away")
    ticket = night.file("P1", "business")
    night.minutes(3)
    solve_and_reopen(night, ticket, between)
    night.minutes(3)
    night.well()
    night.minutes(5)
    assert len(night.incidents) == 1
    assert sorted(state for _, state in night.states(ticket, "page")) == ["done", "dropped"]


def test_reopened_while_its_page_is_open(night: Desk) -> None:
    """Solved by a slip and reopened at once: whoever was woken for it is not woken again."""
    ticket = night.file("P1", "business")
    night.minutes(3)
    solve_and_reopen(night, ticket, between=0)
    night.minutes(5)
    assert [incident.status for incident in night.incidents] == ["triggered"]
    assert [row.error for row in night.rows(ticket, verb="page", state=OutboxState.DROPPED)] == [
        "an earlier page of the ticket is still open"
    ]


def test_slow_pagerduty_is_not_paged_twice(night: Desk) -> None:
    """A 202 says that the page is queued; its incident shows minutes later, and there is one."""
    night.core.switches.event_delay = 200.0
    night.file("P1", "business")
    night.minutes(7)
    assert len(night.incidents) == 1


@pytest.mark.parametrize("kind", ["cut_after", "cut_before"])
@pytest.mark.parametrize("count", [1, 2])
def test_page_whose_answer_was_lost(night: Desk, kind: str, count: int) -> None:
    """No answer to a page: looked for, sent again only where it is not; one incident in the end."""
    ticket = night.file("P1", "business")
    night.fail(vendor="pagerduty", kind=kind, path="enqueue", count=count)
    night.minutes(6)
    assert len(night.incidents) == 1
    assert night.states(ticket, "page") == [("page", "done")]


def test_a_sleeper_sends_no_page(night: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process falls asleep with a page in hand and wakes up after its deadline: it does not send it any more."""
    took = night.ctx.store.take

    def slept(**asked: Any) -> list[OutboxRow]:
        rows = took(**asked)
        night.ctx.store.expire(real_time() + timedelta(hours=1))
        return rows

    monkeypatch.setattr(night.ctx.store, "take", slept)
    ticket = night.file("P1", "business")
    night.minutes(2)
    assert night.incidents == []
    assert night.states(ticket, "page") == [("page", "unknown")]
    monkeypatch.undo()
    night.minutes(3)
    assert len(night.incidents) == 1


def test_unknown_service_fails_its_row_alone(night: Desk) -> None:
    """PagerDuty has no such service: the row says what to do, and tickets go on."""
    night.phone.account.services[0].name = "something else"
    ticket = night.file("P1", "business")
    other = night.file("P2", "business")
    night.minutes(3)
    (row,) = [row for row in night.rows(ticket) if row.action.verb == "page"]
    assert row.state is OutboxState.FAILED
    assert "pagerduty service 'support-on-call': none takes events; create it" in (row.error or "")
    assert "next_business_day" in night.tags(other)


def test_refused_page_fails_alone(night: Desk) -> None:
    """PagerDuty refuses one event: its row fails with PagerDuty's words, the next one goes out."""
    first = night.file("P1", "business")
    second = night.file("P1", "enterprise")
    night.fail(vendor="pagerduty", kind="status", status=400, path="enqueue", count=1)
    night.minutes(3)
    assert night.states(first, "page") == [("page", "failed")]
    assert night.states(second, "page") == [("page", "done")]


def test_pages_go_out_while_zendesk_is_away(night: Desk) -> None:
    """A page that was decided goes out, whatever has become of Zendesk meanwhile."""
    night.fail(vendor="pagerduty", kind="status", status=500, path="enqueue|incidents")
    night.file("P1", "business")
    night.minutes(1)
    assert night.incidents == []
    night.well()
    night.fail(kind="away")
    night.minutes(4)
    assert len(night.incidents) == 1


def test_lookups_that_fail_keep_no_page_back(night: Desk) -> None:
    """An old page cannot be looked for (REST is down): a new one goes out all the same."""
    night.file("P1", "business")
    night.fail(vendor="pagerduty", kind="cut_after", path="enqueue", count=2)
    night.minutes(1)
    night.fail(vendor="pagerduty", kind="status", status=500, path="incidents")
    second = night.file("P1", "enterprise")
    night.minutes(2)
    assert night.states(second, "page") == [("page", "done")]
    night.well()
    night.minutes(4)
    assert len(night.incidents) == 2
    assert unfinished(night.rows()) == []


@pytest.mark.req("AFT-07")
def test_taken_and_resolved_between_two_pulses(night: Desk) -> None:
    """Somebody takes the page and resolves it within a minute: the ticket says who and when, once."""
    ticket = night.file("P1", "business")
    night.minutes(2)
    incident = night.incidents[0]
    night.sandbox.advance(20)
    night.phone.acknowledge(incident.id)
    night.sandbox.advance(20)
    night.phone.resolve(incident.id)
    night.minutes(6)
    (said,) = [note for note in night.notes(ticket) if "acknowledged the page" in note]
    assert "acknowledged the page at 02:05." in said


def test_taken_resolved_later(night: Desk) -> None:
    """Taken, noted, and resolved ten minutes later: one note."""
    ticket = night.file("P1", "business")
    night.minutes(2)
    night.phone.acknowledge(night.incidents[0].id)
    night.minutes(5)
    night.phone.resolve(night.incidents[0].id)
    night.minutes(5)
    assert len([note for note in night.notes(ticket) if "acknowledged the page" in note]) == 1


@pytest.mark.req("AFT-07")
def test_two_services_are_paged_and_closed(desk_of: Callable[[str], Desk]) -> None:
    """A rule that wakes two rotas opens an incident at each, each taken is noted, and both end with the ticket."""
    desk = desk_of("archbuilder")
    desk.ctx.profile = edited("archbuilder", "rules: {critical: {do: [page on_call, page tier_4]}}")
    desk.beat()
    ticket = desk.file("P1", "basic", fields={"kind": "software_bug", "working": "working_no"})
    desk.minutes(3)
    assert len(desk.incidents) == 2
    for incident in desk.incidents:
        desk.phone.acknowledge(incident.id)
    desk.minutes(3)
    assert len([row for row in desk.rows(ticket) if row.action.key.startswith("page:acknowledged:")]) == 2
    desk.sim.reply(ticket, author=desk.sim.agents("Tier 1")[-1], body="Fixed.", status="solved")
    desk.minutes(4)
    assert [incident.status for incident in desk.incidents] == ["resolved", "resolved"]
    assert not any("Page not confirmed" in one.subject for one in desk.mail.mailbox)


def test_many_open_pages_are_one_question(night: Desk) -> None:
    """Twenty pages that nobody resolves are asked for in one call; each that was resolved costs two more, once."""
    for _ in range(20):
        night.file("P1", "business")
    night.minutes(3)
    assert len(night.incidents) == 20
    before = night.core.recorder.count
    night.minutes(1)
    assert len(night.calls("GET", "/incidents", after=before)) == 1
    night.phone.resolve(night.incidents[0].id)
    before = night.core.recorder.count
    night.minutes(3)
    assert len(night.calls("GET", "/incidents", after=before)) == 3 + 2


def test_page_that_never_becomes_an_incident(night: Desk) -> None:
    """A service in maintenance takes events and opens nothing: after ten minutes we look for it once an hour."""
    night.core.switches.event_delay = 1_000_000.0
    night.file("P1", "business")
    night.minutes(15)
    before = night.core.recorder.count
    night.minutes(30)
    assert len([c for c in night.calls("GET", "/incidents", after=before) if c["query"].get("incident_key")]) <= 1


LATE_PAGE = """
targets:
  First response: {late: [escalate next, page on_call]}
"""


@pytest.fixture
def paging_late(desk: Desk) -> Desk:
    """The builder profile with a page where the first response is late."""
    desk.ctx.profile = edited("builder", LATE_PAGE)
    return desk


def test_late_ticket_pages(paging_late: Desk) -> None:
    """A target whose `late` says so pages once, beside the step up."""
    desk = paging_late
    (ticket,) = late(desk)
    desk.minutes(5)
    assert desk.states(ticket, "page") == [("page", "done")]
    (incident,) = desk.incidents
    assert incident.title == f"P2 Major feature broken: ticket {ticket} (business)"
    assert climbed(desk, ticket) == 1


def test_unverified_page_after_five_minutes(paging_late: Desk) -> None:
    """Zendesk cannot be asked whether the ticket is still late: after five minutes the page goes out and says so, once;
    the step up follows when Zendesk is back."""
    desk = paging_late
    (ticket,) = late(desk)
    desk.fail(kind="away")
    desk.minutes(5)
    assert desk.incidents == []
    desk.minutes(3)
    (incident,) = desk.incidents
    assert incident.title.startswith("Unverified: P2")
    assert climbed(desk, ticket) == 0
    desk.well()
    desk.minutes(5)
    assert len(desk.incidents) == 1
    assert climbed(desk, ticket) == 1


def alarmed(desk: Desk) -> list[str]:
    """The subjects of what management was mailed about pages."""
    found = desk.mail.to("support-manager@example.com")
    return [one.subject for one in found if "Page not confirmed" in one.subject]


@pytest.mark.req("AFT-06")
def test_page_is_confirmed(night: Desk) -> None:
    """A page whose incident is really there is nobody else's business, however long it stays open."""
    night.file("P1", "business")
    night.minutes(10)
    assert len(night.incidents) == 1
    assert alarmed(night) == []


@pytest.mark.req("AFT-06", "AFT-08")
@pytest.mark.parametrize("why", ["maintenance", "away", "refused", "no service"])
def test_page_that_does_not_arrive_is_told_otherwise(night: Desk, why: str) -> None:
    """PagerDuty shows no incident, whatever the reason: after three minutes management is mailed, once."""
    match why:
        case "maintenance":
            night.core.switches.event_delay = 1_000_000.0
        case "away":
            night.fail(vendor="pagerduty", kind="away")
        case "refused":
            night.fail(vendor="pagerduty", kind="status", status=400, path="enqueue")
        case _:
            night.phone.account.services[0].name = "something else"
    ticket = night.file("P1", "business")
    night.minutes(3)
    assert alarmed(night) == []
    night.minutes(9)
    assert alarmed(night) == [f"[builder] Page not confirmed: P1 System down: ticket {ticket} (business)"]
    assert "call whoever is on call" in night.mail.mailbox[-1].text


@pytest.mark.req("AFT-08")
def test_page_stays_tried(night: Desk) -> None:
    """PagerDuty comes back after management was told: the page goes out all the same, once."""
    night.fail(vendor="pagerduty", kind="away")
    ticket = night.file("P1", "business")
    night.minutes(6)
    night.well()
    night.minutes(4)
    assert night.states(ticket, "page") == [("page", "done")]
    assert (len(night.incidents), len(alarmed(night))) == (1, 1)


@pytest.mark.parametrize("what", ["solved", "held", "paused"])
def test_nobody_is_alarmed_of_a_page_that_is_not_to_go(night: Desk, what: str) -> None:
    """Solved, kept off by somebody, or pages paused by an operator: management is not told."""
    night.fail(vendor="pagerduty", kind="away")
    ticket = night.file("P1", "business")
    night.minutes(2)
    if what == "solved":
        night.sim.reply(ticket, author=night.agent, body="Fixed.", status="solved")
    elif what == "held":
        night.sim.edit(ticket, author=night.agent, tags_add=("hf_hold",))
    else:
        night.ctx.store.pause("pagerduty", night.now)
    night.minutes(6)
    assert alarmed(night) == []
