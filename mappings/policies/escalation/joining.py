"""Several wishes for one step are one step: whoever comes second joins it as a note (design §4, "Keys")."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from mappings.plan import Action, TicketChange
from mappings.policies.escalation.step import CALLED, NONE, Taken

JOINED = "Already moved up from this tier."
CALLED_ALREADY = "Management was called from this tier already."


def one_step(actions: Sequence[Action], taken: Mapping[str, Taken]) -> list[Action]:
    """One decision's actions, of which at most one moves a ticket up from each stay.

    `taken` says by record what was stepped before or by somebody else in this minute. The highest tier wanted is moved
    to; other wishes tell their reason in a note. Of two actions with one key the first also tells the other's reason.
    """
    single = _told_together(actions)
    steps = [action for action in single if action.verb == "escalate" and isinstance(action.change, TicketChange)]
    best: dict[tuple[str, str], int] = {}
    for action in steps:
        where = (action.record, _stay(action))
        best[where] = max(best.get(where, 0), _tier(action))
    moved: set[tuple[str, str]] = set()
    called: set[tuple[str, str]] = set()
    found = []
    for action in single:
        if action in steps:
            where, before = (action.record, _stay(action)), taken.get(action.record, NONE)
            tier = _tier(action)
            goes = tier > before.tiers.get(where[1], 0) and tier == best[where] and where not in moved
            calls = _calls(action) and where[1] not in before.called and where not in called
            moved |= {where} if goes else set()
            called |= {where} if calls else set()
            found.append(action if goes or calls else _joined(action))
        else:
            found.append(action)
    return found


def _told_together(actions: Iterable[Action]) -> list[Action]:
    """Each key once; a step that two rules want has the reasons of both."""
    found: dict[str, Action] = {}
    for action in actions:
        first = found.setdefault(action.key, action)
        if first is action or action.verb != "escalate" or first.rule == action.rule:
            continue
        if isinstance(first.change, TicketChange) and first.change.note is not None:
            also = f"Also: {_cause(action)}"
            note = f"{also}\n\n{first.change.note}"
            facts = {**first.reason.facts, "because": f"{_cause(first)} {also}"}
            why = msgspec.structs.replace(first.reason, text=f"{first.reason.text} {also}", facts=facts)
            change = msgspec.structs.replace(first.change, note=note)
            found[action.key] = msgspec.structs.replace(first, change=change, reason=why)
    return list(found.values())


def _joined(action: Action) -> Action:
    """A wish as a note: the step that it asks for was taken already. What it takes off the ticket is taken off."""
    already = CALLED_ALREADY if _calls(action) else JOINED
    why = msgspec.structs.replace(action.reason, code="joined", text=f"{already} {_cause(action)}")
    asked = action.change if isinstance(action.change, TicketChange) else TicketChange()
    change = TicketChange(remove_tags=asked.remove_tags, fields=asked.fields, note=why.text)
    return msgspec.structs.replace(action, verb="note", change=change, reason=why)


def _cause(action: Action) -> str:
    """Why a step was wanted, without what it did."""
    return action.reason.facts.get("because") or action.reason.text


def _stay(action: Action) -> str:
    return action.reason.facts.get("stay", "")


def _tier(action: Action) -> int:
    return action.change.tier or 0 if isinstance(action.change, TicketChange) else 0


def _calls(action: Action) -> bool:
    return isinstance(action.change, TicketChange) and CALLED in action.change.add_tags
