"""How the organisation works besides targets and rules: outages, abuse, requests, help, forum, surveys, reviews."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mappings.profile.part import Part, Titled
from mappings.profile.terms import Action, Aim, Goal, Share, Span, When


class Detect(Part):
    """When so much arrives that something must be broken."""

    times_normal: int = 10
    within: Span = 1800
    count: tuple[Literal["tickets", "chats"], ...] = ("tickets", "chats")
    at_least: int = 15
    normal: str = "median of same hour, 4 weeks"


class Outage(Part):
    """What happens while many customers have the same trouble."""

    detect: Detect = Detect()
    start: Literal["automatic", "confirm"] = "confirm"
    enter: tuple[Action, ...] = ()
    leave: tuple[Action, ...] = ()
    late_arrivals: Span = 7200
    watch_after_fix: Span | None = None
    email_affected: bool = False


class Restriction(Part):
    """What a restricted account loses, and for how long."""

    removes: tuple[str, ...] = ()
    for_: Span = Field(default=14 * 86400, alias="for")


class Abuse(Part):
    """How abusive conduct is dealt with."""

    categories: tuple[str, ...] = ()
    decide: str = "management"
    """The route that decides."""
    actions: tuple[str, ...] = ()
    restriction: Restriction = Restriction()
    evidence_kept: Span = 7 * 365 * 86400


class Backlog(Part):
    """Where feature requests are worked on."""

    tool: Literal["jira"] = "jira"
    project: str = "PROD"
    direction: Literal["out", "both"] = "out"


class FeatureRequests(Part):
    """What happens to wishes."""

    statuses: tuple[str, ...] = ()
    one_vote_per: Literal["company", "user"] = "company"
    backlog: Backlog = Backlog()
    tell: Mapping[str, Literal["voters", "author"]] = {}
    areas: Mapping[str, tuple[str, ...]] = {}


class Publish(Part):
    """What of the roadmap is public."""

    only_label: str = "public"
    time_as: Literal["quarter"] = "quarter"


class Roadmap(Part):
    """The public roadmap."""

    columns: tuple[str, ...] = ()
    publish: Publish = Publish()


class Services(Part):
    """Professional services that support refers to."""

    kinds: tuple[str, ...] = ()
    lead_needs: tuple[str, ...] = ()


class PortalContacts(Part):
    """Whom a portal user is sent to."""

    source: str = Field(alias="from")


class Help(Part):
    """Help articles."""

    languages: tuple[str, ...] = ("en",)
    roles: tuple[str, ...] = ()
    gated: str | None = None
    article_after_repeats: int = 3
    upkeep: Mapping[Literal["weekly", "monthly", "quarterly"], str] = {}
    sections: Mapping[str, tuple[str, ...]] | tuple[str, ...] = ()
    articles: Mapping[str, int] = {}


class Unanswered(Part):
    """When a forum question without an answer is taken up."""

    tell_staff: Span = 86400
    open_ticket: Span = 3 * 86400


class Forum(Part):
    """The community."""

    categories: Literal["from modules"] | tuple[str, ...] | Mapping[str, tuple[str, ...]] = "from modules"
    groups: tuple[str, ...] = ()
    verified_by: tuple[str, ...] = ()
    unanswered: Unanswered = Unanswered()


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
    rest: Span = 30 * 86400
    """The least time between two surveys of one person."""


class Closing(Part):
    """How a ticket ends."""

    confirm: bool = True
    silent_close: Span = 5 * 86400
    summary_required: bool = True
    checklist: int | None = None


class Agents(Part):
    """How work is shared out."""

    max_active: int = 20
    match: tuple[str, ...] = ()


class Reviews(Part):
    """How many solved tickets are looked at again."""

    sample: Share = 0.05
    at_least: int = 2
    every: Literal["day", "week", "month"] = "week"


class Kpi(Titled):
    """A figure that is watched."""

    by: tuple[str, ...] = ()
    target: Aim | Mapping[str, Aim] = None
    stretch: Aim = None
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
            return {key: goal for key, goal in self.target.items() if goal is not None}
        return {} if self.target is None else {"*": self.target}


class Report(Titled):
    """What is told to whom, and when (in the office zone)."""

    at: When
    show: tuple[str, ...]
    to: tuple[str, ...]


class Tools(Part):
    """The tools that are there. An action whose tool is off is skipped and noted."""

    zendesk: bool = True
    intercom: bool = False
    discourse: bool = False
    pagerduty: bool = False
    jira: bool = False
    slack: bool = False
    status_page: bool = False
    github: bool = False
