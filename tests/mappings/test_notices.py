"""From a route and what happened to the messages that go out: which ways, whom they wake, what they say."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.model import Actor
from mappings.notices import SENSE, following
from mappings.plan import Action, Lane, Message, NotConnected, PageTrigger, TicketChange
from mappings.policies.rules import judge
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.lateness import notice
from mappings.policies.sla.measures import live
from mappings.profile import Profile
from mappings.replies import Replies
from mappings.timeline import build
from tests.profiles import edited, profile
from tests.stories import GROUPS, Story, at

REPLIES = Replies({"en": {}})
TELL_LEADS = "{First response: {late: [tell leads]}}"
LINK = "https://example.zendesk.com/agent/tickets/{}"


def judged(story: Story, using: Profile, rule: str) -> list[Action]:
    """What one rule asks for."""
    history = story.history()
    life = live(history, build(history), using, GROUPS)
    return [a for a in judge(life, using, REPLIES, link=LINK.format) if a.rule == rule]


def late(story: Story, using: Profile, now: str) -> list[Action]:
    """What the clocks ask for."""
    history = story.history()
    life = live(history, build(history), using, GROUPS)
    return list(notice(life, clocks(life, using), using, at(now), link=LINK.format).actions)


def messages(actions: Sequence[Action]) -> list[tuple[str, str, str | None]]:
    """Route, way and mention of every message."""
    return [
        (action.change.route, action.change.ways[0], action.change.mention)
        for action in actions
        if isinstance(action.change, Message)
    ]


def notes(actions: Sequence[Action], verb: str) -> list[str]:
    """The internal notes of a verb."""
    return [a.change.note or "" for a in actions if a.verb == verb and isinstance(a.change, TicketChange)]


PMERIT = profile("pmerit")


@pytest.mark.req("ESC-11", "NTF-02")
def test_p0_goes_to_everybody_in_every_way() -> None:
    """P0: the whole channel is woken in Slack, all tech leads get a direct message and mail, management is told."""
    found = judged(Story("2026-03-03 10:00", severity="P0", plan="free"), PMERIT, "P0")
    assert messages(found) == [
        ("management", "mail support-manager@example.com", None),
        ("all_hands", "slack #general", "channel"),
        ("tech_leads", "slack direct tech-leads@pmerit.com", None),
        ("tech_leads", "mail tech-leads@pmerit.com", None),
    ]
    assert [note.partition(":")[0] for note in notes(found, "tell")] == ["For Management"]


def escalated(severity: str) -> list[Action]:
    """What pmerit's own rule for a severity does when a ticket is moved up."""
    story = Story("2026-03-03 10:00", severity=severity, plan="free")
    return judged(story.set("2026-03-03 11:00", Actor.AGENT, tier="2"), PMERIT, f"{severity} escalated")


@pytest.mark.req("ESC-11")
def test_p1_names_the_lead_and_writes_to_them() -> None:
    """P1: the tech leads are named in the ticket, and get a direct message."""
    found = escalated("P1")
    assert messages(found) == [("tech_leads", "slack direct tech-leads@pmerit.com", None)]
    assert notes(found, "mention")[0].startswith("For tech leads (tech-leads@pmerit.com): ")


@pytest.mark.req("ESC-11")
@pytest.mark.parametrize("severity", ["P1", "P2", "P3"])
def test_each_step_up_is_announced(severity: str) -> None:
    """Handed on to the second and to the third tier: announced both times."""
    story = Story("2026-03-03 10:00", severity=severity, plan="free").set("2026-03-03 11:00", tier="2")
    once = judged(story, PMERIT, f"{severity} escalated")
    twice = judged(story.set("2026-03-03 12:00", tier="3"), PMERIT, f"{severity} escalated")
    assert len({action.key for action in twice}) == 2 * len(once)


