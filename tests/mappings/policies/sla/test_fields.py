"""Ticket fields: what an agent sees, written only where it differs and where it is ours."""

import pytest

from mappings.model import Actor
from mappings.plan import TicketChange
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.fields import upkeep, wanted_fields
from tests.mappings.policies.sla.test_lateness import life_of
from tests.profiles import profile
from tests.stories import Story


def fields(story: Story) -> dict[str, str | None]:
    """The fields that would be written, tier included."""
    life = life_of(story)
    actions = upkeep(life, clocks(life, profile("builder")), profile("builder"))
    if not actions:
        return {}
    change = actions[0].change
    assert isinstance(change, TicketChange)
    return {**change.fields, **({"tier": str(change.tier)} if change.tier else {})}


@pytest.mark.req("SLA-04", "ESC-18")
def test_a_new_ticket_shows_its_due_time_tier_and_next_step() -> None:
    """Business P2 at 10:00: due 14:00, tier 1, next escalation T2 at 14:00."""
    assert fields(Story("2026-03-03 10:00")) == {
        "sla_due": "2026-03-03T14:00:00-06:00",
        "tier": "1",
        "next_escalation": "T2 at 14:00",
    }


@pytest.mark.req("SLA-04")
def test_answer_and_solution_are_stored_with_their_times() -> None:
    """First response and resolution times stand on the ticket; nothing is due any more."""
    story = Story("2026-03-03 10:00").reply("2026-03-03 10:20").set("2026-03-03 11:00", status="solved")
    found = fields(story)
    assert found["first_response_at"] == "2026-03-03T10:20:00-06:00"
    assert found["resolved_at"] == "2026-03-03T11:00:00-06:00"
    assert "sla_due" not in found


def test_fields_that_are_right_are_not_written() -> None:
    """A second look changes nothing."""
    story = Story("2026-03-03 10:00")
    story.set("2026-03-03 10:01", Actor.US, **fields(story))
    assert fields(story) == {}


def test_a_due_time_on_another_day_names_the_day() -> None:
    """Friday evening's ticket says when on Monday."""
    assert fields(Story("2026-03-06 17:30"))["next_escalation"] == "T2 on Mon 9 Mar 11:30"


def test_an_agents_own_value_stays_until_severity_gets_worse() -> None:
    """An agent who overwrote our tier keeps it; a worse severity makes it ours again."""
    story = Story("2026-03-03 10:00").set("2026-03-03 10:01", Actor.US, sla_due="2026-03-03T14:00:00-06:00")
    story.set("2026-03-03 10:30", Actor.AGENT, sla_due="mine")
    assert "sla_due" not in fields(story)
    story.set("2026-03-03 11:00", severity="P1")
    assert fields(story)["sla_due"] == "2026-03-03T12:00:00-06:00"


def test_a_rule_that_sets_our_field_back_twice_wins() -> None:
    """After two resets by a trigger the field is left alone."""
    story = Story("2026-03-03 10:00")
    story.set("2026-03-03 10:01", Actor.US, sla_due="x").set("2026-03-03 10:02", Actor.RULE, sla_due=None)
    assert "sla_due" in fields(story)
    story.set("2026-03-03 10:03", Actor.US, sla_due="x").set("2026-03-03 10:04", Actor.RULE, sla_due=None)
    assert "sla_due" not in fields(story)


def next_step(story: Story, org: str = "archbuilder") -> str | None:
    """What `Next escalation` would say."""
    life = life_of(story, org)
    return wanted_fields(life, clocks(life, profile(org)), profile(org))["next_escalation"]


def archbuilders(**more: str) -> Story:
    """A Basic P2 bug of archbuilder's, filed at 09:00 and answered."""
    story = Story(
        "2026-03-03 09:00", severity="P2", plan="basic", kind="software_bug", zone=profile("archbuilder").zone
    )
    return story.reply("2026-03-03 09:05").set("2026-03-03 09:06", **more)


@pytest.mark.req("ESC-18")
@pytest.mark.parametrize(
    ("story", "says"),
    [
        (archbuilders(), "T2 at 17:00"),
        (archbuilders(kind="security"), "T2 at 11:00"),
        (archbuilders(tier="3"), "T4 at 13:06"),
        (archbuilders(tier="4"), "Management at 11:06"),
        (archbuilders().set("2026-03-03 16:55", Actor.US, tier="2"), "T3 on Wed 4 Mar 09:00"),
        (archbuilders().set("2026-03-03 10:00", Actor.US, tier="2").set("2026-03-03 10:05", tier="1"), None),
    ],
    ids=["by priority", "by kind", "third tier", "last tier", "resolution", "taken back"],
)
def test_the_next_step_is_the_one_that_will_be_taken(story: Story, says: str | None) -> None:
    """The earlier of both ladders, the next tier or management, and nothing where an agent keeps the ticket."""
    assert next_step(story) == says


def test_a_step_that_has_to_wait_says_so() -> None:
    """Due at 17:00, moved here at 16:55: the next step comes when the ticket has been here for fifteen minutes."""
    story = Story("2026-03-03 09:00", severity="P2", plan="basic", kind="new_feature", zone=profile("archbuilder").zone)
    story.set("2026-03-03 12:55", Actor.US, tier="2")
    assert next_step(story) == "T3 at 13:10"


@pytest.mark.req("ESC-18")
def test_management_is_called_once_a_stay() -> None:
    """Called by a rule in the last tier: no clock calls them again from there, and the field says so. After the next
    move, one would."""
    story = archbuilders(tier="4").set("2026-03-03 10:00", Actor.US, tags="escalated escalated_management")
    assert next_step(story) is None
    story.set("2026-03-03 10:05", tier="3").set("2026-03-03 10:06", tier="4")
    assert next_step(story) == "Management at 12:06"
