"""A step up: where it leads, what its note says, and when a ticket stays where it is."""

import pytest

from mappings.model import Actor
from mappings.policies.escalation import Step, Taken, level_of, settled, step_up
from mappings.policies.sla.measures import Life
from tests.mappings.policies.escalation.climbing import ARCH, life_of
from tests.profiles import profile
from tests.stories import Story, at

BUILDER = profile("builder")
NOW = "2026-03-03 12:00"


def in_tier(tier: int, **more: str) -> Life:
    """A builder's ticket that we moved to a tier at 11:00."""
    story = Story("2026-03-03 10:00", **more)  # type: ignore[arg-type]
    if tier > 1:
        story.set("2026-03-03 11:00", Actor.US, tier=str(tier))
    return life_of(story, BUILDER)


def step(life: Life, *levels: int, taken: Taken | None = None, by_agent: bool = False) -> Step:
    """A step for levels at noon."""
    return step_up(life, BUILDER, levels, at=at(NOW), taken=taken or Taken(), by_agent=by_agent)


@pytest.mark.parametrize(
    ("argument", "tier", "level"),
    [("next", 1, 2), ("next", 3, 4), (3, 1, 3), (2, 3, 2), ("management", 1, 4), (9, 1, 4)],
)
def test_levels(argument: object, tier: int, level: int) -> None:
    """`next` is one above, a number that tier, `management` one above the last."""
    assert level_of(argument, tier, BUILDER) == level


STEPS = [
    # (in tier, wanted, moved to, management called)
    (1, [2], 2, False),
    (1, [3], 3, False),  # direct to the third (ESC-08)
    (1, [2, 3], 3, False),
    (1, [4], None, True),
    (1, [2, 4], 2, True),  # a step, and management told at once
    (3, [4], None, True),
]


@pytest.mark.req("ESC-01", "ESC-02", "ESC-08")
@pytest.mark.parametrize(("tier", "wanted", "to", "called"), STEPS)
def test_where_a_step_leads(tier: int, wanted: list[int], to: int | None, called: bool) -> None:
    """The highest tier wanted is moved to, with its group and tag; management is called where it is wanted."""
    found = step(in_tier(tier), *wanted)
    assert (found.verb, found.change.tier, "escalated_management" in found.change.add_tags) == ("escalate", to, called)
    assert found.change.group == (BUILDER.tiers[to].group if to else None)
    assert "escalated" in found.change.add_tags


@pytest.mark.parametrize("level", [1, 2])
def test_no_step_leads_down(level: int) -> None:
    """A tier that a ticket has reached or passed is no step: it stays, and a note says why."""
    found = step(in_tier(2), level)
    assert (found.verb, found.change.tier) == ("note", None)
    assert found.says == "It is with Technical support already."


def test_one_move_and_one_call_from_each_stay() -> None:
    """From one stay a ticket moves once and management is called once; a call keeps no move back, nor the other way."""
    life = in_tier(1)
    stay = life.stays[-1].cause
    assert step(life, 2, taken=Taken({stay: 2})).says == "Already moved up from this tier."
    assert step(life, 3, taken=Taken({stay: 2})).change.tier == 3
    assert step(life, 4, taken=Taken(called=frozenset({stay}))).verb == "note"
    assert step(life, 2, taken=Taken(called=frozenset({stay}))).change.tier == 2
    assert step(life, 4, taken=Taken({stay: 2})).verb == "escalate"


@pytest.mark.req("ESC-13")
def test_what_a_hand_off_says() -> None:
    """The note has where to, the tiers before with their times, and by when the new tier replies."""
    says = step(in_tier(2), 3).says
    assert says == (
        "Moved to Engineering (tier 3). Before: Help and chat since 10:00, Technical support since 11:00. "
        "The new target is a reply by 16:00."
    )


def test_what_an_agent_took_back_stays_unless_an_agent_asks() -> None:
    """Taken back to tier 1 by an agent: rules and clocks leave it there; an agent's own wish moves it, and so does a
    worse severity."""
    story = Story("2026-03-03 10:00").set("2026-03-03 10:30", Actor.US, tier="2")
    story.set("2026-03-03 11:00", Actor.AGENT, tier="1")
    life = life_of(story, BUILDER)
    assert step(life, 2).says == "An agent took it back to Help and chat: there it stays."
    assert step(life, 2, by_agent=True).change.tier == 2
    assert step(life, 2, 4).change.tier is None
    assert step(life, 2, 4).verb == "escalate"
    assert step(life_of(story.set("2026-03-03 11:30", severity="P1"), BUILDER), 2).change.tier == 2


@pytest.mark.req("ESC-16")
@pytest.mark.parametrize(
    ("plan", "tier", "said"),
    [("basic", 2, True), ("professional", 2, False), ("enterprise", 2, False), ("basic", 3, False)],
)
def test_a_tier_beyond_the_plan_is_reached_and_said(plan: str, tier: int, said: bool) -> None:
    """A Basic ticket reaches tier 2, where higher plans enter, with a note that its plan does not include it."""
    story = Story("2026-03-03 10:00", severity="P3", plan=plan, kind="software_bug", zone=ARCH.zone)
    story.set("2026-03-03 10:30", Actor.AGENT, tier="1")
    found = step_up(life_of(story, ARCH), ARCH, [tier], at=at(NOW, ARCH.zone))
    assert found.change.tier == tier
    name = ARCH.plans[plan].name
    assert (f"The plan {name} does not include this tier." in found.says) is said
    assert ("does not include" in found.says) is said


@pytest.mark.parametrize(("severity", "minute", "may"), [("P2", 14, False), ("P2", 15, True), ("P1", 0, True)])
def test_min_stay(severity: str, minute: int, may: bool) -> None:
    """A ticket that was moved stays for a quarter of an hour; a critical one does not wait."""
    life = in_tier(2)
    now = at(f"2026-03-03 11:{minute:02}")
    assert settled(life, BUILDER, life.stays[-1], now, severity) is may
    assert settled(life, BUILDER, life.stays[0], now, severity)
