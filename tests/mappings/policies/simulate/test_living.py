"""A ticket lived through anew: our own past taken out, the profile's own steps put in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.model import Actor
from mappings.policies.simulate import Judge, Outcome, World, lived
from mappings.policies.simulate import judges as who_judge
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.measures import live
from mappings.profile import Profile
from mappings.replies import Replies
from mappings.timeline import build
from tests.profiles import edited, profile
from tests.stories import GROUPS, Story, at

REPLIES = Replies({"en": {"after_hours": "Hello {{ name }}", "abuse_warning": "Please do not."}})


CALM = """
targets:
  First response: {table: {P2: {business: 8bh}}}
  Any word: {measure: ack, table: 2bd}
"""
"""Eight hours for P2, so that the profile takes no step of its own on the first day."""


FIELDS = ("severity", "kind", "module", "working", "abuse", "abuse_decision")


def judges(of: Profile, **decided: bool) -> list[Judge]:
    """All who judge under a profile, as in a pulse; `decided` are decisions on abuse that were a manager's, or not."""
    world = World(
        replies=REPLIES,
        link=lambda id: f"https://x/{id}",
        groups=GROUPS,
        fields=FIELDS,
        decided={123: decided},
    )
    return [judge for own in who_judge(of, world).values() for judge in own]


def outcome(story: Story, of: Profile | None = None, until: str = "2026-03-06 18:00") -> Outcome:
    """What a story comes to under a profile."""
    under = of or profile("builder")
    return lived(story.history(), under, judges(under), groups=GROUPS, until=at(until))


def results(found: Outcome) -> list[tuple[str, str]]:
    """(target, result) of each promise."""
    return [(one.target, one.result) for one in found.kept]


def done(found: Outcome) -> list[tuple[str, Any]]:
    """(what, when) of each action, to the minute."""
    return [(deed.what, deed.at.replace(second=0)) for deed in found.deeds]


def test_a_ticket_answered_in_time_comes_to_nothing_more() -> None:
    """One met promise, and nothing done."""
    found = outcome(Story("2026-03-03 10:00").reply("2026-03-03 11:00"))
    assert results(found) == [("First response", "met")]
    assert done(found) == []


def test_late_ones_climb_by_the_profiles_own_steps() -> None:
    """P2 Business, never answered: 4 open hours a tier, then management; what ends after closing ends next day."""
    found = outcome(Story("2026-03-03 10:00"))
    times = ["2026-03-03 14:00", "2026-03-04 08:00", "2026-03-04 12:00"]
    steps = [("escalate", at(time)) for time in times]
    assert done(found) == [*steps, ("tell management", at(times[-1]))]
    assert results(found) == [
        ("First response", "late"),
        ("Hand-off response", "missed"),
        ("Hand-off response", "late"),
    ]
    assert "Moved to Technical support" in found.deeds[0].says
    assert "management" in found.deeds[2].says.lower()


def test_our_own_past_is_taken_out() -> None:
    """A ticket that we moved, tagged and answered comes to the same as one that we never touched."""
    calmer = edited("builder", "rules: {seen: {when: {tag: sla_breached}, do: [page on_call]}}\n" + CALM)
    untouched = Story("2026-03-03 10:00").reply("2026-03-03 16:30")
    touched = Story("2026-03-03 10:00")
    touched.set("2026-03-03 14:01", Actor.US, tier="2", group_id="2", tags="escalated sla_breached")
    touched.reply("2026-03-03 14:02", Actor.US)
    touched.reply("2026-03-03 16:30")
    assert outcome(touched, calmer) == outcome(untouched, calmer)
    assert results(outcome(touched, calmer)) == [("First response", "met"), ("Any word", "met")]
    assert outcome(touched, calmer).kept[1].ended_at == at("2026-03-03 16:30")


def test_what_people_did_afterwards_stays() -> None:
    """An agent who takes back our step, and tags beside ours, is heard; our tag is not in what they leave behind."""
    wall = edited("builder", "targets: {First response: {table: {P2: {business: 4h, enterprise: 1h}}}}")
    story = Story("2026-03-03 10:00")
    story.set("2026-03-03 14:01", Actor.US, tier="2", group_id="2", tags="escalated")
    story.set("2026-03-03 14:30", tags="escalated legal", tier="1", group_id="1")
    assert done(outcome(story, wall))[:1] == [("escalate", at("2026-03-03 14:00"))]
    assert len(done(outcome(story, wall))) < len(done(outcome(Story("2026-03-03 10:00"), wall)))


