"""An organisation that is nothing but a file: its words, tiers and severities work like everybody else's."""

from pathlib import Path

import pytest

from mappings.model import Actor, ClockState
from mappings.plan import PageTrigger, TicketChange
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.lateness import notice
from mappings.policies.sla.targets import due, promises
from mappings.profile import Profile, ProfileError, Source, load
from mappings.profile.tools import load_tools
from mappings.zendesk import build_reading
from tests.mappings.policies.rules.cases import beside, itself, plain, said
from tests.profiles import CONFIG
from tests.stories import at

FILE = Path(__file__).parent / "florist.yaml"


@pytest.fixture(scope="module")
def florist() -> Profile:
    """It, checked with the shipped reply texts."""
    base = Source("config/base.yaml", (CONFIG / "base.yaml").read_text())
    texts = [Source(str(path), path.read_text()) for path in sorted(CONFIG.glob("templates/*/*.md"))]
    return load([base, Source("florist.yaml", FILE.read_text())], texts)


def test_it_is_checked(florist: Profile) -> None:
    """Nothing is wrong with it, and nothing odd; the line of the base that it took away is gone."""
    assert florist.warnings == ()
    assert "feature request" not in florist.rules
    assert florist.name == "Fleurs de Bruges"


def test_a_slip_in_it_is_told() -> None:
    """Its own words are what a mistake is measured by."""
    wrong = FILE.read_text().replace("severity: wilted,", "severity: wited,")
    base = Source("config/base.yaml", (CONFIG / "base.yaml").read_text())
    with pytest.raises(ProfileError, match=r"florist\.yaml:\d+: rules\.dead flowers\.when\.severity: .*'wilted'"):
        load([base, Source("florist.yaml", wrong)])


@pytest.mark.parametrize(
    ("severity", "begun", "wanted"),
    [
        ("wilted", "2026-03-07 22:00", "2026-03-07 22:00"),
        ("late", "2026-03-03 12:00", "2026-03-03 12:15"),
        ("wrong", "2026-03-03 12:30", "2026-03-04 08:30"),  # Tuesday's last hour, and Wednesday's first
        ("wrong", "2026-03-07 13:00", "2026-03-10 09:00"),  # Saturday to Tuesday
        ("pale", "2026-03-03 10:00", "2026-03-04 10:00"),
        ("praise", "2026-03-03 10:00", None),
    ],
)
def test_due(florist: Profile, severity: str, begun: str, wanted: str | None) -> None:
    """Due times by its own week, in its own zone."""
    dims: dict[str, object] = {"severity": severity, "plan": "regular"}
    [promise] = [promise for promise in promises(florist, dims) if promise.target == "Word back"]
    calendar = florist.serving_calendar(severity=severity, plan="regular")
    found = due(florist, promise, calendar, at(begun, florist.zone)).due_at
    assert found == (None if wanted is None else at(wanted, florist.zone))


def test_rules_fire(florist: Profile) -> None:
    """Each rule on a ticket of its own, each verb as it says."""
    dead = plain(florist, "wilted", kind="bouquet", channel="phone").judged(florist)
    assert said(dead) == ["escalate 2", "page driver"]
    assert [action.change.service for action in dead if isinstance(action.change, PageTrigger)] == ["van"]
    married = plain(florist, plan="wedding", csm="an@fleurs.example", channel="phone").judged(florist)
    assert said(married) == ["follow csm", "tag wedding"]
    assert married[0].change == TicketChange(followers=("an@fleurs.example",))
    night = plain(florist, "late", filed="2026-03-03 20:00", channel="email").judged(florist)
    assert said(night) == ["tag next_morning", "tag not_in_plan"]


def test_rules_that_count(florist: Profile) -> None:
    """Three customers on one problem; a second ticket in a day and a half; a bad word after a reopening."""
    others = [beside(id, "2026-03-03 09:00", florist, problem=500, company=8 + id) for id in (1, 2)]
    mine = itself("2026-03-03 11:00", florist, problem=500, since="2026-03-03 12:00")
    vans = plain(
        florist,
        kind="delivery",
        channel="phone",
        around=[*others, mine],
        then=lambda story: story.set("2026-03-03 12:00", problem_id="500"),
    )
    assert said(vans.judged(florist)) == ["flag route", "suggest incident"]
    before = beside(1, "2026-03-02 00:01", florist)
    again = plain(florist, channel="phone", around=[before, itself("2026-03-03 11:00", florist)])
    assert said(again.judged(florist)) == ["flag regulars"]
    sad = plain(florist, channel="phone").story.set("2026-03-03 12:00", status="solved")
    sad.set("2026-03-03 12:30", Actor.CUSTOMER, status="open").set("2026-03-03 12:40", status="solved")
    sad.set("2026-03-03 12:45", Actor.CUSTOMER, rating="1")
    told = plain(florist, channel="phone")
    told.story.events, told.story.values, told.story.last = sad.events, sad.values, sad.last
    assert said(told.judged(florist)) == [
        "follow_up",
        "tell leads",
        "assign chef",
    ]  # the base's rule asks for a call, too


def test_clocks_and_climbing(florist: Profile) -> None:
    """Late after two of its hours: one step up, into its own tier; a wedding has entered there, and above is nobody."""
    late = plain(florist, "wrong", filed="2026-03-03 08:00", plan="regular").life(florist)
    now = at("2026-03-03 10:00", florist.zone)
    found = clocks(late, florist)
    assert {clock.target: clock.due_at for clock in found} == {"Word back": now}
    climbed, *rest = notice(late, found, florist, now).actions
    assert isinstance(climbed.change, TicketChange)
    assert (climbed.change.group, climbed.change.tier) == ("Greenhouse", 2)
    assert [action.verb for action in rest] == ["tell"]
    wedding = plain(florist, "pale", filed="2026-03-03 08:00", plan="wedding").life(florist)
    there = [clock for clock in clocks(wedding, florist) if clock.target == "Greenhouse time"]
    assert [(clock.state, clock.due_at) for clock in there] == [
        (ClockState.RUNNING, at("2026-03-03 11:00", florist.zone))
    ]
    asked = notice(wedding, there, florist, at("2026-03-03 11:00", florist.zone)).actions
    assert any(isinstance(a.change, TicketChange) and "escalated_management" in a.change.add_tags for a in asked)


def test_its_words_are_the_accounts_options(florist: Profile) -> None:
    """Zendesk's dropdowns hold its own keys."""
    tables = load_tools([Source(str(path), path.read_text()) for path in sorted((CONFIG / "tools").glob("*.yaml"))])
    nothing = b"{}"
    reading = build_reading(tables.zendesk, florist, ticket_fields=[nothing], groups=[nothing], agents=[], me=nothing)
    assert reading.key_of("severity", "severity_wilted") == "wilted"
    assert reading.key_of("tier", "tier_2") == "2"
