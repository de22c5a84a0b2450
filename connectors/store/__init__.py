"""What must not be lost: facts read from the tools, clocks, decisions, the outbox and who may write (design §3, §4).

`Store.open(url, profile=…)` is the way in. SQLAlchemy Core over SQLite or PostgreSQL, one schema for both.
"""

from connectors.store.errors import (
    Full,
    Locked,
    NotMigrated,
    StaleLease,
    StoreError,
    UnknownRow,
    Unreachable,
    Unusable,
    WrongProfile,
)
from connectors.store.evidence import Entry, Evidence
from connectors.store.store import Store
from connectors.store.values import (
    Applied,
    Batch,
    Changed,
    Delivery,
    Facts,
    Group,
    OutboxRow,
    OutboxState,
    Parked,
    Pulsed,
    Result,
    Saved,
    Settled,
    SourceState,
)
from mappings.plan import Mode

__all__ = [
    "Applied",
    "Batch",
    "Changed",
    "Delivery",
    "Entry",
    "Evidence",
    "Facts",
    "Full",
    "Group",
    "Locked",
    "Mode",
    "NotMigrated",
    "OutboxRow",
    "OutboxState",
    "Parked",
    "Pulsed",
    "Result",
    "Saved",
    "Settled",
    "SourceState",
    "StaleLease",
    "Store",
    "StoreError",
    "UnknownRow",
    "Unreachable",
    "Unusable",
    "WrongProfile",
]
