"""What must hold for any ticket: order, replay, one rule beside another, and a person's word."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.model import Actor, EventKind
from mappings.plan import Action, TicketChange
from mappings.policies.escalation import asked
from mappings.policies.rules import Around, judge
from mappings.policies.sla.measures import live
from mappings.profile import Profile
from mappings.timeline import build
from tests.mappings.policies.rules.cases import COMPANY, DAY, REPLIES, Told, beside, itself, plain
from tests.profiles import edited, profile
from tests.stories import GROUPS, at

PROFILES = ("builder", "roofing", "pmerit", "archbuilder", "lasercalc")
TAGS = ["escalate_please", "services", "abusive", "legal", "press", "executive", "product_defect", "hf_hold", "other"]
FIELDS = (
    "severity", "kind", "tags", "status", "tier", "group_id", "rating", "affected_users", "problem_id",
    "escalation_reason",
)  # fmt: skip


def value(draw: st.DrawFn, field: str, org: Profile) -> str | None:
    """Something that a field of a profile's ticket may become."""
    words: dict[str, list[Any]] = {
        "severity": list(org.severities),
        "kind": [None, *org.kinds],
        "tags": [None, *TAGS, "escalate_please services"],
        "status": ["open", "pending", "solved"],
        "tier": [str(tier) for tier in org.tiers],
        "group_id": ["1", "2", "3"],
        "rating": ["1", "5"],
        "affected_users": ["3", "11"],
        "problem_id": [None, "500", "501"],
        "escalation_reason": [None, "ability", "other"],
    }
    found: str | None = draw(st.sampled_from(words[field]))
    return found


@st.composite
def lives(draw: st.DrawFn, name: str) -> Told:
    """A ticket of a profile with some changes by anybody, several of them within one minute, and tickets beside it."""
    org = profile(name)
    told: dict[str, Any] = {
        "severity": draw(st.sampled_from(list(org.severities))),
        "plan": draw(st.sampled_from(list(org.plans))),
        "kind": draw(st.sampled_from(list(org.kinds))),
        "channel": draw(st.sampled_from(["email", "chat", "phone"])),
        "tags": draw(st.sampled_from(["", *TAGS[:7]])),
        "vip": draw(st.booleans()),
        "filed": draw(st.sampled_from([DAY, "2026-03-04 02:00", "2026-03-07 12:00"])),
    }
    companies, days = st.sampled_from([COMPANY, 8]), st.integers(1, 3)
    around = [
        beside(id, f"2026-03-0{draw(days)} 10:00", org, company=draw(companies), problem=500)
        for id in range(1, draw(st.integers(1, 5)))
    ]
    role = draw(st.sampled_from(["owner", "client"]))
    made = plain(org, role=role, around=[*around, itself(told["filed"], org)], **told)
    when = at(told["filed"], org.zone).astimezone(org.zone)
    for _ in range(draw(st.integers(0, 6))):
        when += timedelta(minutes=draw(st.sampled_from([0, 1, 90, 1500])))
        actor = draw(st.sampled_from([Actor.AGENT, Actor.CUSTOMER, Actor.US, Actor.RULE]))
        field = draw(st.sampled_from(FIELDS))
        made.story.set(f"{when:%Y-%m-%d %H:%M}", actor, **{field: value(draw, field, org)})
    return made


def words(actions: list[Action]) -> bytes:
    """Actions to the byte, as the journal writes them."""
    return msgspec.json.encode(actions)


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_replaying_a_day_gives_the_same_actions(name: str, data: st.DataObject) -> None:
    """The same past judged again, its events and neighbours read in any order: the same actions, byte for byte."""
    org, told = profile(name), data.draw(lives(name))
    events = data.draw(st.permutations(told.story.events))
    around = data.draw(st.permutations(told.around))
    history = msgspec.structs.replace(told.history(), events=tuple(events))
    again = judge(live(history, build(history), org, GROUPS), org, REPLIES, link=str, around=Around(tuple(around)))
    assert words(again) == words(told.judged(org))


