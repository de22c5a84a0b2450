"""Saving facts: newest wins, the same again is nothing, and whatever matters to a policy gets a new number."""

import itertools
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.store import Facts, Mode, SourceState, Store
from mappings.model import Status
from tests.connectors.store.make import NOW, at, company, event, incident, page, person, plan, save, ticket

IDS = itertools.count(10_000)


def test_a_ticket_comes_back_as_it_went_in(store: Store) -> None:
    """Every field of the vocabulary survives the database."""
    full = ticket(
        subject="Rafters\x00 don't fit – ½ off",
        status=Status.HOLD,
        priority="high",
        channel="chat",
        requester_id=5,
        submitter_id=6,
        assignee_id=8,
        group_id=9,
        company_id=7,
        form_id=3,
        brand_id=4,
        problem_id=2**40,
        tags=frozenset({"vip", "p1 now"}),
        severity="P1",
        kind="bug",
        module="estimating",
        tier=2,
        fields={"SLA due": "2026-03-03T20:00:00Z", "Next escalation": None},
        generated_at=1772553600,
    )
    events = (event(2, at=at(1)), event(1, at=at(1), audit_id=9), event(3, at=at(0), field="status", new="open"))
    store.save(
        Facts(tickets=(full,), companies=(company(plan="pro"),), people=(person(role="owner"),), events=events),
        events_through={1: NOW},
    )
    (history,) = store.histories([1, 404])
    assert history.ticket == msgspec.structs.replace(full, subject="Rafters don't fit – ½ off")
    assert [e.id for e in history.events] == [3, 2, 1], "in order of (at, audit_id, id)"
    assert history.company == company(plan="pro")
    assert history.requester == person(role="owner")
    assert history.complete
    assert history.plan_history == ((NOW, "pro"),)


@pytest.mark.parametrize(
    ("stored", "comes", "wins"),
    [
        pytest.param({"updated_at": at(1)}, {"updated_at": at(2), "tier": 2}, True, id="newer"),
        pytest.param({"updated_at": at(2)}, {"updated_at": at(1), "tier": 2}, False, id="older"),
        pytest.param({"updated_at": at(1)}, {"updated_at": at(1)}, False, id="the same again"),
        pytest.param({}, {"tier": 2}, True, id="changed twice within a second"),
        pytest.param({"generated_at": 5}, {"generated_at": 6}, False, id="only exported again"),
        pytest.param({"generated_at": 6}, {"generated_at": 5, "tier": 2}, False, id="same second, older export"),
        pytest.param({"generated_at": 9}, {"updated_at": at(1), "generated_at": 5}, True, id="newer, export behind"),
    ],
)
def test_which_of_two_wins(store: Store, stored: dict[str, Any], comes: dict[str, Any], wins: bool) -> None:
    """An older record never overwrites a newer one; what is not news gets no number and is not told."""
    first, second = ticket(**stored), ticket(**comes)
    save(store, first)
    before = store.changed("sla").through_seq
    told = save(store, second)
    assert store.histories([1])[0].ticket == (second if wins else first)
    assert told.ticket_ids == ((1,) if wins else ())
    assert (store.changed("sla").through_seq > before) is wins


def test_a_page_with_one_ticket_twice(store: Store) -> None:
    """The export repeats rows: the newest of a page is stored, whatever its place."""
    told = save(store, ticket(updated_at=at(1)), ticket(updated_at=at(3), tier=3), ticket(updated_at=at(2), tier=2))
    assert told.ticket_ids == (1,)
    assert store.histories([1])[0].ticket.tier == 3


