"""A ticket that climbs by itself: each step that its clocks ask for is taken at once, until nothing is due any more."""

from datetime import datetime
from typing import NamedTuple

from mappings.model import Actor
from mappings.plan import Action, TicketChange
from mappings.policies.escalation import Taken, taken_by
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.lateness import notice
from mappings.policies.sla.measures import Life, live
from mappings.profile import Profile
from mappings.timeline import build
from tests.profiles import profile
from tests.stories import Story, at


class Climb(NamedTuple):
    """A step: when by the office's clock, to which tier (null: management), and the action."""

    at: str
    tier: int | None
    action: Action


def life_of(story: Story, org: Profile) -> Life:
    """A story's ticket, as policies look at it, with the groups of its organisation."""
    history = story.history()
    groups = dict(enumerate(org.groups, 1))
    return live(history, build(history), org, groups)


def climbs(story: Story, org: Profile, until: str) -> list[Climb]:
    """Every step up that a ticket's clocks ask for until a time, each taken when it is due."""
    found: list[Climb] = []
    seen: set[tuple[str, str, str]] = set()
    taken: list[Action] = []
    while (now := _next(story, org, seen)) is not None and now <= at(until, story.zone):
        life = life_of(story, org)
        rows = [clock for clock in clocks(life, org) if clock.key not in seen]
        noticed = notice(life, rows, org, now, stepped=taken_by(taken) if taken else Taken())
        seen |= {clock.key for clock in noticed.clocks if clock.detected_at is not None}
        for action in noticed.actions:
            if action.verb == "escalate" and isinstance(action.change, TicketChange):
                taken.append(action)
                local = now.astimezone(story.zone)
                found.append(Climb(f"{local:%a %H:%M}", action.change.tier, action))
                if action.change.tier is not None:
                    story.set(f"{local:%Y-%m-%d %H:%M}", Actor.US, tier=str(action.change.tier))
        if not noticed.clocks:
            break
    return found


def _next(story: Story, org: Profile, seen: set[tuple[str, str, str]]) -> datetime | None:
    """When the next clock that climbs is late."""
    life = life_of(story, org)
    dues = [
        clock.due_at
        for clock in clocks(life, org)
        if clock.key not in seen
        and clock.due_at is not None
        and clock.stopped_at is None
        and any(do.verb == "escalate" for do in org.targets[clock.target].late)
    ]
    dues = [max(due, story.last) for due in dues]
    return min(dues, default=None)


def told(action: Action) -> TicketChange:
    """The ticket change of an action that is one."""
    assert isinstance(action.change, TicketChange)
    return action.change


ARCH = profile("archbuilder")
