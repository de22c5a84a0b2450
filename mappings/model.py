"""The vocabulary: what every tool's records become before anything is decided.

All values are frozen; every time is an aware UTC `datetime`; ids are the vendor's own (`int` in Zendesk).
A record of any tool is named `tool:id`, for example `zendesk:123`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec


class Actor(StrEnum):
    """Who did something. Only an `AGENT` stops a clock, `ack` excepted (design §4, "Who did it")."""

    CUSTOMER = "customer"
    AGENT = "agent"
    US = "us"
    RULE = "rule"
    BOT = "bot"
    APP = "app"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """Where a ticket stands; the last four end its clocks."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    HOLD = "hold"
    SOLVED = "solved"
    CLOSED = "closed"
    MERGED = "merged"
    DELETED = "deleted"
    SPAM = "spam"


ESCALATION_REASONS = {
    "ability": "beyond what this tier can do",
    "expertise": "it takes special expertise",
    "vip": "a VIP or strategic customer",
    "defect": "a defect of the product",
    "other": "another reason, see the note",
}
"""Why an agent hands a ticket on (ESC-06): the option of the field and its words."""

ENDED = frozenset({Status.CLOSED, Status.MERGED, Status.DELETED, Status.SPAM})
DONE = ENDED | {Status.SOLVED}


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A customer of ours (a Zendesk organisation). `plan` is the profile's key, null where it is unknown."""

    id: int
    name: str
    updated_at: datetime
    external_id: str | None = None
    plan: str | None = None
    vip: bool = False
    csm: str | None = None
    deleted: bool = False
    warnings: int = 0
    """How many formal warnings for abusive conduct it has had."""
    last_warning_at: str | None = None
    """The day of the last one (`2026-03-17`, in the office zone)."""
    restricted_until: str | None = None
    """The last day on which it lacks what the profile's `abuse.restriction` removes (`2026-03-17`)."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who writes in a tool. `agent` is true for staff; `role` is the customer-side role of the profile."""

    id: int
    name: str
    updated_at: datetime
    agent: bool = False
    admin: bool = False
    email: str | None = None
    role: str | None = None
    company_id: int | None = None
    locale: str | None = None
    active: bool = True
    external_id: str | None = None
    """Their id in the product."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A support case as it stands now. `fields` holds our named ticket fields (config/tools/zendesk.yaml) as text."""

    id: int
    status: Status
    created_at: datetime
    updated_at: datetime
    subject: str = ""
    priority: str | None = None
    channel: str = "email"
    requester_id: int | None = None
    submitter_id: int | None = None
    assignee_id: int | None = None
    group_id: int | None = None
    company_id: int | None = None
    form_id: int | None = None
    brand_id: int | None = None
    problem_id: int | None = None
    tags: frozenset[str] = frozenset()
    severity: str | None = None
    kind: str | None = None
    module: str | None = None
    tier: int | None = None
    fields: Mapping[str, str | None] = {}
    generated_at: int = 0
    """Zendesk's `generated_timestamp`: orders the export, says nothing about change (vendor-facts §1.6)."""
    recipient: str | None = None
    """The address of ours that a mail was written to."""
    description: str = ""
    """The beginning of the first message; empty once the ticket is closed."""


class EventKind(StrEnum):
    """What kind of thing happened to a ticket."""

    CREATE = "create"
    """The initial value of one field."""
    CHANGE = "change"
    COMMENT = "comment"
    NOTIFICATION = "notification"
    """A message that a rule of the tool sent to the customer."""


class TicketEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):  # plain values only: never part of a cycle
    """One thing that happened to a ticket: a field set or changed, or a comment made.

    `field` uses our words: status, severity, kind, module, tier, priority, group_id, assignee_id, company_id,
    requester_id, tags (space separated, sorted) or a named ticket field; null for comments. `id` and `audit_id` are
    the vendor's; the same happening has the same ids however it was read. `actor_id` is the person's, and the rule's
    where a rule of the tool did it.
    """

    id: int
    audit_id: int
    ticket_id: int
    at: datetime
    actor: Actor
    kind: EventKind
    actor_id: int | None = None
    field: str | None = None
    old: str | None = None
    new: str | None = None
    public: bool | None = None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one ticket. `events` are in order of (at, audit_id, id).

    `events_through` says up to which `updated_at` the events are complete; where the ticket's own `updated_at` is
    later, something happened that has not been read yet.
    """

    ticket: Ticket
    events: tuple[TicketEvent, ...] = ()
    company: Company | None = None
    requester: Person | None = None
    events_through: datetime | None = None
    plan_history: tuple[tuple[datetime, str | None], ...] = ()
    """When the company's plan was seen to change: (time, plan from then on), oldest first."""

    @property
    def complete(self) -> bool:
        return self.events_through is not None and self.events_through >= self.ticket.updated_at


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """Another ticket, as far as a ticket beside it is judged by it: whose it is, since when, and on which problem.

    `company_since` says since when it has been its company's. `problems` are (time, problem from then on), oldest
    first. `ended` says when it was merged, deleted or taken for spam: from then on it counts for nothing.
    """

    id: int
    created_at: datetime
    company_id: int | None = None
    company_since: datetime
    requester_id: int | None = None
    problems: tuple[tuple[datetime, int | None], ...] = ()
    ended: datetime | None = None


class PageStatus(StrEnum):
    """Where a PagerDuty incident stands."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A PagerDuty incident that one of our pages opened, known by its `dedup_key`."""

    id: str
    dedup_key: str
    status: PageStatus
    created_at: datetime
    updated_at: datetime
    title: str = ""
    url: str | None = None
    urgency: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None


class ClockState(StrEnum):
    """Where a clock stands. Void: its ticket was merged, deleted or marked as spam."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"
    VOID = "void"


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """One target's clock on one ticket, for one episode.

    `cause` is the vendor's id (else the epoch second) of the event that began the episode. `cell` is the figure in the
    profile's words (`4bh`). `warn_at` and `due_at` are computed; `warned_at` and `detected_at` say when we noticed.
    `missed_by` is in seconds of the clock's own time. A paused clock has no `due_at`; `remaining` holds what is left of
    its own time. `segments` are the figures in force since when (epoch second, cell), so that a profile edit leaves a
    running clock alone.
    """

    record: str
    target: str
    measure: str
    cause: str
    start_at: datetime
    state: ClockState
    cell: str
    dims: Mapping[str, str]
    profile_version: str
    warn_at: datetime | None = None
    due_at: datetime | None = None
    remaining: int | None = None
    used: int = 0
    paused: int = 0
    stopped_at: datetime | None = None
    fulfilled_by: str | None = None
    missed_by: int | None = None
    warned_at: datetime | None = None
    detected_at: datetime | None = None
    segments: tuple[tuple[int, str], ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.record, self.target, self.cause)
