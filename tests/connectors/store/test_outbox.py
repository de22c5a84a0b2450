"""The outbox: rows leave in order, each for one owner; what may have been sent is never sent again unseen."""

from typing import Any

import pytest

from connectors.store import Mode, OutboxState, Result, StaleLease, Store, UnknownRow
from mappings.model import Status
from mappings.plan import Lane, NotConnected
from tests.connectors.store.make import NOW, action, at, keys, page, plan, save, take, ticket

DONE, FAILED, UNKNOWN = OutboxState.DONE, OutboxState.FAILED, OutboxState.UNKNOWN


def state_of(store: Store, key: str) -> OutboxState:
    return {row.action.key: row.state for row in store.outbox()}[key]


def finish(store: Store, rows: Any, state: OutboxState, **more: Any) -> int:
    return store.finish([Result(id=row.id, state=state, **more) for row in rows], NOW)


def test_what_is_taken_is_in_flight(store: Store) -> None:
    """A taken row has its owner, deadline and count of attempts before any call, and is not given out twice."""
    plan(store, action("a"))
    (row,) = take(store)
    (stored,) = store.journal("zendesk:1")
    assert row == stored
    assert (stored.state, stored.owner, stored.deadline, stored.attempts) == (OutboxState.SENDING, "run-1", at(1), 1)
    assert take(store, owner="run-2") == []


def test_a_record_leaves_whole_and_in_order(store: Store) -> None:
    """All that is planned for a record leaves together, in the order of decision, records by their first row."""
    plan(store, action("1a"), action("2a", "zendesk:2"), action("1b"), action("2b", "zendesk:2", lane=Lane.UPKEEP))
    assert keys(take(store)) == ["1a", "1b", "2a", "2b"]


def test_the_limit_counts_records(store: Store) -> None:
    """A vendor call carries so many records, however many rows each has; the rest follows."""
    plan(store, *(action(f"{id}{step}", f"zendesk:{id}") for step in "ab" for id in range(1, 6)))
    assert keys(take(store, limit=2)) == ["1a", "1b", "2a", "2b"]
    assert keys(take(store, limit=2)) == ["3a", "3b", "4a", "4b"]
    assert keys(take(store, limit=2)) == ["5a", "5b"]


@pytest.mark.parametrize("lane", list(Lane))
def test_lanes_and_tools_are_taken_apart(store: Store, lane: Lane) -> None:
    """Taking a lane of a tool leaves other lanes' records and other tools alone."""
    plan(store, *(action(lane.value, f"zendesk:{i}", lane=lane) for i, lane in enumerate(Lane)), page("p"))
    assert keys(take(store, lane=lane)) == [lane.value]


@pytest.mark.parametrize(
    ("state", "free"),
    [(DONE, True), (OutboxState.DROPPED, True), (FAILED, False), (UNKNOWN, False), (OutboxState.PLANNED, True)],
)
def test_a_row_in_the_way_parks_its_record_alone(store: Store, state: OutboxState, free: bool) -> None:
    """A failed or unknown row holds up what follows for its record, and nobody else's."""
    plan(store, action("first"))
    first = take(store)
    plan(store, action("next"), action("other", "zendesk:2"))
    assert keys(take(store)) == ["other"], "its record has a row in flight"
    finish(store, first, state)
    assert ("next" in keys(take(store))) is free


def test_the_same_record_in_another_tool_goes_on(store: Store) -> None:
    """Order holds per tool and record: a page does not wait for a note that failed."""
    plan(store, action("note"), page("page"))
    finish(store, take(store), FAILED)
    assert keys(take(store, tool="pagerduty", lane=Lane.PAGE)) == ["page"]


def test_after_waits_across_tools(store: Store) -> None:
    """A row with `after` leaves when that action is done, and holds up what follows it for its record."""
    plan(store, page("page"), action("note", after="page"), action("tag"), action("free", "zendesk:2"))
    assert keys(take(store)) == ["free"]
    finish(store, take(store, tool="pagerduty", lane=Lane.PAGE), DONE)
    assert keys(take(store)) == ["note", "tag"]


@pytest.mark.parametrize(
    ("first", "mode"),
    [
        pytest.param(action("first", "jira:1", change=NotConnected(needs="Jira")), Mode.APPLY, id="tool not there"),
        pytest.param(action("first", "zendesk:9", cause_at=at(-5)), Mode.APPLY, id="baseline"),
        pytest.param(action("first", "zendesk:9", not_after=at(-5)), Mode.APPLY, id="too late"),
    ],
)
def test_what_waits_for_nothing_is_dropped(store: Store, first: Any, mode: Mode) -> None:
    """Nothing waits for ever: where the first action will never be done, the second is dropped and says so."""
    plan(store, first, action("second", after="first"), mode=mode)
    assert take(store) == []
    assert state_of(store, "second") is OutboxState.DROPPED
    assert store.journal("zendesk:1")[0].error == "the action it was to follow will not be done: first"


