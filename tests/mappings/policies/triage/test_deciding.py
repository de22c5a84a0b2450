"""Triage as a whole: once, never over a person, and the same whatever the order of simultaneous events."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.model import Actor, Person
from mappings.plan import Action
from mappings.policies.sla.measures import live, triage
from mappings.policies.triage import triage as decide
from mappings.policies.triage.deciding import basis
from mappings.timeline import build
from tests.mappings.policies.triage.told import (
    FIELDS,
    GROUPS,
    NOBODY,
    REPLIES,
    TUESDAY,
    carried_out,
    changes,
    decided,
    fields,
    filed,
    form,
    history,
    life_of,
    staff,
)
from tests.profiles import profile
from tests.stories import Story, at

HANDS = staff(Support=(11, 12), Product=(51,), Technical=(21,), Engineering=(31,))
SUBJECTS = ["Help", "Bug in the export", "system down", "Feature request: dark mode", "Charged twice", ""]


@st.composite
def tickets(draw: st.DrawFn) -> tuple[Story, dict[str, object]]:
    """New tickets of all sorts, with what people did to them in the first minutes."""
    maybe = st.sampled_from
    story = filed(
        severity=draw(maybe([None, "P1", "P2", "P4"])),
        kind=draw(maybe([None, "bug", "feature_request"])),
        plan=draw(maybe([None, "starter", "enterprise"])),
        channel=draw(maybe(["email", "in_app", "phone"])),
    )
    answers = {"working": maybe([None, "yes", "no"]), "affected_users": maybe([None, "1", "40"])}
    said = {name: value for name, values in answers.items() if (value := draw(values)) is not None}
    form(story, **said, **({"current_url": "/schedule"} if draw(st.booleans()) else {}))
    edits = st.dictionaries(
        maybe(["severity", "kind", "group_id", "assignee_id", "priority", "source"]), st.none() | maybe(["x", "2"])
    )
    values = {"severity": "P3", "kind": "billing", "group_id": "2", "assignee_id": "12", "priority": "low"}
    for minute, change in enumerate(draw(st.lists(edits, max_size=3))):
        told = {name: None if value is None else values.get(name, "phone") for name, value in change.items()}
        story.set(f"2026-03-03 10:0{minute + 1}", draw(maybe([Actor.AGENT, Actor.CUSTOMER, Actor.RULE])), **told)
    texts = {"subject": draw(maybe(SUBJECTS)), "description": draw(maybe(SUBJECTS))}
    return story, {**texts, "recipient": draw(maybe([None, "support@platform.com"]))}


@settings(max_examples=150, deadline=None)
@given(tickets())
def test_a_triaged_ticket_is_left_alone(ticket: tuple[Story, dict[str, object]]) -> None:
    """What was decided and done gives nothing more to do."""
    story, texts = ticket
    first = decided(story, hands=HANDS, **texts)
    again = decided(carried_out(story, first, "2026-03-03 10:30"), hands=HANDS, **texts)
    assert [action for action in again if action.verb != "reply"] == []


@settings(max_examples=150, deadline=None)
@given(tickets(), st.sampled_from(["severity", "kind", "module", "source", "priority", "assignee_id", "group_id"]))
def test_a_persons_change_is_never_undone(ticket: tuple[Story, dict[str, object]], name: str) -> None:
    """Whatever an agent sets or empties after us, on whatever ticket: it stays."""
    story, texts = ticket
    story = carried_out(story, decided(story, hands=HANDS, **texts), "2026-03-03 10:30")
    words = {"severity": "P4", "kind": "question", "module": "billing", "priority": "low", "source": "phone"}
    value = random.Random(story.serial).choice([None, words.get(name, "3")])
    story.set("2026-03-03 10:40", **{name: value})
    told = fields(decided(story, hands=HANDS, **texts))
    assert {"group_id": "group", "assignee_id": "assignee_id"}.get(name, name) not in told
    if name == "assignee_id":
        assert all(change.assignee_id is None for change in changes(decided(story, hands=HANDS, **texts)))


@settings(max_examples=100, deadline=None)
@given(tickets(), st.randoms())
def test_the_order_of_simultaneous_events_does_not_matter(
    ticket: tuple[Story, dict[str, object]], chance: random.Random
) -> None:
    """However the events of a ticket arrive, the same is decided, byte for byte."""
    story, texts = ticket
    told, org = history(story, **texts), profile("builder")
    mixed = list(told.events)
    chance.shuffle(mixed)
    found = []
    for events in (told.events, tuple(mixed)):
        one = msgspec.structs.replace(told, events=events)
        life = live(one, build(one), org, GROUPS)
        found.append(decide(life, org, HANDS, REPLIES, story.last, fields=FIELDS))
    assert msgspec.json.encode(found[0]) == msgspec.json.encode(found[1])


def test_what_we_do_is_no_reason_to_decide_anew() -> None:
    """Triage rests on what others did: its own changes are no new cause, an agent's is."""
    story = filed()
    story = carried_out(story, decided(story, hands=HANDS), "2026-03-03 10:01")
    life = life_of(story, profile("builder"))
    assert basis(life).cause == life.created
    assert basis(life_of(story.set("2026-03-03 10:05", kind="billing"), profile("builder"))).at == at(
        "2026-03-03 10:05"
    )


