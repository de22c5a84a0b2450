"""Every time figure of the five source documents, asked of `helpdesk due`.

Written by hand from the tables of the requirements' appendix A, in the units that the profiles read them in: a figure
of less than a day is in business hours where the source has office hours, 24, 48 and 72 hours are business days. A week
is that of Monday 4 May 2026, which has neither a holiday nor a clock change; `+Mon` is the Monday after.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
import typer
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.commands.due import QuestionError, Quote, as_json, as_text, ask, quote, register
from mappings.policies.sla.targets import Due
from tests.profiles import profile

MONDAY = date(2026, 5, 4)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NEVER = "never"


class Row(NamedTuple):
    """A cell of the appendix: what is asked (severity, then options), the source's figure, and the due time."""

    asked: str
    target: str
    figure: str
    due: str
    start: str = "Tue 10:00"
    warn: str | None = None


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """`Tue 10:00` or `+Mon 11:30:15` of the week, or a date `2026-05-25 00:00`; null for `never`."""
    if text == NEVER:
        return None
    day, clock = text.split()
    if day[0].isdigit():
        start = date.fromisoformat(day)
    else:
        start = MONDAY + timedelta(days=DAYS.index(day.lstrip("+")) + 7 * day.count("+"))
    return datetime.combine(start, time.fromisoformat(clock), zone)


def quotes(name: str, asked: str, start: str = "Tue 10:00") -> dict[str, Quote]:
    """`P2 plan=business channel=email` put to the command's own function; quotes by target."""
    house = profile(name)
    severity, *options = asked.split()
    at = start if "T" in start and start[0].isdigit() else str(moment(start, house.zone))
    named = dict(option.split("=") for option in options)
    facts = [f"{key}={value}" for key, value in named.items() if key not in ("plan", "kind", "channel", "tier")]
    asking = ask(
        house,
        at=at,
        severity=severity,
        plan=named.get("plan"),
        kind=named.get("kind"),
        channel=named.get("channel"),
        tier=int(named["tier"]) if "tier" in named else None,
        facts=facts,
    )
    return {found.target: found for found in quote(house, asking)}


BUILDER = [
    # A1.1, first response; office hours are assumed as Mon-Fri 08:00-18:00 in Chicago.
    Row("P1 plan=starter", "First response", "4 h", "Tue 14:00", warn="Tue 13:00"),
    Row("P1 plan=professional", "First response", "2 h", "Tue 12:00", warn="Tue 11:30"),
    Row("P1 plan=business", "First response", "1 h", "Tue 11:00", warn="Tue 10:45"),
    Row("P1 plan=enterprise", "First response", "15 min", "Tue 10:15", warn="Tue 10:11:15"),
    Row("P2 plan=starter", "First response", "24 h", "Wed 10:00", warn="Tue 17:30"),
    Row("P2 plan=professional", "First response", "8 h", "Tue 18:00", warn="Tue 16:00"),
    Row("P2 plan=business", "First response", "4 h", "Tue 14:00", warn="Tue 13:00"),
    Row("P2 plan=enterprise", "First response", "1 h", "Tue 11:00", warn="Tue 10:45"),
    Row("P3 plan=starter", "First response", "48 h", "Thu 10:00", warn="Wed 15:00"),
    Row("P3 plan=professional", "First response", "24 h", "Wed 10:00", warn="Tue 17:30"),
    Row("P3 plan=business", "First response", "8 h", "Tue 18:00", warn="Tue 16:00"),
    Row("P3 plan=enterprise", "First response", "4 h", "Tue 14:00", warn="Tue 13:00"),
    Row("P4 plan=starter", "First response", "best effort", NEVER, warn=NEVER),
    Row("P4 plan=professional", "First response", "48 h", "Thu 10:00", warn="Wed 15:00"),
    Row("P4 plan=business", "First response", "24 h", "Wed 10:00", warn="Tue 17:30"),
    Row("P4 plan=enterprise", "First response", "8 h", "Tue 18:00", warn="Tue 16:00"),
    # A1.3
    Row("P3 plan=starter", "Services follow-up", "2 business days", "Thu 10:00", warn="Wed 15:00"),
    Row("P3 plan=starter", "Roadmap refresh", "at least monthly", "2026-06-05 10:00"),
    # The reading examples: nights, weekends, the highest severity around the clock.
    Row("P1 plan=enterprise", "First response", "15 min", "Sat 02:15", start="Sat 02:00"),
    Row("P1 plan=business", "First response", "1 h", "Fri 18:30", start="Fri 17:30"),
    Row("P2 plan=business", "First response", "4 h", "+Mon 11:30", start="Fri 17:30"),
    Row("P2 plan=starter", "First response", "24 h", "+Mon 10:00", start="Fri 10:00"),
    Row("P2 plan=starter", "First response", "24 h", "+Tue 08:00", start="Fri 19:00", warn="+Mon 15:30"),
    Row("P4 plan=starter", "First response", "best effort", NEVER, start="Fri 19:00"),
]

