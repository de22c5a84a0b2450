"""What would have been done to a ticket, as a preview counts it."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from mappings.plan import Action, Message, TicketChange
from mappings.policies.abuse.companies import POLICY as ABUSE
from mappings.policies.sla.clocks import dimensions
from mappings.policies.sla.measures import Life
from mappings.policies.triage import POLICY as TRIAGE
from mappings.profile import Profile

WARNING = "tell owner"
"""What a target that is near does as a rule: not counted."""
_QUIET = frozenset({"note", "fields", "leave", "keep_evidence"})
"""Verbs that nobody counts: notes that join an earlier step, upkeep, and what goes with another."""
_JUDGED = ("severity", "kind")
"""What triage says of a ticket that somebody notices."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that would have been done: `escalate`, `page on_call`, `severity P1`, with its reason's words.

    `plan` and `severity` are the ticket's, by their keys, when it was done.
    """

    what: str
    at: datetime
    says: str
    plan: str = ""
    severity: str = ""


def deeds(action: Action, at: datetime, life: Life, profile: Profile) -> Iterator[Deed]:
    """What an action counts as; nothing for upkeep, one for each judgement of triage."""
    for what in _named(action):
        if what == WARNING:
            continue
        facts = {**dimensions(life, profile, at), **action.reason.facts}
        says = action.reason.text.partition(f" Rule: {action.reason.rule}")[0].partition(" Before: ")[0]
        plan, severity = (str(facts.get(name) or "") for name in ("plan", "severity"))
        yield Deed(what=what, at=at, says=says, plan=plan, severity=severity)


def _named(action: Action) -> list[str]:
    """What an action is called: its key says what is done before it says to which record."""
    change = action.change if isinstance(action.change, TicketChange) else TicketChange()
    if action.policy == TRIAGE and action.verb == "fields":
        return [f"{name} {change.fields[name]}" for name in _JUDGED if name in change.fields]
    if action.policy == TRIAGE and action.verb == "assign":
        return [f"assign {change.group}"] if change.group else []
    if action.verb in _QUIET:
        return []
    if action.verb == "message" and action.key.split(":")[1] == "escalate" and isinstance(action.change, Message):
        return [f"tell {action.change.route}"]  # goes with a step that calls management
    policy, _, what = action.key.partition(f":{action.record}")[0].partition(":")
    return [" ".join(([ABUSE] if policy == ABUSE else []) + what.split(":"))]
