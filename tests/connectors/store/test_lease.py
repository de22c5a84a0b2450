"""One run at a time decides and delivers; one that slept through its lease is stopped by its fence."""

import pytest

from connectors.store import StaleLease, Store
from tests.connectors.store.make import plan


def test_one_holder_at_a_time(store: Store) -> None:
    """While a lease runs, others get nothing; let go, it is free at once, and the fence rises each time."""
    assert store.lease("pulse", "run-1", 60) == 1
    assert store.lease("pulse", "run-2", 60) is None
    assert store.lease("other", "run-2", 60) == 1, "leases do not know each other"
    assert store.release("pulse", 1) is True
    assert store.release("pulse", 1) is False
    assert store.lease("pulse", "run-2", 60) == 2


def test_an_expired_lease_goes_to_the_next(store: Store) -> None:
    """A holder that died is replaced when its time is over, and cannot come back."""
    assert store.lease("pulse", "dead", -1) == 1
    assert store.lease("pulse", "next", 60) == 2
    assert store.renew("pulse", 1, 60) is False
    assert store.release("pulse", 1) is False
    assert store.renew("pulse", 2, 60) is True


def test_a_late_holder_whom_nobody_replaced_goes_on(store: Store) -> None:
    """An expired lease that nobody else took can still be renewed and written under: nothing was decided between."""
    assert store.lease("pulse", "slow", -1) == 1
    plan(store, fence=1)
    assert store.renew("pulse", 1, 60) is True
    assert store.lease("pulse", "next", 60) is None


@pytest.mark.parametrize("ending", ["replaced", "released", "same owner again", "never held"])
def test_an_old_fence_is_refused(store: Store, ending: str) -> None:
    """Whatever ended a lease, its fence writes nothing any more."""
    fence = 7 if ending == "never held" else store.lease("pulse", "run-1", -1 if ending == "replaced" else 60)
    assert fence is not None
    if ending == "released":
        store.release("pulse", fence)
    elif ending != "never held":
        store.lease("pulse", "run-1" if ending == "same owner again" else "run-2", 60)
    with pytest.raises(StaleLease, match="this one stops"):
        plan(store, fence=fence)