@settings(max_examples=60, deadline=None)
@given(tickets())
def test_keys_are_stable(ticket: tuple[Story, dict[str, object]]) -> None:
    """Asked again later, with nothing new, the keys are the same, whoever has the ticket by then."""
    story, texts = ticket
    busy = msgspec.structs.replace(HANDS, loads={11: 5, 51: 3})
    now, later = story.last, story.last + timedelta(minutes=5)
    one = [action.key for action in decided(story, hands=HANDS, now=now, **texts)]
    two = [action.key for action in decided(story, hands=busy, now=later, **texts)]
    assert one == two
    assert len(set(one)) == len(one)


def quiet() -> Iterator[tuple[str, Story, dict[str, object]]]:
    """Tickets that triage keeps off."""
    yield "held", filed(tags="hf_hold"), {}
    yield "solved", filed().set("2026-03-03 10:05", status="solved"), {}
    yield "closed", filed().set("2026-03-03 10:05", status="closed"), {}


@pytest.mark.parametrize(("name", "story", "texts"), list(quiet()), ids=lambda one: one if isinstance(one, str) else "")
def test_some_tickets_are_left_alone(name: str, story: Story, texts: dict[str, object]) -> None:
    """Held, solved and closed ones."""
    assert decided(story, hands=HANDS, **texts) == [], name


def test_what_has_not_been_read_waits() -> None:
    """A ticket of which something happened that nobody has read yet is left until it has been."""
    story, org = filed().reply("2026-03-03 10:05"), profile("builder")
    told = msgspec.structs.replace(history(story), events_through=at("2026-03-03 10:01"))
    life = live(told, build(told), org, GROUPS)
    assert decide(life, org, HANDS, REPLIES, story.last, fields=FIELDS) == []


def test_fields_that_the_account_lacks_are_not_written() -> None:
    """An account without our field `Source` keeps its tickets: nothing is tried that must fail."""
    life = life_of(filed(), profile("builder"))
    told = decide(life, profile("builder"), NOBODY, REPLIES, at(TUESDAY), fields=FIELDS - {"source", "severity"})
    assert not {"source", "severity"} & fields(told).keys()


def test_options_and_groups_that_the_account_lacks_are_not_tried() -> None:
    """A new module without its option, a kind whose group is not there: the rest is done, and the ticket stays where it
    is, with somebody of the group that has it."""
    org, story = profile("builder"), form(filed(), current_url="/schedule")
    groups = {id: name for id, name in GROUPS.items() if name != "Product"}
    hands = msgspec.structs.replace(HANDS, groups=groups)
    told = history(story, subject="Feature request: a Gantt chart")
    life = live(told, build(told), org, GROUPS)
    lacking = {"module": ("scheduling",), "severity": ("P1",)}
    done = decide(life, org, hands, REPLIES, at(TUESDAY), fields=FIELDS, lacking=lacking)
    assert not {"module", "group"} & fields(done).keys()
    assert (fields(done)["kind"], fields(done)["severity"]) == ("feature_request", "P3")
    assert [change.assignee_id for change in changes(done) if change.assignee_id] == [11]


