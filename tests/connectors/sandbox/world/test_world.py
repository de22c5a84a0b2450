"""The invented world: from the seed alone, believable, and as large as wanted."""

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.sandbox.clock import Clock, parse_time
from connectors.sandbox.core import Core
from connectors.sandbox.world import OfficeHours, cast, history
from connectors.sandbox.zendesk import ZendeskSim
from tests.connectors.sandbox.zendesk.conftest import WORLD

DAY = 86_400


def sim(seed: int = 1, **size: int) -> ZendeskSim:
    world: dict[str, Any] = {**WORLD, "size": {**WORLD["size"], **size}}
    return ZendeskSim(Core(Clock(parse_time(world["now"])), seed=seed), world)


def told(account: ZendeskSim) -> list[tuple[Any, ...]]:
    return [
        (t.id, t.subject, t.status, t.tags, t.updated_at, [(a.id, a.at, a.events) for a in t.audits])
        for t in account.account.tickets.values()
    ]


def test_the_same_seed_gives_the_same_world() -> None:
    """Every audit is the same, and another seed gives another world."""
    assert told(sim(3)) == told(sim(3))
    assert told(sim(3)) != told(sim(4))


def test_everybody_is_there() -> None:
    """Companies on every plan, people in every role, agents in every group, one manager, one lead."""
    people = cast(WORLD, random.Random(1))
    assert {company.plan for company in people.companies} == {"starter", "business"}
    assert {person.role for person in people.people} == {"owner", "field"}
    assert {group for agent in people.agents for group in agent.groups} == set(WORLD["groups"])
    assert Counter(agent.duty for agent in people.agents) == {"agent": 6, "manager": 1, "lead": 1}
    assert len({person.email for person in people.people}) == len(people.people)
    assert len({company.name for company in people.companies}) == len(people.companies)


def test_history_comes_in_the_order_of_time() -> None:
    """Every happening lies in the past and after the one before; every story begins with its ticket being filed."""
    start, now = 0, 21 * DAY
    people, chance = cast(WORLD, random.Random(1)), random.Random(2)
    hours = OfficeHours(WORLD["hours"], WORLD["zone"], start, now)
    steps = list(history(WORLD, people, hours, chance, start, now))
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[-1].at <= now
    seen = set()
    for step in steps:
        assert step.kind == "file" or step.ticket in seen
        seen.add(step.ticket)


def test_a_believable_past() -> None:
    """600 tickets in six weeks: most closed, some in every state, merged, deleted, reopened, open and long late."""
    account = sim(tickets=600, weeks=6, companies=40, people=200, agents=12).account
    tickets = list(account.tickets.values())
    states = Counter(ticket.status for ticket in tickets)
    assert len(tickets) == 600
    assert states["closed"] > 300
    assert min(states[s] for s in ("new", "open", "pending", "hold", "solved", "deleted")) > 3
    assert any("closed_by_merge" in ticket.tags for ticket in tickets)
    unanswered = [t for t in tickets if t.status == "new" and t.created_at < account.now() - 7 * DAY]
    assert len(unanswered) > 3, "open and long late"
    changes = [
        (e.previous, e.value)
        for t in tickets
        for a in t.audits
        for e in a.events
        if getattr(e, "field", "") == "status" and hasattr(e, "previous")
    ]
    assert changes.count(("solved", "open")) > 10, "reopened"


def test_the_past_obeys_the_rules() -> None:
    """The past was played through the same doors: audits in order, nothing changed after closing but by follow-ups."""
    account = sim(tickets=200).account
    for ticket in account.tickets.values():
        times = [audit.at for audit in ticket.audits]
        assert times == sorted(times)
        assert ticket.updated_at == times[-1] <= account.now()
        if ticket.status == "closed":
            assert any(getattr(event, "value", None) == "closed" for event in ticket.audits[-1].events)


@pytest.mark.parametrize(
    ("hours", "at", "seconds", "until"),
    [
        ({"mon-fri": "08:00-18:00"}, "2026-03-03T15:00", 3600, "2026-03-03T16:00"),
        ({"mon-fri": "08:00-18:00"}, "2026-03-06T23:30", 3600, "2026-03-09T13:30"),
        ({"mon-sun": "00:00-24:00"}, "2026-03-03T15:00", 2 * DAY, "2026-03-05T15:00"),
        ({"mon-fri": ["08:00-12:00", "13:00-17:00"]}, "2026-03-03T17:30", 3600, "2026-03-03T19:30"),
        ({"when": "ever"}, "2026-03-03T14:00", 3600, "2026-03-03T16:00"),
    ],
)
def test_office_hours(hours: dict[str, Any], at: str, seconds: int, until: str) -> None:
    """Open time runs while the office is open, across nights, weekends and the change of clocks (8 March 2026)."""
    start, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (at, until))
    now = int(start.timestamp())
    office = OfficeHours(hours, "America/Chicago", now - 30 * DAY, now + 30 * DAY)
    assert datetime.fromtimestamp(office.later(now, seconds), UTC) == end
