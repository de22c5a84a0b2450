"""Where a ticket goes and who takes it: group by kind or entry tier, agent by field, presence and load."""

import msgspec
import pytest

from mappings.model import Actor
from mappings.policies.triage import NO_AGENT_FREE, Staff
from tests.mappings.policies.triage.told import GROUPS, TUESDAY, carried_out, changes, decided, fields, filed, staff
from tests.profiles import edited, profile
from tests.stories import Story

THREE = staff(Support=(11, 12, 13))


def agent(story: Story, hands: Staff, org: str = "builder", **ticket: object) -> int | None:
    """Who is given the ticket."""
    given = [change.assignee_id for change in changes(decided(story, profile(org), hands=hands, **ticket))]
    return next((id for id in given if id is not None), None)


@pytest.mark.req("TRI-15")
def test_away_and_full_agents_are_passed_over() -> None:
    """Three agents, one with twenty open tickets, one away: the third has it."""
    hands = msgspec.structs.replace(THREE, loads={11: 20}, absent=frozenset({12}))
    assert agent(filed(), hands) == 13
    assert agent(filed(), msgspec.structs.replace(hands, loads={11: 19, 13: 19})) == 11


@pytest.mark.req("TRI-15")
def test_field_of_work_goes_before_load() -> None:
    """Whose field it is comes first, then those without one, then specialists for something else; then the load."""
    own = {11: frozenset({"billing"}), 12: frozenset({"scheduling", "bug"})}
    hands = msgspec.structs.replace(THREE, specialties=own, loads={12: 9, 13: 5})
    assert agent(filed(kind="bug"), hands) == 12
    assert agent(filed(kind="billing"), hands) == 11
    assert agent(filed(kind="question"), hands) == 13
    assert agent(filed(kind="question"), msgspec.structs.replace(hands, absent=frozenset({13}))) == 11
    assert agent(filed(kind="question", plan="starter"), hands, module="scheduling") == 12


@pytest.mark.req("TRI-15")
def test_least_load_then_lowest_number() -> None:
    """Among equals who has least to do, then the lower number; what is given away counts at once."""
    hands, given = THREE, []
    for _ in range(4):
        found = agent(filed(), hands)
        assert found is not None
        given.append(found)
        hands = hands.given(found)
    assert given == [11, 12, 13, 11]


@pytest.mark.req("TRI-15")
def test_nobody_free() -> None:
    """It stays with the group, with a tag, once; when somebody is free they get it and the tag goes."""
    full = msgspec.structs.replace(THREE, loads={11: 20, 12: 20, 13: 20})
    story = filed()
    first = decided(story, hands=full)
    assert [change.add_tags for change in changes(first) if change.add_tags] == [(NO_AGENT_FREE,)]
    story = carried_out(story, first, "2026-03-03 10:01")
    assert decided(story, hands=full) == []
    then = changes(decided(story, hands=THREE))
    assert [(change.assignee_id, change.remove_tags) for change in then] == [(11, (NO_AGENT_FREE,))]
    taken = story.set("2026-03-03 10:04", assignee_id="77")
    (only,) = decided(taken, hands=full)
    assert changes([only])[0].remove_tags == (NO_AGENT_FREE,)
    assert "Somebody has the ticket." in only.reason.text


@pytest.mark.req("TRI-15")
def test_what_a_profile_matches_by() -> None:
    """Without `available` nobody is passed over for being away; without `tier` nobody is chosen at all."""
    away = msgspec.structs.replace(THREE, absent=frozenset({11, 12, 13}))
    anyone = edited("builder", "agents: {match: [tier]}")
    assert [c.assignee_id for c in changes(decided(filed(), anyone, hands=away)) if c.assignee_id] == [11]
    nobody = edited("builder", "agents: {match: []}")
    assert [c.assignee_id for c in changes(decided(filed(), nobody, hands=THREE)) if c.assignee_id] == []


@pytest.mark.req("TRI-05")
@pytest.mark.parametrize(
    ("org", "kind", "group"),
    [("pmerit", "complaint", "Leads"), ("pmerit", "feature_request", "Product"), ("pmerit", "account", None)],
)
def test_the_kind_decides_the_group(org: str, kind: str, group: str | None) -> None:
    """A complaint goes to the lead, a feature request to product; what the first tier does stays there."""
    assert fields(decided(filed(kind=kind, plan="standard"), profile(org))).get("group") == group


@pytest.mark.req("TRI-16")
@pytest.mark.parametrize(("plan", "group"), [("basic", "Tier 1"), ("professional", "Tier 2"), ("enterprise", "Tier 2")])
def test_the_plan_decides_the_entry_tier(plan: str, group: str) -> None:
    """An Enterprise API issue enters tier 2 in archbuilder, a Basic one tier 1."""
    story = filed(plan=plan, kind="integration")
    groups = {1: "Tier 1", 2: "Tier 2"}
    hands = Staff(groups=groups, members={"Tier 1": frozenset({11}), "Tier 2": frozenset({22})})
    found = [change for change in changes(decided(story, profile("archbuilder"), hands=hands)) if change.assignee_id]
    assert [change.group or "Tier 1" for change in found] == [group]
    assert [change.assignee_id for change in found] == [11 if group == "Tier 1" else 22]


