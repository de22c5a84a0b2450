"""What a PagerDuty account holds, as plain records."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class User:
    """Somebody who can be on call, or at least be named in a From header."""

    id: str
    name: str
    email: str
    role: str = "user"


@dataclass(frozen=True)
class Schedule:
    """A weekly rotation through users, handed over on Mondays at 15:00 UTC."""

    id: str
    name: str
    users: tuple[User, ...]


@dataclass(frozen=True)
class Rule:
    """One step of an escalation policy: whom to page, and how long to wait for them."""

    id: str
    delay_minutes: int
    target: User | Schedule


@dataclass(frozen=True)
class Policy:
    """An escalation policy: its rules in order, repeated `loops` times."""

    id: str
    name: str
    rules: tuple[Rule, ...]
    loops: int = 2


@dataclass(frozen=True)
class Priority:
    """One of the account's incident priorities."""

    id: str
    name: str
    description: str


@dataclass
class Service:
    """Something that can be in trouble, with one Events v2 integration and its routing key."""

    id: str
    name: str
    policy: Policy
    integration_id: str
    routing_key: str
    created_at: datetime
    acknowledgement_timeout: int | None = 1800
    auto_resolve_timeout: int | None = 14400
    urgency: str = "severity_based"  # or high, low: constant
    disabled: bool = False
    last_incident_at: datetime | None = None


@dataclass(frozen=True)
class Agent:
    """Who did something to an incident: a user, the service itself (timers) or an integration (events)."""

    kind: str
    id: str
    name: str


@dataclass
class Alert:
    """What an event opened; the dedup key is its name for as long as it is open."""

    id: str
    key: str
    severity: str
    summary: str
    created_at: datetime
    details: Any
    contexts: list[Record]
    status: str = "triggered"
    resolved_at: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """One line of an incident's log; `kind` is PagerDuty's type without `_log_entry`."""

    id: str
    kind: str
    at: datetime
    agent: Agent | None
    channel: Record
    summary: str
    extra: Record = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """A note that somebody added to an incident."""

    id: str
    user: User
    content: str
    at: datetime


@dataclass
class Incident:
    """A problem that somebody is paged about. `pending` holds its timers: what happens when, unless disarmed."""

    id: str
    number: int
    title: str
    service: Service
    key: str
    urgency: str
    created_at: datetime
    updated_at: datetime
    policy: Policy
    status: str = "triggered"
    details: Any = None
    priority: Priority | None = None
    assignments: list[tuple[datetime, User]] = field(default_factory=list)
    acknowledgements: list[tuple[datetime, User]] = field(default_factory=list)
    assigned_via: str = "escalation_policy"
    level: int = 0
    loop: int = 0
    status_changed_at: datetime | None = None
    status_changed_by: Agent | None = None
    resolved_at: datetime | None = None
    resolve_reason: Record | None = None
    alerts: list[Alert] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    pending: dict[str, datetime] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Triggered or acknowledged."""
        return self.status != "resolved"

    @property
    def assignees(self) -> list[User]:
        """Who holds it now."""
        return [user for _, user in self.assignments]


@dataclass
class Window:
    """A maintenance window: while it lasts, its services open no incidents."""

    id: str
    number: int
    start: datetime
    end: datetime
    services: list[Service]
    description: str
    created_by: User


@dataclass
class Subscription:
    """A v3 webhook subscription. Several secrets stand for a rotation in progress: every one signs."""

    id: str
    method_id: str
    url: str
    events: list[str]
    filter: Record
    description: str
    secrets: list[str]
    headers: list[Record] = field(default_factory=list)
    active: bool = True
    strikes: int = 0
    disabled_until: datetime | None = None