def test_a_failed_first_keeps_the_second_waiting(store: Store) -> None:
    """A failed action may still be retried, so what follows it waits."""
    plan(store, page("page"), action("note", after="page"))
    finish(store, take(store, tool="pagerduty", lane=Lane.PAGE), FAILED)
    assert take(store) == []
    assert state_of(store, "note") is OutboxState.PLANNED


def test_too_late_is_dropped_with_a_reason(store: Store) -> None:
    """What no longer makes sense is not sent; up to its last moment it is."""
    plan(store, action("late", not_after=at(30)), action("just", "zendesk:2", not_after=at(31)))
    assert keys(take(store, now=at(31))) == ["just"]
    (late,) = store.journal("zendesk:1")
    assert (late.state, late.again) == (OutboxState.DROPPED, False)
    assert late.error == "too late: it made sense until 2026-03-03 16:30 UTC, now it is 2026-03-03 16:31"


def test_an_expired_row_becomes_unknown(store: Store) -> None:
    """A call whose outcome nobody noted may have had its effect: it is looked into, never planned again by itself."""
    plan(store, action("a"))
    take(store)
    assert store.expire(at(1)) == 0, "its deadline has not passed"
    assert store.expire(at(1.1)) == 1
    assert store.expire(at(1.1)) == 0
    (row,) = store.unknown("zendesk")
    assert (row.action.key, row.state) == ("a", UNKNOWN)
    assert take(store, now=at(60)) == []


def test_a_row_is_held_for_each_call(store: Store) -> None:
    """Before a call its rows get their whole time in flight again; one that counts as unknown by now is not sent."""
    plan(store, action("a"), action("b", "zendesk:2"))
    first, second = take(store)
    assert store.hold([first.id, second.id], owner="run-2", deadline=at(9)) == set()
    assert store.hold([first.id], owner="run-1", deadline=at(9)) == {first.id}
    assert store.expire(at(2)) == 1
    assert store.hold([first.id, second.id], owner="run-1", deadline=at(9)) == {first.id}
    assert state_of(store, "b") is UNKNOWN


@pytest.mark.parametrize("found", [DONE, FAILED, OutboxState.PLANNED])
def test_looking_resolves_unknown(store: Store, found: OutboxState) -> None:
    """Having looked, an unknown row is done, or failed, or free to be sent."""
    plan(store, action("a"))
    row = take(store)
    store.expire(at(2))
    assert finish(store, row, found) == 1
    assert state_of(store, "a") is found


def test_a_finished_row_stays_finished(store: Store) -> None:
    """A late result, or one reported twice, changes nothing."""
    plan(store, action("a"))
    row = take(store)
    assert finish(store, row, DONE, vendor_ref="job-1") == 1
    assert finish(store, row, FAILED) == 0
    assert finish(store, [], DONE) == 0
    (stored,) = store.journal("zendesk:1")
    assert (stored.state, stored.vendor_ref, stored.owner, stored.deadline) == (DONE, "job-1", None, None)


def test_no_state_but_a_result_is_a_result(store: Store) -> None:
    """A row cannot be finished as in flight or as baseline."""
    with pytest.raises(ValueError, match="outbox 1: baseline is no result; use one of"):
        store.finish([Result(id=1, state=OutboxState.BASELINE)], NOW)


def test_job_ids_are_kept_at_once(store: Store) -> None:
    """The vendor's job id is stored before the job is polled, and outlives a result that does not name it."""
    plan(store, action("a"), action("b", "zendesk:2"))
    rows = take(store)
    store.note_ref([row.id for row in rows], "job-7")
    assert {row.vendor_ref for row in store.outbox()} == {"job-7"}
    finish(store, rows, UNKNOWN, error="no result for this row")
    assert {(row.vendor_ref, row.error) for row in store.unknown("zendesk")} == {("job-7", "no result for this row")}


@pytest.mark.parametrize("scope", ["all", "sla", "zendesk", "zendesk:1"])
def test_pauses_are_obeyed(store: Store, scope: str) -> None:
    """A pause of everything, a policy, a tool or a record stops what it names before the next batch."""
    plan(store, action("a"))
    store.pause(scope, NOW)
    assert take(store) == []
    assert store.resume(scope, NOW, keep=True) == 0
    assert keys(take(store)) == ["a"]


def test_a_paused_policy_holds_up_no_other(store: Store) -> None:
    """Rows of a paused policy wait; the same record's rows of other policies do not wait with them."""
    store.begin([("rules", "Response")], NOW)
    plan(store, action("rules", policy="rules"), action("sla"), action("other", "zendesk:2"))
    store.pause("rules", NOW)
    store.pause("zendesk:2", NOW)
    assert keys(take(store)) == ["sla"]


