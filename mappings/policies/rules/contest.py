"""Rules that want contradicting things of one ticket at one moment: which of them has its way.

A ticket is in one group and one tier. A step up goes before an assignment, for it takes the ticket to its tier's
group; of several steps the farthest goes, of several assignments the one that stands first in the profile.
"""

from collections.abc import Mapping, Sequence

import msgspec

from mappings.profile import Do, Profile, Rule


class Contest(msgspec.Struct, frozen=True):
    """What came of it, by the wishes' places: who won, and who won over each of those that lost."""

    winner: int | None = None
    won: tuple[tuple[Rule, Do], ...] = ()
    """What the winner goes before."""
    lost: Mapping[int, tuple[Rule, Do]] = {}
    """Of each that lost: the rule and the action that go before it."""


def decide(wishes: Sequence[tuple[Rule, Do]], tier: int, profile: Profile) -> Contest:
    """Of the wishes of one moment, in the profile's order, with the ticket in `tier`: which contradict each other."""
    places = [place for place, (_, do) in enumerate(wishes) if _goal(do, tier, profile) is not None]
    if not places:
        return Contest()
    winner = min(places, key=lambda place: (*_rank(wishes[place][1], tier, profile), place))
    lost = [place for place in places if not _agree(wishes[place][1], wishes[winner][1], tier, profile)]
    return Contest(winner, tuple(wishes[place] for place in lost), dict.fromkeys(lost, wishes[winner]))


def _goal(do: Do, tier: int, profile: Profile) -> str | int | None:
    """Where an action would put a ticket: a group's name or a tier's number; null where it does not move it."""
    route = profile.routes.get(str(do.argument))
    if do.verb == "assign":
        return route.group if route is not None else None
    if do.verb != "escalate" or do.argument == "management":
        return None  # calling management moves nothing
    level = tier + 1 if do.argument == "next" else int(str(do.argument))
    return level if tier < level <= len(profile.tiers) else None


def _rank(do: Do, tier: int, profile: Profile) -> tuple[int, int]:
    goal = _goal(do, tier, profile)
    return (0, -goal) if isinstance(goal, int) else (1, 0)


def _agree(do: Do, winner: Do, tier: int, profile: Profile) -> bool:
    """Does an action want what the winner does, or no more than the group that it brings the ticket to?"""
    own, goal = _goal(do, tier, profile), _goal(winner, tier, profile)
    group = profile.tiers[goal].group if isinstance(goal, int) else goal
    return do == winner or own == group