def test_saving_a_page_twice_changes_nothing(store: Store) -> None:
    """A page that is read again tells nothing and gives no number."""
    facts = Facts(
        tickets=(ticket(1), ticket(2, company_id=7)),
        companies=(company(plan="pro"),),
        people=(person(role="owner"),),
        events=(event(1), event(2, 2)),
        incidents=(incident("k"),),
    )
    first = store.save(facts, events_through={1: NOW})
    seq = store.changed("sla").through_seq
    second = store.save(facts, events_through={1: NOW})
    assert (first.tickets, first.companies, first.people, first.events) == (2, 1, 1, 2)
    assert second == type(second)()
    assert store.changed("sla").through_seq == seq


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(updates=st.lists(st.integers(0, 5), min_size=1, max_size=6), pages=st.integers(1, 3))
def test_order_of_arrival_does_not_matter(store: Store, updates: list[int], pages: int) -> None:
    """However versions of a ticket arrive, in whatever pages, the newest is what is stored."""
    id = next(IDS)
    versions = [ticket(id, updated_at=at(minute), tier=minute) for minute in updates]
    for start in range(pages):
        save(store, *versions[start::pages])
    assert store.histories([id])[0].ticket.tier == max(updates)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        pytest.param({"companies": (company(plan="business", updated_at=at(1)),)}, True, id="its company's plan"),
        pytest.param({"companies": (company(vip=True, plan="pro", updated_at=at(1)),)}, True, id="its company is VIP"),
        pytest.param({"companies": (company(name="Elm", plan="pro", updated_at=at(1)),)}, False, id="company renamed"),
        pytest.param({"people": (person(role="owner", updated_at=at(1)),)}, True, id="its requester's role"),
        pytest.param({"people": (person(name="Bea", updated_at=at(1)),)}, False, id="requester renamed"),
        pytest.param({"events": (event(1),)}, True, id="something happened to it"),
        pytest.param({"events": (event(1, 99),)}, False, id="something happened to another"),
    ],
)
def test_what_has_a_ticket_looked_at_again(store: Store, change: dict[str, Any], again: bool) -> None:
    """A plan change touches no ticket in the tool, yet its tickets are due another look; a new name is not."""
    save(store, ticket(company_id=7, requester_id=5), companies=(company(plan="pro"),), people=(person(),))
    store.decide(policy="sla", decided_seq=store.changed("sla").through_seq, now=NOW, mode=Mode.APPLY)
    told = save(store, **change)
    assert told.ticket_ids == ((1,) if again else ())
    assert store.changed("sla").ticket_ids == ((1,) if again else ())


@pytest.mark.parametrize("status", list(Status))
def test_a_plan_change_leaves_done_tickets_alone(store: Store, status: Status) -> None:
    """Of a company whose plan changes, only tickets still being worked on are looked at again."""
    save(store, ticket(company_id=7, status=status), companies=(company(plan="pro"),))
    told = save(store, companies=(company(plan="business", updated_at=at(1)),))
    still = status in (Status.NEW, Status.OPEN, Status.PENDING, Status.HOLD)
    assert told.ticket_ids == ((1,) if still else ())


def test_a_company_that_comes_after_its_ticket(store: Store) -> None:
    """Sources are read side by side: the plan arriving late has the ticket looked at again."""
    save(store, ticket(company_id=7))
    assert save(store, companies=(company(plan="pro"),)).ticket_ids == (1,)


def test_plans_are_remembered_as_they_change(store: Store) -> None:
    """The plan history starts with the plan first read and has one entry a change, dated by the vendor."""
    for minute, plan_ in enumerate([None, None, "business", "pro"]):
        save(store, ticket(company_id=7), companies=(company(plan=plan_, updated_at=at(minute)),))
    assert store.histories([1])[0].plan_history == ((at(0), None), (at(2), "business"), (at(3), "pro"))


def test_completeness_moves_on_and_never_back(store: Store) -> None:
    """A ticket whose events are known up to its last update is complete; that alone has it looked at again."""
    assert store.save(Facts(tickets=(ticket(updated_at=at(5)),))).ticket_ids == (1,)
    assert store.incomplete() == [1]
    assert store.save(Facts(), events_through={1: at(4)}).ticket_ids == ()
    assert store.save(Facts(), events_through={1: at(5), 99: at(5)}).ticket_ids == (1,)
    assert store.save(Facts(), events_through={1: at(2)}).ticket_ids == ()
    assert store.histories([1])[0].events_through == at(5)
    assert store.incomplete() == []
    save(store, ticket(updated_at=at(6)))
    assert store.histories([1])[0].events_through == at(5), "a newer ticket keeps what was known"
    assert store.incomplete() == [1]


