"""What the shipped profiles' rules escalate, and where to (ESC-05, ESC-07, ESC-08, ESC-09, ESC-10)."""

from typing import Any

import pytest

from mappings.model import Actor
from mappings.plan import Action
from mappings.policies.escalation import CALLED, one_step
from mappings.policies.rules import judge
from mappings.profile import Profile
from mappings.replies import Replies
from tests.mappings.policies.escalation.climbing import life_of, told
from tests.profiles import edited, profile
from tests.stories import Story

DAY = "2026-03-03 11:00"
KINDS = {"builder": "bug", "roofing": "technical", "pmerit": "technical", "archbuilder": "software_bug"}
PLANS = {"builder": "business", "roofing": "standard", "pmerit": "standard", "archbuilder": "basic"}
USUAL = {"builder": "P3", "roofing": "standard", "pmerit": "P3", "archbuilder": "P3"}


def a_story(name: str, **more: Any) -> Story:
    """An ordinary ticket of an organisation, by day."""
    given = {"severity": USUAL[name], "plan": PLANS[name], "kind": KINDS[name], "zone": profile(name).zone, **more}
    return Story(DAY, **given)


def steps(story: Story, org: Profile) -> list[Action]:
    """The escalations that the rules want, joined as they would be decided."""
    found = judge(life_of(story, org), org, Replies({"en": {}}), link=str)
    return [action for action in one_step(found, {}) if str(action.key).startswith("rule:escalate")]


def outcome(story: Story, org: Profile) -> tuple[int | None, bool]:
    """The tier that a ticket is moved to, and whether management is called."""
    taken = [told(action) for action in steps(story, org) if action.verb == "escalate"]
    tiers = [change.tier for change in taken if change.tier is not None]
    assert len(tiers) <= 1
    return (tiers[0] if tiers else None), any(CALLED in change.add_tags for change in taken)


TAGGED = "2026-03-03 12:00"
RULES = [
    # (organisation, what is special, tag set later, tier, management)
    ("builder", {}, "escalate_please", 2, False),
    ("pmerit", {"severity": "P0"}, None, 3, False),
    ("pmerit", {"severity": "P1"}, None, None, False),
    ("pmerit", {}, "legal", 2, True),
    ("pmerit", {}, "press", 2, False),
    ("pmerit", {}, "privacy", 2, False),
    ("pmerit", {}, "security", 2, False),
    ("pmerit", {}, "upset", 2, False),
    ("pmerit", {}, "beyond_me", 2, False),
    ("pmerit", {}, "legally", None, False),
    ("roofing", {"severity": "critical"}, None, 3, False),
    ("roofing", {"severity": "urgent"}, None, None, False),
    ("roofing", {"kind": "security"}, None, 3, False),
    ("roofing", {}, "business_impact", None, True),
    ("roofing", {}, "executive", None, True),
    ("archbuilder", {"severity": "P1"}, None, 3, False),
    ("archbuilder", {"severity": "P1", "plan": "enterprise"}, None, 3, False),
    ("archbuilder", {"severity": "P2"}, None, None, False),
    ("archbuilder", {}, "product_defect", 2, False),
    ("archbuilder", {"plan": "enterprise"}, "product_defect", 3, False),
    ("archbuilder", {}, "escalate_please", 2, False),
]


@pytest.mark.req("ESC-05", "ESC-07", "ESC-08", "ESC-09", "ESC-10")
@pytest.mark.parametrize(("name", "special", "tag", "tier", "called"), RULES)
def test_where_rules_lead(name: str, special: dict[str, str], tag: str | None, tier: int | None, called: bool) -> None:
    """Directly to the third tier, one tier up, or to management, as each profile says."""
    story = a_story(name, **special)
    if tag is not None:
        story.set(TAGGED, tags=tag)
    assert outcome(story, profile(name)) == (tier, called)


