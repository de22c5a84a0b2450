"""Messages in the store: rows that wait for a time, go each for itself, and are handed on where their way fails."""

from typing import Any

import pytest

from connectors.store import Facts, OutboxState, Result, StaleLease, Store
from mappings.plan import Action, Message
from tests.connectors.store.make import NOW, action, at, incident, keys, page, plan, take


def message(key: str, record: str = "zendesk:1", tool: str = "slack", **more: Any) -> Action:
    """A message by one way."""
    change = Message(route="leads", ways=(f"{tool} there",), subject="P2", text="Late.")
    return action(key, record, **{"verb": "message", "tool": tool, "change": change} | more)


@pytest.mark.req("NTF-08")
def test_a_row_waits_for_its_time(store: Store) -> None:
    """What is not due yet is not taken, counted or in anybody's way; at its time it is."""
    plan(store, message("later", not_before=at(10)), message("now"))
    assert store.waits("slack", NOW)
    assert keys(take(store, tool="slack")) == ["now"]
    store.finish([Result(id=row.id, state=OutboxState.DONE) for row in store.outbox(limit=9)[1:]], NOW)
    assert (store.waits("slack", at(9)), store.settled(at(9))) == (False, True)
    assert store.outbox_count(OutboxState.PLANNED, due=at(9)) == 0
    assert take(store, tool="slack", now=at(9)) == []
    assert (store.waits("slack", at(10)), store.settled(at(10))) == (True, False)
    (row,) = take(store, tool="slack", now=at(10))
    assert row.action.not_before == at(10)


def test_rows_apart_wait_for_nobody(store: Store) -> None:
    """Each for itself: a failed one of the same record holds up no other, and the limit counts rows."""
    plan(store, message("a"), message("b"), message("c"))
    (first, *_) = take(store, tool="slack", apart=True, limit=1)
    store.finish([Result(id=first.id, state=OutboxState.FAILED)], NOW)
    assert keys(take(store, tool="slack", apart=True)) == ["b", "c"]


@pytest.mark.req("NTF-09")
def test_who_was_overtaken_marks_nothing(store: Store) -> None:
    """A process that slept between taking a message and sending it learns of it before it sends: nothing is marked."""
    plan(store, message("a"))
    old = store.lease("pulse", "first", 0)
    (row,) = take(store, tool="slack", apart=True, fence=old)
    assert store.lease("pulse", "second", 60) is not None
    with pytest.raises(StaleLease):
        store.note_ref([row.id], "hf-1", old)
    assert store.outbox(limit=9)[0].vendor_ref is None


def test_rows_apart_keep_what_they_went_as(store: Store) -> None:
    """The mark of the last try stays with a row that is given back, and is forgotten where rows go in order."""
    plan(store, message("a"), message("b", "zendesk:2"))
    rows = take(store, tool="slack", apart=True)
    store.note_ref([row.id for row in rows], "hf-1")
    store.finish([Result(id=row.id, state=OutboxState.PLANNED) for row in rows], NOW)
    assert [row.vendor_ref for row in take(store, tool="slack", apart=True)] == ["hf-1", "hf-1"]
    store.finish([Result(id=row.id, state=OutboxState.PLANNED) for row in rows], NOW)
    assert [row.vendor_ref for row in take(store, tool="slack")] == [None, None]


def stuck(store: Store, minutes: int) -> list[str]:
    """What is handed on so many minutes after NOW: after five minutes, or a day after a failure."""
    return keys(store.stuck(waiting_since=at(minutes - 5), failed_since=at(minutes - 1440)))


@pytest.mark.req("NTF-12")
def test_what_waits_too_long_is_handed_on(store: Store) -> None:
    """Five minutes after it was due, and tried; one that is done or was never tried is not, nor another kind of row."""
    plan(store, message("a"), message("b", not_before=at(10)), action("d"), message("e"))
    (row,) = [row for row in take(store, tool="slack", apart=True) if row.action.key == "e"]
    store.finish([Result(id=row.id, state=OutboxState.DONE)], NOW)
    first = [row.id for row in store.outbox() if row.action.key == "a"]
    store.finish([Result(id=id, state=OutboxState.UNKNOWN) for id in first], NOW)
    (tried,) = take(store, tool="slack", apart=True, now=at(10))
    store.finish([Result(id=tried.id, state=OutboxState.PLANNED)], at(10))
    plan(store, message("untried", "zendesk:9"))
    assert [stuck(store, minutes) for minutes in (4, 5, 14, 15)] == [[], ["a"], ["a"], ["a", "b"]]


@pytest.mark.req("NTF-12")
def test_what_failed_is_handed_on_at_once(store: Store) -> None:
    """A failure is seen at once, and for a day."""
    plan(store, message("a"))
    (row,) = take(store, tool="slack", apart=True)
    store.finish([Result(id=row.id, state=OutboxState.FAILED)], NOW)
    assert [stuck(store, minutes) for minutes in (0, 1440, 1441)] == [["a"], ["a"], []]


@pytest.mark.parametrize("scope", ["all", "slack", "sla", "zendesk:1"])
def test_what_is_paused_is_not_handed_on(store: Store, scope: str) -> None:
    """Whoever pauses something wants it to wait."""
    plan(store, message("a"))
    store.pause(scope, NOW)
    assert stuck(store, 9) == []


def test_handing_on(store: Store) -> None:
    """What waits or is unknown is dropped with its reason; what was finished meanwhile is left as it is."""
    plan(store, message("a"), message("b"), message("c"))
    rows = take(store, tool="slack", apart=True)
    states = (OutboxState.PLANNED, OutboxState.UNKNOWN, OutboxState.DONE)
    store.finish([Result(id=row.id, state=state) for row, state in zip(rows, states, strict=True)], NOW)
    assert store.pass_on([row.id for row in rows], at(5), "mail has it") == 2
    assert [(row.state.value, row.error) for row in store.outbox()] == [
        ("dropped", "mail has it"),
        ("dropped", "mail has it"),
        ("done", None),
    ]


def test_an_old_run_hands_nothing_on(store: Store) -> None:
    """Whoever was overtaken may not touch the rows any more."""
    plan(store, message("a"))
    fence = store.lease("pulse", "one", 60)
    store.lease("pulse", "one", 60)
    with pytest.raises(StaleLease):
        store.pass_on([1], NOW, "mail has it", fence)


@pytest.mark.req("AFT-08")
def test_pages_that_nobody_saw(store: Store) -> None:
    """A page without an incident, whatever became of it on our side; not one that is dropped, seen, or younger."""
    plan(store, *(page(key, f"zendesk:{number}") for number, key in enumerate(["sent", "failed", "seen", "dropped"])))
    rows = {row.action.key: row.id for row in take(store, tool="pagerduty", lane=page("x").lane)}
    ends = {"sent": "done", "failed": "failed", "seen": "done", "dropped": "dropped"}
    store.finish([Result(id=rows[key], state=OutboxState(state)) for key, state in ends.items()], NOW)
    store.save(Facts(incidents=(incident("page-seen"),)))
    assert keys(store.unconfirmed_pages(before=NOW, since=NOW)) == ["sent", "failed"]
    assert store.unconfirmed_pages(before=at(-1), since=at(-9)) == []
    store.pause("pagerduty", NOW)
    assert store.unconfirmed_pages(before=NOW, since=NOW) == []
