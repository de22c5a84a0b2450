"""Tickets beside tickets: a company's within some time, those on a problem, and whom another's move concerns."""

from datetime import datetime, timedelta

import msgspec
import pytest

from connectors.store import Facts, Store
from mappings.model import EventKind, Neighbour, Status, Ticket, TicketEvent
from tests.connectors.store.make import NOW, event, ticket

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def filed(id: int, ago: timedelta, company: int = 1, **more: object) -> Ticket:
    """A ticket that a company filed some time ago."""
    return ticket(id, created_at=NOW - ago, updated_at=NOW - ago, company_id=company, requester_id=10 + id, **more)


def set_(id: int, ticket_id: int, at: datetime, field: str, old: str | None, new: str | None) -> TicketEvent:
    """A field that an agent changed."""
    return event(id, ticket_id, at=at, kind=EventKind.CHANGE, field=field, old=old, new=new, public=None)


def ids(found: dict[int, list[Neighbour]], key: int) -> list[int]:
    return [one.id for one in found.get(key, [])]


def test_a_companys_tickets_within_a_time(store: Store) -> None:
    """Those created less than a week before, the asked moment included; other companies' and older ones are not."""
    week = 7 * DAY
    store.save(
        Facts(
            tickets=(filed(1, week), filed(2, week - HOUR), filed(3, DAY), filed(4, DAY, company=2), filed(5, DAY / 2))
        )
    )
    found = store.of_companies([(1, NOW - DAY), (2, NOW)], week)
    assert ids(found, 1) == [1, 2, 3]
    assert ids(found, 2) == [4]
    assert ids(store.of_companies([(1, NOW)], week), 1) == [2, 3, 5]
    assert store.of_companies([], week) == {}


def test_many_windows_are_asked_for_together(store: Store) -> None:
    """Several hundred moments are a few statements, and give each what is its own."""
    store.save(Facts(tickets=tuple(filed(id, HOUR * id, company=id % 7) for id in range(1, 301))))
    found = store.of_companies([(id % 7, NOW - HOUR * id) for id in range(1, 301)], DAY)
    assert sum(len(its) for its in found.values()) == 300


def test_what_a_neighbour_says_of_itself(store: Store) -> None:
    """Since when it has been the company's, on which problem from when on, and when it was merged away."""
    moved, linked, gone = NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR
    told = [
        set_(1, 1, moved, "company_id", None, "1"),
        set_(2, 1, linked, "problem_id", None, "9"),
        set_(3, 1, gone, "problem_id", "9", None),
        set_(4, 1, gone, "status", "open", "deleted"),
    ]
    store.save(Facts(tickets=(filed(1, DAY, status=Status.DELETED),), events=tuple(told)))
    [one] = store.of_companies([(1, NOW)], 7 * DAY)[1]
    assert (one.company_since, one.ended) == (moved, gone)
    assert one.problems == ((NOW - DAY, None), (linked, 9), (gone, None))


def on(id: int, problem: int | None, *told: tuple[int, datetime, str | None, str | None]) -> Facts:
    """A ticket on a problem, and how it came there: (event, when, from, to)."""
    events = tuple(set_(number, id, at, "problem_id", old, new) for number, at, old, new in told)
    return Facts(tickets=(filed(id, DAY, problem_id=problem),), events=events)


def test_tickets_on_a_problem(store: Store) -> None:
    """Whoever is on it, or was; asked of any of them, or of the problem; others have none."""
    store.save(Facts(tickets=(filed(9, DAY), filed(5, DAY))))
    store.save(on(1, 9))
    store.save(on(2, None, (20, NOW - HOUR, "9", None), (21, NOW - 2 * HOUR, None, "9")))
    for asked in (1, 2, 9):
        assert ids(store.on_problems([asked, 5]), asked) == [1, 2, 9]
    assert 5 not in store.on_problems([5])


def changed(store: Store) -> set[int]:
    """What a policy that has decided on everything is shown next; it decides on it at once."""
    found = store.changed("rules")
    store.decide(policy="rules", decided_seq=found.through_seq, now=NOW, mode="apply")  # type: ignore[arg-type]
    return set(found.ticket_ids)


@pytest.fixture
def decided(store: Store) -> Store:
    """A store with some tickets that have been decided on."""
    store.save(Facts(tickets=(filed(1, 5 * HOUR), filed(2, 3 * HOUR), filed(3, HOUR), filed(4, HOUR, company=2))))
    store.save(Facts(tickets=(filed(9, DAY, company=3),)))
    changed(store)
    return store


def test_who_came_before_has_later_ones_judged_again(decided: Store) -> None:
    """A ticket that is read late: those that its company filed in the day after it are looked at again, no others."""
    decided.save(Facts(tickets=(filed(8, 4 * HOUR),)))
    assert changed(decided) == {8, 2, 3}
    decided.save(Facts(tickets=(filed(10, HOUR / 2),)))
    assert changed(decided) == {10}


def test_a_ticket_that_joins_a_problem_has_all_of_it_judged_again(decided: Store) -> None:
    """The second ticket joins: the first, and the problem itself, are looked at again; and again when it leaves."""
    one = filed(1, 5 * HOUR, problem_id=9)
    decided.save(Facts(tickets=(ticket_at(one, NOW),)))
    assert changed(decided) == {1, 9}
    decided.save(Facts(tickets=(ticket_at(filed(4, HOUR, company=2, problem_id=9), NOW),)))
    assert changed(decided) == {1, 4, 9}
    decided.save(Facts(tickets=(ticket_at(filed(4, HOUR, company=2), NOW + HOUR),)))
    assert changed(decided) == {1, 4, 9}
    decided.save(Facts(tickets=(ticket_at(filed(4, HOUR, company=2, subject="Other"), NOW + 2 * HOUR),)))
    assert changed(decided) == {4}


def ticket_at(one: Ticket, at: datetime) -> Ticket:
    """A ticket as it is after an update."""
    return msgspec.structs.replace(one, updated_at=at)


def test_a_created_link_counts_from_the_beginning(store: Store) -> None:
    """Filed as an incident of a problem: it has been on it ever since."""
    created = event(1, 1, at=NOW - DAY, kind=EventKind.CREATE, field="problem_id", new="9")
    store.save(Facts(tickets=(filed(1, DAY, problem_id=9), filed(9, DAY)), events=(created,)))
    [one, _] = store.on_problems([9])[9]
    assert one.problems == ((NOW - DAY, 9),)
