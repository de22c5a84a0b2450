"""Cases: tickets with their past and their clocks, as policies look at them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from flows.audits import freshened
from flows.context import Context
from mappings.model import Clock
from mappings.plan import Action
from mappings.policies.sla.measures import Life, live
from mappings.timeline import build

UNHURRIED = timedelta(minutes=5)
"""How late a tool may show what happened without it counting as brought over from elsewhere."""
_BEFORE_ALL = datetime.fromtimestamp(0, UTC)


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


def came_with_a_past(case: Case, known_through: datetime | None) -> bool:
    """Is this the first sight of a ticket all of whose past lies where everything had been read already?

    It was brought over from elsewhere, or its history was loaded late: its past is no cause for anything.
    """
    line = case.life.line
    if known_through is None or case.stored or not line.known:
        return False
    moments = [step.at for step in line.steps] + [event.at for event in line.messages]
    return max(moments, default=line.created_at) < known_through - UNHURRIED


def forgotten(action: Action, came_at: datetime) -> Action:
    """An action as it is written down for a ticket that came with a past: what lies before is baseline, never sent."""
    return action if action.cause_at >= came_at else msgspec.structs.replace(action, cause_at=_BEFORE_ALL)