ROOFING = [
    # A2; office hours 08:00-20:00 Eastern, days assumed as Mon-Fri.
    Row("standard kind=question channel=email", "Mail response", "4 business hours", "Tue 14:00", warn="Tue 13:00"),
    Row("standard kind=technical channel=email", "Mail response", "2 business hours", "Tue 12:00", warn="Tue 11:30"),
    Row("urgent kind=billing channel=email", "Mail response", "4 business hours", "Tue 14:00"),
    Row("urgent kind=technical channel=email", "Mail response", "2 business hours", "Tue 12:00"),
    Row("critical kind=technical channel=email", "Mail response", "30 minutes", "Tue 10:30", warn="Tue 10:22:30"),
    Row("critical kind=question channel=email", "Mail response", "30 minutes", "Tue 10:30"),
    Row("critical channel=email", "Mail response", "30 minutes", "Tue 10:30"),
    Row("standard channel=chat", "All inquiries", "4 hours", "Tue 14:00"),
    Row("urgent channel=phone", "All inquiries", "4 hours", "Tue 14:00"),
    Row("critical", "All inquiries", "4 hours", "Tue 14:00"),
    Row("urgent", "Urgent response", "< 1 hour", "Tue 11:00", warn="Tue 10:45"),
    Row("critical", "Urgent response", "< 1 hour", "Tue 11:00"),
    Row("standard", "Resolution", "< 24 hours, then management", "Wed 10:00", warn="Tue 19:00"),
    Row("urgent", "Resolution", "< 24 hours, then management", "Wed 10:00"),
    Row("critical", "Resolution", "< 24 hours, then management", "Sun 10:00", start="Sat 10:00", warn="Sun 04:00"),
    # SLA-11: half an hour before closing.
    Row("standard kind=technical channel=email", "Mail response", "2 business hours", "Wed 09:30", start="Tue 19:30"),
    Row("critical kind=technical channel=email", "Mail response", "30 minutes", "Tue 20:00", start="Tue 19:30"),
    Row("urgent", "Urgent response", "< 1 hour", "Tue 20:30", start="Tue 19:30"),
    Row("standard", "Resolution", "< 24 hours, then management", "+Mon 10:00", start="Fri 10:00"),
    Row("standard vip=true", "VIP updates", "proactive (no figure: ours)", "Wed 10:00"),
]