def stranger(story: Story, company_id: int | None = None) -> list[Action]:
    """A mail that is no company's, from somebody who by now may belong to one."""
    told = history(story, company_id=None)
    person = Person(id=9, name="Sam", updated_at=at(TUESDAY), company_id=company_id)
    told = msgspec.structs.replace(told, company=None, plan_history=(), requester=person)
    org = profile("builder")
    return decide(live(told, build(told), org, GROUPS), org, NOBODY, REPLIES, at(TUESDAY), fields=FIELDS)


@pytest.mark.req("INT-02")
def test_a_stranger_has_the_lowest_plan_and_a_tag() -> None:
    """Mail from an unknown address gets plan = lowest and the tag `unmatched`; from a known one builder and plan."""
    unknown = stranger(filed(channel="email", plan=None))
    assert fields(unknown)["plan_at_submission"] == "starter"
    assert ("unmatched",) in [change.add_tags for change in changes(unknown)]
    known = decided(filed(channel="email", plan="business"))
    assert (fields(known)["builder_id"], fields(known)["plan_at_submission"]) == ("co-1", "business")
    assert all("unmatched" not in change.add_tags for change in changes(known))


@pytest.mark.req("INT-02")
def test_the_tag_goes_once_the_company_is_known() -> None:
    """The ticket is given a company: the tag goes, unless it is not ours, and not while only its sender has one, by
    whose plan nothing is counted. Somebody who takes it off is not contradicted."""
    matched = decided(filed(channel="email").set("2026-03-03 10:01", Actor.US, tags="unmatched"))
    assert [change.remove_tags for change in changes(matched) if change.remove_tags] == [("unmatched",)]
    sender = stranger(filed(channel="email", plan=None).set("2026-03-03 10:01", Actor.US, tags="unmatched"), 7)
    assert [change.remove_tags for change in changes(sender) if change.remove_tags] == []
    theirs = filed(channel="email", tags="unmatched"), filed().set("2026-03-03 10:01", tags="unmatched")
    assert [change.remove_tags for one in theirs for change in changes(decided(one)) if change.remove_tags] == []
    found = stranger(filed(channel="email", plan=None, tags="unmatched").set("2026-03-03 10:05", tags=None))
    assert all("unmatched" not in change.add_tags for change in changes(found))


@pytest.mark.req("TRI-12")
def test_what_we_set_is_no_human_review() -> None:
    """Severity, kind and owner set by us leave the clock on the first human review running; an agent's stop it."""
    story = filed()
    story = carried_out(story, decided(story, hands=HANDS), "2026-03-03 10:01")
    assert story.values["assignee_id"] == "11"
    assert reviewed(story) is None
    story.set("2026-03-03 10:30", severity="P2", assignee_id="12")
    assert reviewed(story) == at("2026-03-03 10:30")


def reviewed(story: Story) -> datetime | None:
    """When the first human review of a ticket was over."""
    [watch] = triage(life_of(story, profile("pmerit")))
    return watch.episodes[-1].stop


@pytest.mark.req("TRI-12")
@pytest.mark.parametrize("public", [True, False])
def test_who_works_on_what_we_set_has_reviewed_it(public: bool) -> None:
    """We gave it severity and owner; an agent answers, or leaves a note, and lets them stand: that is the review. A
    customer's word is none, nor an agent's on a ticket that still lacks one of the two."""
    story = filed().reply("2026-03-03 10:00", public=public)
    story = carried_out(story, decided(story, hands=HANDS), "2026-03-03 10:01")
    story.reply("2026-03-03 10:05", Actor.CUSTOMER)
    assert reviewed(story) is None
    assert reviewed(story.reply("2026-03-03 10:20", public=public)) == at("2026-03-03 10:20")


def test_reasons_say_nothing_personal() -> None:
    """A reason stands on pages that more people see than the ticket: no subject, no address but ours, no name."""
    story = form(filed(), current_url="https://app.example/p/secret-project/schedule")
    actions = decided(story, hands=HANDS, subject="Ann Smith cannot pay: card declined", recipient="x@y.example")
    said = " ".join(action.reason.text for action in actions)
    assert "because of the word “card” in the subject" in said
    for private in ("Ann", "Smith", "secret", "x@y"):
        assert private not in said
