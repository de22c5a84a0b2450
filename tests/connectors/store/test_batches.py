"""Blast limits: what is over them waits as one batch that an operator releases or drops; the rest goes on."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.store import Applied, OutboxState, Store, UnknownRow
from mappings.plan import Action, Limits
from tests.connectors.store.make import NOW, action, at, keys, page, plan, save, take, ticket

THREE = Limits(within=timedelta(minutes=10), other=3)


def many(low: int, high: int, **more: Any) -> list[Action]:
    """Actions `k3`, `k4` … of tickets 3, 4 …"""
    return [action(f"k{n:02}", f"zendesk:{n}", **more) for n in range(low, high)]


def wanted(store: Store, *actions: Action, minute: float = 0, limits: Limits = THREE) -> Applied:
    applied = plan(store, *actions, now=at(minute), limits=limits)
    assert isinstance(applied, Applied)
    return applied


def states(store: Store) -> dict[str, str]:
    return {row.action.key: row.state.value for row in store.outbox()}


def test_within_the_limit_nothing_waits(store: Store) -> None:
    """As many as the limit says pass."""
    assert len(wanted(store, *many(0, 3)).planned) == 3
    assert store.batches() == []


def test_over_the_limit_all_of_it_waits(store: Store) -> None:
    """One more than the limit: all of them are held, as one batch; other verbs and policies go on."""
    other = action("tell", "zendesk:9", verb="tell")
    applied = wanted(store, *many(0, 4), other)
    assert (len(applied.held), applied.planned) == (4, ("tell",))
    (batch,) = store.batches()
    assert (batch.policy, batch.verb, batch.count, batch.at) == ("sla", "escalate", 4, NOW)
    assert keys(take(store)) == ["tell"]


def test_pages_never_wait(store: Store) -> None:
    """A page's key keeps it single: nobody has to approve that somebody is woken."""
    applied = wanted(store, *(page(f"p{n}", f"zendesk:{n}") for n in range(50)))
    assert len(applied.planned) == 50


def test_pieces_do_not_get_around_it(store: Store) -> None:
    """Decided one by one, the fourth crosses the limit: those that wait for delivery wait with it from now on."""
    for each in many(0, 3):
        assert wanted(store, each).held == ()
    assert set(wanted(store, *many(3, 4)).held) == {"k00", "k01", "k02", "k03"}
    assert store.batches()[0].count == 4


def test_minutes_do_not_get_around_it(store: Store) -> None:
    """One a minute and each sent at once: the fourth within ten minutes waits, and one that comes later does not."""
    for minute, each in enumerate(many(0, 3)):
        wanted(store, each, minute=minute)
    assert len(take(store, now=at(2))) == 3
    assert wanted(store, *many(3, 4), minute=3).held == ("k03",)
    assert wanted(store, *many(4, 5), minute=14).planned == ("k04",)


def test_a_burst_is_one_batch(store: Store) -> None:
    """What follows while the burst lasts joins the batch; afterwards a few go their way, and a new burst joins too."""
    wanted(store, *many(0, 5))
    assert wanted(store, *many(5, 6), minute=9).held == ("k05",)
    assert wanted(store, *many(6, 8), minute=20).planned == ("k06", "k07")
    assert len(wanted(store, *many(8, 12), minute=40).held) == 4
    (batch,) = store.batches()
    assert (batch.count, batch.at) == (10, at(40))


def test_a_hash_is_of_its_keys(store: Store) -> None:
    """The same again changes nothing; the same actions in another store have the same hash; other ones another."""
    wanted(store, *many(0, 5))
    before = store.batches()
    assert wanted(store, *many(0, 5), minute=1).known == 5
    assert store.batches() == before
    wanted(store, *many(5, 6), minute=1)
    assert store.batches()[0].hash != before[0].hash


def test_approved_is_looked_at_again_and_has_no_limit(store: Store) -> None:
    """Released: its tickets come up again, and what is still wanted is planned, all of it, and counts no more."""
    save(store, *(ticket(n) for n in range(9)))
    wanted(store, *many(0, 5), *many(5, 6, verb="tell"))
    plan(store, decided_seq=store.changed("sla").through_seq)
    settled = store.approve(store.batches()[0].hash, at(1))
    assert (settled.count, settled.left) == (5, 0)
    assert store.changed("sla").ticket_ids == (0, 1, 2, 3, 4)
    assert keys(take(store, now=at(1))) == ["k05"]
    assert len(wanted(store, *many(0, 4), minute=2).planned) == 4
    assert wanted(store, *many(6, 9), minute=2).held == ()
    assert store.batches() == []