PMERIT = [
    # A3; Mon-Fri 09:00-17:00, zone assumed as New York; P1 on weekdays round the clock, P0 always.
    Row("P0", "Response", "immediate", "Tue 10:00", warn=NEVER),
    Row("P1", "Response", "< 2 h", "Tue 12:00", warn="Tue 11:30"),
    Row("P2", "Response", "< 4 h", "Tue 14:00", warn="Tue 13:00"),
    Row("P3", "Response", "< 24 h", "Wed 10:00", warn="Tue 16:00"),
    Row("P0 channel=email", "Published response", "< 2 h", "Tue 12:00"),
    Row("P1 channel=email", "Published response", "< 4 h", "Tue 14:00"),
    Row("P2 channel=email", "Published response", "< 24 h", "Wed 10:00"),
    Row("P3 channel=email", "Published response", "< 48 h", "Thu 10:00", warn="Wed 14:00"),
    Row("P0 channel=github", "Published response", "< 4 h", "Tue 14:00"),
    Row("P1 channel=github", "Published response", "< 24 h", "Wed 10:00"),
    Row("P2 channel=github", "Published response", "< 72 h", "Fri 10:00"),
    Row("P3 channel=github", "Published response", "< 72 h", "Fri 10:00", warn="Thu 12:00"),
    Row("P1 channel=social", "Published response", "< 4 h in business hours", "Tue 14:00"),
    Row("P2 channel=social", "Published response", "< 4 h in business hours", "Tue 14:00"),
    Row("P3 channel=social", "Published response", "< 4 h in business hours", "Tue 14:00"),
    Row("P0", "Resolution", "2-4 h", "Tue 14:00", warn="Tue 12:00"),
    Row("P1", "Resolution", "8 h", "Tue 18:00", warn="Tue 16:00"),
    Row("P2", "Resolution", "48 h", "Thu 10:00", warn="Wed 14:00"),
    Row("P3", "Resolution", "next sprint", "2026-05-25 00:00"),
    Row("P3", "Resolved in two days", "80 % within 48 h", "Thu 10:00"),
    Row("P2", "First review", "within 1 hour", "Tue 11:00", warn="Tue 10:45"),
    Row("P0", "User updates", "every 30 min", "Tue 10:30", warn="Tue 10:22:30"),
    Row("P1", "User updates", "every 2-4 h", "Tue 14:00", warn="Tue 12:00"),
    Row("P2", "User updates", "every 24-48 h", "Thu 10:00", warn="Wed 10:00"),
    Row("P3", "User updates", "every 24-48 h", "Thu 10:00", warn="Wed 10:00"),
    Row("P0", "Internal incident updates", "15-30 min", "Tue 10:30", warn="Tue 10:15"),
    Row("P3", "No progress", "4+ h without progress", "Tue 14:00", warn="Tue 13:00"),
    Row("P0", "Post-mortem", "48 h", "Thu 10:00"),
    Row("P3 channel=email", "Acknowledgement", "automatic", "Tue 10:00", warn=NEVER),
    # Nights and weekends (A3 "On-call", D-14): P1 counts through a weekday night, not at the weekend.
    Row("P0", "Resolution", "2-4 h", "Sun 02:00", start="Sat 22:00", warn="Sun 00:00"),
    Row("P1", "Response", "< 2 h", "Wed 00:00", start="Tue 22:00"),
    Row("P1", "Response", "< 2 h", "+Mon 01:00", start="Fri 23:00"),
    Row("P2", "Response", "< 4 h", "Wed 12:00", start="Tue 16:00"),
    # SLA-16: a mention on Saturday noon. SLA-18: the third day of the sprint of 27 April to 10 May.
    Row("P2 channel=social", "Published response", "< 4 h in business hours", "+Mon 13:00", start="Sat 12:00"),
    Row("P3", "Resolution", "next sprint", "2026-05-25 00:00", start="2026-04-29 10:00", warn="2026-05-18 14:30"),
    Row("P3", "Resolution", "next sprint", "2026-06-08 00:00", start="+Mon 00:00"),
]

