"""Who decides on a ticket's past beside its clocks: triage, the rules, agents who ask for the next tier, managers.

The same functions as in a pulse. Each says over the whole life when it may want something, and is asked then what it
wants, with what was known then.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from mappings.plan import Action
from mappings.policies.abuse.acting import Known, conduct
from mappings.policies.abuse.companies import POLICY as ABUSE
from mappings.policies.abuse.flags import decisions, flags
from mappings.policies.escalation import asked
from mappings.policies.paging import over
from mappings.policies.rules import ALONE, Around, firings, judge
from mappings.policies.rules import POLICY as RULES
from mappings.policies.sla.measures import Life
from mappings.policies.triage import POLICY as TRIAGE
from mappings.policies.triage import Staff, bases, reconsidered, triage, withheld
from mappings.profile import Profile
from mappings.replies import Replies


class Judge(msgspec.Struct, frozen=True):
    """One who decides. `when` gives the instants of a whole life at which `wants` is asked, with the life until then.

    What it wants has its `cause_at`; the same is wanted under the same key each time it is asked.
    """

    when: Callable[[Life], Iterable[datetime]]
    wants: Callable[[Life, datetime], Iterable[Action]]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the tickets. `link` gives a ticket's address for agents; tickets and groups go by id.

    `fields` are those of our ticket fields that the account has. `around` are the tickets that others are judged
    beside; `decided` says by a decision's cause whether somebody took it who may, for tickets flagged as abusive.
    """

    replies: Replies
    link: Callable[[int], str]
    groups: Mapping[int, str] = {}
    fields: Collection[str] = ()
    around: Mapping[int, Around] = {}
    decided: Mapping[int, Mapping[str, bool]] = {}


def judges(profile: Profile, world: World) -> dict[str, list[Judge]]:
    """The judges of a profile, by policy, in the order of a pulse."""
    return {
        TRIAGE: [_triage(profile, world)],
        RULES: [_rules(profile, world), _agents(profile, world)],
        ABUSE: [_managers(profile, world)],
    }


def _triage(profile: Profile, world: World) -> Judge:
    """Kind, severity, group and question. Who was free then nobody knows any more: tickets go to groups alone."""
    staff = Staff(groups=world.groups, members=None)

    def wants(life: Life, at: datetime) -> list[Action]:
        return triage(life, profile, staff, world.replies, at, fields=world.fields)

    return Judge(lambda life: (basis.at for basis in bases(life)), wants)


def _rules(profile: Profile, world: World) -> Judge:
    """The profile's rules; a page waits while a critical severity waits for its confirmation."""

    def around(life: Life) -> Around:
        return world.around.get(life.history.ticket.id, ALONE)

    def when(life: Life) -> Iterator[datetime]:
        yield from firings(life, profile, around(life))
        yield from reconsidered(life, profile)

    def wants(life: Life, at: datetime) -> Iterator[Action]:
        for action in judge(life, profile, world.replies, link=world.link, around=around(life)):
            waiting = "working" in world.fields and withheld(action, life, profile, at)
            if not over(life, action.change) and not waiting:
                yield action

    return Judge(when, wants)


def _agents(profile: Profile, world: World) -> Judge:
    """Agents who ask for the next tier."""

    def wants(life: Life) -> list[Action]:
        return asked(life, profile, policy=RULES, link=world.link)

    return Judge(lambda life: (action.cause_at for action in wants(life)), lambda life, at: wants(life))


def _managers(profile: Profile, world: World) -> Judge:
    """What follows from flags and from managers' decisions; of a company, what this ticket alone does to it."""

    def when(life: Life) -> Iterator[datetime]:
        yield from (flag.at for flag in flags(life.line))
        yield from (one.at for one in decisions(life.line))

    def wants(life: Life, at: datetime) -> list[Action]:
        decided = world.decided.get(life.history.ticket.id, {})
        return conduct(life, profile, world.replies, Known(managers=decided)) if any(when(life)) else []

    return Judge(when, wants)
