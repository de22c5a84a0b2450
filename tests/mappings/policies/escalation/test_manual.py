"""An agent asks for the next tier: a reason moves the ticket, none is asked for."""

import pytest

from mappings.model import Actor
from mappings.plan import Action
from mappings.policies.escalation import MANUAL, asked
from mappings.policies.sla.measures import live
from mappings.timeline import build
from tests.mappings.policies.escalation.climbing import life_of, told
from tests.profiles import profile
from tests.stories import Story, at, forget

BUILDER = profile("builder")


def wanted(story: Story) -> list[Action]:
    """What the agents' requests of a story come to."""
    return asked(life_of(story, BUILDER), BUILDER, policy="rules", link=str)


@pytest.mark.req("ESC-06", "VIP-06")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("ability", "beyond what this tier can do"),
        ("expertise", "it takes special expertise"),
        ("vip", "a VIP or strategic customer"),
        ("defect", "a defect of the product"),
    ],
)
def test_a_reason_hands_the_ticket_on(given: str, words: str) -> None:
    """The macro sets tag and reason: one step up with the reason in its note; tag and reason are taken off again."""
    story = Story("2026-03-03 10:00").set("2026-03-03 11:00", tags="hf_escalate", escalation_reason=given)
    (action,) = wanted(story)
    change = told(action)
    assert (action.verb, action.rule, change.group, change.tier) == ("escalate", MANUAL, "Technical", 2)
    assert change.note is not None
    assert change.note.startswith(f"An agent asked for it: {words}. Moved to Technical support (tier 2).")
    assert "\nAttempted: not filled in" in change.note
    assert (change.remove_tags, dict(change.fields)) == (("hf_escalate",), {"escalation_reason": None})


@pytest.mark.req("ESC-06")
def test_without_a_reason_it_stays_and_is_asked_for_once() -> None:
    """The tag alone moves nothing: one note asks why. The reason given later moves it."""
    story = Story("2026-03-03 10:00").set("2026-03-03 11:00", tags="hf_escalate")
    (ask,) = wanted(story)
    assert (ask.verb, told(ask).tier, told(ask).add_tags) == ("note", None, ())
    assert "without a reason" in (told(ask).note or "")
    story.reply("2026-03-03 11:05", public=False).set("2026-03-03 11:06", tags="hf_escalate other")
    assert wanted(story) == [ask]
    story.set("2026-03-03 11:10", escalation_reason="defect")
    again, step = wanted(story)
    assert again.key == ask.key
    assert told(step).tier == 2


def test_a_reason_alone_is_a_request() -> None:
    """An agent who fills in the field need not set the tag."""
    assert [a.verb for a in wanted(Story("2026-03-03 10:00").set("2026-03-03 11:00", escalation_reason="vip"))] == [
        "escalate"
    ]


@pytest.mark.req("ESC-06")
def test_each_request_is_one_of_its_own() -> None:
    """Handed on, taken off, and asked again from tier 2: tier 3, under another key. From the last tier: management."""
    story = Story("2026-03-03 10:00")
    for hour, tier in (("11", "2"), ("12", "3")):
        story.set(f"2026-03-03 {hour}:00", tags="hf_escalate", escalation_reason="ability")
        story.set(f"2026-03-03 {hour}:01", Actor.US, tags=None, escalation_reason=None, tier=tier)
    story.set("2026-03-03 13:00", tags="hf_escalate", escalation_reason="other")
    steps = [action for action in wanted(story) if action.verb != "message"]
    assert len({action.key for action in steps}) == 3
    assert "Management is called." in (told(steps[-1]).note or "")


def test_an_agent_may_undo_what_an_agent_took_back() -> None:
    """An agent took the ticket back and asks for the next tier later: it goes."""
    story = Story("2026-03-03 10:00").set("2026-03-03 10:30", Actor.US, tier="2")
    story.set("2026-03-03 11:00", tier="1").set("2026-03-03 12:00", escalation_reason="expertise")
    assert told(wanted(story)[0]).tier == 2


@pytest.mark.parametrize(
    "story",
    [
        Story("2026-03-03 10:00", tags="hf_hold").set("2026-03-03 11:00", escalation_reason="vip"),
        Story("2026-03-03 10:00").set("2026-03-03 11:00", status="solved", escalation_reason="vip"),
        Story("2026-03-03 10:00").set("2026-03-03 11:00", Actor.US, escalation_reason="vip"),
        Story("2026-03-03 10:00").set("2026-03-03 11:00", Actor.CUSTOMER, escalation_reason="vip"),
        Story("2026-03-03 10:00").set("2026-03-03 11:00", tags="escalate_please"),
    ],
    ids=["held", "solved", "ours", "a customer's", "another tag"],
)
def test_no_request(story: Story) -> None:
    """A held ticket, a solved one, what we or a customer set, and the customer's own tag are no agent's request."""
    assert wanted(story) == []


def test_a_request_that_was_not_read_yet_waits() -> None:
    """The ticket shows a reason whose update has not been read: nothing is keyed by it until it is."""
    history = Story("2026-03-03 10:00").set("2026-03-03 11:00", escalation_reason="vip").history()
    unread = forget(history, at("2026-03-03 10:30"))
    life = live(unread, build(unread), BUILDER, {})
    assert asked(life, BUILDER, policy="rules", link=str) == []