ARCHBUILDER = [
    # A4.1; Mon-Fri 09:00-18:00 in Los Angeles, critical and Enterprise always.
    Row("P1 plan=basic", "Response", "1 h", "Tue 11:00", warn="Tue 10:45"),
    Row("P2 plan=basic", "Response", "4 h", "Tue 14:00", warn="Tue 13:00"),
    Row("P3 plan=basic", "Response", "24 h", "Wed 10:00", warn="Tue 16:45"),
    Row("P4 plan=basic", "Response", "72 h", "Fri 10:00"),
    Row("P1 plan=basic", "Resolution", "4 h", "Tue 14:00", warn="Tue 13:00"),
    Row("P2 plan=basic", "Resolution", "24 h", "Wed 10:00"),
    Row("P3 plan=basic", "Resolution", "72 h", "Fri 10:00"),
    Row("P4 plan=basic", "Resolution", "1 week", "+Tue 10:00", warn="Sun 16:00"),
    Row("P2 plan=basic", "Escalation by priority", "within 8 h to T2", "Tue 18:00"),
    Row("P3 plan=basic", "Escalation by priority", "within 48 h to T2", "Thu 10:00"),
    Row("P4 plan=basic", "Escalation by priority", "within 1 week to T2", "+Tue 10:00"),
    # A4.2, the 15 cells of the matrix by what the ticket is about.
    Row("P4 plan=basic kind=software_bug tier=1", "Escalation matrix", "24 h", "Wed 10:00"),
    Row("P4 plan=basic kind=software_bug tier=2", "Escalation matrix", "8 h", "Tue 18:00"),
    Row("P4 plan=basic kind=software_bug tier=3", "Escalation matrix", "4 h", "Tue 14:00"),
    Row("P4 plan=basic kind=performance tier=1", "Escalation matrix", "8 h", "Tue 18:00"),
    Row("P4 plan=basic kind=performance tier=2", "Escalation matrix", "4 h", "Tue 14:00"),
    Row("P4 plan=basic kind=performance tier=3", "Escalation matrix", "2 h", "Tue 12:00"),
    Row("P4 plan=basic kind=integration tier=1", "Escalation matrix", "12 h", "Wed 13:00"),
    Row("P4 plan=basic kind=integration tier=2", "Escalation matrix", "6 h", "Tue 16:00"),
    Row("P4 plan=basic kind=integration tier=3", "Escalation matrix", "3 h", "Tue 13:00"),
    Row("P4 plan=basic kind=security tier=1", "Escalation matrix", "2 h", "Tue 12:00"),
    Row("P4 plan=basic kind=security tier=2", "Escalation matrix", "1 h", "Tue 11:00"),
    Row("P4 plan=basic kind=security tier=3", "Escalation matrix", "30 min", "Tue 10:30"),
    Row("P4 plan=basic kind=payment tier=1", "Escalation matrix", "48 h", "Thu 10:00"),
    Row("P4 plan=basic kind=payment tier=2", "Escalation matrix", "24 h", "Wed 10:00"),
    Row("P4 plan=basic kind=payment tier=3", "Escalation matrix", "12 h", "Wed 13:00"),
    # A4.3, by tier; tier 1's 24 h is a figure to report on, not a clock (D-17).
    Row("P3 plan=basic tier=2", "Reply after hand-off", "8 h", "Tue 18:00"),
    Row("P3 plan=basic tier=3", "Reply after hand-off", "4 h", "Tue 14:00"),
    Row("P3 plan=basic tier=4", "Reply after hand-off", "2 h", "Tue 12:00"),
    Row("P4 plan=basic", "Acknowledgement", "1 h", "Tue 11:00"),
    Row("P4 plan=basic channel=chat", "Chat answer", "1 min", "Tue 10:01", warn="Tue 10:00:45"),
    # Enterprise and critical around the clock: Saturday noon.
    Row("P2 plan=enterprise", "Response", "4 h", "Sat 16:00", start="Sat 12:00"),
    Row("P2 plan=enterprise", "Resolution", "24 h", "Sun 12:00", start="Sat 12:00"),
    Row("P2 plan=basic", "Response", "4 h", "+Mon 13:00", start="Sat 12:00"),
    Row("P1 plan=basic", "Response", "1 h", "Sat 13:00", start="Sat 12:00"),
    Row("P4 plan=basic kind=security tier=1", "Escalation matrix", "2 h", "Sat 14:00", start="Sat 12:00"),
    # SLA-24: a Professional ticket enters tier 2 and has that tier's 8 hours.
    Row("P3 plan=professional", "Reply after hand-off", "8 h", "Tue 18:00"),
    Row("P3 plan=basic escalated=true", "Escalated updates", "regular (no figure: ours)", "Wed 10:00"),
]

LASERCALC = [
    # A5; office hours as in the base, Mon-Fri 09:00-17:00 in New York.
    Row("normal plan=free", "Response", "< 2 h", "Tue 12:00", warn="Tue 11:30"),
    Row("normal plan=enterprise", "Response", "< 2 h", "Tue 12:00"),
    Row("urgent plan=pro", "Response", "< 2 h", "Tue 12:00"),
    Row("normal plan=free kind=sales channel=email", "Response", "< 2 h", "Tue 12:00"),
    Row("normal plan=free", "Resolution", "< 24 h for 90 %", "Wed 10:00", warn="Tue 16:00"),
    Row("urgent plan=enterprise", "Resolution", "< 24 h for 90 %", "Wed 10:00"),
    Row("normal plan=free", "Response", "< 2 h", "+Mon 10:00", start="Fri 16:00"),
]

