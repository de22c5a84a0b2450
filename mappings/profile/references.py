"""Checks that every name a profile uses is one that it has: calendars, routes, tiers, plans, kinds, channels …"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import combinations

from mappings.calendar import CalendarError
from mappings.calendar.hours import parse
from mappings.plan import POLICIES, UNLIMITED
from mappings.profile.findings import Finding, unknown
from mappings.profile.holidays import OPEN, is_country
from mappings.profile.practice import MATCHES
from mappings.profile.profile import Profile
from mappings.profile.rules import Rule, Where
from mappings.profile.sections import ENTITLEMENTS, STATUS_CATEGORIES, Kind, NamedStatus, Plan, Severity
from mappings.profile.terms import VERBS, Do

Path = tuple[str | int, ...]
_REACHES = {"page": ("pagerduty",), "assign": ("group", "assignee")}
"""What a route must have for a verb to reach it."""
_ONLY_RULES = frozenset({"assign", "reply", "flag", "follow", "follow_up", "suggest", "keep_evidence"})
"""The verbs that a target does not do when it is late or near: a rule does them."""
_LIMITED = sorted({*VERBS, "fields", "note"} - UNLIMITED)
"""What a limit may name: the verbs of rules, and what policies do by themselves."""
ADDRESS = r"[^@\s,;<>]+@[^@\s,;<>]+"
"""A mail address, as a pattern."""
_ADDRESSES = re.compile(rf"{ADDRESS}(, *{ADDRESS})*")
_CHANNEL = re.compile(r"#?[^\s#]+")
_LEAST = {
    "rating": 1,
    "affected_users": 1,
    "companies_on_problem": 1,
    "failed_attempts": 0,
    "tickets_from_company": 1,
}
"""The least that a fact can be, where it is known."""
_MOST = {"rating": 5}
"""The most, for what is rated on a scale."""
_MINUTE, _DAY, _MANY = 60, 86_400, 1_000


def check_references(profile: Profile) -> Iterator[Finding]:
    """Every name that is not there."""
    yield from _sections(profile)
    yield from _calendars(profile)
    yield from _people(profile)
    yield from _routes(profile)
    yield from _channels(profile)
    yield from _targets(profile)
    yield from _rules(profile)
    yield from _practice(profile)
    yield from _limits(profile)
    yield from _statuses(profile)


def values_of(profile: Profile, dimension: str) -> list[str] | None:
    """The values that a dimension may have in this profile, as tables write them; None where any word will do."""
    kinds = profile.kinds.values()
    known: Mapping[str, Iterable[object]] = {
        "severity": profile.severities,
        "plan": profile.plans,
        "kind": profile.kinds,
        "kind_not": profile.kinds,
        "family": [kind.family for kind in kinds],
        "ladder": [kind.ladder for kind in kinds if kind.ladder],
        "channel": channels_of(profile),
        "tier": profile.tiers,
        "role": profile.roles,
        "vip": ("true", "false"),
        "escalated": ("true", "false"),
    }
    return list(dict.fromkeys(str(value) for value in known[dimension])) if dimension in known else None


def channels_of(profile: Profile) -> list[str]:
    """Every channel and other entitlement that a plan may add."""
    return [*profile.sources, *ENTITLEMENTS]


def _sections(profile: Profile) -> Iterator[Finding]:
    for section in ("plans", "severities", "kinds", "tiers", "targets"):
        if not getattr(profile, section):
            yield Finding((section,), "missing", f"add {section}: with at least one entry")
    tiers = list(profile.tiers)
    if tiers and tiers != list(range(1, len(tiers) + 1)):
        told = ", ".join(str(tier) for tier in tiers)
        yield Finding(("tiers",), f"numbered {told}", f"number them from 1 to {len(tiers)}, in order")
    for key in profile.assumed:
        if profile.severities and not _stands(profile, key):
            yield Finding(("assumed", key), "names no line of this profile", "write the path of an existing line")


def _stands(profile: Profile, path: str) -> bool:
    """Is there such a line? Judged on the typed profile with the keys that files use."""
    here: object = profile.model_dump(by_alias=True, warnings=False)
    for step in path.split("."):
        if isinstance(here, Mapping):
            keys = {str(key): value for key, value in here.items()}
            if step not in keys:
                return False
            here = keys[step]
        else:
            return False
    return True


def _calendars(profile: Profile) -> Iterator[Finding]:
    yield from unknown(("hours",), "calendar", profile.hours, profile.calendars)
    for key, text in profile.calendars.items():
        named = text.get("holidays") if isinstance(text, Mapping) else None
        if named is not None and str(named) not in profile.holidays and not is_country(str(named)):
            known = sorted({*profile.holidays, "us", "ca", "gb"})
            yield from unknown(("calendars", key, "holidays"), "holiday set or country", named, known)
        try:
            profile.calendar(key)
        except CalendarError as wrong:
            for fault in wrong.faults:
                inside: Path = () if fault.field in ("calendar", "days") else (fault.field,)
                yield Finding(("calendars", key, *inside), fault.problem, fault.fix)
    for name, dates in profile.holidays.items():
        for day, hours in dates.items():
            try:
                parse(hours) if hours != OPEN else None
            except ValueError as wrong:
                fix = 'write closed, open or hours such as "09:00-12:00"'
                yield Finding(("holidays", name, str(day)), str(wrong), fix)
    for section in ("plans", "severities", "kinds", "channels"):
        for key, part in getattr(profile, section).items():
            for field in ("hours", "open") if section == "channels" else ("hours",):
                if (calendar := getattr(part, field)) is not None:
                    yield from unknown((section, key, field), "calendar", calendar, profile.calendars)


def _people(profile: Profile) -> Iterator[Finding]:
    yield from _same_words("severities", profile.severities.values())
    yield from _same_words("plans", profile.plans.values())
    yield from _same_words("kinds", profile.kinds.values())
    for key, plan in profile.plans.items():
        yield from unknown(("plans", key, "enters_tier"), "tier", plan.enters_tier, profile.tiers)
        for index, channel in enumerate(plan.adds):
            yield from unknown(("plans", key, "adds", index), "channel", channel, channels_of(profile))
    for key, kind in profile.kinds.items():
        if kind.private and kind.group is None:
            yield Finding(("kinds", key, "private"), "stays with its group, and names none", "add group: … to it")
    for one, other in combinations(profile.groups, 2):
        if one.casefold() == other.casefold() or _misspelled(one, other):
            yield Finding(("tiers",), f"groups {one!r} and {other!r} look alike", "spell one group one way", odd=True)


def _routes(profile: Profile) -> Iterator[Finding]:
    for key, route in profile.routes.items():
        if not route.reachable:
            fix = "add group, email, slack, jira, pagerduty or digest"
            yield Finding(("routes", key), "reaches nobody", fix)
        if route.slack == "direct" and route.email is None:
            yield Finding(("routes", key, "slack"), "writes to people directly, and names none", "add email: … to it")
        if route.mention is not None and (route.slack is None or route.slack == "direct"):
            yield Finding(("routes", key, "mention"), "wakes a channel, and names none", 'add slack: "#…" to it')
        if route.email is not None and not _ADDRESSES.fullmatch(route.email):
            fix = "write a@example.com, several with commas"
            yield Finding(("routes", key, "email"), f"{route.email!r} is no mail address", fix)
        if route.slack is not None and route.slack != "direct" and not _CHANNEL.fullmatch(route.slack):
            fix = 'write "#channel", or direct to write to the people of its email'
            yield Finding(("routes", key, "slack"), f"{route.slack!r} is no channel", fix)


def _misspelled(one: str, other: str) -> bool:
    digits = [[char for char in name if char.isdigit()] for name in (one, other)]
    return digits[0] == digits[1] and SequenceMatcher(None, one, other).ratio() > 0.9


def _same_words(section: str, parts: Iterable[Severity | Plan | Kind]) -> Iterator[Finding]:
    meant: dict[str, str] = {}
    for part in parts:
        for word in dict.fromkeys(word.casefold() for word in part.words):
            if word in meant:
                problem = f"{word!r} already means {meant[word]!r}"
                yield Finding((section, part.key), problem, "give each its own key, name and aliases")
            meant.setdefault(word, part.key)


def _channels(profile: Profile) -> Iterator[Finding]:
    for key, channel in profile.channels.items():
        yield from unknown(("channels", key), "channel", key, channels_of(profile))
        if channel.only is not None:
            yield from unknown(("channels", key, "only"), "severity", channel.only, profile.severities)
        if channel.emergency is not None:
            yield from unknown(("channels", key, "emergency"), "route", channel.emergency, profile.routes)
        for mail, address in channel.addresses.items():
            path = ("channels", key, "addresses", mail)
            if address.severity is not None:
                yield from unknown((*path, "severity"), "severity", address.severity, profile.severities)
            if address.kind is not None:
                yield from unknown((*path, "kind"), "kind", address.kind, profile.kinds)
            if address.route is not None:
                found = unknown((*path, "route"), "route", address.route, profile.routes)
                yield from found
                if not found and profile.routes[address.route].group is None:
                    fix = f"add group: … to routes.{address.route}"
                    yield Finding((*path, "route"), f"route {address.route!r} has no group to send mail to", fix)


def _targets(profile: Profile) -> Iterator[Finding]:
    for name, target in profile.targets.items():
        path: Path = ("targets", name)
        told: set[tuple[str, ...]] = set()
        for keys in target.cells:
            if len(keys) != len(target.by):
                shape = " by ".join(target.by) if target.by else "a single figure"
                problem = f"nests {len(keys)} deep, but by: names {len(target.by)}"
                yield Finding((*path, "table", *keys), problem, f"write the table as {shape}")
                continue
            for depth, (dimension, key) in enumerate(zip(target.by, keys, strict=True), 1):
                known = values_of(profile, dimension)
                if key == "*" or known is None or keys[:depth] in told:
                    continue
                told.add(keys[:depth])
                yield from unknown((*path, "table", *keys[:depth]), dimension, key, known)
        yield from _facts(profile, (*path, "where"), target.asked)
        yield from _dos(profile, (*path, "late"), target.late)
        yield from _dos(profile, (*path, "warn"), target.warn or ())
        yield from _not_of_targets((*path, "late"), target.late)
        yield from _not_of_targets((*path, "warn"), target.warn or ())


def _not_of_targets(path: Path, dos: Sequence[Do]) -> Iterator[Finding]:
    """What only a rule does; and a step up, which belongs to what is late and not to what is near."""
    for index, do in enumerate(dos):
        if do.verb in _ONLY_RULES:
            fix = f"write tag overdue here, and {do} in a rule with when: {{tag: overdue}}"
            yield Finding((*path, index), f"{do.verb!r} is for rules, not for targets", fix)
        elif do.verb == "escalate" and "warn" in path:
            yield Finding((*path, index), "a ticket does not climb before it is late", "move it to late:")


def _facts(profile: Profile, path: Path, asked: Where) -> Iterator[Finding]:
    for fact, wanted in asked.facts().items():
        known = values_of(profile, fact)
        if known is None or not isinstance(wanted, tuple):
            continue
        for value in wanted:
            if not isinstance(value, bool):
                yield from unknown((*path, fact), fact.removesuffix("_not"), value, known)


def _rules(profile: Profile) -> Iterator[Finding]:
    for name, rule in profile.rules.items():
        path: Path = ("rules", name)
        yield from _facts(profile, (*path, "when"), rule.conditions)
        yield from _dos(profile, (*path, "do"), rule.do)
        counts = rule.conditions.tickets_from_company is not None
        if counts and rule.within is None:
            yield Finding((*path, "when"), "counts tickets over no time", "add within: 7d")
        if rule.within is not None and not counts:
            fix = 'add tickets_from_company: ">=3", or remove within'
            yield Finding((*path, "when", "within"), "belongs to tickets_from_company, which is not here", fix)
        yield from _never(path, rule)
        if not rule.do:
            yield Finding((*path, "do"), "does nothing", "add an action, for example: tell leads")
        if not rule.when:
            yield Finding((*path, "when"), "asks for nothing", "add a fact, for example event: created")


def _never(path: Path, rule: Rule) -> Iterator[Finding]:
    """Conditions that no ticket meets."""
    for fact, least in _LEAST.items():
        asked, most = getattr(rule.conditions, fact), _MOST.get(fact)
        if asked is None:
            continue
        top = most or max(least, int(asked.number)) + 1
        if not any(asked.holds(number) for number in (least, min(max(least, int(asked.number)), top), top)):
            known = f"ratings are {least} to {most}" if most else f"it is a whole number from {least} on"
            fix = 'write "<=2"' if most else 'write for example ">=2"'
            yield Finding((*path, "when", fact), f"{str(asked)!r} never holds: {known}", fix)
    kinds, others = rule.conditions.kind, rule.conditions.kind_not
    if kinds and set(kinds) <= set(others):
        yield Finding((*path, "when", "kind_not"), "leaves no kind that is asked for", "take it out of one of them")
    if rule.within == 0:
        yield Finding((*path, "when", "within"), "is no time at all", "write for example 7d")


def _dos(profile: Profile, path: Path, dos: Sequence[Do]) -> Iterator[Finding]:
    for index, do in enumerate(dos):
        at = (*path, index)
        takes = VERBS[do.verb][0]
        if takes == "tier" and isinstance(do.argument, int):
            yield from unknown(at, "tier", do.argument, profile.tiers)
        if takes != "route":
            continue
        found = unknown(at, "route", do.argument, profile.routes)
        yield from found
        needs = _REACHES.get(do.verb)
        if needs and not found and not any(getattr(profile.routes[str(do.argument)], need) for need in needs):
            fix = f"add {needs[0]}: … to routes.{do.argument}"
            yield Finding(at, f"route {do.argument!r} has no {needs[0]}", fix)


def _practice(profile: Profile) -> Iterator[Finding]:
    yield from _dos(profile, ("warn", "do"), profile.warn.do)
    yield from _not_of_targets(("warn", "do"), profile.warn.do)
    for level in profile.triage.urgency:
        yield from unknown(("triage", "urgency", level), "impact", level, [*profile.triage.impact, "unknown"])
    for index, word in enumerate(profile.agents.match):
        yield from unknown(("agents", "match", index), "way to choose an agent", word, MATCHES)
    yield from _dos(profile, ("outage", "enter"), profile.outage.enter)
    yield from _dos(profile, ("outage", "leave"), profile.outage.leave)
    decide = profile.abuse.decide
    yield from unknown(("abuse", "decide"), "route", decide, profile.routes)
    if decide in profile.routes and profile.routes[decide].group is None:
        fix = f"add group: … to routes.{decide}: its members decide"
        yield Finding(("abuse", "decide"), f"route {decide!r} has no group", fix)
    for conduct, category in profile.abuse.covers.items():
        yield from unknown(("abuse", "covers", conduct), "category", category, profile.abuse.categories)
    for index, channel in enumerate(profile.abuse.restriction.removes):
        path = ("abuse", "restriction", "removes", index)
        yield from unknown(path, "channel", channel, channels_of(profile))
    for name, report in profile.reports.items():
        for index, route in enumerate(report.to):
            yield from unknown(("reports", name, "to", index), "route", route, profile.routes)
    statuses = profile.feature_requests.statuses
    for index, column in enumerate(profile.roadmap.columns):
        yield from unknown(("roadmap", "columns", index), "request status", column, statuses)
    for event in profile.feature_requests.tell:
        yield from unknown(("feature_requests", "tell", event), "request status", event, [*statuses, "any_change"])


def _statuses(profile: Profile) -> Iterator[Finding]:
    """Each of the five statuses has a place of its own, in a category that Zendesk has."""
    taken: dict[NamedStatus, str] = {}
    for name, place in profile.named_statuses.items():
        yield from unknown(("statuses", name), "category of Zendesk's", place.category, STATUS_CATEGORIES)
        if (other := taken.setdefault(place, name)) != name:
            fix = f"name a status of that category, such as {place.category}/{name.replace('_', ' ').capitalize()}"
            yield Finding(("statuses", name), f"the same as {other}: nobody could tell them apart", fix)


def _limits(profile: Profile) -> Iterator[Finding]:
    """Limits of what is done, over a time in which an operator can still step in."""
    limits = profile.limits
    if not _MINUTE <= limits.within <= _DAY:
        fix = "write 1m to 24h, for example 10m"
        yield Finding(("limits", "within"), "too short or too long to count bursts by", fix)
    for name, most in limits.most.items():
        path: Path = ("limits", "most", name)
        policy, _, verb = name.rpartition(" ")
        if policy:
            yield from unknown(path, "policy", policy, POLICIES)
        if verb in UNLIMITED:
            yield Finding(path, "pages have no limit: their key keeps each single", "remove it")
        else:
            yield from unknown(path, "verb", verb, _LIMITED)
        if verb == "reply" and (most is None or most > _MANY):
            fix = f"write at most {_MANY}, if customers are not all to be mailed by mistake"
            yield Finding(path, "lets a slip mail everybody", fix, odd=True)
