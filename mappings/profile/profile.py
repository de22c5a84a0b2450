"""The typed profile of one organisation, and the questions that policies ask it."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PrivateAttr

from mappings.calendar import Calendar
from mappings.profile.holidays import Holidays
from mappings.profile.part import Part, Parts
from mappings.profile.practice import (
    Abuse,
    Agents,
    Closing,
    FeatureRequests,
    Forum,
    Help,
    Kpi,
    Outage,
    PortalContacts,
    Report,
    Reviews,
    Roadmap,
    Services,
    Surveys,
    Tools,
    Triage,
)
from mappings.profile.problems import Problem
from mappings.profile.rules import Rule, Target
from mappings.profile.sections import (
    BlastLimits,
    CalendarText,
    Channel,
    Kind,
    Module,
    NamedStatus,
    Pauses,
    Plan,
    Plans,
    Route,
    Severity,
    Sprint,
    Statuses,
    Tier,
    Warn,
)
from mappings.profile.terms import Span


def _kpis(value: object) -> object:
    """`nps: track` is short for `nps: {target: track}`."""
    if not isinstance(value, Mapping):
        return value
    return {key: {"target": kpi} if isinstance(kpi, str) else kpi for key, kpi in value.items()}


class Profile(Part):
    """One support organisation (docs: profiles). Made by `load`; never changes."""

    key: str = Field(alias="profile")
    """The organisation's key, such as builder."""
    extends: Literal["base"] | None = None
    title: str = Field(default="", alias="name")
    """What people call the organisation."""
    assumed: Mapping[str, str] = {}
    """Path → what the sources leave open; printed by `helpdesk check`."""
    hours: str
    """The calendar used unless plan, severity, kind or channel names another."""
    grace: Span
    """Seconds after which `immediate` is late."""
    min_stay: Span
    """Seconds that a ticket stays in a tier before it may climb again; critical ones climb at once."""
    warn: Warn
    limits: BlastLimits
    pauses: Pauses
    sprint: Sprint
    calendars: Mapping[str, CalendarText]
    holidays: Mapping[str, Mapping[date, str]]
    """Dates that differ from the country's holidays of that name: `closed`, `open`, or hours."""
    statuses: Statuses
    sources: tuple[str, ...]
    """Ways in that a ticket may name."""
    roles: tuple[str, ...]
    """What people are at the customer's."""
    routes: Parts[str, Route]
    plans: Plans
    severities: Parts[str, Severity]
    kinds: Parts[str, Kind]
    modules: Parts[str, Module] = Field(default_factory=dict)
    channels: Parts[str, Channel] = Field(default_factory=dict)
    tiers: Parts[int, Tier]
    targets: Parts[str, Target]
    rules: Parts[str, Rule]
    outage: Outage
    abuse: Abuse
    feature_requests: FeatureRequests
    roadmap: Roadmap
    services: Services
    portal_contacts: PortalContacts | None = None
    help: Help
    forum: Forum
    surveys: Surveys
    closing: Closing
    agents: Agents
    triage: Triage
    reviews: Reviews
    kpis: Annotated[Parts[str, Kpi], BeforeValidator(_kpis)] = Field(default_factory=dict)
    reports: Parts[str, Report] = Field(default_factory=dict)
    tools: Tools

    _version: str = PrivateAttr("")
    _warnings: tuple[Problem, ...] = PrivateAttr(())
    _built: dict[str, Calendar] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: object, /) -> None:
        """Give each target the profile's own warning."""
        for target in self.targets.values():
            target._warn_do = self.warn.do

    @property
    def named_statuses(self) -> dict[str, NamedStatus]:
        """Our five statuses (INT-05), each with its place in Zendesk: `in_progress: open/In progress`."""
        places = {name: text.partition("/") for name, text in self.statuses.items()}
        return {name: NamedStatus(place[0].strip(), place[2].strip() or None) for name, place in places.items()}

    @property
    def name(self) -> str:
        """What people call the organisation."""
        return self.title or self.key

    @cached_property
    def version(self) -> str:
        """Key and digest of all content, `builder@3f2a90c1`: the same for the same content, however it is written."""
        return self._version

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What `load` found odd but usable."""
        return self._warnings

    @property
    def warn_at(self) -> float:
        """The share of a target's time after which its owner is warned."""
        return self.warn.at

    def severity_rank(self, key: str) -> int:
        """The position of a severity: 0 is the worst. KeyError for one that there is not."""
        return self._ranks[key]

    @cached_property
    def _ranks(self) -> Mapping[str, int]:
        return {key: rank for rank, key in enumerate(self.severities)}

    def severity_like(self, priority: str) -> str:
        """The severity that goes with a priority of the tool; where none does, the next milder one, else the last."""
        ranks = ("urgent", "high", "normal", "low")
        wanted = ranks.index(priority)
        milder = (key for key, one in self.severities.items() if ranks.index(one.priority) >= wanted)
        return next(milder, list(self.severities)[-1])

    def find_severity(self, text: str) -> str | None:
        """The key of the severity that a word means in this profile (key, name or alias in any case), else None."""
        return self._words["severity"].get(text.strip().casefold())

    def find_plan(self, text: str) -> str | None:
        """The key of the plan that a word means in this profile, else None."""
        return self._words["plan"].get(text.strip().casefold())

    def find_kind(self, text: str) -> str | None:
        """The key of the kind that a word means in this profile, else None."""
        return self._words["kind"].get(text.strip().casefold())

    @cached_property
    def _words(self) -> Mapping[str, Mapping[str, str]]:
        return {
            "severity": _meanings(self.severities.values()),
            "plan": _meanings(self.plans.values()),
            "kind": _meanings(self.kinds.values()),
        }

    def calendar(self, key: str) -> Calendar:
        """A calendar of the profile, made once. KeyError for one that there is not, `CalendarError` for a bad one."""
        if key not in self._built:
            text = self.calendars[key]
            named = text.get("holidays") if isinstance(text, Mapping) else None
            dates = None if named is None else Holidays(str(named), self.holidays.get(str(named), {}))
            self._built[key] = Calendar.from_config(text, dates)
        return self._built[key]

    def serving_calendar(
        self, severity: object = None, plan: object = None, kind: object = None, channel: object = None
    ) -> Calendar:
        """The calendar that a ticket's clocks run by: open when any of those is that its severity, plan, kind or
        channel names in `hours:`; the office's where none does. The same object for the same names.
        """
        asked, known = (severity, plan, kind, channel), self._serving
        if asked not in known:
            parts: Iterable[Severity | Plan | Kind | Channel | None] = (
                self.severities.get(str(severity)),
                self.plans.get(str(plan)),
                self.kinds.get(str(kind)),
                self.channels.get(str(channel)),
            )
            names = frozenset(part.hours for part in parts if part is not None and part.hours is not None)
            names = names or frozenset({self.hours})
            if names not in known:
                known[names] = Calendar.union(*(self.calendar(name) for name in sorted(names)))
            known[asked] = known[names]
        return known[asked]

    @cached_property
    def _serving(self) -> dict[object, Calendar]:
        """Calendars by the names of their parts, and by what was asked for."""
        return {}

    @cached_property
    def office(self) -> Calendar:
        """The calendar of the office."""
        return self.calendar(self.hours)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The office's time zone."""
        return self.office.zone

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group that the profile names, in the order of tiers, kinds and routes."""
        named = [tier.group for tier in self.tiers.values()]
        named += [kind.group for kind in self.kinds.values() if kind.group]
        named += [route.group for route in self.routes.values() if route.group]
        return tuple(dict.fromkeys(named))


def _meanings(parts: Iterable[Plan | Severity | Kind]) -> dict[str, str]:
    return {word.casefold(): part.key for part in parts for word in part.words}