APPENDIX = {
    "builder": BUILDER,
    "roofing": ROOFING,
    "pmerit": PMERIT,
    "archbuilder": ARCHBUILDER,
    "lasercalc": LASERCALC,
}
UNFIGURED = {"builder": {"Abuse review", "Hand-off response"}}
"""Targets of the profiles that the sources give no figure for and no row here asks about."""

CASES = [
    pytest.param(name, row, id=f"{name}: {row.asked}: {row.target} at {row.start}")
    for name in APPENDIX
    for row in APPENDIX[name]
]


@pytest.mark.req("SLA-01", "SLA-17", "SLA-21", "SLA-25")
@pytest.mark.req("SLA-13", "SLA-15", "SLA-26", "CHN-04")
@pytest.mark.parametrize(("name", "row"), CASES)
def test_figure(name: str, row: Row) -> None:
    """Each figure of the appendix gives its due time, and its warning where one is worked out."""
    zone = profile(name).zone
    found = quotes(name, row.asked, row.start)[row.target].due
    assert found.due_at == moment(row.due, zone)
    if row.warn is not None:
        assert found.warn_at == moment(row.warn, zone)


@pytest.mark.parametrize("name", APPENDIX)
def test_every_target_has_its_row(name: str) -> None:
    """No target of a profile is left out here, so none can be wrong unseen."""
    assert set(profile(name).targets) - UNFIGURED.get(name, set()) == {row.target for row in APPENDIX[name]}


@pytest.mark.parametrize("name", APPENDIX)
def test_every_cell_has_its_row(name: str) -> None:
    """Nor is any cell of a target's table: what the rows reach is all there is."""
    house = profile(name)
    reached: set[tuple[str, str]] = set()
    for row in APPENDIX[name]:
        reached |= {(found.target, found.figure) for found in quotes(name, row.asked, row.start).values()}
    written = {(target, cell.say()) for target, its in house.targets.items() for cell in its.cells.values()}
    assert reached == written


# What the requirements ask to be shown -----------------------------------------------------------------------------

SEVERITIES, PLANS = ("P1", "P2", "P3", "P4"), ("starter", "professional", "business", "enterprise")


@pytest.mark.req("SLA-01")
@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(SEVERITIES),
    st.sampled_from(PLANS),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 (hypothesis wants the zone apart)
)
def test_all_16_cells(severity: str, plan: str, start: datetime) -> None:
    """Whenever a ticket comes in, each of the 16 figures has passed in its own unit at its due time, not before."""
    house = profile("builder")
    at = start.replace(microsecond=0, tzinfo=UTC)
    found = quotes("builder", f"{severity} plan={plan}", at.isoformat())["First response"]
    amount, unit = found.figure.split(" ", 1)
    due, office = found.due.due_at, house.office
    if found.figure == "best effort":
        assert (severity, plan, due) == ("P4", "starter", None)
        return
    assert due is not None
    if unit.startswith("business day"):
        begun = office.next_opening(at)
        assert due == office.due_days(begun, int(amount))
        assert office.elapsed(at, due) <= int(amount) * office.day_seconds
    elif unit.startswith("business hour"):
        assert office.elapsed(at, due) == int(amount) * 3600
    else:
        assert (severity, due - at) == ("P1", timedelta(hours=int(amount)) if "hour" in unit else timedelta(minutes=15))


@pytest.mark.req("SLA-02")
def test_best_effort_is_never_due() -> None:
    """Starter P4: a target that is measured and never due, not a target that is missing."""
    found = quotes("builder", "P4 plan=starter")["First response"]
    assert (found.figure, found.due, found.binds) == ("best effort", Due(), False)


@pytest.mark.req("SLA-06")
@pytest.mark.parametrize(
    ("asked", "start", "due"),
    [
        ("P2 plan=business", "Fri 17:30", "+Mon 11:30"),
        ("P2 plan=starter", "Tue 10:00", "Wed 10:00"),
        ("P2 plan=starter", "Fri 10:00", "+Mon 10:00"),
        ("P1 plan=business", "Fri 17:30", "Fri 18:30"),
    ],
)
def test_highest_severity_alone_counts_at_night(asked: str, start: str, due: str) -> None:
    """P1 counts around the clock; P2 and below wait for the next business day."""
    assert quotes("builder", asked, start)["First response"].due.due_at == moment(due, profile("builder").zone)


