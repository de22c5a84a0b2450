"""How the organisation works besides targets and rules: outages, abuse, requests, help, forum, surveys, reviews."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mappings.profile.part import Part, Titled
from mappings.profile.terms import (
    DoField,
    Goal,
    GoalField,
    GoalsField,
    ScheduleField,
    Share,
    Span,
    Strings,
    form,
)

StringsByName = Annotated[Mapping[str, tuple[str, ...]], Tag("map")]


class Detect(Part):
    """When so much arrives that something must be broken."""

    times_normal: int
    within: Span
    count: tuple[Literal["tickets", "chats"], ...]
    at_least: int
    normal: str


class Outage(Part):
    """What happens while many customers have the same trouble."""

    detect: Detect
    start: Literal["automatic", "confirm"]
    enter: tuple[DoField, ...]
    leave: tuple[DoField, ...]
    late_arrivals: Span
    watch_after_fix: Span | None = None
    email_affected: bool = False


class Restriction(Part):
    """What a restricted account loses, and for how long."""

    removes: tuple[str, ...]
    for_: Span = Field(alias="for")


class Abuse(Part):
    """How abusive conduct is dealt with."""

    categories: tuple[str, ...]
    covers: Mapping[str, str] = {}
    """What has no category of its own, and the one that it goes under."""
    decide: str
    """The route that decides."""
    actions: tuple[Literal["warn", "restrict", "account_review"], ...]
    restriction: Restriction
    evidence_kept: Span


class Backlog(Part):
    """Where feature requests are worked on."""

    tool: Literal["jira"]
    project: str
    direction: Literal["out", "both"]


class FeatureRequests(Part):
    """What happens to wishes."""

    statuses: tuple[str, ...]
    one_vote_per: Literal["company", "user"]
    backlog: Backlog
    tell: Mapping[str, Literal["voters", "author"]]
    areas: Mapping[str, tuple[str, ...]] = {}


class Publish(Part):
    """What of the roadmap is public."""

    only_label: str
    time_as: Literal["quarter"]


class Roadmap(Part):
    """The public roadmap."""

    columns: tuple[str, ...]
    publish: Publish


class Services(Part):
    """Professional services that support refers to."""

    kinds: tuple[str, ...]
    lead_needs: tuple[str, ...]


class PortalContacts(Part):
    """Whom a portal user is sent to."""

    source: str = Field(alias="from")


class Help(Part):
    """Help articles."""

    languages: tuple[str, ...]
    roles: tuple[str, ...] = ()
    gated: str | None = None
    article_after_repeats: int
    upkeep: Mapping[Literal["weekly", "monthly", "quarterly"], str] = {}
    sections: Annotated[Strings | StringsByName, Discriminator(form)] = ()
    articles: Mapping[str, int] = {}


class Unanswered(Part):
    """When a forum question without an answer is taken up."""

    tell_staff: Span
    open_ticket: Span


class Forum(Part):
    """The community."""

    categories: Annotated[
        Annotated[Literal["from modules"], Tag("text")] | Strings | StringsByName, Discriminator(form)
    ]
    groups: tuple[str, ...] = ()
    verified_by: tuple[str, ...]
    unanswered: Unanswered


class Survey(Part):
    """One question to customers, and when it is asked."""

    ask: tuple[str, ...]
    every: Literal["week", "month", "quarter", "year"] | None = None
    also: tuple[str, ...] = ()
    on: str | None = None


class Interviews(Part):
    """Talks with users."""

    every: Literal["week", "month", "quarter", "year"]
    minutes: int


class Surveys(Part):
    """What customers are asked."""

    after_ticket: Survey | None = None
    nps: Survey | None = None
    feature: Survey | None = None
    interviews: Interviews | None = None
    rest: Span
    """The least time between two surveys of one person."""


class Closing(Part):
    """How a ticket ends."""

    confirm: bool
    silent_close: Span
    summary_required: bool
    checklist: int | None = None


MATCHES = ("tier", "specialty", "available")
"""What an agent may be chosen by: their group, their field of work, and that they are not away."""


class Agents(Part):
    """How work is shared out."""

    max_active: int
    """Nobody is given a ticket who has so many open ones."""
    match: tuple[str, ...]
    """What an agent is chosen by; without `tier` nobody is chosen."""


Priority = Literal["urgent", "high", "normal", "low"]
"""A severity by the tool's priority that goes with it, whatever the profile calls it."""


class Confirm(Part):
    """A critical severity that the customer chose is confirmed before it pages."""

    within: Span
    """Seconds after which it pages without an answer."""
    reply: str
    """The text that asks whether anybody can work."""


class Triage(Part):
    """How bad a ticket is where nobody has said so."""

    confirm: Confirm
    impact: Mapping[str, int] = {}
    """How many are affected: a word, and from how many users on it is meant."""
    urgency: Mapping[str, Mapping[Literal["blocked", "working", "unknown"], Priority]] = {}
    """By impact (`unknown` where no number is given) and by whether anybody can work: the severity."""
    otherwise: Priority | None = None
    """The severity where nothing tells; null leaves it to the first human."""


class Reviews(Part):
    """How many solved tickets are looked at again."""

    sample: Share
    at_least: int
    every: Literal["day", "week", "month"]


class Kpi(Titled):
    """A figure that is watched."""

    by: tuple[str, ...] = ()
    target: GoalsField = None
    stretch: GoalField = None
    every: Literal["week", "month", "quarter", "year"] | None = None
    imported: bool = False
    """Comes from elsewhere: it is shown, not computed."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A figure alone will do."""
        return {"anyOf": [{"type": "string", "description": '">= 95%", "< 4h" or track'}, handler(core)]}

    @property
    def goals(self) -> Mapping[str, Goal]:
        """The goals by the value of `by`; a single goal stands under `*`; none where it is only tracked."""
        if isinstance(self.target, Mapping):
            return self.target
        return {} if self.target is None else {"*": self.target}


class Report(Titled):
    """What is told to whom, and when (in the office zone)."""

    at: ScheduleField
    show: tuple[str, ...]
    to: tuple[str, ...]


class Tools(Part):
    """The tools that are there. An action whose tool is off is skipped and noted."""

    zendesk: bool
    intercom: bool
    discourse: bool
    pagerduty: bool
    jira: bool
    slack: bool
    mail: bool = True
    status_page: bool
    github: bool
