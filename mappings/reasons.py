"""Every reason in the reader's words: the one sentence that plan, journal, ticket note and `helpdesk explain` share.

A reason names the rule that acted, the facts it saw and the profile's version. Times are told in the office zone, with
the day where it is not the day of telling.
"""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from mappings.model import Clock
from mappings.plan import Reason
from mappings.profile import Profile
from mappings.profile.durations import parse_budget

_STEPS = {
    "ack": "Acknowledgement",
    "triage": "First review",
    "first_reply": "First response",
    "handoff_reply": "Reply after hand-off",
    "update": "Update to the customer",
    "progress": "Next work on the ticket",
    "resolve": "Resolution",
    "time_in_tier": "Time in this tier",
    "abuse_review": "Review of an abuse flag",
}


_SPANISH = (
    ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
    ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
)
_SPANISH_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip
_CALENDARS = {"es": _SPANISH}
"""By language: short names of days and months. A language that is not here has English ones."""


def clock_face(at: datetime, zone: ZoneInfo, beside: datetime) -> str:
    """A time as colleagues say it: `14:00` on the day of `beside`, else `Wed 4 Mar 14:00`."""
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == beside.astimezone(zone).date() else _dated(local)


def letter_face(at: datetime, zone: ZoneInfo, language: str = "en") -> str:
    """A time as a customer reads it, on whatever day and wherever they are: `Wed 4 Mar 14:00 CST`."""
    local = at.astimezone(zone)
    name = local.tzname() or ""
    return f"{_dated(local, language)} {name if name.isalpha() else f'UTC{name}'}"


def _dated(local: datetime, language: str = "en") -> str:
    """`Wed 4 Mar 14:00`; Spanish: `mié 4 mar 14:00`."""
    if language in _CALENDARS:
        days, months = _CALENDARS[language]
        return f"{days[local.weekday()]} {local.day} {months[local.month - 1]} {local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def day_face(day: date, language: str = "en") -> str:
    """A day as a letter says it: `17 March` (Spanish: `17 de marzo`)."""
    if language == "es":
        return f"{day.day} de {_SPANISH_MONTHS[day.month - 1]}"
    return f"{day.day} {day:%B}"


def measure_name(measure: str) -> str:
    """What a measure is called in texts."""
    return _STEPS.get(measure, measure.replace("_", " ").capitalize())


def promise_words(clock: Clock, profile: Profile) -> str:
    """Whose promise it is, and how long: `P2, Business: 4 business hours`; the figure alone where nothing is known."""
    plan = clock.dims.get("plan", "")
    names = [clock.dims.get("severity"), profile.plans[plan].name if plan in profile.plans else plan]
    if len(profile.plans) == 1:
        names = names[:1]
    whose = ", ".join(name for name in names if name)
    return f"{whose}: {parse_budget(clock.cell).say()}" if whose else parse_budget(clock.cell).say()


def due_words(clock: Clock, profile: Profile, now: datetime, *, late: bool) -> str:
    """`First response was due 14:00 (P2, Business: 4 business hours).`"""
    if clock.due_at is None:
        return f"{measure_name(clock.measure)} has no due time ({promise_words(clock, profile)})."
    verb = "was due" if late else "is due"
    when = clock_face(clock.due_at, profile.zone, now)
    return f"{measure_name(clock.measure)} {verb} {when} ({promise_words(clock, profile)})."


def reason(code: str, rule: str, says: str, profile: Profile, facts: Mapping[str, str] | None = None) -> Reason:
    """A reason whose text ends by naming its rule and the profile's version."""
    return Reason(
        code=code,
        rule=rule,
        text=f"{says} Rule: {rule}, profile {profile.version}.",
        profile=profile.version,
        facts=dict(facts or {}),
    )


def clock_facts(clock: Clock) -> dict[str, str]:
    """The facts of a clock that a reader may ask for later."""
    facts = {"target": clock.target, "measure": clock.measure, "figure": clock.cell, "cause": clock.cause, **clock.dims}
    if clock.due_at is not None:
        facts["due_at"] = clock.due_at.isoformat()
    return facts
