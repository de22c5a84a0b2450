"""Text → profile: precedence, removal, shared tables, versions, and a sixth organisation as a file alone."""

import pytest

from mappings.profile import Profile, ProfileError, Source, load
from tests.profiles import edited, profile, sources

SIXTH = """\
profile: florist
extends: base
name: Flowers by post
assumed: {calendars.office: guessed}
calendars:
  office: {zone: Europe/Vienna, mon-sat: "07:00-15:00", holidays: at}
plans:
  walk_in: {name: Walk-in, adds: [email]}
  wedding: {name: Wedding, adds: [phone, chat], hours: always}
severities:
  wilting: {name: Wilting, priority: urgent, critical: true, hours: always}
  thirsty: {name: Thirsty, priority: low}
kinds:
  bouquet: {group: Front desk}
tiers:
  1: {name: Front desk, group: Front desk}
  2: {name: Head gardener, group: Gardeners}
targets:
  Answer:
    measure: first_reply
    by: [severity, plan]
    table:
      wilting: {walk_in: 1h, wedding: 10m}
      thirsty: {walk_in: best effort, wedding: 2bh}
    late: [escalate next]
"""


def florist(text: str = SIXTH) -> Profile:
    """The sixth organisation on top of the shipped base."""
    return load([sources("builder")[0], Source("florist.yaml", text)])


@pytest.mark.req("NFR-05")
def test_a_sixth_organisation_is_a_file() -> None:
    """Another country, other words for everything, two tiers: no code knows of it, and it works."""
    found = florist()
    assert found.name == "Flowers by post"
    assert found.zone.key == "Europe/Vienna"
    assert [found.severity_rank(key) for key in ("wilting", "thirsty")] == [0, 1]
    assert found.targets["Answer"].cells["wilting", "wedding"].text == "10m"
    assert found.plans["wedding"].channels == ("email", "phone", "chat")
    assert found.serving_calendar(plan="wedding").always
    assert found.rules["customer asks"].do[0].verb == "escalate"


def test_a_rule_of_the_base_may_ask_for_what_a_profile_lacks() -> None:
    """The base's rules on security and feature requests never fire for florists: told as odd, not as an error."""
    told = {warning.field: warning.problem for warning in florist().warnings}
    assert told == {
        "rules.security.when.kind": "no kind 'security'",
        "rules.feature request.when.family": "no family 'feature_request'",
    }


def test_the_profile_wins_over_the_base() -> None:
    """What the profile says replaces the base's line, and leaves its neighbours."""
    builder, base_grace = profile("builder"), 300
    assert builder.calendars["office"] == {"zone": "America/Chicago", "mon-fri": "08:00-18:00", "holidays": "us"}
    assert builder.grace == base_grace
    assert builder.tools.status_page
    assert builder.tools.jira


def test_the_last_file_wins() -> None:
    """Any number of files, each over the one before."""
    one, two = Source("one.yaml", "grace: 6m\nmin_stay: 20m\n"), Source("two.yaml", "grace: 7m\n")
    found = load([*sources("builder"), one, two])
    assert (found.grace, found.min_stay) == (420, 1200)


def test_null_takes_a_line_away() -> None:
    """A rule, a cell and a route can be removed by name."""
    found = edited("builder", "rules: {night page: null}\nfeature_requests: {tell: {any_change: null}}\n")
    assert "night page" not in found.rules
    assert found.feature_requests.tell == {"shipped": "voters"}


def test_what_is_taken_away_is_no_longer_assumed() -> None:
    """An assumption about a removed line goes with it."""
    assert "rules.night page" in profile("builder").assumed
    assert "rules.night page" not in edited("builder", "rules: {night page: null}").assumed


def test_a_table_can_be_shared() -> None:
    """`same as First response` has the same figures; an edit of the original is an edit of both."""
    builder = profile("builder")
    assert builder.targets["Hand-off response"].by == ("severity", "plan")
    assert builder.targets["Hand-off response"].cells == builder.targets["First response"].cells
    changed = edited("builder", "targets: {First response: {table: {P2: {business: 3bh}}}}")
    assert changed.targets["Hand-off response"].cells["P2", "business"].text == "3bh"


