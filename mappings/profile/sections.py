"""Who is served, by whom and how: plans, severities, kinds, modules, channels, tiers, routes, calendars."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, Discriminator, Field, PrivateAttr, Tag

from mappings.profile.part import Keyed, Named, Part, Titled, give_keys
from mappings.profile.terms import DoField, Most, ScheduleField, Share, Span, Text, TextOrStrings, form

DAY_SECONDS = 86400
ENTITLEMENTS = ("help", "csm", "screen_share", "video", "on_site")
"""What a plan may add besides the profile's `sources`."""


class Warn(Part):
    """When the owner is warned that a target is near."""

    at: Share
    """The share of the time that is used up by then."""
    do: tuple[DoField, ...]


class Pauses(Part):
    """What stops a clock that waits for the customer; pending always does."""

    on_hold: bool
    """Whether a ticket on hold pauses too (Zendesk: waiting for a third party)."""


class BlastLimits(Part):
    """How much one policy may do at once with one verb; what goes beyond waits for an operator."""

    within: Span
    """The time over which actions are counted."""
    other: Most
    """For each verb that `most` leaves out."""
    most: Mapping[str, Most] = {}
    """By verb (`reply`), or by policy and verb (`rules reply`), which goes first."""


class Sprint(Part):
    """The sprints that `next sprint` counts by."""

    length: Span
    starts: date
    """The first day of any one sprint."""
    source: Literal["jira"] | None = Field(default=None, alias="from")
    """Where real sprint dates come from, once connected."""

    @property
    def days(self) -> int:
        """Its length in days."""
        return self.length // DAY_SECONDS


class Plan(Named):
    """What a customer pays for. Each plan adds to the one before."""

    adds: tuple[str, ...] = ()
    """Channels that it has more than the plan before."""
    enters_tier: int = 1
    """The tier at which its tickets enter."""
    hours: str | None = None
    """A calendar by which its clocks run, where wider than the office's."""
    _channels: tuple[str, ...] = PrivateAttr(())

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel it has, those of the lower plans first."""
        return self._channels


def add_up(plans: Mapping[str, Plan]) -> Mapping[str, Plan]:
    """Give each plan the channels of those before it."""
    channels: tuple[str, ...] = ()
    for plan in give_keys(plans).values():
        channels = tuple(dict.fromkeys((*channels, *plan.adds)))
        plan._channels = channels
    return plans


Plans = Annotated[Mapping[str, Plan], AfterValidator(add_up)]


class Severity(Named):
    """How bad it is. The first of the list is the worst; only positions are compared."""

    priority: Literal["urgent", "high", "normal", "low"]
    """The tool's own priority that goes with it."""
    critical: bool = False
    hours: str | None = None
    """A calendar by which its clocks run."""
    signs: tuple[str, ...] = ()
    """What it looks like, in the customer's words."""

    @property
    def title(self) -> str:
        """Key and name as people read them, one word where both are the same: `P1 System down`, `Critical`."""
        return self.name if self.name.casefold() == self.key.casefold() else f"{self.key} {self.name}"


class Kind(Keyed):
    """What a ticket is."""

    title: str | None = Field(default=None, alias="name")
    """What people call it, where the key does not say it."""
    aliases: tuple[str, ...] = ()
    group: str | None = None
    """Who takes it first; without one, the entry tier's group."""
    private: bool = False
    """Whether it stays with that group however far it climbs: nobody else may look into it (SEC-01)."""
    written_family: str | None = Field(default=None, alias="family")
    """What it is one of; a kind without one is its own family."""
    ladder: str | None = None
    """Its row in a table by ladder."""
    signs: tuple[str, ...] = ()
    """What it sounds like, in the customer's words."""
    hours: str | None = None
    """A calendar by which its clocks run."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.title or self.key.replace("_", " ").capitalize()

    @property
    def family(self) -> str:
        """What it is one of."""
        return self.written_family or self.key

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that means it."""
        return (self.key, self.name, *self.aliases)


class Module(Named):
    """Where in the product it is: ticket field, help section and forum category in one place."""

    urls: tuple[str, ...] = ()


class Address(Part):
    """What mail to an address means."""

    severity: str | None = None
    kind: str | None = None
    route: str | None = None


class Channel(Titled):
    """A way in."""

    addresses: Mapping[str, Address] = {}
    open: str | None = None
    """The calendar of its opening times."""
    hours: str | None = None
    """A calendar by which its clocks run, where wider than the office's."""
    outside: Literal["bot_then_ticket", "ticket"] | None = None
    """What happens outside its opening times."""
    only: str | None = None
    """The only severity that may use it."""
    number: str | None = None
    critical_number: str | None = None
    emergency: str | None = None
    """The route of its emergency line."""
    captures: tuple[str, ...] = ()
    """Facts that come with a ticket from here."""
    repository: str | None = None


class Tier(Keyed):
    """A level of support: escalation climbs from one to the next."""

    title: str = Field(alias="name")
    """What people call it."""
    group: str
    """The group that works here."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.title

    @property
    def level(self) -> int:
        """Its position, 1 is the first."""
        return int(self.key)


class Route(Titled):
    """Where something is told or sent: the only place with names of people, groups, mailboxes, channels."""

    assignee: bool = False
    """Whoever holds the ticket."""
    group: str | None = None
    email: str | None = None
    slack: str | None = None
    mention: Literal["channel", "here"] | None = None
    jira: str | None = None
    """A project's key."""
    pagerduty: str | None = None
    """A PagerDuty service's name."""
    digest: ScheduleField | None = None
    """Gathered, and told at this time."""

    @property
    def reachable(self) -> bool:
        """Does it lead to anybody?"""
        return self.assignee or self.group is not None or bool(self.needs)

    @property
    def needs(self) -> str:
        """The tools that reach it, besides the ticket itself: `email, slack`."""
        tools = ("pagerduty", "slack", "email", "jira", "digest")
        return ", ".join(tool for tool in tools if getattr(self, tool) is not None)


CalendarText = Annotated[Text | Annotated[Mapping[str, TextOrStrings], Tag("map")], Discriminator(form)]
"""`24/7`, or a zone with hours by day."""


class NamedStatus(msgspec.Struct, frozen=True):
    """Where one of our five statuses is found in Zendesk: a category, or a status of that category by its label."""

    category: str
    label: str | None = None


STATUS_CATEGORIES = ("new", "open", "pending", "hold", "solved", "closed")
Statuses = Mapping[Literal["open", "in_progress", "waiting_on_customer", "resolved", "closed"], str]
