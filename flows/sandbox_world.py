"""The sandbox's world from a typed profile: plain data, since the sandbox may not know what a profile is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.clock import iso
from flows.profiles import read_tools
from mappings.model import ESCALATION_REASONS
from mappings.profile import Kind, Profile, ToolTable
from mappings.profile.tools import Field

SIZE = {"companies": 40, "people": 200, "agents": 12, "tickets": 600, "weeks": 6}
"""Big enough that some tickets are long late on the first day (design §11, "Accounts")."""
START = "2026-03-03T09:00"
"""An ordinary Tuesday morning in the office, so that every start looks the same."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ANSWERS = {
    "working": (("yes", "Yes, others can work"), ("no", "No, nobody can work")),
    "escalation_reason": tuple((key, name[:1].upper() + name[1:]) for key, name in ESCALATION_REASONS.items()),
}
"""What people choose from in fields that a profile does not list: value and name."""
TITLES = {"vip": "VIP", "csm": "CSM"}


def build_world(
    profile: Profile,
    tools: ToolTable | None = None,
    *,
    now: datetime | None = None,
    size: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Everything the sandbox needs to know of an organisation, as JSON.

    `tools` is config/tools, read from there by default: what fields, groups and services are called in the account.
    `now` is aware; by default it is START in the office.
    """
    names = tools or read_tools()
    desk, pager = names.zendesk, names.pagerduty
    zone, hours = office_hours(profile)
    tiers = [
        {"level": level, "name": tier.name, "group": desk.group(tier.group)} for level, tier in profile.tiers.items()
    ]
    return {
        "profile": profile.key,
        "name": profile.name,
        "zone": zone.key,
        "now": iso(now or moment(START, zone)),
        "hours": hours,
        "plans": [{"key": plan.key, "name": plan.name} for plan in profile.plans.values()],
        "severities": [
            {"key": s.key, "name": s.name, "priority": s.priority, "critical": s.critical}
            for s in profile.severities.values()
        ],
        "kinds": [
            {"key": kind.key, "group": group and desk.group(group)}
            for kind, group in ((kind, _worked_on_by(kind, profile)) for kind in profile.kinds.values())
        ],
        "modules": [{"key": m.key, "name": m.name, "urls": list(m.urls)} for m in profile.modules.values()],
        "roles": list(profile.roles),
        "sources": list(profile.sources),
        "groups": [desk.group(name) for name in groups(profile)],
        "tiers": tiers,
        "ticket_fields": fields(profile, desk.ticket_fields, "tagger"),
        "organization_fields": fields(profile, desk.organization_fields, "dropdown"),
        "user_fields": fields(profile, desk.user_fields, "dropdown"),
        "custom_statuses": [
            {"category": status.category, "label": status.label}
            for status in profile.named_statuses.values()
            if status.label is not None
        ],
        "forms": [{"name": "Support request", "group": desk.group(groups(profile)[0])}],
        "addresses": [address for channel in profile.channels.values() for address in channel.addresses],
        "mailboxes": [
            {"address": address, "kind": meaning.kind}
            for channel in profile.channels.values()
            for address, meaning in channel.addresses.items()
            if meaning.severity is None and meaning.route is None
        ],
        "services": [pager.service(name) for name in _distinct(route.pagerduty for route in profile.routes.values())],
        "slack_channels": _distinct(route.slack for route in profile.routes.values() if route.slack != "direct"),
        "slack_people": _distinct(route.email for route in profile.routes.values() if route.slack == "direct"),
        "size": {**SIZE, **(size or {})},
    }


def _worked_on_by(kind: Kind, profile: Profile) -> str | None:
    """The group that has worked on a kind so far: what is to be private was the last tier's before our first day."""
    return profile.tiers[len(profile.tiers)].group if kind.private else kind.group


def office_hours(profile: Profile) -> tuple[ZoneInfo, dict[str, Any]]:
    """The office's zone, and its hours by day or range of days; round the clock is every day from 0 to 24."""
    text = profile.calendars.get(profile.hours, "24/7")
    if isinstance(text, str):
        return ZoneInfo("UTC"), {"mon-sun": "00:00-24:00"}
    hours = {day: _spans(value) for day, value in text.items() if day.split("-")[0] in DAYS}
    return ZoneInfo(str(text.get("zone", "UTC"))), hours


def moment(text: str, zone: ZoneInfo) -> datetime:
    """A time as somebody types it: in the office's zone where it names no offset. ValueError where it is none."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def groups(profile: Profile) -> list[str]:
    """Every group that the profile sends work to, those of the tiers first."""
    return _distinct(
        (
            *(tier.group for tier in profile.tiers.values()),
            *(kind.group for kind in profile.kinds.values()),
            *(route.group for route in profile.routes.values()),
        )
    ) or ["Support"]


def fields(profile: Profile, table: Mapping[str, Field], dropdown: str) -> list[dict[str, Any]]:
    """The account's fields as the sandbox takes them; `dropdown` is what Zendesk calls a dropdown in that place."""
    choices = options(profile)
    found = []
    for key, field in table.items():
        row: dict[str, Any] = {"key": field.field_key or key, "title": field.title or _words(key), "type": field.type}
        if field.prefix is not None:
            row["type"] = dropdown
            row["options"] = [{"name": name, "value": field.tag(value)} for value, name in choices.get(key, ())]
        found.append(row)
    return found


def options(profile: Profile) -> dict[str, list[tuple[str, str]]]:
    """What each dropdown offers: the profile's value and its name. Above the last tier stands the management."""
    severities = [(s.key, s.name if s.title == s.name else f"{s.key} · {s.name}") for s in profile.severities.values()]
    tiers = [(str(level), f"{level} · {tier.name}") for level, tier in profile.tiers.items()]
    return {
        "severity": severities,
        "kind": [(kind.key, kind.name) for kind in profile.kinds.values()],
        "module": [(module.key, module.name) for module in profile.modules.values()],
        "source": [(source, _words(source)) for source in profile.sources],
        "tier": [*tiers, (str(len(tiers) + 1), "Management")],
        "plan": [(plan.key, plan.name) for plan in profile.plans.values()],
        "role": [(role, _words(role)) for role in profile.roles],
        "abuse": [(category, _words(category)) for category in profile.abuse.categories],
        "abuse_decision": [(action, _words(action)) for action in (*profile.abuse.actions, "none")],
        **{key: list(rows) for key, rows in ANSWERS.items()},
    }


def _words(key: str) -> str:
    known = {**TITLES, "in_app": "In-app", "pm": "PM", "github": "GitHub"}
    return known.get(key) or key.replace("_", " ").capitalize()


def _spans(value: object) -> str | list[str]:
    return (
        value
        if isinstance(value, str)
        else [str(span) for span in value]
        if isinstance(value, tuple | list)
        else str(value)
    )


def _distinct(texts: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))