def test_a_held_ticket_is_left_alone_until_it_is_free() -> None:
    """`hf_hold` from 13:30 to 15:00: the step that was due at 14:00 is taken at 15:00."""
    story = Story("2026-03-03 10:00").set("2026-03-03 13:30", tags="hf_hold").set("2026-03-03 15:00", tags=None)
    assert done(outcome(story))[0] == ("escalate", at("2026-03-03 15:00"))


def test_rules_are_judged_at_their_moments() -> None:
    """Filed at night: P1 pages, P2 is queued and answered; what happened later to the ticket changes nothing of it."""
    told = Story("2026-03-03 23:00", severity=None).set("2026-03-03 23:02", severity="P1").reply("2026-03-03 23:10")
    assert ("page on_call", at("2026-03-03 23:02")) in done(outcome(told))
    queued = Story("2026-03-03 23:00").reply("2026-03-04 08:30").set("2026-03-04 09:00", status="merged")
    assert {what for what, _ in done(outcome(queued))} == {"tag next_business_day", "reply after_hours"}


def unsaid(subject: str, **fields: str | None) -> Story:
    """A request by mail: no form has said what it is, or how bad."""
    story = Story("2026-03-03 10:00", severity=None, kind=None, channel="email", **fields)
    story.subject = subject
    return story


def test_what_nobody_said_is_judged_from_the_words() -> None:
    """A mail gets kind, severity and due time by the profile's own signs, whatever we said of it then."""
    ours = unsaid("System down: nobody can log in").set("2026-03-03 10:01", Actor.US, severity="P3", kind="question")
    found = outcome(ours, until="2026-03-03 10:50")
    assert ("severity P1", at("2026-03-03 10:00")) in done(found)
    assert {(one.target, one.severity) for one in found.kept} == {("First response", "P1")}
    calmer = edited("builder", "severities: {P1: {signs: [the house is on fire]}}")
    assert "severity P1" not in {what for what, _ in done(outcome(ours, calmer))}


def test_what_an_agent_said_of_it_stays() -> None:
    """Severity by an agent, after ours: the profile's judgement is made before, and none after it."""
    story = unsaid("System down").set("2026-03-03 10:20", severity="P3")
    found = outcome(story, until="2026-03-03 14:00")
    assert [what for what, _ in done(found) if what.startswith("severity")] == ["severity P1"]
    assert [one.severity for one in found.kept if one.target == "First response"] == ["P3"]


def test_it_goes_to_the_group_of_its_kind_and_to_nobody_in_it() -> None:
    """Who was free nobody knows: triage sends to a group, and neither gives nor says that nobody was free."""
    moved = edited("builder", "kinds: {billing: {group: Product}}")
    found = outcome(unsaid("We were charged twice"), moved)
    assert [what for what, _ in done(found) if what.startswith("assign")] == ["assign Product"]
    assert not any("Nobody in the group" in deed.says for deed in found.deeds)


@pytest.mark.parametrize(
    ("answer", "paged"), [(None, "2026-03-03 23:10"), ("no", "2026-03-03 23:04"), ("yes", None)], ids=str
)
def test_a_page_waits_for_what_the_customer_says(answer: str | None, paged: str | None) -> None:
    """A critical severity that the customer chose: without an answer it pages at the end of the time; their no pages at
    once, their yes never does, though it was we who wrote it down.
    """
    story = Story("2026-03-03 23:00", severity="P1")
    if answer is not None:
        story.set("2026-03-03 23:04", Actor.US, working=answer)
    found = [when for what, when in done(outcome(story)) if what == "page on_call"]
    assert found == ([at(paged)] if paged else [])


def test_a_flag_and_a_managers_decision_are_lived() -> None:
    """Flagged, and decided by who may: to the managers, warned, counted; by who may not, set back."""
    story = Story("2026-03-03 10:00").set("2026-03-03 11:00", abuse="harassment")
    story.set("2026-03-03 12:00", abuse_decision="warn")
    cause = story.events[-1].audit_id
    of = profile("builder")
    found = lived(story.history(), of, judges(of, **{str(cause): True}), groups=GROUPS, until=at("2026-03-03 13:00"))
    told = {("abuse flag", at("2026-03-03 11:00")), ("abuse decide", at("2026-03-03 12:00"))}
    assert told <= set(done(found))
    assert {"abuse reply", "abuse warn"} <= {what for what, _ in done(found)}
    found = lived(story.history(), of, judges(of, **{str(cause): False}), groups=GROUPS, until=at("2026-03-03 13:00"))
    whats = {what for what, _ in done(found)}
    assert {"abuse flag", "abuse refuse"} <= whats
    assert not {"abuse decide", "abuse warn"} & whats


