"""The sandbox's world from a typed profile: plain data, since the sandbox may not know what a profile is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.clock import iso
from mappings.profile import Profile

SIZE = {"companies": 40, "people": 200, "agents": 12, "tickets": 600, "weeks": 6}
"""Big enough that some tickets are long late on the first day (design §11, "Accounts")."""
START = "2026-03-03T09:00"
"""An ordinary Tuesday morning in the office, so that every start looks the same."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TEXTS = (
    ("sla_due", "SLA due"),
    ("next_escalation", "Next escalation"),
    ("first_response_at", "First response at"),
    ("resolved_at", "Resolved at"),
    ("builder_id", "Builder id"),
    ("user_id", "User id"),
    ("user_role", "User role"),
    ("current_url", "Current URL"),
    ("browser_os", "Browser and OS"),
    ("plan_at_submission", "Plan at submission"),
)
"""Text fields of a ticket: those that we write, then those that the app fills in."""
WORKING = (("working_yes", "Yes, others can work"), ("working_no", "No, nobody can work"))


def build_world(
    profile: Profile, *, now: datetime | None = None, size: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Everything the sandbox needs to know of an organisation, as JSON; `now` is aware, START in the office by default.

    Field titles, prefixes and where each fact lives are those of config/tools/zendesk.yaml (design §11).
    """
    zone, hours = office_hours(profile)
    tiers = [{"level": level, "name": tier.name, "group": tier.group} for level, tier in profile.tiers.items()]
    return {
        "profile": profile.key,
        "name": profile.name,
        "zone": zone.key,
        "now": iso(now or moment(START, zone)),
        "hours": hours,
        "plans": _named(profile.plans),
        "severities": [
            {"key": s.key, "name": s.name, "priority": s.priority, "critical": s.critical}
            for s in profile.severities.values()
        ],
        "kinds": [{"key": kind.key, "group": kind.group} for kind in profile.kinds.values()],
        "modules": [{"key": m.key, "name": m.name, "urls": list(m.urls)} for m in profile.modules.values()],
        "roles": list(profile.roles),
        "sources": list(profile.sources),
        "groups": groups(profile),
        "tiers": tiers,
        "ticket_fields": ticket_fields(profile),
        "organization_fields": organization_fields(profile),
        "user_fields": [_dropdown("role", "Role", [(role, _words(role)) for role in profile.roles], "dropdown")],
        "forms": [{"name": "Support request", "group": groups(profile)[0]}],
        "addresses": [address for channel in profile.channels.values() for address in channel.addresses],
        "services": _distinct(route.pagerduty for route in profile.routes.values()),
        "size": {**SIZE, **(size or {})},
    }


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


def ticket_fields(profile: Profile) -> list[dict[str, Any]]:
    """The account's own ticket fields: what a ticket is, what customers answer, what we write."""
    tiers = [(str(level), f"{level} · {tier.name}") for level, tier in profile.tiers.items()]
    tiers.append((str(len(tiers) + 1), "Management"))
    found = [
        _dropdown("severity", "Severity", [(s.key, f"{s.key} · {s.name}") for s in profile.severities.values()]),
        _dropdown("kind", "Kind", [(kind.key, kind.name) for kind in profile.kinds.values()]),
        _dropdown("module", "Module", [(module.key, module.name) for module in profile.modules.values()]),
        _dropdown("source", "Source", [(source, _words(source)) for source in profile.sources]),
        _dropdown("tier", "Support tier", tiers),
        {"key": "affected_users", "title": "Affected users", "type": "integer"},
        {
            "key": "working",
            "title": "Can anybody work?",
            "type": "tagger",
            "options": [{"name": name, "value": value} for value, name in WORKING],
        },
    ]
    return found + [{"key": key, "title": title, "type": "text"} for key, title in TEXTS]


def organization_fields(profile: Profile) -> list[dict[str, Any]]:
    """What is known of a customer company."""
    return [
        _dropdown("plan", "Plan", [(plan.key, plan.name) for plan in profile.plans.values()], "dropdown"),
        {"key": "vip", "title": "VIP", "type": "checkbox"},
        {"key": "csm", "title": "CSM", "type": "text"},
        {"key": "warnings", "title": "Warnings", "type": "integer"},
        {"key": "restricted_until", "title": "Restricted until", "type": "date"},
    ]


def _dropdown(key: str, title: str, options: Iterable[tuple[str, str]], type_: str = "tagger") -> dict[str, Any]:
    """A field whose options are tags: the field's key, then the option's in lower case."""
    rows = [{"name": name, "value": f"{key}_{option.lower()}"} for option, name in options]
    return {"key": key, "title": title, "type": type_, "options": rows}


def _named(parts: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"key": key, "name": part.name} for key, part in parts.items()]


def _words(key: str) -> str:
    known = {"in_app": "In-app", "pm": "PM", "github": "GitHub"}
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
