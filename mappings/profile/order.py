"""Checks that figures make sense beside each other, judged by due times at fixed instants of one ordinary week.

Comparing due times works across units: `8bh` is less than `1bd` where a day has ten open hours, and more where it has
seven.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, product
from typing import NamedTuple

from mappings.calendar import Calendar
from mappings.profile.durations import Budget, Figure, Unit
from mappings.profile.findings import Finding
from mappings.profile.profile import Profile
from mappings.profile.rules import Target

_WEEK = date(2026, 6, 1)
"""A Monday with two weeks ahead that have neither holidays nor a clock change."""
_TIMES = (time(0, 30), time(8), time(9, 30), time(12), time(14, 45), time(16, 30), time(17, 45), time(20), time(23))
_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
_STAR = "*"


def check_order(profile: Profile) -> Iterator[Finding]:
    """Missing first replies, figures that put the worse case behind the milder one, tiers slower than resolution."""
    yield from _complete(profile)
    yield from _plans_in_tables(profile)
    week = _Week(profile)
    for target in profile.targets.values():
        yield from _monotonic(profile, target, week)
    yield from _tiers_within_resolution(profile)


class _Case(NamedTuple):
    """One figure of a table as it serves a severity and plan."""

    keys: tuple[str, ...]
    budget: Budget
    calendar: Calendar
    severity: str
    plan: str


def _complete(profile: Profile) -> Iterator[Finding]:
    """Each plan and severity has a first reply, be it `best effort`."""
    always = [target for target in profile.targets.values() if target.measure == "first_reply" and not target.where]
    if not always:
        fix = "add a target with measure: first_reply and no where"
        yield Finding(("targets",), "no first reply is promised to everybody", fix)
        return
    tabled = next((target for target in always if set(target.by) <= {"severity", "plan"}), always[0])
    for severity in profile.severities:
        lacking = [
            plan
            for plan in profile.plans
            if not any(target.figure({"severity": severity, "plan": plan}) for target in always)
        ]
        if len(lacking) == len(profile.plans):
            path = ("targets", tabled.name, "table")
            yield Finding(path, f"no first reply for severity {severity!r}", f"add {severity}: figures or best effort")
            continue
        for plan in lacking:
            row = (severity,) if tabled.by[:1] == ("severity",) else ()
            problem = f"no first reply for severity {severity!r}, plan {plan!r}"
            yield Finding(("targets", tabled.name, "table", *row), problem, f"add {plan}: a figure or best effort")


def _plans_in_tables(profile: Profile) -> Iterator[Finding]:
    """Other tables by plan may leave a plan out, but somebody who adds a plan should hear of it."""
    for target in profile.targets.values():
        if target.measure == "first_reply" or "plan" not in target.by:
            continue
        depth = target.by.index("plan")
        named = {keys[depth] for keys in target.cells if len(keys) > depth}
        for plan in profile.plans:
            if plan not in named and _STAR not in named:
                fix = f"add {plan}: a figure, if it should"
                yield Finding(("targets", target.name, "table"), f"plan {plan!r} has no target here", fix, odd=True)


def _monotonic(profile: Profile, target: Target, week: "_Week") -> Iterator[Finding]:
    """A worse severity is never slower than a milder one, a higher plan never slower than a lower one."""
    told: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    for others in _other_rows(target):
        for plan in profile.plans:
            cases = [_case(profile, target, others, severity, plan) for severity in profile.severities]
            yield from _compare(week, target, cases, told, "severity")
        for severity in profile.severities:
            cases = [_case(profile, target, others, severity, plan) for plan in reversed(list(profile.plans))]
            yield from _compare(week, target, cases, told, "plan")


def _other_rows(target: Target) -> Iterator[dict[str, str]]:
    """Every combination of what the table names besides severity and plan."""
    others = [
        (dimension, list(dict.fromkeys(keys[depth] for keys in target.cells if len(keys) > depth)))
        for depth, dimension in enumerate(target.by)
        if dimension not in ("severity", "plan")
    ]
    for keys in product(*(values for _, values in others)):
        yield {dimension: key for (dimension, _), key in zip(others, keys, strict=True)}


def _case(profile: Profile, target: Target, others: Mapping[str, str], severity: str, plan: str) -> _Case | None:
    keys = target.cell_keys({**others, "severity": severity, "plan": plan})
    if keys is None:
        return None
    channel, kind = others.get("channel"), others.get("kind")
    calendar = profile.serving_calendar(severity=severity, plan=plan, channel=channel, kind=kind)
    return _Case(keys, target.cells[keys], calendar, severity, plan)


def _compare(
    week: "_Week",
    target: Target,
    cases: Sequence[_Case | None],
    told: set[tuple[tuple[str, ...], tuple[str, ...]]],
    what: str,
) -> Iterator[Finding]:
    for first, then in pairwise(case for case in cases if case is not None):
        if (first.keys, then.keys) in told:
            continue
        start = week.slower(first, then)
        if start is None:
            continue
        told.add((first.keys, then.keys))
        if what == "severity":
            ours, theirs = f"severity {first.severity!r}", f"the milder severity {then.severity!r}"
            beside = f"plan {first.plan!r}"
        else:
            ours, theirs = f"plan {first.plan!r}", f"the lower plan {then.plan!r}"
            beside = f"severity {first.severity!r}"
        problem = f"{first.budget.text} for {ours} is slower than {then.budget.text} for {theirs}"
        problem += f" ({beside}, begun {start:%a %H:%M})"
        fix = f"write at most {then.budget.text} here, or more there"
        yield Finding(("targets", target.name, "table", *first.keys), problem, fix)


class _Week:
    """Due times at every instant of the sample week, computed once for each figure and calendar."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.instants = [
            datetime.combine(_WEEK + timedelta(days=day), at, profile.zone) for day, at in product(range(7), _TIMES)
        ]
        self.known: dict[tuple[Figure, Calendar], list[datetime]] = {}

    def slower(self, first: _Case, then: _Case) -> datetime | None:
        """The first instant at which `first` falls due after `then`, in the office's time."""
        pairs = zip(self.instants, self._dues(first), self._dues(then), strict=True)
        return next((start for start, one, other in pairs if one > other), None)

    def _dues(self, case: _Case) -> list[datetime]:
        key = (case.budget.late, case.calendar)
        if key not in self.known:
            self.known[key] = [ends(self.profile, *key, start) for start in self.instants]
        return self.known[key]


