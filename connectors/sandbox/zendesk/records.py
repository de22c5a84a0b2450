"""What an account holds: tickets with their audits, users, organisations, and the account's objects.

Times are epoch seconds (the vendor's resolution). Records are slotted, so that a hundred thousand fit into memory.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]

SYSTEM = -1
"""The author of what the account does by itself (automations)."""

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")
TYPES = ("problem", "incident", "question", "task")


class Via(NamedTuple):
    """How something came about: the REST form's channel, the export's label, and the source object's parts."""

    channel: str
    label: str
    rel: str | None = None
    origin: tuple[tuple[str, Any], ...] = ()
    reference: int | None = None
    """The rule's id, where a rule did it."""


WEB = Via("web", "Web form")
API = Via("api", "Web service")
MAIL = Via("email", "Mail")
VIAS = {
    "web": WEB,
    "portal": WEB,
    "in_app": Via("api", "Web service"),
    "api": API,
    "email": MAIL,
    "chat": Via("chat", "Chat"),
    "phone": Via("voice", "Phone call (inbound)", "inbound"),
    "forum": API,
    "github": API,
    "social": API,
}
"""The channels in which people write, by the world's words."""


class Create(NamedTuple):
    """A field's first value."""

    field: str
    value: Any
    rule: Via | None = None


class Change(NamedTuple):
    """A field's new value and the one before."""

    field: str
    value: Any
    previous: Any
    rule: Via | None = None


class Attachment(NamedTuple):
    """A file that came with a comment."""

    id: int
    name: str
    size: int
    kind: str = "image/png"


class Comment(NamedTuple):
    """Somebody wrote; `public` decides whether the customer sees it."""

    author_id: int
    body: str
    public: bool
    attachments: tuple[Attachment, ...] = ()


class Notification(NamedTuple):
    """A rule sent a mail."""

    subject: str
    body: str
    recipients: tuple[int, ...]
    rule: Via


class SatisfactionRating(NamedTuple):
    """The requester rated the ticket."""

    score: str
    body: str | None
    assignee_id: int | None
    rule: Via | None = None


Event = Create | Change | Comment | Notification | SatisfactionRating


@dataclass(slots=True)
class Audit:
    """One update of a ticket. Event ids follow from its own: the n-th is `id + 128 * n`, as recorded accounts show."""

    id: int
    ticket_id: int
    at: int
    author_id: int
    via: Via
    events: tuple[Event, ...]
    custom: Json | None = None

    def event_id(self, place: int) -> int:
        """The id of the event at `place`, counted from 0."""
        return self.id + 128 * (place + 1)


@dataclass(slots=True)
class Rating:
    """What a requester thinks of a ticket, as of their last word on it."""

    id: int
    score: str
    comment: str | None
    assignee_id: int | None
    group_id: int | None
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Ticket:
    """A ticket as it stands. `deleted_at` and `before` (its status then) are set while it lies in the bin."""

    id: int
    requester_id: int
    submitter_id: int
    via: Via
    created_at: int
    subject: str
    description: str
    form_id: int
    brand_id: int
    organization_id: int | None
    updated_at: int = 0
    generated_at: int = 0
    status: str = "new"
    custom_status_id: int = 0
    type: str | None = None
    priority: str | None = None
    external_id: str | None = None
    recipient: str | None = None
    assignee_id: int | None = None
    group_id: int | None = None
    problem_id: int | None = None
    has_incidents: bool = False
    is_public: bool = True
    due_at: str | None = None
    tags: tuple[str, ...] = ()
    custom: dict[int, Any] = field(default_factory=dict)
    collaborators: tuple[int, ...] = ()
    followers: tuple[int, ...] = ()
    email_ccs: tuple[int, ...] = ()
    followups: tuple[int, ...] = ()
    audits: list[Audit] = field(default_factory=list)
    rating: Rating | None = None
    solved_at: int | None = None
    deleted_at: int | None = None
    deleted_by: int | None = None
    before: str | None = None
    spam: bool = False
    gone: bool = False
    """Permanently deleted: scrubbed, and only the export still shows it."""


class CustomStatus(NamedTuple):
    """A status within one of the system's categories. Closed tickets keep the one that they had when solved."""

    id: int
    category: str
    label: str
    default: bool


@dataclass(slots=True)
class User:
    """Somebody with an account: an end user, an agent or an admin."""

    id: int
    name: str
    email: str | None
    role: str
    created_at: int
    updated_at: int
    organization_id: int | None = None
    external_id: str | None = None
    time_zone: str = "America/Chicago"
    tags: tuple[str, ...] = ()
    fields: Json = field(default_factory=dict)
    default_group_id: int | None = None
    phone: str | None = None
    details: str | None = None
    notes: str | None = None
    active: bool = True
    suspended: bool = False
    verified: bool = True

    @property
    def staff(self) -> bool:
        """Whether this is an agent or an admin."""
        return self.role != "end-user"


@dataclass(slots=True)
class Organization:
    """A customer's company."""

    id: int
    name: str
    created_at: int
    updated_at: int
    external_id: str | None = None
    domain_names: tuple[str, ...] = ()
    details: str | None = None
    notes: str | None = None
    group_id: int | None = None
    tags: tuple[str, ...] = ()
    fields: Json = field(default_factory=dict)
    deleted_at: int | None = None


@dataclass(slots=True)
class Group:
    """A team of agents."""

    id: int
    name: str
    created_at: int
    default: bool = False


@dataclass(slots=True)
class Membership:
    """An agent's place in a group."""

    id: int
    user_id: int
    group_id: int
    created_at: int
    default: bool


@dataclass(slots=True)
class Field:
    """A custom field of tickets, organisations or users. `options` are (id, name, tag) rows of a dropdown."""

    id: int
    key: str
    title: str
    type: str
    position: int
    created_at: int
    options: tuple[tuple[int, str, str], ...] = ()

    @property
    def values(self) -> frozenset[str]:
        """The tags that stand for this dropdown's options; empty for other types."""
        return frozenset(tag for _, _, tag in self.options)


@dataclass(slots=True)
class Form:
    """A ticket form and the group its requests go to."""

    id: int
    name: str
    created_at: int
    position: int
    default: bool
    group_id: int | None


@dataclass(slots=True)
class Suspended:
    """A mail that was held back instead of becoming a ticket."""

    id: int
    author_name: str
    author_email: str
    subject: str
    content: str
    cause: str
    cause_id: int
    recipient: str
    created_at: int
    ticket_id: int | None = None
