"""Keys: what is done and why, never when we ran. Their shapes are written down, for every journal holds them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.model import Actor, Company, Incident, Neighbour, PageStatus
from mappings.notices import following
from mappings.plan import KEY_GRAMMAR, Action, PageResolve, PageTrigger
from mappings.policies.abuse.acting import Known, conduct
from mappings.policies.abuse.companies import lift
from mappings.policies.abuse.flags import decisions
from mappings.policies.escalation import asked
from mappings.policies.paging import dedup_key, pair, unconfirmed
from mappings.policies.rules import Around, judge
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.fields import upkeep
from mappings.policies.sla.lateness import notice, unverified
from mappings.policies.sla.measures import Life, live
from mappings.policies.sla.ownership import fights, left
from mappings.policies.triage import Staff, triage
from mappings.profile import Profile
from mappings.replies import Replies
from mappings.timeline import build
from tests.profiles import edited
from tests.stories import GROUPS, Story, at

GOLDEN = Path(__file__).parent / "keys.golden"
CHANGED = """the shape of keys changed. Every deployment's journal holds keys of the old shape: with new ones, what was
done would be done again. Keep the old shape; or, if it must change, raise KEY_GRAMMAR in mappings/plan.py, write a
migration that gives the journal's rows their new keys, and put the new shapes into tests/mappings/keys.golden."""

PROFILE = edited(
    "builder",
    """
targets:
  First response: {late: [escalate next, page on_call, tell management, tag slow], warn: [tell owner, tag soon]}
  Golden progress: {measure: progress, table: 1bd, late: [escalate next]}
  Golden solution: {measure: resolve, table: 3bd, late: [escalate management]}
rules:
  Golden page:      {when: {severity: P1}, do: [page on_call, tag urgent, escalate next, reply next_business_day]}
  Golden answer:    {when: {event: reopened}, do: [tell management, assign senior], again: true}
  Golden second:    {when: {event: reopened}, do: [assign management]}
  Golden marks:     {when: {rating: "<=2"}, do: [flag sad, follow_up, suggest incident, follow csm]}
  Golden company:   {when: {tickets_from_company: ">=2", within: 7d}, do: [flag busy, tell leads, reply once]}
""",
)
BY_SLACK = """
routes: {leads: {slack: "#leads"}}
tools: {slack: true}
targets: {First response: {late: [tell leads, mention leads]}}
"""
REPLIES = Replies(
    {"en": {"next_business_day": "Tomorrow, {name}.", "once": "Again?", "abuse_warning": "Please do not, {name}."}}
)


def life_of(story: Story, using: Profile = PROFILE) -> Life:
    """A story's ticket, as policies look at it."""
    history = story.history()
    return live(history, build(history), using, GROUPS)


def by_lateness(story: Story, now: str, using: Profile = PROFILE) -> list[Action]:
    """What the clocks ask for at a time of the office."""
    life = life_of(story, using)
    found = clocks(life, using)
    return [*notice(life, found, using, at(now)).actions, *unverified(life, found, using, at(now))]


def by_rules(story: Story, *neighbours: Neighbour) -> list[Action]:
    """What the rules of this file ask for."""
    found = judge(life_of(story), PROFILE, REPLIES, link=str, around=Around(neighbours))
    return [action for action in found if action.rule.startswith("Golden")]


def reset() -> Story:
    """A rule of the account sets a field of ours back twice."""
    story = Story("2026-03-03 10:00")
    for minute in ("11:01", "11:02"):
        story.set(f"2026-03-03 {minute}", Actor.US, sla_due="x").set(f"2026-03-03 {minute}", Actor.RULE, sla_due=None)
    return story


def paged() -> list[Action]:
    """A page that was taken, on a ticket that was solved."""
    story, taken = Story("2026-03-03 10:00", severity="P1"), at("2026-03-03 10:05")
    key = dedup_key("zendesk:123", life_of(story).created)
    incident = Incident(
        id="PI1",
        dedup_key=key,
        status=PageStatus.ACKNOWLEDGED,
        created_at=taken,
        updated_at=taken,
        acknowledged_at=taken,
    )
    return pair(story.set("2026-03-03 11:00", status="solved").history(), [incident], {key: "support"}, PROFILE)


def conducted() -> Iterator[tuple[str, list[Action]]]:
    """A flag, each decision of a manager, an attempt of somebody else, and the end of a restriction."""

    def asked(story: Story, *, manager: bool = True) -> list[Action]:
        life = life_of(story)
        known = Known(managers={one.cause: manager for one in decisions(life.line)})
        return conduct(life, PROFILE, REPLIES, known)

    def flagged() -> Story:
        return Story("2026-03-03 10:00").set("2026-03-03 11:00", abuse="threats")

    yield "abuse: a flag", asked(flagged())
    for value in ("warn", "restrict", "account_review", "none"):
        yield f"abuse: {value}", asked(flagged().set("2026-03-03 12:00", abuse_decision=value))
    yield "abuse: refused", asked(flagged().set("2026-03-03 12:00", abuse_decision="warn"), manager=False)
    company = Company(id=7, name="Acme", updated_at=at("2026-03-03 10:00"), restricted_until="2026-03-17")
    yield "abuse: over", [lift(company, PROFILE)]