@pytest.mark.req("ESC-12", "SEC-07")
def test_an_escalation_is_told_in_its_eight_lines() -> None:
    """What goes out of an escalation has the eight lines of its form, without what anybody wrote."""
    (message,) = [action.change for action in escalated("P1") if isinstance(action.change, Message)]
    lines = [line.partition(":")[0] for line in message.text.splitlines()]
    assert message.text.startswith("Severity P1, escalated. Rule: P1 escalated.\n")
    assert lines[1:9] == ["Priority", "Ticket", "User", "Issue", "Impact", "Attempted", "Needed", "Timeline"]
    assert "please fill in the field “Attempted”" in message.text


@pytest.mark.req("ESC-11", "NTF-08")
@pytest.mark.parametrize(
    ("severity", "route", "named", "when"),
    [("P2", "standup", 1, "2026-03-04 09:25"), ("P3", "weekly", 0, "2026-03-06 13:30")],
)
def test_milder_ones_wait_for_their_meeting(severity: str, route: str, named: int, when: str) -> None:
    """P2: named in the ticket, and the next stand-up is told; P3: only the weekly review is. Both by the team's way."""
    found = escalated(severity)
    assert messages(found) == [(route, "slack #pmerit-support", None)]
    assert len(notes(found, "mention")) == named
    (digest,) = [action for action in found if isinstance(action.change, Message)]
    assert digest.not_before == at(when, PMERIT.zone)
    assert digest.not_after is None


@pytest.mark.req("NTF-01")
@pytest.mark.parametrize(
    ("route", "slack", "expected"),
    [
        ("{email: a@example.com}", "false", ["mail a@example.com"]),
        ('{email: null, slack: "#leads"}', "true", ["slack #leads"]),
        ('{email: a@example.com, slack: "#leads"}', "true", ["slack #leads"]),
        ('{email: a@example.com, slack: "#leads"}', "false", ["mail a@example.com"]),
        ("{email: a@example.com, slack: direct}", "true", ["slack direct a@example.com"]),
        ('{email: null, slack: "#leads"}', "false", []),
    ],
)
def test_a_route_is_configuration(route: str, slack: str, expected: list[str]) -> None:
    """Where a route leads is what the profile says: Slack before mail, and no tool that is off."""
    lines = (f"routes: {{leads: {route}}}", f"tools: {{slack: {slack}}}", f"targets: {TELL_LEADS}")
    text = "\n".join(lines)
    found = late(Story("2026-03-03 10:00"), edited("builder", text), "2026-03-03 14:00")
    assert [way for _, way, _ in messages(found)] == expected
    if not expected:
        assert [action.change for action in found if action.verb == "tell"] == [NotConnected(needs="slack")]


def test_group_keeps_its_note() -> None:
    """A route with a group has its note in the ticket, and its message beside it, each under a key of its own."""
    using = edited("builder", "targets: {First response: {late: [tell management]}}")
    found = late(Story("2026-03-03 10:00"), using, "2026-03-03 14:00")
    assert [(action.key, action.verb, action.tool) for action in found] == [
        ("late:tell:management:zendesk:123:first_reply:1772553600", "tell", "zendesk"),
        ("late:tell:management:message:zendesk:123:first_reply:1772553600", "message", "mail"),
    ]


def test_message_says_what_is_needed() -> None:
    """A message names severity, ticket, plan, what was due, the rule and where to look; it is for a working day."""
    using = edited("builder", "targets: {First response: {late: [tell leads]}}")
    (action,) = late(Story("2026-03-03 10:00"), using, "2026-03-03 14:00")
    assert action.change == Message(
        route="leads",
        ways=("mail leads@example.com",),
        subject="P2 Major feature broken: ticket 123 (business)",
        text="First response was due 14:00 (P2, Business: 4 business hours). Rule: First response.",
        link="https://example.zendesk.com/agent/tickets/123",
    )
    assert (action.lane, action.not_after) == (Lane.ESCALATION, at("2026-03-03 14:00") + SENSE)


PERSONAL = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=4, max_size=40).map("§{}§".format)