def ends(profile: Profile, figure: Figure, calendar: Calendar, start: datetime) -> datetime:
    """When a figure is used up; the far end of time for `best effort`."""
    match figure.unit:
        case Unit.WALL:
            return start.astimezone(UTC) + timedelta(seconds=figure.amount)
        case Unit.OPEN:
            return calendar.due(start, figure.amount)
        case Unit.DAYS:
            return calendar.due_days(start, figure.amount)
        case Unit.SPRINT:
            return start.astimezone(UTC) + timedelta(seconds=profile.sprint.length)
        case Unit.IMMEDIATE:
            return start.astimezone(UTC)
        case Unit.NEVER:
            return _FOREVER


def _tiers_within_resolution(profile: Profile) -> Iterator[Finding]:
    """Time in tiers that adds up to more than the resolution's: the resolution is late before the last step."""
    limits = [
        target
        for target in profile.targets.values()
        if target.measure == "resolve" and not target.where and target.attain is None
    ]
    ladders = [target for target in profile.targets.values() if target.measure == "time_in_tier"]
    for ladder, limit, severity in product(ladders, limits, profile.severities):
        slow = list(_slow_rows(profile, ladder, limit, severity))
        if slow:
            budget = limit.figure({"severity": severity, "plan": next(iter(profile.plans))})
            told = budget.text if budget else ""
            problem = f"{', '.join(slow)}: all tiers take longer than {limit.name} ({told}) for severity {severity!r}"
            fix = f"shorten the steps, or expect {limit.name} to be late first"
            yield Finding(("targets", ladder.name, "table"), problem, fix, odd=True)


def _slow_rows(profile: Profile, ladder: Target, limit: Target, severity: str) -> Iterator[str]:
    plan = next(iter(profile.plans))
    budget = limit.figure({"severity": severity, "plan": plan})
    if budget is None or "tier" not in ladder.by:
        return
    calendar = profile.serving_calendar(severity=severity, plan=plan)
    start = calendar.next_opening(datetime.combine(_WEEK, time(), profile.zone))
    last = ends(profile, budget.late, calendar, start)
    for others in _other_rows(ladder):
        if others.get("tier") != next(iter(str(tier) for tier in profile.tiers)):
            continue
        at = start
        for tier in profile.tiers:
            figure = ladder.figure({**others, "severity": severity, "plan": plan, "tier": str(tier)})
            at = at if figure is None else ends(profile, figure.late, calendar, at)
        if at > last:
            row = [key for dimension, key in others.items() if dimension != "tier"]
            yield " ".join(row) or f"severity {severity}"