@pytest.mark.req("TRI-16", "TRI-05")
def test_a_group_that_somebody_chose_stays() -> None:
    """An agent, a trigger later on, or a group that is not the entrance: the ticket stays, and with nobody's name."""
    wanted = {"kind": "feature_request"}
    assert fields(decided(filed(**wanted), hands=THREE))["group"] == "Product"
    for actor in (Actor.AGENT, Actor.RULE):
        moved = filed(**wanted).set("2026-03-03 10:02", actor, group_id="2")
        assert "group" not in fields(decided(moved, hands=staff(Technical=(21,))))
        assert agent(moved, staff(Technical=(21,))) is None
    and_back = filed(**wanted).set("2026-03-03 10:02", group_id="2").set("2026-03-03 10:04", group_id="1")
    assert "group" not in fields(decided(and_back, hands=THREE))
    elsewhere = filed(**wanted)
    elsewhere.values["group_id"] = "3"
    elsewhere.events = [
        msgspec.structs.replace(event, new="3") if event.field == "group_id" else event for event in elsewhere.events
    ]
    assert decided(elsewhere, hands=staff(Engineering=(31,))) == decided(elsewhere)


@pytest.mark.req("TRI-15")
@pytest.mark.parametrize("actor", [Actor.AGENT, Actor.RULE, Actor.CUSTOMER])
def test_nobody_is_taken_off_a_ticket(actor: Actor) -> None:
    """Whoever was given a ticket by somebody keeps it, and one that somebody gave back is not given away again."""
    held = filed(kind="feature_request").set("2026-03-03 10:02", actor, assignee_id="77")
    assert agent(held, staff(Product=(51,))) is None
    given_back = held.set("2026-03-03 10:05", actor, assignee_id=None)
    assert agent(given_back, staff(Product=(51,), Support=(11,))) is None


@pytest.mark.req("TRI-17")
def test_a_changed_kind_moves_the_ticket_on() -> None:
    """An agent says that it is a feature request: what we had sent to Support goes to Product, to somebody there."""
    hands = staff(Support=(11,), Product=(51,))
    story = filed(kind="bug")
    story = carried_out(story, decided(story, hands=hands), "2026-03-03 10:01")
    story = story.set("2026-03-03 10:20", kind="feature_request")
    moved = [change for change in changes(decided(story, hands=hands)) if change.group]
    assert [(change.group, change.assignee_id) for change in moved] == [("Product", 51)]


@pytest.mark.req("TRI-17")
def test_two_changes_in_one_minute_are_one() -> None:
    """Technical, then billing, then sales before we look again: from where the first kind led it goes to sales."""
    org, groups = profile("lasercalc"), {1: "Support", 2: "Technical", 3: "Billing", 4: "Sales"}
    hands = Staff(groups=groups, members={"Technical": frozenset({21}), "Sales": frozenset({41})})
    story = filed(kind="technical", plan="free").set("2026-03-03 10:01", Actor.US, group_id="2", assignee_id="21")
    story.set("2026-03-03 10:20", kind="billing").set("2026-03-03 10:20", kind="sales")
    moved = [change for change in changes(decided(story, org, hands=hands)) if change.group]
    assert [(change.group, change.assignee_id) for change in moved] == [("Sales", 41)]


@pytest.mark.req("TRI-17")
def test_a_changed_kind_leaves_a_persons_ticket_alone() -> None:
    """Where an agent had taken it, moved it, or it has climbed, it stays."""
    hands = staff(Support=(11,), Product=(51,))
    taken = Story(TUESDAY).set("2026-03-03 10:01", assignee_id="12").set("2026-03-03 10:20", kind="feature_request")
    climbed = Story(TUESDAY).set("2026-03-03 10:01", Actor.US, tier="2", group_id="2")
    for story in (taken, climbed.set("2026-03-03 10:20", kind="feature_request")):
        assert "group" not in fields(decided(story, hands=hands))


def test_another_tier_is_another_hand_over() -> None:
    """Given away in the first tier, moved up in the same update: giving it to somebody there has a key of its own."""
    hands = staff(Support=(11,), Technical=(21,))
    story = Story(TUESDAY)
    first = [action.key for action in decided(story, hands=hands) if action.verb == "assign"]
    story.set("2026-03-03 10:01", Actor.US, tier="2", group_id="2")
    second = [action.key for action in decided(story, hands=hands) if action.verb == "assign"]
    assert len(first) == len(second) == 1
    assert first != second


def test_after_a_hand_off_somebody_of_the_new_tier_has_it() -> None:
    """We moved an unassigned ticket up: somebody there is given it; the group stays."""
    hands = staff(Technical=(21,))
    story = Story(TUESDAY).set("2026-03-03 14:00", Actor.US, tier="2", group_id="2")
    given = [change for change in changes(decided(story, hands=hands)) if change.assignee_id]
    assert [(change.group, change.assignee_id) for change in given] == [(None, 21)]
    assert GROUPS[2] == "Technical"