def test_events_before_their_ticket(store: Store) -> None:
    """Events of a ticket that is not known yet wait for it."""
    assert save(store, events=(event(1),)).ticket_ids == ()
    assert save(store, ticket()).ticket_ids == (1,)
    assert len(store.histories([1])[0].events) == 1


def test_an_answered_page_has_its_ticket_looked_at_again(store: Store) -> None:
    """An incident that changes leads back, by its dedup key, to the ticket that was paged about."""
    save(store, ticket(1), ticket(2))
    plan(store, page("a", "zendesk:1"), decided_seq=store.changed("sla").through_seq)
    told = save(store, incidents=(incident("page-a"), incident("of-others")))
    assert told.incident_keys == ("page-a", "of-others")
    assert told.ticket_ids == store.changed("sla").ticket_ids == (1,)
    assert store.incidents(["page-a", "none"]) == {"page-a": incident("page-a")}


def test_changed_in_pieces(store: Store) -> None:
    """Many changes are decided piece by piece; what is decided is not given again, what changes meanwhile is."""
    save(store, *(ticket(id) for id in range(1, 6)))
    first = store.changed("sla", limit=3)
    assert (first.ticket_ids, first.more) == ((1, 2, 3), True)
    store.decide(policy="sla", decided_seq=first.through_seq, now=NOW, mode=Mode.APPLY)
    save(store, ticket(2, updated_at=at(1)))
    rest = store.changed("sla", limit=4)
    assert (rest.ticket_ids, rest.more) == ((4, 5, 2), False)
    assert store.changed("rules").ticket_ids == (1, 3, 4, 5, 2), "each policy has its own place"


def test_a_crash_between_reading_and_deciding_loses_nothing(store_url: str) -> None:
    """What was saved and not decided is still to be decided by the next run."""
    first = Store.open(store_url)
    save(first, ticket())
    assert first.changed("sla").ticket_ids == (1,)
    first.close()
    second = Store.open(store_url)
    assert second.changed("sla").ticket_ids == (1,)
    second.close()


def test_a_save_that_fails_leaves_nothing(store: Store) -> None:
    """Facts, their numbers and the cursor go in together or not at all."""
    with pytest.raises(Exception):  # noqa: B017, PT011  # each database has its own error for a number too large
        store.save(Facts(tickets=(ticket(), ticket(2**70))), source=SourceState(tool="zendesk", name="t", cursor="c"))
    assert store.changed("sla") == type(store.changed("sla"))(ticket_ids=(), through_seq=0)
    assert store.source("zendesk", "t").cursor is None
    assert store.known([1]) == {}


def test_open_tickets_come_in_pieces(store: Store) -> None:
    """Ids rise, so a long list is walked from the last one seen."""
    save(store, *(ticket(id, status=Status.OPEN if id % 2 else Status.SOLVED) for id in range(1, 10)))
    assert store.open_tickets(limit=3) == [1, 3, 5]
    assert store.open_tickets(after=5) == [7, 9]
    assert store.known([1, 2, 77]) == {1: NOW, 2: NOW}


def test_many_at_once(store: Store) -> None:
    """More ids than a query takes parameters for are no problem."""
    save(store, *(ticket(id, updated_at=NOW + timedelta(seconds=id)) for id in range(1, 2501)))
    assert [h.ticket.id for h in store.histories(range(2500, 0, -1))] == list(range(2500, 0, -1))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=st.text(), name=st.text(), value=st.text(), tags=st.frozensets(st.text(max_size=8), max_size=4))
def test_any_text_survives(store: Store, subject: str, name: str, value: str, tags: frozenset[str]) -> None:
    """Whatever a customer types comes back, less NUL characters; quotes, tabs and backslashes are nothing special."""
    one = ticket(next(IDS), subject=subject, fields={name: value, "none": None}, tags=tags)
    save(store, one)
    assert store.histories([one.id])[0].ticket == msgspec.structs.replace(one, subject=subject.replace("\x00", ""))
