"""A past without us: what is left of fields, tags and messages."""

from hypothesis import given
from hypothesis import strategies as st

from mappings.model import Actor
from mappings.policies.simulate.past import as_of, without_us
from mappings.timeline import build
from tests.stories import Story, at

WHO = st.sampled_from([Actor.US, Actor.AGENT])
TAG = st.sampled_from(["legal", "escalated", "vip"])


@given(st.lists(st.tuples(WHO, TAG, st.booleans()), max_size=12))
def test_of_tags_only_others_changes_are_left(doings: list[tuple[Actor, str, bool]]) -> None:
    """Whoever adds and takes tags in whatever order: without us there is what the others alone had made of them."""
    story = Story("2026-03-03 10:00", tags="new")
    now, theirs = {"new"}, {"new"}
    for minute, (actor, tag, adds) in enumerate(doings, 1):
        before = set(now)
        now = now | {tag} if adds else now - {tag}
        if now == before:
            continue
        story.set(f"2026-03-03 11:{minute:02d}", actor, tags=" ".join(sorted(now)) or None)
        if actor is Actor.AGENT:
            theirs = theirs | {tag} if adds else theirs - {tag}
    line = without_us(build(story.history()))
    assert set((line.value("tags", at("2026-03-03 12:00")) or "").split()) == theirs
    assert all(step.actor is not Actor.US for step in line.steps)


def test_a_field_is_what_others_left_it() -> None:
    """Our group and tier are gone, an agent's later severity stays; each step begins where the one before ended."""
    story = Story("2026-03-03 10:00").set("2026-03-03 11:00", Actor.US, group_id="2", tier="2")
    story.set("2026-03-03 12:00", group_id="3", severity="P1")
    line = without_us(build(story.history()))
    assert line.value("tier", at("2026-03-03 13:00")) is None
    assert [(step.old, step.new) for step in line.of("group_id")] == [("1", "3")]
    assert line.value("severity", at("2026-03-03 13:00")) == "P1"


def test_our_messages_are_gone_but_never_the_opening_one() -> None:
    """The first comment is the customer's request, whoever wrote it down for them."""
    story = Story("2026-03-03 10:00").reply("2026-03-03 11:00", Actor.US).reply("2026-03-03 12:00")
    line = without_us(build(story.history()))
    assert [event.at for event in line.messages] == [at("2026-03-03 10:00"), at("2026-03-03 12:00")]


def test_as_of_knows_nothing_later() -> None:
    """At noon: status, tags, plan and last change as they were at noon."""
    story = Story("2026-03-03 10:00").set("2026-03-03 11:00", tags="legal")
    story.set("2026-03-03 13:00", tags=None, status="solved", severity="P1")
    story.change_plan("2026-03-03 14:00", "enterprise")
    history, line = as_of(story.history(), build(story.history()), at("2026-03-03 12:00"))
    ticket = history.ticket
    assert (ticket.status, ticket.tags, ticket.severity) == ("new", {"legal"}, "P2")
    assert ticket.updated_at == at("2026-03-03 11:00")
    assert [plan for _, plan in history.plan_history] == ["business"]
    assert line.steps[-1].at == ticket.updated_at
