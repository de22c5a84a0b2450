"""Which rules fire for a ticket, and what they want done."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from mappings.model import Status
from mappings.plan import ON_HOLD, Action
from mappings.policies.paging import episode
from mappings.policies.rules.acting import Acting
from mappings.policies.rules.around import ALONE, Around
from mappings.policies.rules.conditions import Firing, fires, judged
from mappings.policies.rules.contest import decide
from mappings.policies.rules.moments import Moment, moments
from mappings.policies.sla.measures import Life
from mappings.profile import Do, Profile, Rule
from mappings.replies import Replies

_OVER = (Status.MERGED, Status.DELETED, Status.SPAM)
"""Endings that are nobody's solution: no rule is judged on them."""
_ASKED = frozenset({"reopened", "escalated"})
"""The events at which a rule is asked about its pages, whatever it names."""


def judge(
    life: Life, profile: Profile, replies: Replies, *, link: Callable[[int], str], around: Around = ALONE
) -> list[Action]:
    """What the rules want done for one ticket, over its whole past, oldest first; each key once.

    `link` gives a ticket's address for agents. `around` are the tickets that facts over several tickets count.
    """
    if not _judgeable(life):
        return []
    found = sorted(_fired(life, profile, around), key=lambda one: one.firing.moment.at)  # of one moment: profile order
    actions: dict[str, Action] = {}
    for _, together in groupby(found, key=lambda one: one.firing.moment.at):
        for action in _together(list(together), life, profile, replies, link):
            actions.setdefault(action.key, action)
    return list(actions.values())


def firings(life: Life, profile: Profile, around: Around = ALONE) -> set[datetime]:
    """When rules fire for one ticket, over its whole past."""
    return {one.firing.moment.at for one in _fired(life, profile, around)} if _judgeable(life) else set()


def _judgeable(life: Life) -> bool:
    ticket = life.history.ticket
    return ON_HOLD not in ticket.tags and ticket.status not in _OVER and life.line.known


class _Fired(msgspec.Struct, frozen=True):
    """A rule that fired, and which of its actions are to be done."""

    rule: Rule
    firing: Firing
    do: tuple[Do, ...]


def _fired(life: Life, profile: Profile, around: Around) -> Iterator[_Fired]:
    """Every rule at the first moment at which it fires, or with `again` at each; its pages, in each run of work."""
    lived: list[Moment] = [moment for moment in moments(life, profile, around) if not moment.held]
    for rule in profile.rules.values():
        if not judged(rule):
            continue
        firing = [
            fired
            for moment in lived
            if moment.concerns(rule) and (fired := fires(rule, moment, life, around)) is not None
        ]
        given = firing if rule.again else firing[:1]
        yield from (_Fired(rule, fired, rule.do) for fired in given)
        yield from _paged_again(rule, given, lived, life, around)


def _paged_again(
    rule: Rule, given: Sequence[Firing], lived: Sequence[Moment], life: Life, around: Around
) -> Iterator[_Fired]:
    """The pages of a rule that holds at a step up or after a reopening: for those it is asked anew.

    What was filed by day may climb at night, and what paged before ended with the work that was solved. Once in each
    run of work. The rule's other actions are not done again, nor for the first time.
    """
    pages = tuple(do for do in rule.do if do.verb == "page")
    known = {one.moment.at for one in given}
    paged = {episode(life, one.moment.at) for one in given[:1]}
    for moment in lived if pages else ():
        work = episode(life, moment.at)
        if work in paged or not (_ASKED & moment.events or moment.concerns(rule)):
            continue
        fired = fires(rule, moment, life, around)
        if fired is not None:
            paged.add(work)
            if moment.at not in known:
                yield _Fired(rule, fired, pages)


def _together(
    fired: list[_Fired], life: Life, profile: Profile, replies: Replies, link: Callable[[int], str]
) -> Iterator[Action]:
    """What the rules of one moment do: of those that contradict each other one acts, the others are written down."""
    acting = [Acting(life, profile, replies, one.rule, one.firing, link) for one in fired]
    wishes = [(acts, do) for acts, one in zip(acting, fired, strict=True) for do in one.do]
    contest = decide([(one.rule, do) for one, do in wishes], acting[0].tier, profile)
    for place, (one, do) in enumerate(wishes):
        if place in contest.lost:
            yield one.passed_over(do, contest.lost[place])
        else:
            yield from one.done(do, beside=contest.won if place == contest.winner else ())
