"""Products with a fault of their own, to show that the rig sees it: each lacks one thing that the rails rest on."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from connectors.store import OutboxState, Result, Store
from mappings.plan import Action


def without_unknown() -> None:
    """A call without an answer counts as not made."""
    finish = Store.finish

    def forgetful(self: Store, results: Sequence[Result], *more: Any) -> int:
        unknown = OutboxState.UNKNOWN
        told = [msgspec.structs.replace(r, state=OutboxState.PLANNED) if r.state is unknown else r for r in results]
        return finish(self, told, *more)

    Store.finish = forgetful  # type: ignore[method-assign]


def resending_on_expiry() -> None:
    """What was in flight when its process died is sent again without looking."""
    expire = Store.expire

    def hasty(self: Store, now: Any) -> int:
        count = expire(self, now)
        rows = [row.id for row in self.outbox(state=OutboxState.UNKNOWN) if "before its deadline" in (row.error or "")]
        self.finish([Result(id=id, state=OutboxState.PLANNED) for id in rows], now)
        return count

    Store.expire = hasty  # type: ignore[method-assign]


def time_in_keys() -> None:
    """A key says when it was decided."""
    decide = Store.decide

    def dated(self: Store, *, now: Any, actions: Iterable[Action] = (), **more: Any) -> Any:
        stamped = [msgspec.structs.replace(action, key=f"{action.key}:{now:%H%M}") for action in actions]
        return decide(self, now=now, actions=stamped, **more)

    Store.decide = dated  # type: ignore[method-assign]


MUTATIONS: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    "drop unknown": (without_unknown, ("cut after", "half an answer", "500 after the effect", "504 after the effect")),
    "re-send on expiry": (resending_on_expiry, ("killed", "stalled")),
    "key with time in it": (time_in_keys, ()),
}
"""By what is taken away: how, and the mishaps without which it cannot show."""