def test_approved_before_a_new_start(store: Store) -> None:
    """An approval holds although the policy has started anew meanwhile."""
    wanted(store, *many(0, 5))
    store.approve(store.batches()[0].hash, at(1))
    store.pause("all", at(1))
    store.resume("all", at(2))
    assert len(wanted(store, *many(0, 5), minute=3).planned) == 5


def test_refused_is_dropped_for_good(store: Store) -> None:
    """Refused: dropped, with words; wanted again, it stays so."""
    wanted(store, *many(0, 4))
    hash = store.batches()[0].hash
    assert store.refuse(hash, at(1)).count == 4
    assert {(row.state, row.error) for row in store.outbox()} == {
        (OutboxState.DROPPED, f"refused by an operator with batch {hash}")
    }
    assert wanted(store, *many(0, 4), minute=2) == Applied(known=4)


def test_what_came_after_it_was_shown_waits_on(store: Store) -> None:
    """A hash releases what there was when it was shown; what joined since is held on, under the newer hash."""
    wanted(store, *many(0, 4))
    shown = store.batches()[0].hash
    wanted(store, *many(4, 6), minute=1)
    newer = store.batches()[0].hash
    settled = store.approve(shown, at(2))
    assert (settled.count, settled.left) == (4, 2)
    assert [(batch.hash, batch.count) for batch in store.batches()] == [(newer, 2)]
    assert store.refuse(newer, at(3)).count == 2
    assert store.batches() == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("approve", "it was approved already, at 2026-03-03 16:01 UTC; `helpdesk outbox list` shows"),
        ("refuse", "it was refused at 2026-03-03 16:01 UTC, and its actions were dropped; nothing brings it back"),
    ],
)
def test_twice_is_told(store: Store, said: str, words: str) -> None:
    """A batch is settled once; the second time says what became of it. An unknown hash says where to look."""
    wanted(store, *many(0, 4))
    hash = store.batches()[0].hash
    getattr(store, said)(hash, at(1))
    for settle in (store.approve, store.refuse):
        with pytest.raises(UnknownRow, match=f"batch {hash}: {words}"):
            settle(hash, at(2))
        with pytest.raises(UnknownRow, match="batch c0ffee: there is none of that hash; `helpdesk approve` lists"):
            settle("c0ffee", at(2))


def test_adopting_is_limited_too(store: Store) -> None:
    """Three thousand adopted at once are looked at again, and then wait for their approval like any burst."""
    plan(store, *many(0, 5, cause_at=at(-60)))
    assert store.adopt(at(1), policy="sla") == 5
    assert len(wanted(store, *many(0, 5, cause_at=at(-60)), minute=1).held) == 5
    store.approve(store.batches()[0].hash, at(2))
    assert len(wanted(store, *many(0, 5, cause_at=at(-60)), minute=2).planned) == 5


def test_dropped_by_hand_leaves_its_batch(store: Store) -> None:
    """A held row that an operator drops is in the batch no more."""
    wanted(store, *many(0, 4))
    store.drop(1, at(1))
    assert store.batches()[0].count == 3
    assert store.approve(store.batches()[0].hash, at(2)).count == 3


@pytest.mark.parametrize(
    ("policy", "verb", "most"),
    [
        ("sla", "tell", 5),
        ("sla", "reply", 30),
        ("rules", "reply", 10),
        ("sla", "fields", None),
        ("rules", "page", None),
        ("paging", "resolve_page", None),
    ],
)
def test_which_limit_holds(policy: str, verb: str, most: int | None) -> None:
    """A policy's own goes before the verb's, that before the one for the rest; pages have none, whatever is written."""
    said = {"reply": 30, "rules reply": 10, "fields": None, "page": 1}
    limits = Limits(within=timedelta(minutes=10), other=5, most=said)
    assert limits.most_of(policy, verb) == most
    assert limits.over(policy, verb, 31) == (most is not None)
    assert most is None or not limits.over(policy, verb, most)