@pytest.mark.req("SLA-01", "SLA-06")
@pytest.mark.parametrize(
    ("plan", "due", "weekend"),
    [
        ("starter", "Wed 10:00", "+Tue 08:00"),
        ("professional", "Tue 18:00", "+Mon 16:00"),
        ("business", "Tue 14:00", "+Mon 12:00"),
        ("enterprise", "Tue 11:00", "+Mon 09:00"),
    ],
)
def test_four_plans_one_fault(plan: str, due: str, weekend: str) -> None:
    """The same P2 filed under each plan on Tuesday 10:00, and again on Friday 19:00: the weekend is skipped."""
    zone = profile("builder").zone
    for start, expected in (("Tue 10:00", due), ("Fri 19:00", weekend)):
        found = quotes("builder", f"P2 plan={plan}", start)["First response"].due.due_at
        assert found == moment(expected, zone)


@pytest.mark.req("SLA-11")
def test_mail_by_what_it_is_about() -> None:
    """A technical mail at 19:30, half an hour before closing, is due 09:30 next day; a critical one at 20:00."""
    zone = profile("roofing").zone
    technical = quotes("roofing", "standard kind=technical channel=email", "Tue 19:30")
    critical = quotes("roofing", "critical kind=technical channel=email", "Tue 19:30")
    assert technical["Mail response"].due.due_at == moment("Wed 09:30", zone)
    assert critical["Mail response"].due.due_at == moment("Tue 20:00", zone)
    assert technical["Mail response"].binds
    assert critical["Mail response"].binds


@pytest.mark.req("SLA-14")
def test_published_promise_and_internal_target() -> None:
    """A P2 mail: customers are told 24 hours, the team is held to 4 business hours."""
    found = quotes("pmerit", "P2 channel=email")
    assert {name: (one.figure, one.published) for name, one in found.items() if one.measure == "first_reply"} == {
        "Response": ("4 business hours", False),
        "Published response": ("1 business day", True),
    }


@pytest.mark.req("SLA-16")
def test_social_on_a_saturday() -> None:
    """A mention on Saturday noon is due Monday 13:00, four hours after the office opens."""
    for severity in ("P2", "P3"):
        found = quotes("pmerit", f"{severity} channel=social", "Sat 12:00")["Published response"].due.due_at
        assert found == moment("+Mon 13:00", profile("pmerit").zone)


@pytest.mark.req("SLA-18")
def test_next_sprint() -> None:
    """On day 3 of a sprint, resolution is due at the end of the next one."""
    zone = profile("pmerit").zone
    for start, due in (("2026-04-29 10:00", "2026-05-25 00:00"), ("2026-05-10 23:59", "2026-05-25 00:00")):
        assert quotes("pmerit", "P3", start)["Resolution"].due.due_at == moment(due, zone)


@pytest.mark.req("SLA-20")
def test_update_cadence() -> None:
    """P0 is due an update every 30 minutes; P1 is warned at 2 hours and late at 4."""
    zone = profile("pmerit").zone
    urgent, high = (quotes("pmerit", severity)["User updates"].due for severity in ("P0", "P1"))
    assert urgent.due_at == moment("Tue 10:30", zone)
    assert (high.warn_at, high.late_at) == (moment("Tue 12:00", zone), moment("Tue 14:00", zone))


@pytest.mark.req("SLA-22")
def test_tier_three_has_four_hours() -> None:
    """A ticket that enters tier 3 at 10:00 has that tier's reply due at 14:00."""
    found = quotes("archbuilder", "P3 plan=basic tier=3")["Reply after hand-off"]
    assert found.due.due_at == moment("Tue 14:00", profile("archbuilder").zone)


