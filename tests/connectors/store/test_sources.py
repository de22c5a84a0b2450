"""Sources: how far they were read, one report when they go and one when they return, and what could not be read."""

import pytest

from connectors.store import Delivery, Facts, SourceState, Store
from tests.connectors.store.make import at, save, ticket


def test_where_reading_goes_on(store: Store) -> None:
    """Cursor and freshness are stored with the page; freshness never goes back; health is told apart."""
    assert store.source("zendesk", "tickets") == SourceState(tool="zendesk", name="tickets")
    store.source_failed("zendesk", "tickets", "503", at(0))
    for cursor, minute in (("a", 5), ("b", 3)):
        read = SourceState(tool="zendesk", name="tickets", cursor=cursor, fresh_through=at(minute))
        store.save(Facts(), source=read)
    assert store.sources() == [
        SourceState(tool="zendesk", name="tickets", cursor="b", fresh_through=at(5), error="503", down_since=at(0))
    ]


def test_going_and_returning_are_told_once(store: Store) -> None:
    """A tool that is down is reported when it goes and when it comes back, however long it was away."""
    assert store.source_ok("zendesk", "tickets", at(0)) is False
    assert [store.source_failed("zendesk", "tickets", f"503 #{i}", at(i)) for i in (1, 2, 3)] == [True, False, False]
    state = store.source("zendesk", "tickets")
    assert (state.down_since, state.error, state.ok_at) == (at(1), "503 #3", at(0))
    assert [store.source_ok("zendesk", "tickets", at(i)) for i in (4, 5)] == [True, False]
    state = store.source("zendesk", "tickets")
    assert (state.down_since, state.error, state.ok_at) == (None, None, at(4))


def test_a_record_that_cannot_be_read_is_parked(store: Store) -> None:
    """A malformed record is listed with its newest reason and a count, and the rest of its page is stored."""
    for reason in ("status: missing", "status: 'odd'"):
        save(store, ticket(1), parked=(("zendesk:2", reason),))
    (parked,) = store.parked()
    assert (parked.tool, parked.record, parked.reason, parked.count) == ("zendesk", "zendesk:2", "status: 'odd'", 2)
    assert parked.first_seen <= parked.last_seen
    assert store.known([1, 2]).keys() == {1}


def test_a_parked_record_that_can_be_read_leaves_the_list(store: Store) -> None:
    """Once a record is read, what was wrong with it is forgotten."""
    save(store, parked=(("zendesk:1", "bad"), ("zendesk:2", "bad")))
    save(store, ticket(1))
    assert [parked.record for parked in store.parked()] == ["zendesk:2"]


@pytest.mark.parametrize("tool", ["zendesk", "pagerduty"])
def test_a_delivery_is_kept_once_until_followed(store: Store, tool: str) -> None:
    """Webhooks come twice and out of order; each is kept once, oldest first, until it has been followed."""
    late = Delivery(id="d2", tool=tool, about="zendesk:2", received_at=at(2))
    early = Delivery(id="d1", tool=tool, about="zendesk:1", received_at=at(1))
    other = Delivery(id="d1", tool="jira", about="jira:9", received_at=at(1))
    assert [store.receive(d) for d in (late, early, late, other)] == [True, True, False, True]
    assert store.deliveries(tool) == [early, late]
    store.follow(tool, ["d1", "unknown"], at(3))
    assert store.deliveries(tool) == [late]
    assert store.receive(early) is False, "followed is not forgotten"
    assert store.deliveries("jira") == [other]
