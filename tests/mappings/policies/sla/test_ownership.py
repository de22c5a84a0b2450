"""Whose a field is: what an agent or the account's own rule set back, and for how long that holds."""

import msgspec
import pytest

from mappings.model import Actor
from mappings.plan import ON_HOLD, NotConnected
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.lateness import notice
from mappings.policies.sla.ownership import fights, left, moved_back, taken
from tests.mappings.policies.sla.test_lateness import change, life_of
from tests.profiles import profile
from tests.stories import Story, at

ARCH = profile("archbuilder")


def taken_back(**more: str) -> Story:
    """We moved a ticket to tier 2 on Tuesday at 10:00; an agent moved it back an hour later."""
    story = Story("2026-03-03 09:00", severity="P2", plan="basic", kind="software_bug", zone=ARCH.zone)
    story.set("2026-03-03 10:00", Actor.US, tier="2", group_id="2")
    return story.set("2026-03-03 11:00", Actor.AGENT, **{"tier": "1", "group_id": "1", **more})


def steps(story: Story, now: str) -> list[str]:
    """The verbs of what lateness asks for at a time, those that are keyed as a step."""
    life = life_of(story, "archbuilder")
    found = notice(life, clocks(life, ARCH), ARCH, at(now, story.zone)).actions
    return [action.verb for action in found if action.key.startswith("late:escalate:")]


def test_what_an_agent_took_back_is_only_noted_when_it_is_late() -> None:
    """An agent took the ticket back from our tier: lateness from then on is a note that says so, never a step."""
    story = taken_back()
    life = life_of(story, "archbuilder")
    assert moved_back(life, ARCH) == life.stays[-1]
    found = notice(life, clocks(life, ARCH), ARCH, at("2026-03-06 16:00", story.zone)).actions
    (action,) = [action for action in found if action.key.startswith("late:escalate:")]
    assert (action.verb, change(action).group, change(action).tier) == ("note", None, None)
    assert "An agent took it back to" in (change(action).note or "")


def test_worse_severity_makes_it_ours_again() -> None:
    """Once severity got worse, lateness moves the ticket again."""
    assert steps(taken_back().set("2026-03-03 12:00", severity="P1"), "2026-03-06 16:00") == ["escalate"]


@pytest.mark.parametrize("actor", [Actor.CUSTOMER, Actor.RULE, Actor.US])
def test_only_a_person_of_ours_takes_a_ticket_back(actor: Actor) -> None:
    """What a customer, a rule or we ourselves did to the tier is no agent's word."""
    story = Story("2026-03-03 09:00", severity="P2", plan="basic", kind="software_bug", zone=ARCH.zone)
    story.set("2026-03-03 10:00", Actor.US, tier="2").set("2026-03-03 11:00", actor, tier="1")
    assert steps(story, "2026-03-06 16:00") == ["escalate"]


def test_a_tier_that_an_agent_chose_first_is_no_taking_back() -> None:
    """An agent moved it up and another down: we had no part in it, and lateness climbs."""
    story = Story("2026-03-03 09:00", severity="P2", plan="basic", kind="software_bug", zone=ARCH.zone)
    story.set("2026-03-03 10:00", Actor.AGENT, tier="2").set("2026-03-03 11:00", Actor.AGENT, tier="1")
    assert steps(story, "2026-03-06 16:00") == ["escalate"]


def reset(times: int) -> Story:
    """We set the due time and a rule of the account empties it, so many times."""
    story = Story("2026-03-03 10:00")
    for minute in range(times):
        story.set(f"2026-03-03 11:0{minute}", Actor.US, sla_due="x")
        story.set(f"2026-03-03 11:0{minute}", Actor.RULE, sla_due=None)
    by = [msgspec.structs.replace(e, actor_id=77) if e.actor is Actor.RULE else e for e in story.events]
    story.events = by
    return story


@pytest.mark.parametrize(("times", "fought"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_two_resets_are_a_fight(times: int, fought: int) -> None:
    """A rule that sets a field back once may have had its reason; twice, and the field is left to it."""
    assert len(fights(life_of(reset(times)), profile("builder"))) == fought


def test_the_rule_is_named_once_and_nothing_is_done() -> None:
    """The journal's entry names the rule by title and id and says what to do; its key has no time in it."""
    life = life_of(reset(3))
    (fight,) = fights(life, profile("builder"))
    action = left(life, fight, {77: "Tidy up"}, profile("builder"))
    assert "rule “Tidy up” (77) has set the field sla due back 2 times: it is left to that rule." in action.reason.text
    assert isinstance(action.change, NotConnected)
    assert action.key == left(life, fight, {}, profile("builder")).key == "fields:left:sla_due:zendesk:123:77"


def test_a_held_or_ended_ticket_has_no_fights() -> None:
    """Nobody is told of a ticket that is closed, or that we are kept off."""
    assert fights(life_of(reset(2).set("2026-03-03 12:00", status="closed")), profile("builder")) == []
    assert fights(life_of(reset(2).set("2026-03-03 12:00", tags=ON_HOLD)), profile("builder")) == []


def test_a_group_that_is_fought_over_is_left_alone() -> None:
    """A rule has put the group back after two steps: the third moves the tier and says so, and leaves the group."""
    story = Story("2026-03-03 09:00", severity="P2", plan="basic", kind="software_bug", zone=ARCH.zone)
    for day, tier in (("04", "2"), ("05", "3")):
        story.set(f"2026-03-{day} 10:00", Actor.US, tier=tier, group_id=tier)
        story.set(f"2026-03-{day} 10:00", Actor.RULE, group_id="1")
    life = life_of(story, "archbuilder")
    found = notice(life, clocks(life, ARCH), ARCH, at("2026-03-13 16:00", story.zone)).actions
    (step,) = [action for action in found if action.verb == "escalate"]
    assert (change(step).group, change(step).tier) == (None, 4)


@pytest.mark.parametrize(
    ("who", "theirs"),
    [
        ([Actor.AGENT], True),
        ([Actor.US, Actor.AGENT], True),
        ([Actor.AGENT, Actor.US], False),
        ([Actor.US], False),
        ([Actor.RULE], False),
        ([Actor.US, Actor.AGENT, Actor.RULE], True),
    ],
    ids=str,
)
def test_whose_a_field_is(who: list[Actor], theirs: bool) -> None:
    """Of us and an agent whoever set a field last has it, also where the agent was there before us."""
    story = Story("2026-03-03 10:00")
    for minute, actor in enumerate(who, 1):
        story.set(f"2026-03-03 10:0{minute}", actor, sla_due=f"2026-03-0{minute}T12:00:00-06:00")
    assert taken(life_of(story, "builder"), "sla_due", profile("builder")) is theirs
