"""Which rules fire for a ticket, and what they want done."""

from collections.abc import Callable

from mappings.model import Status
from mappings.plan import ON_HOLD, Action
from mappings.policies.rules.acting import Acting
from mappings.policies.rules.conditions import fires, judged
from mappings.policies.rules.moments import moments
from mappings.policies.sla.measures import Life
from mappings.profile import Profile
from mappings.replies import Replies

_OVER = (Status.MERGED, Status.DELETED, Status.SPAM)
"""Endings that are nobody's solution: no rule is judged on them."""


def judge(life: Life, profile: Profile, replies: Replies, *, link: Callable[[int], str]) -> list[Action]:
    """What the rules want done for one ticket, over its whole past. `link` gives a ticket's address for agents."""
    ticket = life.history.ticket
    if ON_HOLD in ticket.tags or ticket.status in _OVER or not life.line.known:
        return []
    lived = list(moments(life, profile))
    actions = []
    for rule in profile.rules.values():
        if not judged(rule):
            continue
        firing = [moment for moment in lived if moment.concerns(rule) and not moment.held and fires(rule, moment)]
        for moment in firing if rule.again else firing[:1]:
            acting = Acting(life, profile, replies, rule, moment, link)
            actions += [action for do in rule.do for action in acting.done(do)]
    return actions
