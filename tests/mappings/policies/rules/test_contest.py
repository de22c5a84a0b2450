"""Rules that want contradicting things of one ticket at one moment, and fields that are a person's."""

from collections.abc import Callable

import pytest

from mappings.model import Actor
from mappings.plan import Action, TicketChange
from mappings.profile import Profile
from tests.mappings.policies.rules.cases import plain, said
from tests.profiles import edited
from tests.stories import Story

ROUTES = "routes: {one: {group: Technical}, two: {group: Product}, same: {group: Technical}}"


def rules(*told: str) -> Profile:
    """builder with these rules for the tag `go`, in this order: `name: actions`."""
    lines = [f"  {name}: {{when: {{tag: go}}, do: [{do}]}}" for name, _, do in (line.partition(": ") for line in told)]
    return edited("builder", "\n".join([ROUTES, "rules:", *lines]))


def judged(org: Profile, then: Callable[[Story], object] | None = None) -> list[Action]:
    """What they do to a ticket with that tag."""
    return plain(org, tags="go", then=then).judged(org)


def test_the_first_of_two_assignments_wins() -> None:
    """One group, by the order in the profile; the winner's reason says what it goes before, the other is journalled."""
    org = rules("first: assign one", "second: assign two, tag kept")
    won, lost, tagged = judged(org)
    assert isinstance(won.change, TicketChange)
    assert won.change.group == "Technical"
    assert "It goes before “second”, which wanted assign two." in won.reason.text
    assert (lost.verb, lost.rule, lost.tool) == ("leave", "second", "zendesk")
    assert "It wanted assign two; “first” goes before it with assign one." in lost.reason.text
    assert tagged.key == "rule:tag:kept:zendesk:123"


def test_the_order_decides_not_the_name() -> None:
    """The same two the other way round: the other group."""
    org = rules("second: assign two", "first: assign one")
    won, lost = judged(org)
    assert isinstance(won.change, TicketChange)
    assert (won.change.group, lost.rule) == ("Product", "first")


@pytest.mark.parametrize(
    ("told", "done", "passed"),
    [
        (("a: escalate next", "b: escalate 3"), ["escalate 3"], ["a"]),
        (("a: escalate 3", "b: escalate next"), ["escalate 3"], ["b"]),
        (("a: escalate next", "b: escalate 2"), ["escalate next"], ["b"]),
        (("a: escalate next", "b: escalate next"), ["escalate next"], []),
        (("a: escalate next", "b: escalate management"), ["escalate next", "escalate management"], []),
        (("a: assign two", "b: escalate 2"), ["escalate 2"], ["a"]),
        (("a: assign one", "b: escalate 2"), ["assign one", "escalate 2"], []),
        (("a: assign one", "b: assign same"), ["assign one", "assign same"], []),
        (("a: assign one", "b: escalate 1"), ["assign one", "escalate 1"], []),
        (("a: assign one", "b: tag x"), ["assign one", "tag x"], []),
    ],
)
def test_which_goes(told: tuple[str, ...], done: list[str], passed: list[str]) -> None:
    """The farthest step goes before others, a step before an assignment elsewhere; who agrees acts, too."""
    actions = judged(rules(*told))
    assert said(actions) == done
    assert [action.rule for action in actions if action.verb == "leave"] == passed


def test_two_moments_do_not_contradict() -> None:
    """Assigned at creation and somewhere else an hour later: the later one is the newer word, and both are done."""
    told = "rules: {a: {when: {tag: go}, do: [assign one]}, b: {when: {tag: on}, do: [assign two]}}"
    org = edited("builder", f"{ROUTES}\n{told}")
    actions = judged(org, lambda story: story.set("2026-03-03 12:00", tags="go on"))
    assert said(actions) == ["assign one", "assign two"]


def group(org: Profile, then: Callable[[Story], object]) -> str | None:
    """The group that the rule `first` puts the ticket into after all that happened; null: it leaves it."""
    [action] = [action for action in judged(org, then) if action.rule == "first"]
    assert isinstance(action.change, TicketChange)
    assert action.expects == {"updated_at": plain(org, tags="go", then=then).story.last.isoformat()}
    assert action.change.note
    return action.change.group


@pytest.mark.parametrize(
    ("play", "wanted"),
    [
        ([], "Technical"),
        ([("12:00", Actor.AGENT, "5")], None),
        ([("12:00", Actor.RULE, "5")], "Technical"),
        ([("12:00", Actor.US, "2"), ("13:00", Actor.AGENT, "1")], None),
        ([("12:00", Actor.US, "2"), ("13:00", Actor.RULE, "1"), ("14:00", Actor.RULE, "1")], None),
    ],
)
def test_a_persons_group_stays(play: list[tuple[str, Actor, str]], wanted: str | None) -> None:
    """What an agent has chosen since, or set back, is theirs; so is what a rule of the account sets back twice."""

    def then(story: Story) -> None:
        for when, actor, id in play:
            story.set(f"2026-03-03 {when}", actor, group_id=id)

    assert group(rules("first: assign one"), then) == wanted


def test_a_ticket_is_not_assigned_where_it_is() -> None:
    """Already with the group that the rule wants: the note says so, and whoever of the group has it keeps it."""
    org = rules("first: assign one")
    [action] = judged(org, lambda story: story.set("2026-03-03 11:30", Actor.US, group_id="2"))
    assert action.change == TicketChange(note="Tag go. It is with Technical already. Rule: first.")


def test_a_group_from_before_is_no_word_against_it() -> None:
    """An agent took the ticket at noon; the rule's tag came at one: it was asked for then, and goes."""
    org = rules("first: assign one")

    def then(story: Story) -> None:
        story.set("2026-03-03 12:00", group_id="5").set("2026-03-03 13:00", tags="go")

    [action] = [action for action in plain(org, then=then).judged(org) if action.rule == "first"]
    assert isinstance(action.change, TicketChange)
    assert action.change.group == "Technical"


def test_a_group_that_was_set_back_is_theirs_for_later_rules_too() -> None:
    """We moved it, an agent moved it back, and then a tag asks for a group: the agent's stays, until it gets worse."""
    org = rules("first: assign one")

    def then(story: Story) -> None:
        story.set("2026-03-03 11:30", Actor.US, group_id="2").set("2026-03-03 12:00", group_id="1")
        story.set("2026-03-03 13:00", tags="go")

    def worse(story: Story) -> None:
        story.set("2026-03-03 11:30", Actor.US, group_id="2").set("2026-03-03 12:00", group_id="1")
        story.set("2026-03-03 12:30", severity="P1").set("2026-03-03 13:00", tags="go")

    for play, wanted in ((then, None), (worse, "Technical")):
        [action] = [action for action in plain(org, then=play).judged(org) if action.rule == "first"]
        assert isinstance(action.change, TicketChange)
        assert action.change.group == wanted


def test_a_reply_goes_once_whatever_rule_asks() -> None:
    """Two rules, one of them each time: the customer gets the text once."""
    org = edited(
        "builder",
        "rules: {a: {when: {tag: go}, do: [reply after_hours], again: true}, "
        "b: {when: {event: solved}, do: [reply after_hours], again: true}}",
    )

    def then(story: Story) -> None:
        story.set("2026-03-03 12:00", tags=None).set("2026-03-03 13:00", tags="go")
        story.set("2026-03-03 14:00", status="solved")

    assert said(judged(org, then)) == ["reply after_hours"]
