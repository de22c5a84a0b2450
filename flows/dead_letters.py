"""What a row that does not move means to an operator: what it holds up, and what may be done about it."""

from collections.abc import Mapping, Sequence

from connectors.store import OutboxRow, OutboxState
from mappings.plan import NotConnected

_SHOWN = 10


def words(row: OutboxRow, behind: Mapping[int, Sequence[int]]) -> list[str]:
    """Lines below a row, beside its error: none for one that is done, or that goes by itself.

    `behind` names the planned rows that wait for each row (`Store.behind`).
    """
    waiting = behind.get(row.id, ())
    match row.state:
        case OutboxState.FAILED:
            fix = f"put right what it says, then `helpdesk outbox retry {row.id}`; or `helpdesk outbox drop {row.id}`"
            return [f"{_parks(row, waiting)}; {fix}"]
        case OutboxState.UNKNOWN:
            return [f"{_parks(row, waiting)} until its outcome is found in {row.action.tool}; nothing to do"]
        case OutboxState.DROPPED if row.again:
            return ["it is decided again by itself where it still holds"]
        case OutboxState.NOT_CONNECTED if isinstance(row.action.change, NotConnected):
            return [f"not done: it needs {row.action.change.needs}"]
        case OutboxState.HELD:
            return [f"held back by a limit: `helpdesk approve {row.batch}` releases it"]
    return []


def _parks(row: OutboxRow, waiting: Sequence[int]) -> str:
    parked = f"{row.action.record} is parked in {row.action.tool}"
    if not waiting:
        return f"{parked}, nothing waits behind it"
    more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
    rows = "row" if len(waiting) == 1 else "rows"
    return f"{parked}: {rows} {', '.join(map(str, waiting[:_SHOWN]))}{more} {'wait' if len(waiting) > 1 else 'waits'}"
