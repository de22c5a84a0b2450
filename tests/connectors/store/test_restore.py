"""A store that was put back: what the tools show of us beside what the journal knows, and starting anew."""

from datetime import timedelta

import pytest

from connectors.store import Mode, OutboxState, Pulsed, Result, Store
from mappings.model import Actor, EventKind
from mappings.plan import Limits
from tests.connectors.store.make import NOW, action, at, event, page, plan, save, take, ticket

US = 77


def touched(store: Store, minute: float, **more: object) -> None:
    """Ticket 1 was changed, by us unless said otherwise."""
    said = {"kind": EventKind.CHANGE, "field": "tier", "actor": Actor.US, "public": None, **more}
    save(store, ticket(1, updated_at=at(minute)), events=(event(5, at=at(minute), **said),))


def test_a_pulse_is_remembered(store: Store) -> None:
    """When the last one ended; nothing before the first."""
    assert store.pulsed() is None
    for said in (Pulsed(at=NOW, live=False), Pulsed(at=at(1), live=True, away_since=NOW)):
        store.note_pulse(said)
        assert store.pulsed() == said


@pytest.mark.parametrize(
    ("given", "strange"),
    [
        pytest.param({}, True, id="by us"),
        pytest.param({"actor": Actor.UNKNOWN, "actor_id": US}, True, id="a comment under our name"),
        pytest.param({"actor": Actor.AGENT, "actor_id": 5}, False, id="by an agent"),
        pytest.param({"actor": Actor.RULE}, False, id="by a trigger"),
    ],
)
def test_what_nobody_here_sent(store: Store, given: dict[str, object], strange: bool) -> None:
    """A change under our name since then, of a ticket to which the journal sent nothing."""
    touched(store, 5, **given)
    assert store.unexplained(NOW, {US}) == ({"zendesk:1": at(5)} if strange else {})
    assert store.unexplained(at(5), {US}) == {}, "not after that"


@pytest.mark.parametrize(
    ("state", "known"),
    [
        pytest.param(OutboxState.DONE, True, id="done"),
        pytest.param(None, True, id="in flight when we were killed"),
        pytest.param(OutboxState.UNKNOWN, True, id="no answer"),
    ],
)
def test_what_the_journal_sent_is_known(store: Store, state: OutboxState | None, known: bool) -> None:
    """Sent to that ticket: its own effect, whatever became of the row. Planned only: not."""
    plan(store, action("k"))
    touched(store, 5)
    assert store.unexplained(NOW, {US}) != {}
    (row,) = take(store, now=at(4))
    if state is not None:
        store.finish([Result(id=row.id, state=state)], at(5))
    assert (store.unexplained(NOW, {US}) == {}) is known


def test_what_was_sent_long_before_explains_nothing(store: Store) -> None:
    """A row of the day before the backup says nothing of a change after it."""
    plan(store, action("k"))
    (row,) = take(store)
    store.finish([Result(id=row.id, state=OutboxState.DONE)], NOW)
    touched(store, 61)
    assert store.unexplained(NOW, {US}) == {"zendesk:1": at(61)}


def test_starting_anew(store: Store) -> None:
    """All rules act from now on; planned, held, unknown and released rows are baseline, done and failed ones stay."""
    states = {"done": OutboxState.DONE, "failed": OutboxState.FAILED, "unknown": OutboxState.UNKNOWN}
    plan(store, *(action(key, f"zendesk:{n}") for n, key in enumerate(states)))
    rows = take(store)
    store.finish([Result(id=row.id, state=states[row.action.key]) for row in rows], NOW)
    plan(store, action("planned", "zendesk:7"), page("page", "zendesk:8"), action("adopted", cause_at=at(-9)))
    store.adopt(NOW, record="zendesk:1")
    plan(store, action("held", "zendesk:9", verb="tell"), limits=Limits(within=timedelta(minutes=10), other=0))
    assert store.start_anew(at(3)) == 5
    assert {row.action.key: row.state.value for row in store.outbox()} == {
        "done": "done",
        "failed": "failed",
        **dict.fromkeys(("unknown", "planned", "page", "adopted", "held"), "baseline"),
    }
    assert store.batches() == []
    applied = store.decide(
        policy="sla",
        decided_seq=None,
        now=at(4),
        mode=Mode.APPLY,
        actions=[action("before", cause_at=at(2)), action("after", cause_at=at(3))],
    )
    assert (applied.baseline, applied.planned) == (("before",), ("after",))


def test_a_call_in_flight_is_left_to_its_end(store: Store) -> None:
    """Said while another process is sending: what it sends is not called undone."""
    plan(store, action("k"))
    take(store, deadline=at(10**7))
    assert store.start_anew(NOW) == 0
