"""Two profiles over the same tickets: what is counted, what is told, and in which words."""

from datetime import timedelta

from mappings.policies.simulate import Preview, Row
from mappings.policies.simulate.words import length
from mappings.profile import Profile
from tests.mappings.policies.simulate.test_living import outcome
from tests.profiles import edited, profile
from tests.stories import Story, at

FASTER = "targets: {First response: {table: {P2: {business: 1bh}}}, Hand-off response: {table: same as First response}}"
SINCE = at("2026-03-01 00:00")


def preview(stories: list[Story], new: Profile) -> Preview:
    """The difference between builder's profile and a new one over some tickets."""
    today = profile("builder")
    found = Preview(today.version, new.version, SINCE, at("2026-03-06 18:00"))
    for story in stories:
        found.add(outcome(story, today), outcome(story, new), (today, new))
    return found


def row(found: Preview, name: str) -> Row:
    """The one shown row of that name."""
    [one] = [row for row in found.shown(profile("builder")) if row.name == name]
    return one


def test_only_what_comes_to_something_else_is_told() -> None:
    """4 → 1 business hours: a reply after half an hour, and one after six, come to the same; one after two does not."""
    days = [Story("2026-03-03 10:00", id=number) for number in (1, 2, 3)]
    stories = [days[0].reply("2026-03-03 10:30"), days[1].reply("2026-03-03 12:20"), days[2].reply("2026-03-03 16:00")]
    found = preview(stories, edited("builder", FASTER))
    told = row(found, "First response")
    assert (told.before, told.after) == ({"met": 2, "missed": 1}, {"met": 1, "missed": 2})
    assert (told.tickets, [example.ticket_id for example in told.examples]) == (1, [2])
    assert (
        told.examples[0].says
        == "zendesk:2 P2 Business: First response due Tue 3 Mar 14:00 → Tue 3 Mar 11:00, met → missed by 1 h 20 min"
    )
    escalated = row(found, "escalate")
    assert (escalated.before["times"], escalated.after["times"]) == (1, 5)
    assert escalated.examples[0].says.startswith(
        "zendesk:2 P2 Business: escalate, 0 → 2 (Tue 3 Mar 12:00): Reply after hand-off was due 12:00"
    )


def test_in_all_it_is_the_sum_over_plans_and_severities() -> None:
    """A row for each target and action that differs, with all its tickets, those that come to the same included."""
    plans = ("starter", "business", "enterprise")
    stories = [Story("2026-03-03 10:00", plan=plan, id=n).reply("2026-03-03 12:20") for n, plan in enumerate(plans, 1)]
    found = preview(stories, edited("builder", FASTER))
    [whole] = [one for one in found.in_all(profile("builder")) if one.name == "First response"]
    parts = [one for one in found.rows.values() if one.name == "First response"]
    assert len(parts) == 3
    assert (whole.before, whole.after) == ({"met": 2, "missed": 1}, {"met": 1, "missed": 2})
    assert (whole.tickets, whole.examples) == (1, [])


def test_the_same_profile_makes_no_difference() -> None:
    """Today's profile against itself: nothing is told, whatever happened."""
    stories = [Story("2026-03-03 10:00", severity=severity, id=n) for n, severity in enumerate(("P1", "P2", "P3"), 1)]
    found = preview(stories, profile("builder"))
    assert (found.same, found.tickets, found.shown(profile("builder"))) == (True, 3, [])


def test_the_same_at_another_time_is_counted_apart() -> None:
    """A step that comes earlier, no more of them: said as moved, and no row."""
    earlier = edited("builder", "targets: {First response: {table: {P2: {business: 3bh}}}}")
    found = preview([Story("2026-03-03 10:00").set("2026-03-03 15:00", status="solved")], earlier)
    assert found.moved == {"escalate": 1}
    assert (found.differing, found.same) == (0, False)


def test_a_new_rule_and_a_new_target_show() -> None:
    """What only the new profile has is told from nothing; what only today's has, to nothing."""
    more = (
        "targets: {Solution: {measure: resolve, table: 2bh}}\n"
        "rules: {looked at: {when: {severity: P2}, do: [page on_call]}}"
    )
    found = preview([Story("2026-03-03 10:00").reply("2026-03-03 10:30")], edited("builder", more))
    assert row(found, "page on_call").after == {"times": 1}
    [example] = row(found, "Solution").examples
    assert example.says == (
        "zendesk:123 P2 Business: Solution due – → Tue 3 Mar 12:00, not promised → late, still running"
    )


def test_what_was_over_before_the_window_does_not_count() -> None:
    """A ticket of February, only reopened since: its old promise and step are not told again."""
    stories = [Story("2026-02-10 10:00").reply("2026-02-10 12:20").set("2026-02-11 10:00", status="solved")]
    assert preview(stories, edited("builder", FASTER)).same


def test_more_tickets_than_examples() -> None:
    """Three are named, all are counted, and pages come before promises."""
    stories = [Story("2026-03-03 10:00", id=number).reply("2026-03-03 12:20") for number in range(1, 9)]
    found = preview(stories, edited("builder", FASTER + "\nrules: {now: {when: {severity: P2}, do: [page on_call]}}"))
    assert [row.name for row in found.shown(profile("builder"))] == [
        "page on_call",
        "escalate",
        "First response",
        "Hand-off response",
    ]
    assert row(found, "First response").tickets == 8
    assert len(row(found, "First response").examples) == 3
    assert found.differing == 8


def test_tickets_without_a_beginning_are_counted_apart() -> None:
    """They were not judged, and it is said how many."""
    story = Story("2026-03-03 10:00").reply("2026-03-03 11:00")
    story.events = story.events[-1:]
    found = preview([story], edited("builder", FASTER))
    assert (found.tickets, found.unknown, found.differing) == (1, 1, 0)


def test_lengths_in_words() -> None:
    """Two units at most, the larger ones first."""
    spans = [timedelta(minutes=20), timedelta(hours=3, minutes=10), timedelta(days=2, hours=4)]
    assert [length(int(span.total_seconds())) for span in spans] == ["20 min", "3 h 10 min", "2 d 4 h"]