@pytest.mark.parametrize(("mode", "leaves"), [(Mode.APPLY, True), (Mode.SHADOW, False), (Mode.OFF, False)])
def test_a_policy_that_does_not_apply_sends_nothing(store: Store, mode: Mode, leaves: bool) -> None:
    """Switching a policy off also stops what it had planned."""
    plan(store, action("a"))
    store.set_mode("sla", mode, NOW)
    assert keys(take(store)) == (["a"] if leaves else [])


def test_an_old_fence_takes_nothing(store: Store) -> None:
    """A run whose lease went to another may not deliver."""
    plan(store, action("a"))
    old = store.lease("pulse", "run-1", -1)
    store.lease("pulse", "run-2", 60)
    with pytest.raises(StaleLease, match="another run took over"):
        take(store, fence=old)
    assert state_of(store, "a") is OutboxState.PLANNED


def test_an_operator_retries_and_drops(store: Store) -> None:
    """A failed row is planned again or given up; then its record goes on."""
    plan(store, action("a"), action("b", "zendesk:2"))
    a, b = take(store)
    finish(store, [a, b], FAILED, error="422: group is inactive")
    plan(store, action("next"))
    assert store.retry(a.id, at(1)).state is OutboxState.PLANNED
    dropped = store.drop(b.id, at(1))
    assert (dropped.state, dropped.error) == (OutboxState.DROPPED, "dropped by an operator")
    assert keys(take(store)) == ["a", "next"]
    with pytest.raises(UnknownRow, match=f"outbox {a.id}: it is sending; this works on failed, unknown rows only"):
        store.retry(a.id, at(1))
    with pytest.raises(UnknownRow, match="outbox 404: there is no such row"):
        store.drop(404, at(1))


def test_the_outbox_is_listed_by_what_is_asked(store: Store) -> None:
    """Rows are found by state, tool, record and policy, and counted by state."""
    plan(store, action("a"), action("b", "zendesk:2"), page("p"), mode=Mode.APPLY)
    finish(store, take(store, limit=1), DONE)
    assert keys(store.outbox(state=DONE)) == ["a"]
    assert keys(store.outbox(tool="pagerduty")) == ["p"]
    assert keys(store.outbox(record="zendesk:2")) == ["b"]
    assert keys(store.outbox(policy="rules")) == []
    assert store.outbox_counts() == {DONE: 1, OutboxState.PLANNED: 2}
    assert [store.outbox_count(state) for state in (DONE, OutboxState.PLANNED, FAILED)] == [1, 2, 0]


@pytest.mark.parametrize(
    ("status", "left"),
    [
        (Status.OPEN, {"a": "planned", "b": "failed", "p": "planned"}),
        (Status.SOLVED, {"a": "planned", "b": "failed", "p": "dropped"}),
        (Status.CLOSED, {"a": "dropped", "b": "dropped", "p": "dropped"}),
        (Status.MERGED, {"a": "dropped", "b": "dropped", "p": "dropped"}),
        (Status.DELETED, {"a": "dropped", "b": "dropped", "p": "dropped"}),
    ],
)
def test_what_an_ended_ticket_leaves(store: Store, status: Status, left: dict[str, str]) -> None:
    """A ticket that ended takes along what waits and what failed, and a solved one its page; others' rows stay.

    Only an ending that can be taken back has it decided again: a deletion all, a solve the page.
    """
    plan(store, action("b"))
    finish(store, take(store), FAILED)
    plan(store, action("a"), page("p"), action("else", "zendesk:2"), action("no ticket", "other:1"))
    save(store, ticket(1, status=status), ticket(2))
    dropped = [key for key, state in left.items() if state == "dropped"]
    assert store.drop_ended(NOW) == len(dropped)
    assert {key: state_of(store, key).value for key in left} == left
    assert state_of(store, "else") is state_of(store, "no ticket") is OutboxState.PLANNED
    again = {row.action.key for row in store.outbox() if row.again}
    assert again == (set(dropped) if status in (Status.DELETED, Status.SOLVED) else set())


def test_what_waits_behind_a_row(store: Store) -> None:
    """The planned rows of the same record and tool; not those of others, nor what is done."""
    plan(store, action("a"))
    failed = take(store)
    finish(store, failed, FAILED)
    plan(store, action("b"), action("c"), action("other", "zendesk:2"), page("p"))
    rows = {row.action.key: row.id for row in store.outbox()}
    assert store.behind([failed[0].id]) == {failed[0].id: [rows["b"], rows["c"]]}
    assert store.behind([rows["other"]]) == {}
