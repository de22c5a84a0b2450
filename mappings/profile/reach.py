"""Which lines of a profile cannot be carried out yet: their measure, fact or tool is not connected.

Such lines stay in the profile, where people read them; what they would do is journalled as "not connected".
"""

from collections.abc import Collection, Iterator, Sequence

from mappings.notices import ways
from mappings.profile.profile import Profile
from mappings.profile.reading import spell
from mappings.profile.terms import Do

_TICKET_VERBS = frozenset(
    {"escalate", "tag", "reply", "mention", "flag", "follow", "follow_up", "suggest", "keep_evidence"}
)
"""The verbs that need nothing but the ticket."""
_ROUTES = {
    "tell": ("assignee", "group"),
    "assign": ("group",),
    "page": ("pagerduty",),
}
"""The verbs that need a route, and what the route must have: a note in the ticket, a group, a service."""


def not_yet(profile: Profile, *, facts: Collection[str], measures: Collection[str]) -> list[tuple[str, str]]:
    """Each such line: its path, and what is missing. `facts` and `measures` are those that are connected."""
    return [
        *_targets(profile, measures),
        *_rules(profile, facts),
        *_dos(profile, ("warn", "do"), profile.warn.do),
        ("outage", "outages are not detected yet"),
    ]


def _targets(profile: Profile, measures: Collection[str]) -> Iterator[tuple[str, str]]:
    for name, target in profile.targets.items():
        if target.measure not in measures:
            yield spell(("targets", name)), f"{target.measure} is not measured yet"
        else:
            yield from _dos(profile, ("targets", name, "late"), target.late)


def _rules(profile: Profile, facts: Collection[str]) -> Iterator[tuple[str, str]]:
    for name, rule in profile.rules.items():
        unknown = [fact for fact in rule.when if fact not in facts]
        if unknown:
            verb = "is" if len(unknown) == 1 else "are"
            yield spell(("rules", name)), f"{', '.join(unknown)} {verb} not known yet"
        else:
            yield from _dos(profile, ("rules", name, "do"), rule.do)


def _dos(profile: Profile, path: tuple[str, ...], dos: Sequence[Do]) -> Iterator[tuple[str, str]]:
    for index, do in enumerate(dos):
        if do.verb in _TICKET_VERBS:
            continue
        route = profile.routes.get(str(do.argument))
        if do.verb not in _ROUTES or route is None:
            yield spell((*path, index)), f"{do}: its tool is not connected yet"
        elif do.verb == "tell" and ways(route, profile):
            continue
        elif not any(getattr(route, part) for part in _ROUTES[do.verb]):
            yield spell((*path, index)), f"{do}: {route.needs} is not connected yet"
