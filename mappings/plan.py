"""Actions and plans: what a policy wants done, as values that can be printed, stored, refused or applied.

An action's key says what is done and why, never when we ran (design §4, "Keys"): the same decision has the same key for
ever, which is what makes a second run change nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

KEY_GRAMMAR = 1
"""The version of the shapes of keys. The journal of every deployment holds keys of this shape: one that changes would
do everything again that was done before, so it takes a migration of the journal and a new version."""

ON_HOLD = "hf_hold"
"""A ticket with this tag is left alone (design §4, "A person wins")."""


class Mode(StrEnum):
    """What a policy's decisions lead to: nothing, a journal entry, or a delivery (design §4, "Limits and stops")."""

    OFF = "off"
    SHADOW = "shadow"
    APPLY = "apply"


class Lane(StrEnum):
    """The order in which the outbox is emptied; each lane has a reserved share of a vendor's request budget."""

    PAGE = "page"
    CUSTOMER = "customer"
    ESCALATION = "escalation"
    UPKEEP = "upkeep"


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is done: plan, journal, ticket note and `helpdesk explain` all print `text`."""

    code: str
    rule: str
    text: str
    profile: str
    facts: Mapping[str, str] = {}


class TicketChange(msgspec.Struct, frozen=True, kw_only=True, tag="ticket", omit_defaults=True):
    """A change to one ticket in our words; mappings/zendesk.py spells it for the vendor. Empty parts change nothing."""

    group: str | None = None
    tier: int | None = None
    assignee_id: int | None = None
    priority: str | None = None
    """The tool's own: urgent, high, normal or low."""
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    fields: Mapping[str, str | None] = {}
    followers: tuple[str, ...] = ()
    """Agents, by their e-mail, who are to follow the ticket from now on."""
    note: str | None = None
    """An internal note."""
    reply: str | None = None
    """A public reply: the customer is mailed."""


class PageTrigger(msgspec.Struct, frozen=True, kw_only=True, tag="page"):
    """Page whoever is on call for `service`. No names, subjects or addresses (design §4, "Privacy")."""

    dedup_key: str
    service: str
    summary: str
    severity: str = "critical"
    link: str | None = None
    details: Mapping[str, str] = {}


class PageResolve(msgspec.Struct, frozen=True, kw_only=True, tag="page_resolve"):
    """Close the page that `dedup_key` opened."""

    dedup_key: str
    service: str


class CompanyChange(msgspec.Struct, frozen=True, kw_only=True, tag="company"):
    """A change to one company: its fields by our names (warnings, last_warning_at, restricted_until).

    The values are absolute, never increments, so that writing them twice is writing them once; null empties a field.
    """

    fields: Mapping[str, str | None]


class KeepEvidence(msgspec.Struct, frozen=True, kw_only=True, tag="evidence"):
    """Copy a ticket with all that was said and done into the store of evidence. Nothing is done in the tool.

    `kept_for` is how long the copy has to be kept, in seconds.
    """

    kept_for: int


class Message(msgspec.Struct, frozen=True, kw_only=True, tag="message", omit_defaults=True):
    """Tell colleagues outside the ticket: id, severity, plan, due time, link (design §4, "Privacy").

    `ways` are those of the route that are left, in order: `slack #general`, `slack direct a@example.com`,
    `mail a@example.com`. The first one is this action's own; where it fails, the next one takes over.
    """

    route: str
    ways: tuple[str, ...]
    subject: str
    """One line, which alone says what it is about."""
    text: str
    link: str | None = None
    mention: str | None = None
    """Whom a channel's message wakes: `channel` or `here`."""
    digest: bool = False
    """It is told together with whatever else waits for the same time."""

    @property
    def tool(self) -> str:
        """The tool of its way."""
        return self.ways[0].partition(" ")[0]

    @property
    def to(self) -> str:
        """Where in that tool."""
        return self.ways[0].partition(" ")[2]


class NotConnected(msgspec.Struct, frozen=True, kw_only=True, tag="not_connected"):
    """An action whose tool is not there (yet): journalled, never silent."""

    needs: str


Change = TicketChange | PageTrigger | PageResolve | CompanyChange | KeepEvidence | Message | NotConnected


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do to one record, with its reason, and the conditions under which it still makes sense.

    `expects` names facts of the ticket (our words) that must still hold at delivery; `not_after` is when it stops
    making sense, `not_before` when it is due at the earliest; `after` is the key of an action that must be done first;
    `cause_at` is when its cause happened (`act_from`).
    """

    key: str
    policy: str
    rule: str
    verb: str
    tool: str
    record: str
    change: Change
    reason: Reason
    lane: Lane
    cause_at: datetime
    not_after: datetime | None = None
    not_before: datetime | None = None
    expects: Mapping[str, str | None] = {}
    after: str | None = None


POLICIES = ("triage", "sla", "rules", "paging", "abuse")
"""Who decides."""
UNLIMITED = frozenset({"page", "resolve_page", "message"})
"""Verbs without a blast limit: a page's key keeps it single, and nobody is to wait for an approval to be woken; many
messages to one route go out as one."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Blast limits (design §4): how many actions of one policy and verb may be planned `within` a time.

    `most` is by verb, or by policy and verb (`rules reply`), which goes first; `other` is for the rest. Null: no limit.
    """

    within: timedelta
    other: int | None = None
    most: Mapping[str, int | None] = {}

    def most_of(self, policy: str, verb: str) -> int | None:
        """How many actions of a policy's verb pass; null where there is no limit."""
        if verb in UNLIMITED:
            return None
        for name in (f"{policy} {verb}", verb):
            if name in self.most:
                return self.most[name]
        return self.other

    def over(self, policy: str, verb: str, count: int) -> bool:
        """Are so many, within the time, more than a policy's verb may do?"""
        most = self.most_of(policy, verb)
        return most is not None and count > most
