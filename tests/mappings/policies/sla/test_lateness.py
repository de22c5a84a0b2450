"""When late: who is told what, how far a ticket climbs, and what its note says."""

from datetime import timedelta

import msgspec
import pytest

from mappings.model import Actor, Clock, ClockState
from mappings.plan import Action, Message, TicketChange
from mappings.policies.escalation import Taken
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.lateness import Noticed, notice
from mappings.policies.sla.measures import Life, live
from mappings.timeline import build
from tests.profiles import edited, profile
from tests.stories import GROUPS, Story, at


def life_of(story: Story, org: str = "builder") -> Life:
    """A story's ticket, as policies look at it."""
    history = story.history()
    return live(history, build(history), profile(org), GROUPS)


def look(story: Story, now: str, org: str = "builder", **known: object) -> Noticed:
    """Look at a ticket's clocks at a time of its own office."""
    life = life_of(story, org)
    found = clocks(life, profile(org))
    return notice(life, found, profile(org), at(now, story.zone), **known)  # type: ignore[arg-type]


def change(action: Action) -> TicketChange:
    """The ticket change of an action that is one."""
    assert isinstance(action.change, TicketChange)
    return action.change


@pytest.mark.req("SLA-09")
def test_the_owner_is_warned_once_at_three_quarters() -> None:
    """Business P2 (4 open hours), unanswered: at three open hours the owner is warned with a tag and a note, once."""
    story = Story("2026-03-03 10:00")
    assert look(story, "2026-03-03 12:59") == Noticed()
    [action] = look(story, "2026-03-03 13:00").actions
    assert (action.verb, change(action).add_tags) == ("tell", ("sla_warned",))
    assert "First response is due 14:00 (P2, Business: 4 business hours)." in (change(action).note or "")
    life = life_of(story)
    warned = [msgspec.structs.replace(c, warned_at=at("2026-03-03 13:00")) for c in clocks(life, profile("builder"))]
    assert notice(life, warned, profile("builder"), at("2026-03-03 13:01")) == Noticed()


@pytest.mark.req("SLA-08", "ESC-01", "ESC-13")
def test_a_breach_moves_the_ticket_up_one_tier_with_its_reason() -> None:
    """At 14:00 tier, group, tag and note change together; the note names rule, target, due time and version."""
    [action] = look(Story("2026-03-03 10:00"), "2026-03-03 14:00").actions
    assert action.key.startswith("late:escalate:zendesk:123:first_reply:")
    assert (change(action).group, change(action).tier) == ("Technical", 2)
    assert change(action).add_tags == ("sla_breached", "escalated")
    note = change(action).note or ""
    for said in (
        "First response was due 14:00 (P2, Business: 4 business hours).",
        "Moved to Technical support (tier 2).",
        "Before: Help and chat since 10:00.",
        "The new target is a reply by 18:00.",
        "Rule: First response, profile builder@",
    ):
        assert said in note


@pytest.mark.req("ESC-02")
@pytest.mark.parametrize(("tier", "group", "to"), [("2", "Engineering", 3), ("3", None, None)])
def test_the_ladder_ends_with_management(tier: str, group: str | None, to: int | None) -> None:
    """A breach at tier 2 goes to tier 3; a breach at tier 3 stays there and management is called."""
    story = Story("2026-03-03 10:00").set("2026-03-03 12:00", Actor.US, tier=tier)
    action, *mailed = look(story, "2026-03-03 16:00").actions
    assert (change(action).group, change(action).tier) == (group, to)
    assert bool(mailed) is (to is None)
    assert ("escalated_management" in change(action).add_tags) is (to is None)


def test_one_step_per_stay_and_further_reasons_join_the_note() -> None:
    """Two targets late at once make one step up whose note has both reasons."""
    zone = profile("archbuilder").zone
    story = Story("2026-03-02 09:00", severity="P2", plan="basic", kind="performance", zone=zone)
    steps = [action for action in look(story, "2026-03-03 10:00", "archbuilder").actions if action.verb == "escalate"]
    assert len(steps) == 1
    assert change(steps[0]).tier == 2
    assert "First response was due" in (change(steps[0]).note or "")
    assert "Time in this tier was due" in (change(steps[0]).note or "")


def test_a_ticket_that_was_moved_from_this_stay_is_only_told_again() -> None:
    """A step already taken from this stay is not taken twice: the new reason becomes a note."""
    story = Story("2026-03-03 10:00")
    stay = life_of(story).stays[-1].cause
    [action] = look(story, "2026-03-03 14:00", stepped=Taken({stay: 2})).actions
    assert (action.verb, change(action).tier, change(action).group) == ("note", None, None)


