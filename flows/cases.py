"""Cases: tickets with their past and their clocks, as policies look at them."""

from collections.abc import Iterable, Sequence

import msgspec

from flows.audits import freshened
from flows.context import Context
from mappings.model import Clock
from mappings.plan import Action
from mappings.policies.sla.measures import Life, live
from mappings.timeline import build


class Case(msgspec.Struct, frozen=True):
    """One ticket, ready to be decided on. `stored` are its clocks as last stored."""

    life: Life
    stored: tuple[Clock, ...]

    @property
    def record(self) -> str:
        return f"zendesk:{self.life.history.ticket.id}"


class Decided(msgspec.Struct):
    """What a policy's look came to: how many tickets it looked at, and the actions new to the journal, by state."""

    policy: str
    looked: int = 0
    actions: list[Action] = []
    states: dict[str, str] = {}
    """Of each new action's key: planned, shadow, baseline, held or not_connected."""

    def add(self, actions: Sequence[Action], states: dict[str, str]) -> None:
        """Keep the actions that were new, and the new state of earlier ones that wait with them."""
        earlier = self.states.keys()
        self.actions += [action for action in actions if action.key in states and action.key not in earlier]
        known = {action.key for action in self.actions}
        self.states |= {key: state for key, state in states.items() if key in known}


def cases(ctx: Context, ids: Iterable[int]) -> list[Case]:
    """Tickets with their past and clocks, as fresh as the events' stream is."""
    histories = freshened(ctx, ctx.store.histories(ids))
    stored = ctx.store.clocks(f"zendesk:{history.ticket.id}" for history in histories)
    groups = dict(ctx.groups)
    return [
        Case(live(history, build(history), ctx.profile, groups), tuple(stored[f"zendesk:{history.ticket.id}"]))
        for history in histories
    ]
