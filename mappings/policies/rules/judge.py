"""Which rules fire for a ticket, and what they want done."""

from collections.abc import Callable, Iterator
from itertools import groupby

import msgspec

from mappings.model import Status
from mappings.plan import ON_HOLD, Action
from mappings.policies.rules.acting import Acting
from mappings.policies.rules.around import ALONE, Around
from mappings.policies.rules.conditions import Firing, fires, judged
from mappings.policies.rules.contest import decide
from mappings.policies.rules.moments import Moment, moments
from mappings.policies.sla.measures import Life
from mappings.profile import Profile, Rule
from mappings.replies import Replies

_OVER = (Status.MERGED, Status.DELETED, Status.SPAM)
"""Endings that are nobody's solution: no rule is judged on them."""


def judge(
    life: Life, profile: Profile, replies: Replies, *, link: Callable[[int], str], around: Around = ALONE
) -> list[Action]:
    """What the rules want done for one ticket, over its whole past, oldest first; each key once.

    `link` gives a ticket's address for agents. `around` are the tickets that facts over several tickets count.
    """
    ticket = life.history.ticket
    if ON_HOLD in ticket.tags or ticket.status in _OVER or not life.line.known:
        return []
    found = sorted(_fired(life, profile, around), key=lambda one: one.firing.moment.at)  # of one moment: profile order
    actions: dict[str, Action] = {}
    for _, together in groupby(found, key=lambda one: one.firing.moment.at):
        for action in _together(list(together), life, profile, replies, link):
            actions.setdefault(action.key, action)
    return list(actions.values())


class _Fired(msgspec.Struct, frozen=True):
    """A rule that fired."""

    rule: Rule
    firing: Firing


def _fired(life: Life, profile: Profile, around: Around) -> Iterator[_Fired]:
    """Every rule at each moment at which it fires: the first one, unless it says `again` or counts a company's."""
    lived: list[Moment] = [moment for moment in moments(life, profile, around) if not moment.held]
    for rule in profile.rules.values():
        if not judged(rule):
            continue
        firing = [
            fired
            for moment in lived
            if moment.concerns(rule) and (fired := fires(rule, moment, life, around)) is not None
        ]
        yield from (_Fired(rule, fired) for fired in (firing if rule.again else firing[:1]))


def _together(
    fired: list[_Fired], life: Life, profile: Profile, replies: Replies, link: Callable[[int], str]
) -> Iterator[Action]:
    """What the rules of one moment do: of those that contradict each other one acts, the others are written down."""
    acting = [Acting(life, profile, replies, one.rule, one.firing, link) for one in fired]
    wishes = [(one, do) for one in acting for do in one.rule.do]
    contest = decide([(one.rule, do) for one, do in wishes], acting[0].tier, profile)
    for place, (one, do) in enumerate(wishes):
        if place in contest.lost:
            yield one.passed_over(do, contest.lost[place])
        else:
            yield from one.done(do, beside=contest.won if place == contest.winner else ())
