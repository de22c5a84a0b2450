"""Checks that two rules do not want contradicting things of one ticket: two groups, for it can be in one only.

Told are rules that speak of the same facts and can hold together. Any two others may meet on one ticket, too: then a
step up goes before an assignment, and of assignments the first one in the profile wins, which is said in the reason
(mappings/policies/rules/contest.py).
"""

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement, product

from mappings.profile.findings import Finding
from mappings.profile.profile import Profile
from mappings.profile.rules import Rule
from mappings.profile.terms import Comparison

_MANY_AT_ONCE = frozenset({"tag", "event"})
"""Facts of which a ticket may have several values at once."""


def check_contradictions(profile: Profile) -> Iterator[Finding]:
    """Two rules, or two lines of one, that may assign a ticket to different groups at one moment."""
    for one, other in combinations_with_replacement(profile.rules.values(), 2):
        if one is not other and not together(one, other):
            continue
        pairs = (
            ((first, second) for first in _groups(profile, one) for second in _groups(profile, other))
            if one is not other
            else combinations(_groups(profile, one), 2)
        )
        for (_, route, group), (place, instead, wanted) in pairs:
            if group != wanted:
                problem = f"assigns to {instead!r} what rule {one.name!r} may assign to {route!r} at the same moment"
                fix = "tell their conditions apart, or leave it: the first in the profile wins"
                yield Finding(("rules", other.name, "do", place), problem, fix, odd=True)
    yield from _beside_steps(profile)


def _beside_steps(profile: Profile) -> Iterator[Finding]:
    """Assignments beside a step to a named tier, which goes before them and brings the ticket to another group."""
    for assigning, stepping in product(profile.rules.values(), repeat=2):
        if assigning is not stepping and not together(assigning, stepping):
            continue
        tiers = [do.argument for do in stepping.do if do.verb == "escalate" and do.argument in profile.tiers]
        for (place, route, group), level in product(_groups(profile, assigning), tiers):
            tier = profile.tiers[int(str(level))]
            if group != tier.group:
                problem = f"assigns to {route!r} what rule {stepping.name!r} may move to {tier.name} at the same moment"
                fix = "tell their conditions apart, or leave it: the step goes before"
                yield Finding(("rules", assigning.name, "do", place), problem, fix, odd=True)


def together(one: Rule, other: Rule) -> bool:
    """Do two rules speak of the same facts, and can they hold together?"""
    shared = one.when.keys() & other.when.keys()
    meeting = {name for name in shared if _meet(one.when[name], other.when[name])}
    if not meeting or shared - meeting - _MANY_AT_ONCE:
        return False
    return not any(
        _among(first.when.get("kind"), second.when.get("kind_not")) for first, second in ((one, other), (other, one))
    )


def _groups(profile: Profile, rule: Rule) -> list[tuple[int, str, str]]:
    """Of each assignment: its place among the rule's actions, its route and its group."""
    routes = profile.routes
    return [
        (place, str(do.argument), str(routes[str(do.argument)].group))
        for place, do in enumerate(rule.do)
        if do.verb == "assign" and str(do.argument) in routes and routes[str(do.argument)].group
    ]


def _meet(one: object, other: object) -> bool:
    """Is there a value that two conditions of one fact both take?"""
    if isinstance(one, Comparison) and isinstance(other, Comparison):
        tried = (number + step for number in (one.number, other.number) for step in (-0.5, 0, 0.5))
        return any(one.holds(number) and other.holds(number) for number in tried)
    return isinstance(one, tuple) and isinstance(other, tuple) and not set(one).isdisjoint(other)


def _among(kinds: object, excluded: object) -> bool:
    return isinstance(kinds, tuple) and isinstance(excluded, tuple) and set(kinds) <= set(excluded)
