"""The inbox: what arrived is forgotten in time, and a database that takes nothing says so."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from connectors.store import Delivery, Store, StoreError
from tests.stories import at

NOW = at("2026-03-03 10:00")


def arrived(id: str, hours: float, tool: str = "zendesk") -> Delivery:
    """A delivery that arrived some hours ago."""
    return Delivery(id=id, tool=tool, about="zendesk:1", received_at=NOW - timedelta(hours=hours))


def test_forgetting(store: Store) -> None:
    """What arrived before a time goes, followed or not and of every tool; what is younger stays known."""
    for delivery in (arrived("a", 30), arrived("b", 26), arrived("b", 26, "pagerduty"), arrived("c", 20)):
        store.receive(delivery)
    store.follow("zendesk", ["a", "c"], NOW)
    assert store.forget(NOW - timedelta(hours=24)) == 3
    assert [store.receive(arrived(id, 0)) for id in ("a", "b", "c")] == [True, True, False]


def test_following_a_tool_alone(store: Store) -> None:
    """Two tools may give the same id to different deliveries."""
    store.receive(arrived("a", 1))
    store.receive(arrived("a", 1, "pagerduty"))
    store.follow("zendesk", ["a"], NOW)
    assert store.deliveries("zendesk") == []
    assert [delivery.id for delivery in store.deliveries("pagerduty")] == ["a"]


def test_database_that_takes_nothing(store: Store) -> None:
    """An error of the database reads as ours: where, what it said, and the setting; no password."""
    with store.engine.begin() as conn:
        conn.execute(sa.text("ALTER TABLE inbox RENAME TO elsewhere"))
    try:
        with pytest.raises(StoreError, match=r"inbox.*; see HELPDESK_DATABASE_URL"):
            store.receive(arrived("a", 0))
    finally:
        with store.engine.begin() as conn:
            conn.execute(sa.text("ALTER TABLE elsewhere RENAME TO inbox"))