@pytest.mark.req("SLA-03")
def test_a_figure_is_changed_in_one_line() -> None:
    """Business P2 in 3 hours is one edit, and gives another version."""
    changed = edited("builder", "targets: {First response: {table: {P2: {business: 3bh}}}}")
    assert changed.targets["First response"].cells["P2", "business"].text == "3bh"
    assert changed.targets["First response"].cells["P2", "starter"].text == "1bd"
    assert changed.version != profile("builder").version


def test_a_version_names_profile_and_content() -> None:
    """`builder@` and at least four hex digits."""
    key, _, digest = profile("builder").version.partition("@")
    assert key == "builder"
    assert len(digest) >= 4
    assert int(digest, 16) >= 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: Flowers", "# a comment\nname: Flowers"),
        ("name: Flowers by post\n", 'name: "Flowers by post"\n\n'),
        ("      wilting: {walk_in: 1h, wedding: 10m}\n", "      wilting:\n        wedding: 10m\n        walk_in: 1h\n"),
        ("kinds:\n  bouquet: {group: Front desk}\ntiers:", "kinds: {bouquet: {group: Front desk}}\ntiers:"),
    ],
)
def test_a_version_does_not_depend_on_layout(old: str, new: str) -> None:
    """Comments, quotes, indentation and the order of keys do not make another profile."""
    assert florist(SIXTH.replace(old, new)).version == florist().version


def test_a_version_does_not_depend_on_the_file_a_line_stands_in() -> None:
    """What moves from the profile to the base, or into a third file, is the same content."""
    base, whole = sources("builder")[0], Source("florist.yaml", SIXTH)
    moved = Source("florist.yaml", SIXTH.replace("name: Flowers by post\n", ""))
    assert load([base, whole]).version == load([base, moved, Source("x.yaml", "name: Flowers by post")]).version


@pytest.mark.parametrize(
    "new",
    [
        SIXTH.replace("10m", "11m"),
        SIXTH.replace("by post", "by bike"),
        SIXTH.replace("2: {name: Head gardener", "2: {name: Gardener"),
        SIXTH + "min_stay: 16m\n",
    ],
)
def test_another_content_is_another_version(new: str) -> None:
    """Every line counts."""
    assert florist(new).version != florist().version


def test_the_order_of_plans_is_content() -> None:
    """Turned round, the higher plan would be the lower: that is another profile, though it holds the same words."""
    one, two = "  walk_in: {name: Walk-in, adds: [email]}\n", "  wedding: {name: Wedding, adds: [phone, chat]}\n"
    equal = SIXTH.replace(", hours: always}\nseverities", "}\nseverities").split("    by:")[0] + "    table: 1h\n"
    assert one + two in equal
    assert florist(equal.replace(one + two, two + one)).version != florist(equal).version


def test_without_the_base_what_it_gives_is_missing() -> None:
    """A profile alone is not whole; what lacks is told all at once."""
    with pytest.raises(ProfileError) as caught:
        load([Source("florist.yaml", SIXTH)])
    lacking = {problem.field for problem in caught.value.problems if problem.problem == "missing"}
    assert {"outage", "routes", "grace", "warn", "tools"} <= lacking


def test_broken_files_are_all_told() -> None:
    """A fault in the base does not hide one in the profile."""
    with pytest.raises(ProfileError) as caught:
        load([Source("base.yaml", "a: 1\na: 2\n"), Source("x.yaml", "b: [1\n")])
    assert [problem.file for problem in caught.value.problems] == ["base.yaml", "x.yaml"]


def test_templates_are_only_checked_where_they_are_given() -> None:
    """A policy's test needs no reply texts; a deployment's check does."""
    text = "rules: {told: {when: {event: solved}, do: [reply farewell]}}"
    assert edited("builder", text).rules["told"].do[0].argument == "farewell"
    with pytest.raises(ProfileError, match="no reply text 'farewell'"):
        load([*sources("builder"), Source("x.yaml", text)], [Source("templates/en/after_hours.md", "Hello")])
