"""Steps up, whoever wants them: what was stepped before is asked of the journal, so that two policies take one step."""

from collections.abc import Iterable, Sequence

from connectors.store import OutboxRow, OutboxState
from flows.context import Context
from mappings.plan import Action
from mappings.policies.escalation import Taken, one_step, taken_by

UNDER_WAY = (OutboxState.PLANNED, OutboxState.SENDING, OutboxState.UNKNOWN, OutboxState.DONE)


def steps_of(rows: Iterable[OutboxRow]) -> Taken:
    """The steps of one ticket that were taken or are under way, by its rows."""
    return taken_by(row.action for row in rows if row.action.verb == "escalate" and row.state in UNDER_WAY)


def joined(ctx: Context, actions: Sequence[Action]) -> list[Action]:
    """Actions of which no step is taken twice: one wanted by another policy in this minute, or before, is joined."""
    records = list(dict.fromkeys(action.record for action in actions if action.verb == "escalate"))
    if not records:
        return list(actions)
    rows: dict[str, list[OutboxRow]] = {record: [] for record in records}
    for row in ctx.store.acted(records, "escalate", UNDER_WAY):
        rows[row.action.record].append(row)
    return one_step(actions, {record: steps_of(found) for record, found in rows.items()})
