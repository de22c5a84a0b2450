"""Several at once: no row is taken twice, no change is overlooked, no key is planned twice, one holder of a lease."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from connectors.store import Mode, Store
from tests.connectors.store.make import NOW, action, keys, plan, save, take, ticket

RUNS = 4


def race(store_url: str, run: Callable[[Store, int], Any]) -> list[Any]:
    """The results of several runs, each with its own store, that start together."""
    start = Barrier(RUNS)

    def one(number: int) -> Any:
        store = Store.open(store_url)
        try:
            start.wait()
            return run(store, number)
        finally:
            store.close()

    with ThreadPoolExecutor(RUNS) as pool:
        return list(pool.map(one, range(RUNS)))


def test_no_row_is_taken_twice(store: Store, store_url: str) -> None:
    """Whoever races for the outbox: each row goes to one, each record whole and in order."""
    wanted = [f"{id}{step}" for id in range(1, 41) for step in "ab"]
    plan(store, *(action(key, f"zendesk:{key[:-1]}") for key in wanted))

    def drain(store: Store, number: int) -> list[list[str]]:
        batches = []
        while rows := take(store, limit=3, owner=f"run-{number}"):
            batches.append(keys(rows))
        return batches

    batches = [batch for taken in race(store_url, drain) for batch in taken]
    assert sorted(key for batch in batches for key in batch) == sorted(wanted)
    for batch in batches:
        assert batch == [f"{key[:-1]}{step}" for key in batch[::2] for step in "ab"]


def test_no_key_is_planned_twice(store: Store, store_url: str) -> None:
    """Two runs that decide the same at once: one plans it, the other finds it journalled."""
    plan(store)

    def decide(store: Store, number: int) -> Any:
        actions = [action(f"k{i}", f"zendesk:{i}") for i in range(20)]
        return store.decide(policy="sla", decided_seq=number, now=NOW, mode=Mode.APPLY, actions=actions)

    applied = race(store_url, decide)
    assert sorted(len(one.planned) for one in applied) == [0] * (RUNS - 1) + [20]
    assert store.decided_seq("sla") == RUNS - 1


def test_no_change_is_overlooked(store: Store, store_url: str) -> None:
    """Pages saved at once get numbers that rise as they commit: a reader who goes on from the last sees them all."""

    def write_and_read(store: Store, number: int) -> set[int]:
        seen: set[int] = set()
        for i in range(10):
            if number:
                save(store, *(ticket(number * 1000 + i * 10 + j) for j in range(3)))
            else:
                changed = store.changed("sla")
                seen.update(changed.ticket_ids)
                store.decide(policy="sla", decided_seq=changed.through_seq, now=NOW, mode=Mode.APPLY)
        return seen

    seen, *_ = race(store_url, write_and_read)
    assert seen.isdisjoint(store.changed("sla").ticket_ids)
    assert len(seen) + len(store.changed("sla").ticket_ids) == (RUNS - 1) * 30


def test_one_gets_the_lease(store: Store, store_url: str) -> None:
    """Of several who ask at once one holds it."""
    fences = race(store_url, lambda store, number: store.lease("pulse", f"run-{number}", 60))
    assert sorted(fences, key=str) == [1, None, None, None]


def test_the_first_profile_wins(store: Store, store_url: str) -> None:
    """Two deployments that open an empty store at once: one owns it."""

    def claim(_: Store, number: int) -> str | None:
        try:
            opened = Store.open(store_url, profile=f"p{number}")
        except Exception:
            return None
        opened.close()
        return opened.profile

    owners = [owner for owner in race(store_url, claim) if owner]
    assert owners == [store.profile]