def test_our_step_brings_about_what_rules_make_of_it() -> None:
    """A rule on escalated tickets fires where the profile's own step escalated them, and not before."""
    telling = edited("builder", "rules: {told: {when: {event: escalated}, do: [tag watched]}}")
    found = outcome(Story("2026-03-03 10:00").reply("2026-03-03 16:00"), telling)
    assert ("tag watched", at("2026-03-03 14:00")) in done(found)


def test_nothing_of_the_future_is_known() -> None:
    """Cut off at any hour, what was done until then is what the whole life tells of that time."""
    story = Story("2026-03-03 10:00").set("2026-03-03 15:00", severity="P1").reply("2026-03-04 09:00")
    story.set("2026-03-04 10:00", status="solved")
    whole = done(outcome(story))
    for hour in range(11, 18):
        until = f"2026-03-03 {hour}:30"
        assert done(outcome(story, until=until)) == [one for one in whole if one[1] <= at(until)]


def test_a_ticket_without_its_beginning_is_not_judged() -> None:
    """What was never read is said, not guessed."""
    story = Story("2026-03-03 10:00").reply("2026-03-03 11:00")
    story.events = story.events[-1:]
    assert not outcome(story).known


MINUTES = st.integers(1, 5 * 24 * 60)


@given(st.lists(st.tuples(MINUTES, st.sampled_from(["reply", "note", "pending", "open", "solved", "worse", "milder"]))))
def test_where_we_never_stepped_in_it_is_what_the_clocks_say(doings: list[tuple[int, str]]) -> None:
    """Whatever people do: where no step of ours was needed, each promise came to what its clock came to."""
    calm = edited("builder", "targets: {First response: {late: []}, Hand-off response: {late: []}}\nrules: {}")
    story = told(doings)
    history = story.history()
    rows = clocks(live(history, build(history), calm, GROUPS), calm)
    found = lived(history, calm, [], groups=GROUPS, until=at("2026-03-20 18:00"))
    assert [(k.target, k.cause, k.due_at, k.ended_at, k.missed_by) for k in found.kept] == [
        (row.target, row.cause, row.due_at, row.stopped_at, row.missed_by) for row in rows
    ]
    assert {k.result for k in found.kept if k.ended_at} <= {"met", "missed"}


def told(doings: list[tuple[int, str]]) -> Story:
    """A story in which people do these things at these minutes."""
    story = Story("2026-03-02 08:00")
    fields = {
        "pending": {"status": "pending"},
        "open": {"status": "open"},
        "solved": {"status": "solved"},
        "worse": {"severity": "P1"},
        "milder": {"severity": "P3"},
    }
    for minute, what in sorted(doings):
        day, rest = divmod(minute, 24 * 60)
        when = f"2026-03-{2 + day:02d} {rest // 60:02d}:{rest % 60:02d}"
        if what in ("reply", "note"):
            story.reply(when, public=what == "reply")
        else:
            story.set(when, **fields[what])
    return story


@given(st.lists(st.tuples(MINUTES, st.sampled_from(["reply", "note", "pending", "open", "solved", "worse", "milder"]))))
def test_living_through_twice_is_the_same(doings: list[tuple[int, str]]) -> None:
    """The same past under the same profile gives the same outcome, step for step."""
    story = told(doings)
    assert outcome(story, until="2026-03-20 18:00") == outcome(story, until="2026-03-20 18:00")


@pytest.mark.parametrize("organisation", ["builder", "roofing", "pmerit", "archbuilder", "lasercalc"])
def test_every_organisation_can_be_lived_through(organisation: str) -> None:
    """Each shipped profile, on a ticket that nobody answers: it ends, and something is late."""
    of = profile(organisation)
    severity, plan = list(of.severities)[1], next(iter(of.plans))
    story = Story("2026-03-03 10:00", severity=severity, plan=plan, kind=next(iter(of.kinds)), zone=of.zone)
    found = outcome(story, of, until="2026-03-20 18:00")
    assert "late" in {one.result for one in found.kept}