@pytest.mark.req("SEC-07")
@settings(max_examples=40, deadline=None)
@given(PERSONAL, PERSONAL, st.sampled_from(["P0", "P1", "P2"]))
def test_nothing_personal_leaves_the_ticket(name: str, subject: str, severity: str) -> None:
    """Whatever the customer is called and writes: no message has their name, address, number or words."""
    story = Story("2026-03-03 10:00", severity=severity, plan="free", tags="§tag§")
    history = story.history()
    assert history.requester is not None
    person = msgspec.structs.replace(history.requester, name=name, email="ana@§customer.example")
    ticket = msgspec.structs.replace(history.ticket, subject=subject, fields={"phone": "§+1 555 0100§"})
    history = msgspec.structs.replace(history, requester=person, ticket=ticket)
    life = live(history, build(history), PMERIT, GROUPS)
    found = [*judge(life, PMERIT, REPLIES, link=LINK.format)]
    found += notice(life, clocks(life, PMERIT), PMERIT, at("2026-03-09 14:00"), link=LINK.format).actions
    told = [action.change for action in found if isinstance(action.change, Message)]
    assert told or severity == "P2"
    assert not [change for change in told if "§" in repr(change)]


@pytest.mark.req("NTF-09")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60 * 30), min_size=1, max_size=6), st.sampled_from(["P0", "P1", "P2", "P3"]))
def test_never_two_messages_with_one_key(minutes: list[int], severity: str) -> None:
    """However often and whenever a ticket is looked at, with all that its failing ways bring about: one key is one
    message by one way, and the same one each time."""
    story = Story("2026-03-03 10:00", severity=severity, plan="free")
    history = story.history()
    life = live(history, build(history), PMERIT, GROUPS)
    found = clocks(life, PMERIT)
    ways: dict[str, tuple[str, str]] = {}
    for minute in sorted(minutes):
        now = story.created + timedelta(minutes=minute)
        for action in [*judge(life, PMERIT, REPLIES, link=str), *notice(life, found, PMERIT, now).actions]:
            while action is not None and isinstance(action.change, Message):
                way = (action.change.route, action.change.ways[0])
                assert ways.setdefault(action.key, way) == way
                action = following(action)
    by_way = {(key.replace(":mail:", ":").replace(":message:", ":"), way) for key, way in ways.items()}
    assert len(by_way) == len(ways)


def test_following_way_is_the_last() -> None:
    """Slack's message is followed by mail, which is followed by nothing and wakes no channel."""
    lines = ('routes: {leads: {slack: "#leads", mention: here}}', "tools: {slack: true}", f"targets: {TELL_LEADS}")
    text = "\n".join(lines)
    (action,) = late(Story("2026-03-03 10:00"), edited("builder", text), "2026-03-03 14:00")
    other = following(action)
    assert other is not None
    assert isinstance(other.change, Message)
    assert (other.key, other.tool) == ("late:tell:leads:mail:zendesk:123:first_reply:1772553600", "mail")
    assert (other.change.ways, other.change.mention) == (("mail leads@example.com",), None)
    assert following(other) is None


def test_a_severity_whose_name_is_its_key_is_said_once() -> None:
    """`Critical`, not `critical Critical`: on a message, a page and the escalation's form."""
    org = profile("roofing")
    found = judged(Story("2026-03-03 10:00", severity="critical", plan="standard"), org, "straight to engineering")
    (page,) = [action.change for action in found if isinstance(action.change, PageTrigger)]
    (note,) = notes(found, "escalate")
    assert page.summary == "Critical: ticket 123 (standard)"
    assert "Priority: Critical\n" in note


def test_a_promise_to_a_ticket_of_which_nothing_is_known() -> None:
    """Without a severity, under a single plan: the note gives the figure alone."""
    org = profile("roofing")
    story = Story("2026-03-03 10:00", severity=None, plan="standard", zone=org.zone)
    [step] = [action for action in late(story, org, "2026-03-04 10:00") if action.verb == "escalate"]
    assert "Resolution was due 10:00 (1 business day)." in step.reason.text
