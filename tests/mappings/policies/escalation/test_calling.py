"""Management is called outside the ticket too: whoever wants it, once, and with nothing personal in it."""

import pytest

from mappings.model import Actor
from mappings.plan import Action, Message
from mappings.policies.escalation import asked
from mappings.policies.rules import judge
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.lateness import notice
from mappings.profile import Profile
from mappings.replies import Replies
from tests.mappings.policies.escalation.climbing import life_of
from tests.mappings.policies.rules.cases import DAY, beside, itself, plain
from tests.profiles import edited, profile
from tests.stories import Story, at

BUILDER, ROOFING = profile("builder"), profile("roofing")
LINES = ["Priority", "Ticket", "User", "Issue", "Impact", "Attempted", "Needed", "Timeline"]


def by_clocks(story: Story, now: str, org: Profile) -> list[Action]:
    """What late clocks want at a time of the office."""
    life = life_of(story, org)
    return list(notice(life, clocks(life, org), org, at(now, story.zone), link="https://desk/{}".format).actions)


def by_rules(story: Story, org: Profile) -> list[Action]:
    """What the rules want."""
    return judge(life_of(story, org), org, Replies({"en": {}}), link=str)


def by_agents(story: Story, org: Profile) -> list[Action]:
    """What agents ask for."""
    return asked(life_of(story, org), org, policy="rules", link=str)


def mails(actions: list[Action]) -> list[Message]:
    """The messages to management."""
    found = [action.change for action in actions if isinstance(action.change, Message)]
    return [message for message in found if message.route == "management"]


@pytest.mark.req("ESC-02")
def test_a_breach_in_the_last_tier_is_mailed_to_management() -> None:
    """Late in tier 3: one mail beside the note, with why, the eight lines and the link; a step to a tier has none."""
    story = Story("2026-03-03 10:00").set("2026-03-03 12:00", Actor.US, tier="3")
    found = by_clocks(story, "2026-03-03 16:00", BUILDER)
    (mail,) = mails(found)
    assert mail.ways == ("mail support-manager@example.com",)
    assert (mail.subject, mail.link) == ("P2 Major feature broken: ticket 123 (business)", "https://desk/123")
    assert "was due 16:00 (P2, Business: 4 business hours). This is the last tier: Management is called." in mail.text
    assert [line.partition(":")[0] for line in mail.text.splitlines()[1:]] == LINES
    assert [action.key.split(":")[1] for action in found if not isinstance(action.change, Message)] == ["escalate"]
    assert mails(by_clocks(Story("2026-03-03 10:00"), "2026-03-03 14:00", BUILDER)) == []


ROOFINGS = {"severity": "standard", "plan": "standard", "kind": "question", "zone": ROOFING.zone}


@pytest.mark.req("ESC-07")
def test_managements_own_cases_reach_their_mailbox() -> None:
    """roofing: a business impact, an executive, a day without a solution: the support manager is mailed, each once."""
    for tag in ("business_impact", "executive"):
        story = Story("2026-03-03 11:00", **ROOFINGS).set("2026-03-03 12:00", tags=tag)  # type: ignore[arg-type]
        (mail,) = mails(by_rules(story, ROOFING))
        assert mail.text.startswith(f"Tag {tag}. Management is called.")
    unsolved = Story("2026-03-03 11:00", **ROOFINGS).reply("2026-03-03 11:10")  # type: ignore[arg-type]
    (mail,) = mails(by_clocks(unsolved, "2026-03-04 11:00", ROOFING))
    assert mail.text.startswith("Resolution was due 11:00 (standard: 1 business day). Management is called.")


@pytest.mark.req("ESC-07")
def test_many_complaints_of_one_problem_are_one_mail() -> None:
    """roofing: whichever ticket on a problem is judged, the mail is the problem's; each ticket has its call."""
    for number in (123, 124):
        around = [
            *(beside(other, DAY, ROOFING, company=other, problem=500) for other in (1, 2)),
            itself(DAY, ROOFING, problem=500),
        ]
        told = plain(ROOFING, around=around, then=lambda story: story.set("2026-03-03 12:00", problem_id="500"))
        told.story.id = number
        step, mail = [one for one in told.judged(ROOFING) if one.key.startswith("rule:escalate:management")]
        assert (step.key, step.record) == (f"rule:escalate:management:zendesk:{number}", f"zendesk:{number}")
        assert mail.key == "rule:escalate:management:message:zendesk:500"


@pytest.mark.parametrize(
    ("given", "words"),
    [("ability", "An agent asked for it: beyond what this tier can do."), ("Ann shouts", "stands in the ticket")],
)
def test_an_agent_calls_management(given: str, words: str) -> None:
    """Asked for in the last tier: mailed with its reason; one in an agent's own words stays in the ticket."""
    story = Story("2026-03-03 10:00").set("2026-03-03 11:00", Actor.US, tier="3")
    story.set("2026-03-03 12:00", tags="hf_escalate", escalation_reason=given)
    found = by_agents(story, BUILDER)
    (mail,) = mails(found)
    assert words in mail.text
    assert "Ann" not in mail.text
    assert [action.verb for action in found] == ["escalate", "message"]


def test_management_without_a_mailbox() -> None:
    """Where the route is a group alone, the note is all."""
    org = edited("builder", "routes: {management: {email: null}}")
    story = Story("2026-03-03 10:00").set("2026-03-03 12:00", Actor.US, tier="3")
    assert [action.verb for action in by_clocks(story, "2026-03-03 16:00", org)] == ["escalate"]