@pytest.mark.req("SLA-24")
def test_target_by_plan_and_kind() -> None:
    """Enterprise is served around the clock; Professional enters tier 2 with its 8 hours; the kind picks the ladder."""
    zone = profile("archbuilder").zone
    assert quotes("archbuilder", "P2 plan=enterprise", "Sat 12:00")["Response"].due.due_at == moment("Sat 16:00", zone)
    professional = quotes("archbuilder", "P3 plan=professional kind=performance")
    assert professional["Reply after hand-off"].due.due_at == moment("Tue 18:00", zone)
    assert professional["Escalation matrix"].due.due_at == moment("Tue 14:00", zone)
    assert "Escalation matrix" not in quotes("archbuilder", "P3 plan=professional kind=user_training")


@pytest.mark.req("SLA-27")
def test_shortened_day() -> None:
    """24 December ends at noon: 4 business hours from 11:00 fall due 3 hours into the next open day."""
    found = quotes("builder", "P2 plan=business", "2026-12-24 11:00")["First response"]
    assert found.due.due_at == moment("2026-12-28 11:00", profile("builder").zone)


@pytest.mark.req("SLA-28")
@pytest.mark.parametrize(
    ("name", "asked", "start", "due"),
    [
        ("builder", "P2 plan=business", "2026-03-06T23:30Z", "2026-03-09T16:30Z"),  # 17:30 CST -> 11:30 CDT
        ("builder", "P2 plan=business", "2026-10-30T22:30Z", "2026-11-02T17:30Z"),  # 17:30 CDT -> 11:30 CST
        ("roofing", "standard kind=technical channel=email", "2026-03-07T00:30Z", "2026-03-09T13:30Z"),  # closes 20:00
        ("pmerit", "P2", "2026-10-30T20:00Z", "2026-11-02T17:00Z"),  # 16:00 EDT -> 12:00 EST
        ("archbuilder", "P2 plan=basic", "2026-03-07T01:00Z", "2026-03-09T19:00Z"),  # 17:00 PST -> 12:00 PDT
    ],
)
def test_hours_on_both_sides_of_a_clock_change(name: str, asked: str, start: str, due: str) -> None:
    """Office hours follow the wall clock of their zone in March and in November."""
    answer = next(iter(found for found in quotes(name, asked, start).values() if found.measure == "first_reply"))
    assert answer.due.due_at == datetime.fromisoformat(due)


@pytest.mark.req("SLA-29")
def test_the_earliest_binds() -> None:
    """A P0 mail: "immediate" binds, the published 2 hours are measured beside it."""
    found = quotes("pmerit", "P0 channel=email")
    assert {name: one.binds for name, one in found.items() if one.measure == "first_reply"} == {
        "Response": True,
        "Published response": False,
    }
    assert found["Response"].due.late_at == moment("Tue 10:05", profile("pmerit").zone)


# The command ---------------------------------------------------------------------------------------------------------


def test_answer_for_machines() -> None:
    """JSON: target, measure, due_at and warn_at in UTC, null where never due."""
    found = list(quotes("builder", "P4 plan=starter").values()) + list(quotes("builder", "P2 plan=business").values())
    answers = [answer for answer in json.loads(as_json(found)) if answer["target"] == "First response"]
    assert answers == [
        {"target": "First response", "measure": "first_reply", "due_at": None, "warn_at": None},
        {
            "target": "First response",
            "measure": "first_reply",
            "due_at": "2026-05-05T19:00:00Z",
            "warn_at": "2026-05-05T18:00:00Z",
        },
    ]


def test_answer_for_people() -> None:
    """The table tells local times, the figure in words, and which target binds."""
    house = profile("pmerit")
    question = ask(house, severity="critical", at="2026-05-05T10:00", channel="email")
    text = as_text(house, question, quote(house, question))
    assert "from Tue 5 May 2026 10:00 (America/New_York)" in text
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert lines["Response"].endswith("Tue 5 May 2026 10:00  binds")
    assert "2 hours" in lines["Published response"]
    assert lines["Published response"].endswith("Tue 5 May 2026 12:00  published")


@pytest.fixture(scope="module")
def helpdesk() -> Callable[..., Result]:
    """The command line, run in this process."""
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return lambda *words: CliRunner().invoke(app, ["due", *words])


