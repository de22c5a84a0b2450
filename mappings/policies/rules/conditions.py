"""Does a rule's `when` hold at a moment? All lines must; a list means any of."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from mappings.policies.rules.around import Around
from mappings.policies.rules.moments import FACTS, Moment
from mappings.policies.sla.measures import Life
from mappings.profile import Comparison, Rule

_COMPANY = "tickets_from_company"


class Firing(msgspec.Struct, frozen=True):
    """A moment at which a rule holds. `window`: the company, and the first ticket of those that were counted."""

    moment: Moment
    window: tuple[int, int] | None = None


def judged(rule: Rule) -> bool:
    """Are all facts that a rule names known here?"""
    return set(rule.when) <= FACTS


def fires(rule: Rule, moment: Moment, life: Life, around: Around) -> Firing | None:
    """The moment as the rule saw it, where all its lines hold."""
    if not all(_holds(name, condition, moment) for name, condition in rule.when.items() if name != _COMPANY):
        return None
    if _COMPANY not in rule.when:
        return Firing(moment)
    return _counted(rule, moment, life, around)


def _counted(rule: Rule, moment: Moment, life: Life, around: Around) -> Firing | None:
    """Is this the ticket with which the count over the rule's time comes true? Once for a company and such a time.

    The tickets before it must not have been enough: it fires anew once its condition has been false.
    """
    condition, company = rule.when[_COMPANY], life.line.value("company_id", moment.at)
    arrived = "created" in moment.events or _COMPANY in moment.changed
    if not isinstance(condition, Comparison) or rule.within is None or company is None or not arrived:
        return None
    upto = (moment.at, life.history.ticket.id)
    found = around.of_company(int(company), moment.at - timedelta(seconds=rule.within), upto)
    count = len({one.id for one in found} | {upto[1]})
    rising = condition.op not in ("<", "<=")
    if not condition.holds(count) or (rising and condition.holds(count - 1)):
        return None
    facts: Mapping[str, object] = {**moment.facts, _COMPANY: count}
    first = found[0].id if found else upto[1]
    return Firing(msgspec.structs.replace(moment, facts=facts), (int(company), first))


def _holds(name: str, condition: object, moment: Moment) -> bool:
    if isinstance(condition, Comparison):
        found = moment.facts.get(name)
        return isinstance(found, int | float) and condition.holds(found)
    wanted = set(condition) if isinstance(condition, list | tuple | frozenset) else {condition}
    if name == "event":
        return bool(wanted & moment.events)
    if name == "kind_not":
        return moment.facts.get("kind") not in wanted
    found = moment.facts.get(name)
    if isinstance(found, frozenset):
        return bool(wanted & found)
    return found in wanted or str(found) in wanted
