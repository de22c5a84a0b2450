"""The questions that policies ask a profile."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from pydantic import ValidationError

from mappings.profile.durations import parse_budget
from mappings.profile.holidays import Holidays
from mappings.profile.terms import Comparison, Do
from tests.profiles import edited, profile


@pytest.mark.req("TRI-09")
def test_positions_are_compared_never_names() -> None:
    """P1 is the worst of builder and the second of pmerit."""
    assert profile("builder").severity_rank("P1") == 0
    assert profile("pmerit").severity_rank("P1") == 1
    with pytest.raises(KeyError):
        profile("builder").severity_rank("P0")


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("builder", "P1", "P1"),
        ("builder", "p1", "P1"),
        ("builder", "system down", "P1"),
        ("pmerit", "Critical", "P0"),
        ("archbuilder", "critical", "P1"),
        ("roofing", " URGENT ", "urgent"),
        ("builder", "P0", None),
        ("builder", "critical", None),
    ],
)
def test_a_severity_is_known_by_its_words_within_its_profile(name: str, text: str, key: str | None) -> None:
    """Key, name or alias in any case; another profile's word means nothing here."""
    assert profile(name).find_severity(text) == key


def test_plans_and_kinds_are_known_by_their_words_too() -> None:
    """The free plan is an alias of Starter; a kind is known by its key as text."""
    builder = profile("builder")
    assert builder.find_plan("Free") == "starter"
    assert builder.find_plan("free/starter") == "starter"
    assert builder.find_plan("gold") is None
    assert builder.find_kind("Feature request") == "feature_request"


def test_plans_add_to_one_another() -> None:
    """Each plan has what the lower ones have, and more."""
    channels = [plan.channels for plan in profile("builder").plans.values()]
    assert channels[0] == ("in_app", "help", "forum", "email")
    assert channels[3] == ("in_app", "help", "forum", "email", "chat", "phone", "csm")
    for lower, higher in pairwise(channels):
        assert higher[: len(lower)] == lower


def test_parts_know_their_keys() -> None:
    """A part that was taken out of its map still says what it is."""
    builder = profile("builder")
    assert builder.plans["business"].key == "business"
    assert builder.targets["First response"].name == "First response"
    assert builder.rules["night page"].name == "night page"
    assert builder.tiers[2].level == 2
    assert builder.tiers[2].name == "Technical support"
    assert builder.kinds["platform_issue"].name == "Platform issue"


def test_a_kind_without_a_family_is_its_own() -> None:
    """So that rules by family also work where there are no families."""
    assert profile("builder").kinds["feature_request"].family == "feature_request"
    assert profile("archbuilder").kinds["workflow"].family == "feature_request"
    assert profile("archbuilder").kinds["data"].ladder == "technical"


def test_a_rule_is_facts_and_actions() -> None:
    """Facts become tuples of which one must hold, or comparisons; actions become verbs with what they take."""
    rules = profile("builder").rules
    assert rules["night queue"].when == {"severity": ("P2", "P3", "P4"), "office": ("closed",)}
    assert rules["night queue"].do == (Do("tag", "next_business_day"), Do("reply", "after_hours"))
    assert rules["frequent reporter"].when == {"tickets_from_company": Comparison(">=", 3)}
    assert rules["frequent reporter"].within == 7 * 86400
    assert rules["channel not in plan"].when == {"entitled": (False,)}
    assert not rules["night page"].again


def test_a_target_has_flat_cells() -> None:
    """One key part per dimension; a single figure has the empty key."""
    targets = profile("roofing").targets
    assert dict(targets["All inquiries"].cells) == {(): parse_budget("4bh")}
    assert targets["All inquiries"].attain == 0.95
    assert targets["Mail response"].cells["*", "technical"].text == "2bh"
    assert targets["VIP updates"].where == {"vip": (True,)}


@pytest.mark.parametrize(
    ("dims", "text"),
    [
        ({"severity": "critical", "kind": "technical"}, "30m"),
        ({"severity": "urgent", "kind": "technical"}, "2bh"),
        ({"severity": "standard", "kind": "billing"}, "4bh"),
        ({"severity": "standard"}, "4bh"),
        ({}, "4bh"),
    ],
)
def test_a_star_is_what_no_sibling_names(dims: dict[str, str], text: str) -> None:
    """The row of the value itself wins at each level."""
    found = profile("roofing").targets["Mail response"].figure(dims)
    assert found is not None
    assert found.text == text


def test_a_table_without_a_row_has_no_figure() -> None:
    """A partial table means: no target here."""
    assert profile("roofing").targets["Urgent response"].figure({"severity": "standard"}) is None


