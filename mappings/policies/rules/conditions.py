"""Does a rule's `when` hold at a moment? All lines must; a list means any of."""

from mappings.policies.rules.moments import FACTS, Moment
from mappings.profile import Rule


def judged(rule: Rule) -> bool:
    """Are all facts that a rule names known here?"""
    return set(rule.when) <= FACTS


def fires(rule: Rule, moment: Moment) -> bool:
    """Do all lines of a rule hold?"""
    return all(_holds(name, condition, moment) for name, condition in rule.when.items())


def _holds(name: str, condition: object, moment: Moment) -> bool:
    wanted = set(condition) if isinstance(condition, list | tuple | frozenset) else {condition}
    if name == "event":
        return bool(wanted & moment.events)
    if name == "kind_not":
        return moment.facts.get("kind") not in wanted
    found = moment.facts.get(name)
    if isinstance(found, frozenset):
        return bool(wanted & found)
    return found in wanted or str(found) in wanted