@pytest.mark.req("ESC-10")
def test_the_worst_severity_reaches_both_at_once() -> None:
    """pmerit P0: tier 3 and the management's route at one moment, from one rule."""
    found = judge(
        life_of(a_story("pmerit", severity="P0"), profile("pmerit")), profile("pmerit"), Replies({"en": {}}), link=str
    )
    wanted = {" ".join(action.key.split(":")[1:3]): action for action in found}
    assert {"escalate 3", "tell management"} <= wanted.keys()
    assert wanted["escalate 3"].cause_at == wanted["tell management"].cause_at


KEPT = [("builder", "Security"), ("pmerit", "Security"), ("archbuilder", "Security"), ("roofing", "Engineering")]


@pytest.mark.req("SEC-01")
@pytest.mark.parametrize(("name", "group"), KEPT)
def test_a_private_kind_climbs_in_its_own_group(name: str, group: str) -> None:
    """Asked for or by rule, a security ticket is a tier higher and still with its own few; roofing's engineers have
    it at once. Any other kind goes to the next tier's group."""
    org, climbed = profile(name), {}
    for kind in ("security", KINDS[name]):
        story = a_story(name, kind=kind).set(TAGGED, tags="escalate_please security")
        climbed[kind] = told(steps(story, org)[0])
    assert climbed["security"].group == group
    assert climbed["security"].tier in (2, 3)
    assert ("It stays with Security" in (climbed["security"].note or "")) == (group == "Security")
    assert climbed[KINDS[name]].group == org.tiers[2].group


def test_what_is_beyond_the_tier_already_stays() -> None:
    """A P0 that an agent has with the third tier: no step, a note."""
    story = a_story("pmerit", severity="P2").set("2026-03-03 11:30", tier="3").set("2026-03-03 12:00", severity="P0")
    (action,) = steps(story, profile("pmerit"))
    assert (action.verb, told(action).tier) == ("note", None)


def test_rules_leave_what_an_agent_took_back() -> None:
    """We moved it, an agent took it back: a tag that asks once more is noted, a worse severity moves it."""
    story = a_story("archbuilder").set("2026-03-03 12:00", Actor.US, tier="2").set("2026-03-03 13:00", tier="1")
    story.set("2026-03-03 14:00", tags="product_defect")
    (action,) = steps(story, profile("archbuilder"))
    assert action.verb == "note"
    assert "An agent took it back to Basic: there it stays." in (told(action).note or "")
    story.set("2026-03-03 15:00", severity="P1")
    assert outcome(story, profile("archbuilder")) == (3, False)


def test_who_asks_again_in_the_next_tier_goes_on() -> None:
    """The customer asked in tier 1; a defect is found in tier 2: two steps, each from its own tier, each once."""
    org = profile("archbuilder")
    story = a_story("archbuilder").set("2026-03-03 12:00", tags="escalate_please")
    first = steps(story, org)
    story.set("2026-03-03 12:01", Actor.US, tier="2").set("2026-03-03 14:00", tags="escalate_please product_defect")
    later = steps(story, org)
    assert [told(action).tier for action in later if action.verb == "escalate"] == [3]
    assert len({action.key for action in [*first, *later]}) == 2


@pytest.mark.parametrize(("minute", "verb"), [("12:05", "note"), ("12:15", "escalate")])
def test_what_has_just_come_is_not_sent_on(minute: str, verb: str) -> None:
    """Moved at 12:00: a wish within `min_stay` joins the step as a note; later it is one of its own."""
    story = a_story("archbuilder").set("2026-03-03 12:00", Actor.US, tier="2")
    story.set(f"2026-03-03 {minute}", tags="product_defect")
    assert [action.verb for action in steps(story, profile("archbuilder"))] == [verb]


def test_an_unknown_company_climbs_as_well() -> None:
    """A ticket without severity and kind is handed on all the same."""
    org = edited("builder", "rules: {any: {when: {event: created}, do: [escalate next]}}")
    assert outcome(Story(DAY, severity=None, kind=None, plan=None), org) == (2, False)