def test_a_target_warns_as_the_profile_says_unless_it_says_itself() -> None:
    """The owner is told at 75 %; a target may tell somebody else."""
    assert profile("builder").warn_at == 0.75
    assert profile("builder").targets["First response"].warn_do == (Do("tell", "owner"),)
    own = edited("builder", "targets: {First response: {warn: [tell leads]}}")
    assert own.targets["First response"].warn_do == (Do("tell", "leads"),)


@pytest.mark.req("AFT-05")
@pytest.mark.parametrize(
    ("name", "dims", "always"),
    [
        ("archbuilder", {"plan": "enterprise", "severity": "P3"}, True),
        ("archbuilder", {"plan": "professional", "severity": "P3"}, False),
        ("archbuilder", {"plan": "basic", "severity": "P1"}, True),
        ("archbuilder", {"plan": "basic", "severity": "P3", "kind": "security"}, True),
        ("builder", {"plan": "starter", "severity": "P1"}, True),
        ("builder", {"plan": "enterprise", "severity": "P2"}, False),
        ("builder", {"channel": "chat"}, False),
        ("builder", {}, False),
    ],
)
def test_the_most_open_calendar_serves(name: str, dims: dict[str, str], always: bool) -> None:
    """Plan, severity or kind may widen the hours; a channel's opening times do not."""
    assert profile(name).serving_calendar(**dims).always is always


def test_the_same_names_give_the_same_calendar() -> None:
    """A calendar is made once, so that one object means one set of hours."""
    builder = profile("builder")
    assert builder.serving_calendar() is builder.serving_calendar(severity="P3", plan="business") is builder.office


def test_weekday_nights_serve_the_second_severity() -> None:
    """pmerit's P1 runs at night from Monday to Friday, and not at weekends."""
    serving = profile("pmerit").serving_calendar(severity="P1")
    assert serving.is_open(datetime(2026, 3, 4, 3, tzinfo=UTC))
    assert not serving.is_open(datetime(2026, 3, 7, 15, tzinfo=UTC))


@pytest.mark.req("SLA-27")
def test_holidays_close_the_office_in_every_year() -> None:
    """Federal days are computed, not listed: Independence Day is closed in years that nobody wrote down."""
    office = profile("builder").office
    for year in (2026, 2031, 2050):
        assert not office.is_open(datetime(year, 7, 4, 16, tzinfo=UTC))
    assert not office.is_open(datetime(2026, 7, 3, 16, tzinfo=UTC)), "observed on the Friday before"
    assert office.is_open(datetime(2026, 7, 2, 16, tzinfo=UTC))


@pytest.mark.req("SLA-27")
def test_the_profile_overrides_a_holiday() -> None:
    """24 December is shortened by the base; a profile may open on Columbus Day, or close on another."""
    office = profile("builder").office
    assert office.is_open(datetime(2026, 12, 24, 17, tzinfo=UTC)), "11:00 in Chicago"
    assert not office.is_open(datetime(2026, 12, 24, 19, tzinfo=UTC)), "13:00 in Chicago"
    own = edited("builder", "holidays: {us: {2026-10-12: open, 2026-10-13: closed}}").office
    assert own.is_open(datetime(2026, 10, 12, 16, tzinfo=UTC))
    assert not own.is_open(datetime(2026, 10, 13, 16, tzinfo=UTC))


def test_a_set_of_holidays_may_be_of_ones_own() -> None:
    """A name that is no country has only the dates that are listed."""
    own = Holidays("company", {date(2026, 5, 4): "closed"})
    assert own.get(date(2026, 5, 4)) == "closed"
    assert own.get(date(2026, 7, 4)) is None
    assert Holidays("us", {}).get(date(2026, 7, 4)) == "closed"


def test_a_profile_never_changes() -> None:
    """What was decided with a profile can be explained with it."""
    with pytest.raises(ValidationError):
        profile("builder").grace = 1  # type: ignore[misc]


def test_groups_are_gathered_from_where_they_are_named() -> None:
    """Tiers first, then kinds, then routes, each once."""
    groups = profile("builder").groups
    assert groups[:3] == ("Support", "Technical", "Engineering")
    assert set(groups) == {
        "Support", "Technical", "Engineering", "Product", "Management", "Senior support", "Security",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("route", "needs"), [("owner", ""), ("leads", "email"), ("product", "jira"), ("on_call", "pagerduty")]
)
def test_a_route_says_what_reaches_it(route: str, needs: str) -> None:
    """The tools besides the ticket itself."""
    assert profile("builder").routes[route].needs == needs