@settings(max_examples=30, deadline=None)
@given(st.permutations(["severity", "kind", "tags", "affected_users"]))
def test_the_order_of_simultaneous_events_does_not_matter(order: list[str]) -> None:
    """Severity, kind, tags and a number change in one second, by four updates: all orders give the same."""
    org = profile("pmerit")
    new = {"severity": "P1", "kind": "security", "tags": "legal", "affected_users": "12"}
    first, shuffled = plain(org), plain(org)
    for field in new:
        first.story.set("2026-03-03 12:00", **{field: new[field]})
    for field in order:
        shuffled.story.set("2026-03-03 12:00", **{field: new[field]})

    def done(told: Told) -> list[tuple[str, object]]:
        return [(action.key, action.change) for action in told.judged(org)]

    assert done(shuffled) == done(first)


MORE = [
    "{when: {event: created}, do: [tag newcomer]}",
    '{when: {companies_on_problem: ">=1"}, do: [flag newcomer]}',
    '{when: {tickets_from_company: ">=2", within: 9d}, do: [flag newcomer]}',
    "{when: {tag: escalate_please}, do: [reply after_hours], again: true}",
    "{when: {event: solved}, do: [follow_up], again: true}",
]


@pytest.mark.parametrize("more", MORE)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_adding_a_rule_changes_nothing_of_the_others(more: str, data: st.DataObject) -> None:
    """What the other rules do, keys and changes, is what they did; the new one's own actions come to it."""
    told, org = data.draw(lives("builder")), profile("builder")
    wider = edited("builder", f"rules: {{newcomer: {more}}}")

    def done(using: Profile) -> dict[str, tuple[str, str]]:
        found = [action for action in told.judged(using) if action.rule != "newcomer"]
        return {action.key: (_without_version(action.change, using), action.rule) for action in found}

    before, after = done(org), done(wider)
    own = {action.key for action in told.judged(wider) if action.rule == "newcomer"}
    assert {key: what for key, what in before.items() if key not in own} == after


def _without_version(change: object, org: Profile) -> str:
    """A change without the profile's version, which stands in notes and differs."""
    return msgspec.json.encode(change).decode().replace(org.version, "")


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_persons_group_is_never_undone(name: str, data: st.DataObject) -> None:
    """Whatever happened: after an agent's own choice of a group no rule of an earlier moment assigns another."""
    org, told = profile(name), data.draw(lives(name))
    choices = [
        event.at
        for event in told.story.events
        if event.field == "group_id" and event.actor is Actor.AGENT and event.kind is EventKind.CHANGE
    ]
    later = [at for at in choices if at > told.story.created]
    for action in told.judged(org):
        if action.verb == "assign" and isinstance(action.change, TicketChange) and action.change.group is not None:
            assert all(action.cause_at > at for at in later)
            assert action.expects["updated_at"] == told.story.last.isoformat()


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_nobodys_move_up_is_undone(name: str, data: st.DataObject) -> None:
    """Whatever happened: a step leads above the tier that the ticket is in now, and goes only while that is so."""
    org, told = profile(name), data.draw(lives(name))
    life = told.life(org)
    for action in [*told.judged(org), *asked(life, org, policy="rules", link=str)]:
        if isinstance(action.change, TicketChange) and action.change.tier is not None:
            assert action.change.tier > life.stays[-1].tier
            assert action.expects["updated_at"] == told.story.last.isoformat()


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_one_group_for_each_moment(name: str, data: st.DataObject) -> None:
    """However many rules of one moment move a ticket: they agree on where to."""
    org, told = profile(name), data.draw(lives(name))
    wanted: dict[object, set[str]] = {}
    for action in told.judged(org):
        if action.verb in ("assign", "escalate") and isinstance(action.change, TicketChange) and action.change.group:
            wanted.setdefault(action.cause_at, set()).add(action.change.group)
    assert all(len(groups) == 1 for groups in wanted.values())
