"""Several wishes for one step are one step: whoever comes second joins it as a note (design §4, "Keys")."""

from collections.abc import Mapping, Sequence

import msgspec

from mappings.plan import Action, Message, Reason, TicketChange
from mappings.policies.escalation.step import CALLED, NONE, Taken

JOINED = "Already moved up from this tier."
CALLED_ALREADY = "Management was called from this tier already."


def one_step(actions: Sequence[Action], taken: Mapping[str, Taken]) -> list[Action]:
    """One decision's actions, of which at most one moves a ticket up from each stay.

    `taken` says by record what was stepped before or by somebody else in this minute. The highest tier wanted is moved
    to; other wishes tell their reason in a note, and nobody outside the ticket.
    """
    steps = [action for action in actions if action.verb == "escalate" and isinstance(action.change, TicketChange)]
    best: dict[tuple[str, str], int] = {}
    for action in steps:
        where = (action.record, _stay(action))
        best[where] = max(best.get(where, 0), _tier(action))
    moved: set[tuple[str, str]] = set()
    called: set[tuple[str, str]] = set()
    joined: list[tuple[str, Reason]] = []
    found = []
    for action in actions:
        if action in steps:
            where, before = (action.record, _stay(action)), taken.get(action.record, NONE)
            tier = _tier(action)
            goes = tier > before.tiers.get(where[1], 0) and tier == best[where] and where not in moved
            calls = _calls(action) and where[1] not in before.called and where not in called
            moved |= {where} if goes else set()
            called |= {where} if calls else set()
            joined += [] if goes or calls else [(action.record, action.reason)]
            found.append(action if goes or calls else _joined(action))
        elif not (isinstance(action.change, Message) and (action.record, action.reason) in joined):
            found.append(action)
    return found


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