def test_min_stay_keeps_a_ticket_from_climbing_two_tiers_at_once() -> None:
    """Moved up at 13:55, late again at 14:00: the next step waits until 14:10. Critical tickets do not wait."""
    zone = profile("archbuilder").zone
    story = Story("2026-03-02 09:00", severity="P2", plan="basic", kind="software_bug", zone=zone)
    story.set("2026-03-03 08:55", Actor.US, tier="2")
    late = edited_notice(story, "2026-03-03 09:00")
    assert [action.verb for action in late.actions if action.verb == "escalate"] == []
    settled = edited_notice(story, "2026-03-03 09:10")
    assert [action.verb for action in settled.actions if action.verb == "escalate"] == ["escalate"]


def edited_notice(story: Story, now: str) -> Noticed:
    """Look with archbuilder's own targets."""
    return look(story, now, "archbuilder")


@pytest.mark.req("SLA-17")
def test_immediate_is_late_after_the_grace() -> None:
    """A pmerit P0 is due at once and late five minutes later."""
    story = Story("2026-03-03 10:00", severity="P0", kind="technical", plan="standard", zone=profile("pmerit").zone)
    assert [a.verb for a in look(story, "2026-03-03 10:04:59", "pmerit").actions if a.rule == "Response"] == []
    [action] = [a for a in look(story, "2026-03-03 10:05", "pmerit").actions if a.rule == "Response"]
    assert isinstance(action.change, Message)
    assert action.change.text == "First response was due 10:00 (P0: at once). Rule: Response."


@pytest.mark.req("SLA-17")
@pytest.mark.parametrize(("answered", "state"), [("10:05", ClockState.MET), ("10:06", ClockState.MISSED)])
def test_immediate_is_met_within_the_grace(answered: str, state: ClockState) -> None:
    """What nobody is told of as late does not count as missed either."""
    zone = profile("pmerit").zone
    story = Story("2026-03-03 10:00", severity="P0", kind="technical", plan="standard", zone=zone)
    story.reply(f"2026-03-03 {answered}")
    found = [clock for clock in clocks(life_of(story, "pmerit"), profile("pmerit")) if clock.target == "Response"]
    assert [(clock.cell, clock.state) for clock in found] == [("immediate", state)]


def test_a_ticket_on_hold_for_us_is_left_alone() -> None:
    """The tag hf_hold keeps us off a ticket."""
    assert look(Story("2026-03-03 10:00", tags="hf_hold"), "2026-03-03 16:00") == Noticed(waits=True)


def test_what_was_dropped_because_the_ticket_changed_is_decided_again() -> None:
    """A noticed clock whose action was dropped comes up again under the same key; an answered one does not."""
    story = Story("2026-03-03 10:00")
    [first] = look(story, "2026-03-03 14:00").actions
    noticed: list[Clock] = list(look(story, "2026-03-03 14:00").clocks)
    life = life_of(story)
    later = at("2026-03-03 14:01")
    assert notice(life, noticed, profile("builder"), later) == Noticed()
    [second] = notice(life, noticed, profile("builder"), later, again={first.key}).actions
    assert second.key == first.key
    answered = life_of(story.reply("2026-03-03 13:59"))
    met = clocks(answered, profile("builder"), stored=noticed)
    assert notice(answered, met, profile("builder"), later, again={first.key}) == Noticed()


def test_a_renamed_target_does_not_fire_again() -> None:
    """Keys name the measure, not the target: after a rename the same lateness has the same key."""
    renamed = edited(
        "builder",
        """
assumed: {targets.Hand-off response: null}
targets:
  First response: null
  Hand-off response: null
  Antwort:
    measure: first_reply
    by: [plan]
    table: {starter: 4bh, professional: 4bh, business: 4bh, enterprise: 4bh}
    late: [escalate next]
""",
    )
    story = Story("2026-03-03 10:00")
    life = life_of(story)
    now = story.created + timedelta(hours=5)
    [before] = notice(life, clocks(life, profile("builder")), profile("builder"), now).actions
    [after] = notice(life, clocks(life, renamed), renamed, now).actions
    assert before.key == after.key


@pytest.mark.req("ESC-04")
@pytest.mark.parametrize(("now", "steps"), [("2026-03-03 16:59", 0), ("2026-03-03 17:00", 1)])
def test_the_earlier_of_two_ladders_wins(now: str, steps: int) -> None:
    """archbuilder's P2 technical ticket, answered at once, moves after 8 business hours, not a business day."""
    zone = profile("archbuilder").zone
    story = Story("2026-03-03 09:00", severity="P2", plan="basic", kind="software_bug", zone=zone)
    story.reply("2026-03-03 09:05")
    found = [
        a
        for a in look(story, now, "archbuilder").actions
        if a.verb == "escalate" and "Time in this tier" in a.reason.text
    ]
    assert len(found) == steps