def test_command(helpdesk: Callable[..., Result]) -> None:
    """`helpdesk due … --json` prints the list that others script against; an office time needs no offset."""
    result = helpdesk(
        *("--profile", "builder", "--severity", "P2", "--plan", "business", "--at", "2026-03-06T17:30", "--json")
    )
    assert result.exit_code == 0
    found = {answer["target"]: answer for answer in json.loads(result.stdout)}
    assert found["First response"] == {
        "target": "First response",
        "measure": "first_reply",
        "due_at": "2026-03-09T16:30:00Z",
        "warn_at": "2026-03-09T15:30:00Z",
    }


def test_command_with_facts(helpdesk: Callable[..., Result]) -> None:
    """Dimensions without an option of their own are given as facts."""
    words = ("--profile", "roofing", "--severity", "standard", "--at", "2026-05-05T10:00", "--json")
    plain, vip = helpdesk(*words), helpdesk(*words, "--fact", "vip=true")
    assert "VIP updates" not in plain.stdout
    assert "VIP updates" in vip.stdout


def test_command_that_cannot_be_understood(helpdesk: Callable[..., Result]) -> None:
    """Exit code 2 and one line per wrong option."""
    result = helpdesk("--profile", "builder", "--severity", "P9", "--plan", "busines", "--at", "2026-05-05T10:00")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "--plan: unknown 'busines'; did you mean 'business'?",
        "--severity: unknown 'P9'; write one of: P1, P2, P3, P4",
    ]


def test_what_is_not_known_is_left_out() -> None:
    """Rows that need a dimension which is not given do not apply, and people are told which."""
    house = profile("builder")
    question = ask(house, severity="P2", at="2026-05-05T10:00")
    found = quote(house, question)
    assert question.dims == {"severity": "P2"}
    assert "First response" not in {one.target for one in found}
    last = as_text(house, question, found).splitlines()[-1]
    assert last == "Not quoted: First response (needs plan); Hand-off response (needs plan)."


def test_what_follows_from_what_is_known() -> None:
    """The only plan there is, the tier that a plan enters, the family and ladder of a kind."""
    assert ask(profile("roofing"), severity="urgent", at="2026-05-05").dims["plan"] == "standard"
    asked = ask(profile("archbuilder"), severity="P2", plan="professional", kind="refund", at="2026-05-05").dims
    assert (asked["tier"], asked["family"], asked["ladder"]) == (2, "billing", "billing")


def test_question_that_cannot_be_understood() -> None:
    """Every wrong option is told at once, with what was probably meant."""
    with pytest.raises(QuestionError) as caught:
        ask(
            profile("builder"),
            severity="P9",
            plan="busines",
            at="tomorrow",
            kind="bugg",
            channel="e-mail",
            tier=7,
            facts=["vip", "viip=true", "vip=maybe", "role=pn"],
        )
    assert [problem.split("; ")[0] for problem in caught.value.problems] == [
        "--plan: unknown 'busines'",
        "--kind: unknown 'bugg'",
        "--severity: unknown 'P9'",
        "--channel: unknown 'e-mail'",
        "--tier: unknown 7",
        "--fact: 'vip' is no fact",
        "--fact: unknown 'viip'",
        "--fact vip: unknown 'maybe'",
        "--fact role: unknown 'pn'",
        "--at: 'tomorrow' is no time",
    ]
    assert "did you mean 'business'?" in caught.value.problems[0]
    assert "did you mean 'email'?" in caught.value.problems[3]


def test_names_in_any_case() -> None:
    """A severity, plan or kind by its name or alias, in any case, within its own profile."""
    pmerit, builder = profile("pmerit"), profile("builder")
    assert ask(pmerit, severity="CRITICAL", at="2026-05-05").dims["severity"] == "P0"
    assert ask(builder, severity="p1", plan="Free", at="2026-05-05").dims["plan"] == "starter"


def test_time_with_an_offset() -> None:
    """A time that names an offset is taken at its word; one that does not is in the office zone."""
    house = profile("builder")
    expected = datetime(2026, 5, 5, 15, tzinfo=UTC)
    for text in ("2026-05-05T10:00", "2026-05-05 10:00", "2026-05-05T15:00Z", "2026-05-05T17:00+02:00"):
        assert ask(house, severity="P1", plan="free", at=text).at == expected
