"""What goes into the store and comes out of it, beyond the vocabulary of `mappings.model` and `mappings.plan`."""

from datetime import datetime
from enum import StrEnum

import msgspec

from mappings.model import Company, Incident, Person, Ticket, TicketEvent
from mappings.plan import Action


class OutboxState(StrEnum):
    """Where an outbox row stands. The first six are a delivery's life, the others are in the journal only."""

    PLANNED = "planned"
    SENDING = "sending"
    DONE = "done"
    UNKNOWN = "unknown"
    """Sent, outcome not known: to be resolved by looking, never by sending again."""
    FAILED = "failed"
    DROPPED = "dropped"
    BASELINE = "baseline"
    """Its cause lies before `act_from`: never sent, unless adopted."""
    SHADOW = "shadow"
    NOT_CONNECTED = "not_connected"
    HELD = "held"
    """Over a blast limit: waits for an operator's approval of its batch."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What one page of one tool said. `parked` are records that could not be read: (record, reason)."""

    tickets: tuple[Ticket, ...] = ()
    companies: tuple[Company, ...] = ()
    people: tuple[Person, ...] = ()
    events: tuple[TicketEvent, ...] = ()
    incidents: tuple[Incident, ...] = ()
    parked: tuple[tuple[str, str], ...] = ()


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """How far one stream of one tool has been read, and whether it answers.

    `fresh_through`: everything up to this vendor time has been read. `down_since` is null while the source answers,
    which it does since `ok_at`.
    """

    tool: str
    name: str
    cursor: str | None = None
    fresh_through: datetime | None = None
    ok_at: datetime | None = None
    error: str | None = None
    down_since: datetime | None = None


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What a save changed. `ticket_ids` are those a policy has to look at again; `incident_keys` are dedup keys."""

    ticket_ids: tuple[int, ...] = ()
    tickets: int = 0
    companies: int = 0
    people: int = 0
    events: int = 0
    incident_keys: tuple[str, ...] = ()
    parked: int = 0


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets to decide on, and the `decided_seq` to store with that decision. `more`: ask again after deciding."""

    ticket_ids: tuple[int, ...]
    through_seq: int
    more: bool = False


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be read, until it can."""

    tool: str
    record: str
    reason: str
    first_seen: datetime
    last_seen: datetime
    count: int


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that a blast limit held back: one policy, one verb; `hash` is what an operator approves.

    `at` is when it last grew, or was settled.
    """

    hash: str
    policy: str
    verb: str
    count: int
    at: datetime
    state: str = "held"


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: `count` actions were let go or dropped; `left` came later and are held still."""

    batch: Batch
    count: int
    left: int = 0


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one policy, rule and verb in one state: how many, the causes' span, and the newest few of them."""

    policy: str
    rule: str
    verb: str
    count: int
    oldest: datetime
    newest: datetime
    examples: "tuple[OutboxRow, ...]" = ()


class Pulsed(msgspec.Struct, frozen=True, kw_only=True):
    """When a pulse came to its end; `live`: all that had happened by then was read.

    `away_since` is the end of the pulse before a gap that nobody has looked into yet.
    """

    at: datetime
    live: bool
    away_since: datetime | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that one decision newly put into the journal, by state; `known` counts those it already held."""

    planned: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    baseline: tuple[str, ...] = ()
    not_connected: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    """Those of this decision, and those planned lately that wait with them."""
    known: int = 0


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """One action and what happened to it. `vendor_ref` is the vendor's job or request id, `attempts` counts sends."""

    id: int
    action: Action
    state: OutboxState
    profile_version: str
    created_at: datetime
    updated_at: datetime
    decided_at: datetime
    owner: str | None = None
    deadline: datetime | None = None
    attempts: int = 0
    vendor_ref: str | None = None
    error: str | None = None
    again: bool = False
    batch: str | None = None
    """The hash of the batch that held it back, or `adopted`."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row that was taken: done, failed, unknown, dropped, or `planned` when it was not sent at all.

    `again` goes with dropped: the facts changed under us, decide again (the same key may then be planned once more).
    """

    id: int
    state: OutboxState
    vendor_ref: str | None = None
    error: str | None = None
    again: bool = False


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook that arrived: a hint that `about` (a record) changed."""

    id: str
    tool: str
    about: str
    received_at: datetime