def situations() -> Iterator[tuple[str, list[Action]]]:
    """A wide set of situations, by name."""
    fresh = Story("2026-03-03 10:00")
    yield "near", by_lateness(fresh, "2026-03-03 13:10")
    yield "late", by_lateness(fresh, "2026-03-03 14:00")
    yield "late at last", by_lateness(fresh, "2026-03-09 14:00")
    handed = Story("2026-03-03 10:00").set("2026-03-03 10:30", Actor.US, tier="2")
    yield "late after a hand-off", by_lateness(handed, "2026-03-04 14:00")
    answered = Story("2026-03-03 10:00").reply("2026-03-03 10:20").set("2026-03-03 10:30", Actor.US, tier="2")
    yield "late for a hand-off alone", by_lateness(answered, "2026-03-03 15:00")
    yield "late for a solution alone", by_lateness(answered.reply("2026-03-06 15:00"), "2026-03-06 15:30")
    reopened = Story("2026-03-03 10:00").set("2026-03-03 11:00", status="solved").set("2026-03-03 12:00", status="open")
    yield "late after a reopening", by_lateness(reopened, "2026-03-04 17:00")
    worse = Story("2026-03-03 10:00").set("2026-03-03 10:30", severity="P1")
    yield "late after severity got worse", by_lateness(worse, "2026-03-03 12:00")
    yield "rules", by_rules(Story("2026-03-03 10:00", severity="P1"))
    yield "rules after a reopening", by_rules(reopened)
    asking = Story("2026-03-03 10:00").set("2026-03-03 11:00", tags="hf_escalate")
    asking.set("2026-03-03 11:10", escalation_reason="defect")
    yield "asked for by hand", asked(life_of(asking), PROFILE, policy="rules", link=str)
    second = Story("2026-03-03 10:00").set("2026-03-03 11:00", Actor.US, tier="2")
    yield "rules in a later tier", by_rules(second.set("2026-03-03 12:00", severity="P1"))
    rated = Story("2026-03-03 10:00").set("2026-03-03 12:00", Actor.CUSTOMER, rating="1")
    yield "rules after a rating", by_rules(rated)
    others = [Neighbour(id=id, created_at=fresh.created, company_id=7, company_since=fresh.created) for id in (5, 123)]
    yield "rules about a company", by_rules(fresh, *others)
    life = life_of(fresh)
    yield "fields", upkeep(life, clocks(life, PROFILE), PROFILE)
    fought = life_of(reset())
    yield "a field left to a rule", [left(fought, fight, {}, PROFILE) for fight in fights(fought, PROFILE)]
    yield "pages", paged()
    told = by_lateness(fresh, "2026-03-03 14:00", edited("builder", BY_SLACK))
    yield "a message, and what follows where its way fails", [a for one in told for a in (one, following(one)) if a]
    history, pages = fresh.history(), [a for a in by_lateness(fresh, "2026-03-03 14:00") if a.verb == "page"]
    yield "a page that nobody saw", unconfirmed(history, pages[0], PROFILE, at("2026-03-03 14:00"), link=str)
    yield from conducted()
    silent = Story("2026-03-03 10:00", severity="P1", kind=None)
    yield "triage", by_triage(silent)
    yield "triage of a ticket with its kind changed", by_triage(silent.set("2026-03-03 10:20", kind="feature_request"))


def by_triage(story: Story) -> list[Action]:
    """What triage wants of a ticket; nobody is free for it."""
    there = frozenset({"severity", "kind", "source", "plan_at_submission", "working"})
    asking = Replies({"en": {"confirm_severity": "Down, {{ name }}?"}})
    staff = Staff(groups=GROUPS, members={"Support": frozenset({11}), "Product": frozenset()})
    return triage(life_of(story), PROFILE, staff, asking, story.created, fields=there)


def shapes() -> list[str]:
    """Every situation's keys; a digest of values is not a shape, and stands as such."""
    lines = [f"# key grammar {KEY_GRAMMAR}"]
    for name, actions in situations():
        for action in actions:
            lines.append(f"{name}: {re.sub(r'(?<=:)[0-9a-f]{8}$', '<digest>', action.key)}")
            if isinstance(action.change, PageTrigger | PageResolve):
                lines.append(f"{name}: pagerduty {action.change.dedup_key}")
    return list(dict.fromkeys(lines))


def test_the_shapes_of_keys_are_those_written_down() -> None:
    """Each policy's keys in a wide set of situations are those of the golden file, of this version of the grammar."""
    assert shapes() == GOLDEN.read_text().splitlines(), CHANGED


MOMENTS = st.integers(1, 60 * 24 * 12).map(lambda minute: timedelta(minutes=minute))


@st.composite
def lives(draw: st.DrawFn) -> Story:
    """A ticket with some replies, changes of severity and solves, minutes to days apart."""
    story = Story("2026-03-03 10:00", severity=draw(st.sampled_from(["P1", "P2", "P3", "P4"])))
    when = at("2026-03-03 10:00").astimezone(story.zone)
    for _ in range(draw(st.integers(0, 5))):
        when += timedelta(minutes=draw(st.integers(1, 900)))
        text = f"{when:%Y-%m-%d %H:%M}"
        match draw(st.sampled_from(["reply", "severity", "solve", "reopen", "tier"])):
            case "reply":
                story.reply(text)
            case "severity":
                story.set(text, severity=draw(st.sampled_from(["P1", "P2", "P3"])))
            case "solve":
                story.set(text, status="solved")
            case "reopen":
                story.set(text, Actor.CUSTOMER, status="open")
            case _:
                story.set(text, Actor.US, tier=draw(st.sampled_from(["2", "3"])))
    return story


@settings(max_examples=60, deadline=None)
@given(lives(), MOMENTS, MOMENTS)
def test_keys_have_no_wall_clock_in_them(story: Story, one: timedelta, other: timedelta) -> None:
    """The same past looked at sooner or later: what was late the first time has the same key the second time."""
    life = life_of(story)
    found = clocks(life, PROFILE)
    sooner, later = sorted((story.last + one, story.last + other))
    first = {action.key for action in notice(life, found, PROFILE, sooner).actions if action.key.startswith("late:")}
    second = {action.key for action in notice(life, found, PROFILE, later).actions}
    assert first <= second
    assert [a.key for a in judge(life, PROFILE, REPLIES, link=str)] == [
        a.key for a in judge(life_of(story), PROFILE, REPLIES, link=str)
    ]


def renamed(old: Profile) -> Profile:
    """The same promises and rules under other names."""
    targets = {f"{name} (new)": target for name, target in old.targets.items()}
    rules = {f"{name} (new)": rule.model_copy(update={"name": f"{name} (new)"}) for name, rule in old.rules.items()}
    return old.model_copy(update={"targets": targets, "rules": rules, "name": "Another name"})


def test_names_stand_in_no_key() -> None:
    """Targets, rules and the profile get new names: every key stays as it was."""
    new = renamed(PROFILE)
    for story in (Story("2026-03-03 10:00"), Story("2026-03-03 10:00", severity="P1")):
        for now in ("2026-03-03 13:10", "2026-03-03 14:00", "2026-03-09 14:00"):
            before, after = by_lateness(story, now), by_lateness(story, now, new)
            assert before
            assert {action.key for action in before} == {action.key for action in after}
        keys = {action.key for action in judge(life_of(story), PROFILE, REPLIES, link=str)}
        assert keys == {action.key for action in judge(life_of(story, new), new, REPLIES, link=str)}


@pytest.mark.parametrize("severity", ["P1", "P3"])
def test_a_reopening_is_a_new_cause(severity: str) -> None:
    """Late, solved and reopened: what is late again is late anew, under another key."""
    story = Story("2026-03-03 10:00", severity=severity)
    first = {action.key for action in by_lateness(story, "2026-03-09 14:00")}
    story.set("2026-03-09 15:00", status="solved").set("2026-03-09 16:00", Actor.CUSTOMER, status="open")
    second = {action.key for action in by_lateness(story, "2026-03-12 16:00")}
    assert first
    assert second
    assert first.isdisjoint(second)


def test_worse_severity_does_not_fire_again() -> None:
    """Late as a P2 and then made a P1: the episode is the same, and so is the key."""
    story = Story("2026-03-03 10:00")
    first = {action.key for action in by_lateness(story, "2026-03-03 14:00")}
    story.set("2026-03-03 15:00", severity="P1")
    assert first <= {action.key for action in by_lateness(story, "2026-03-03 15:30")}


def test_what_was_spoken_of_is_not_said_again() -> None:
    """Facts read anew forget what was noticed: what a note of the journal spoke of, also beside another, stays said."""
    life = life_of(Story("2026-03-03 10:00"))
    found, now = clocks(life, PROFILE), at("2026-03-09 14:00")
    step = next(a for a in notice(life, found, PROFILE, now).actions if a.key.startswith("late:escalate:"))
    said = {":".join(step.key.rsplit(":", 2)[1:]), *step.reason.facts["with"].split()}
    assert len(said) == 3
    again = notice(life, found, PROFILE, now, known=said).actions
    assert not [action for action in again if action.key.startswith("late:escalate:")]
    fewer = notice(life, found, PROFILE, now, known=said - {max(said)}).actions
    other = next(action for action in fewer if action.key.startswith("late:escalate:"))
    assert other.key == f"late:escalate:zendesk:123:{max(said)}"
    assert msgspec.structs.asdict(other)["rule"] in PROFILE.targets
