"""Clocks replayed from a ticket's past: what runs, what pauses, what a change of mind does."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.model import Actor, Clock, ClockState, History
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.measures import live
from mappings.profile import Profile
from mappings.timeline import build
from tests.profiles import edited, profile
from tests.stories import GROUPS, Story, at, forget

BUILDER = profile("builder")


def replay(history: History, org: Profile, stored: Sequence[Clock] = ()) -> list[Clock]:
    """A ticket's clocks from its history."""
    return clocks(live(history, build(history), org, GROUPS), org, stored=stored)


def of(story: Story, target: str, org: str = "builder") -> list[Clock]:
    """The clocks of one target on a story's ticket."""
    return [clock for clock in replay(story.history(), profile(org)) if clock.target == target]


@pytest.mark.req("SLA-01", "SLA-06")
@pytest.mark.parametrize(
    ("plan", "warned", "due"),
    [
        ("starter", "2026-03-03 17:30", "2026-03-04 10:00"),
        ("professional", "2026-03-03 16:00", "2026-03-03 18:00"),
        ("business", "2026-03-03 13:00", "2026-03-03 14:00"),
        ("enterprise", "2026-03-03 10:45", "2026-03-03 11:00"),
    ],
)
def test_four_plans_one_fault(plan: str, warned: str, due: str) -> None:
    """The same P2 on a Tuesday at 10:00 is due at a minute of its own for each plan, and warned at 75 %."""
    [clock] = of(Story("2026-03-03 10:00", plan=plan), "First response")
    assert (clock.warn_at, clock.due_at) == (at(warned), at(due))
    assert clock.state is ClockState.RUNNING


@pytest.mark.req("SLA-02")
def test_best_effort_is_measured_but_never_due() -> None:
    """A Starter P4 has a clock without a due time: it cannot be late, and is still measured."""
    [clock] = of(Story("2026-03-03 10:00", plan="starter", severity="P4").reply("2026-03-12 10:00"), "First response")
    assert (clock.due_at, clock.state, clock.stopped_at) == (None, ClockState.MET, at("2026-03-12 10:00"))


@pytest.mark.req("SLA-05")
@pytest.mark.parametrize("actor", [Actor.RULE, Actor.BOT, Actor.US, Actor.CUSTOMER, Actor.UNKNOWN, Actor.APP])
def test_only_a_human_agent_stops_the_first_reply(actor: Actor) -> None:
    """Automatic answers, our own and the customer's words leave the first response running."""
    [clock] = of(Story("2026-03-03 10:00").reply("2026-03-03 10:10", actor), "First response")
    assert clock.state is ClockState.RUNNING


@pytest.mark.req("SLA-05", "INT-06")
def test_an_internal_note_is_no_reply() -> None:
    """An agent's note leaves the clock running; the public reply stops it."""
    story = Story("2026-03-03 10:00").reply("2026-03-03 10:10", public=False)
    assert of(story, "First response")[0].state is ClockState.RUNNING
    assert of(story.reply("2026-03-03 10:20"), "First response")[0].stopped_at == at("2026-03-03 10:20")


@pytest.mark.parametrize(
    ("replied", "state", "missed_by"),
    [
        ("2026-03-03 13:59:59", ClockState.MET, None),
        ("2026-03-03 14:00", ClockState.MET, None),
        ("2026-03-03 14:00:01", ClockState.MISSED, 1),
        ("2026-03-04 09:00", ClockState.MISSED, 5 * 3600),
    ],
)
def test_exactly_on_the_deadline_is_met(replied: str, state: ClockState, missed_by: int | None) -> None:
    """A reply at the due second is in time; what is missed is counted in the clock's own (open) time."""
    [clock] = of(Story("2026-03-03 10:00").reply(replied), "First response")
    assert (clock.state, clock.missed_by) == (state, missed_by)


@pytest.mark.req("TRI-17")
def test_severity_made_worse_binds_the_earlier_of_old_and_new() -> None:
    """P3 → P1 at minute 50 on Business: due is the change + 1 h; nothing is late retroactively."""
    story = Story("2026-03-03 10:00", severity="P3").set("2026-03-03 10:50", severity="P1")
    assert of(story, "First response")[0].due_at == at("2026-03-03 11:50")


def test_severity_made_worse_keeps_an_earlier_old_due() -> None:
    """P2 → P1 five minutes before the old due: the old due stays."""
    story = Story("2026-03-03 10:00").set("2026-03-03 13:55", severity="P1")
    assert of(story, "First response")[0].due_at == at("2026-03-03 14:00")


def test_severity_made_milder_counts_anew_from_the_start() -> None:
    """P2 → P3 on Business: eight business hours from creation."""
    story = Story("2026-03-03 09:00").set("2026-03-03 10:00", severity="P3")
    assert of(story, "First response")[0].due_at == at("2026-03-03 17:00")


def test_a_breach_never_unbreaches() -> None:
    """Made milder after the due time, the clock stays missed."""
    story = Story("2026-03-03 10:00").set("2026-03-03 14:30", severity="P3").reply("2026-03-03 15:00")
    assert of(story, "First response")[0].state is ClockState.MISSED


@pytest.mark.req("SLA-30")
@pytest.mark.parametrize(
    ("old", "new", "when", "due"),
    [
        ("starter", "business", "2026-03-03 12:00", "2026-03-03 14:00"),
        ("business", "starter", "2026-03-03 12:00", "2026-03-03 14:00"),
        ("starter", "business", "2026-03-03 16:00", "2026-03-04 10:00"),
    ],
)
def test_a_plan_change_never_loosens(old: str, new: str, when: str, due: str) -> None:
    """An upgrade counts from creation, or from the change where it would be late already; a downgrade from neither."""
    story = Story("2026-03-03 10:00", plan=old).change_plan(when, new)
    assert of(story, "First response")[0].due_at == at(due)


@pytest.mark.req("SLA-07")
def test_waiting_for_the_customer_pauses_resolution_but_not_the_reply() -> None:
    """Pending for two open hours moves the resolution by two open hours; the first response does not move."""
    org, zone = "archbuilder", profile("archbuilder").zone
    story = Story("2026-03-03 10:00", severity="P3", plan="basic", kind="software_bug", zone=zone)
    before = of(story, "Resolution", org)[0].due_at
    story.set("2026-03-03 11:00", status="pending").set("2026-03-03 13:00", status="open")
    [resolution] = of(story, "Resolution", org)
    assert before is not None
    assert resolution.due_at == before + timedelta(hours=2)
    assert of(story, "Response", org)[0].due_at == at("2026-03-04 10:00", zone)


def test_a_paused_clock_has_no_due_time_but_what_is_left() -> None:
    """While the customer has the word, the resolution shows the open seconds that remain."""
    zone = profile("lasercalc").zone
    story = Story("2026-03-03 09:00", severity="normal", plan="free", kind="general", zone=zone)
    story.set("2026-03-03 11:00", status="pending")
    [clock] = of(story, "Resolution", "lasercalc")
    assert (clock.state, clock.due_at, clock.remaining) == (ClockState.PAUSED, None, 6 * 3600)


def test_reopening_begins_a_new_episode_with_the_used_time() -> None:
    """Solved after 2 h and reopened next day: the second episode has the rest of the budget, and a cause of its own."""
    zone = profile("lasercalc").zone
    story = Story("2026-03-03 09:00", severity="normal", plan="free", kind="general", zone=zone)
    story.reply("2026-03-03 11:00", status="solved").reply("2026-03-05 09:00", Actor.CUSTOMER, status="open")
    first, second = of(story, "Resolution", "lasercalc")
    assert (first.state, first.fulfilled_by) == (ClockState.MET, "solve")
    assert second.cause != first.cause
    assert second.due_at == at("2026-03-05 15:00", zone)


def test_what_is_used_up_falls_due_when_the_office_opens() -> None:
    """Missed, solved, and reopened on Saturday at 02:00: late again from Monday's opening, not in the night."""
    zone = profile("lasercalc").zone
    story = Story("2026-03-03 09:00", severity="normal", plan="free", kind="general", zone=zone)
    story.set("2026-03-05 11:00", status="solved").reply("2026-03-07 02:00", Actor.CUSTOMER, status="open")
    second = of(story, "Resolution", "lasercalc")[-1]
    assert second.due_at == profile("lasercalc").office.next_opening(at("2026-03-07 02:00", zone))


def test_a_company_given_later_rewrites_nothing() -> None:
    """A P1 of nobody known is due after 4 h; found to be Enterprise after 3 h, it is due a quarter of an hour later."""
    story = Story("2026-03-03 10:00", severity="P1", plan="enterprise")
    story.set("2026-03-03 13:00", company_id="7")
    assert of(story, "First response")[0].due_at == at("2026-03-03 13:15")


@pytest.mark.req("SLA-22")
def test_each_hand_off_begins_its_own_clock() -> None:
    """Entering tier 3 at 10:00 owes a reply by 14:00 even though the first reply is done."""
    zone = profile("archbuilder").zone
    story = Story("2026-03-03 09:10", severity="P3", plan="basic", kind="software_bug", zone=zone)
    story.reply("2026-03-03 09:20").set("2026-03-03 10:00", Actor.US, tier="3")
    assert of(story, "Reply after hand-off", "archbuilder")[-1].due_at == at("2026-03-03 14:00", zone)


@pytest.mark.req("ESC-03")
def test_the_matrix_times_each_stay() -> None:
    """A security ticket owes tier 1 two hours, then tier 2 one more, then tier 3 half an hour."""
    zone = profile("archbuilder").zone
    story = Story("2026-03-03 10:00", severity="P2", plan="basic", kind="security", zone=zone)
    story.set("2026-03-03 12:00", Actor.US, tier="2").set("2026-03-03 13:00", Actor.US, tier="3")
    dues = [clock.due_at for clock in of(story, "Escalation matrix", "archbuilder")]
    assert dues == [at(f"2026-03-03 {when}", zone) for when in ("12:00", "13:00", "13:30")]


@pytest.mark.req("SLA-20")
def test_updates_repeat_and_pause() -> None:
    """Each public agent reply begins the next update clock; a note does not; waiting for the customer pauses it."""
    zone = profile("pmerit").zone
    story = Story("2026-03-03 10:00", severity="P0", plan="standard", kind="technical", zone=zone)
    story.reply("2026-03-03 10:05").reply("2026-03-03 10:20", public=False).reply("2026-03-03 10:30")
    first, second = of(story, "User updates", "pmerit")
    assert (first.stopped_at, first.state) == (at("2026-03-03 10:30", zone), ClockState.MET)
    assert second.due_at == at("2026-03-03 11:00", zone)


@pytest.mark.req("SLA-17")
def test_a_range_warns_at_its_lower_figure() -> None:
    """pmerit P0 resolution 2h..4h: warned at two hours, late at four."""
    zone = profile("pmerit").zone
    [clock] = of(
        Story("2026-03-03 10:00", severity="P0", kind="technical", plan="standard", zone=zone), "Resolution", "pmerit"
    )
    assert (clock.warn_at, clock.due_at) == (at("2026-03-03 12:00", zone), at("2026-03-03 14:00", zone))


@pytest.mark.req("SLA-29")
def test_several_targets_are_each_measured() -> None:
    """A pmerit P0 mail has two first-response clocks: at once as target, two hours as promise."""
    zone = profile("pmerit").zone
    story = Story("2026-03-03 10:00", severity="P0", kind="technical", plan="standard", channel="email", zone=zone)
    dues = {c.target: c.due_at for c in replay(story.history(), profile("pmerit")) if c.measure == "first_reply"}
    assert dues == {"Response": at("2026-03-03 10:00", zone), "Published response": at("2026-03-03 12:00", zone)}


@pytest.mark.parametrize("ending", ["merged", "deleted", "spam"])
def test_endings_void_clocks(ending: str) -> None:
    """A merged, deleted or spam ticket owes nothing any more."""
    [clock] = of(Story("2026-03-03 10:00").set("2026-03-03 10:30", status=ending), "First response")
    assert clock.state is ClockState.VOID


def test_a_solve_without_a_reply_fulfils_the_first_response_and_says_so() -> None:
    """Silently solved: fulfilled by the solve; reopened: owed again with the time already used."""
    story = Story("2026-03-03 10:00").set("2026-03-03 11:00", status="solved")
    assert of(story, "First response")[0].fulfilled_by == "solve"
    story.reply("2026-03-03 15:00", Actor.CUSTOMER, status="open")
    assert of(story, "First response")[1].due_at == at("2026-03-03 18:00")


def test_an_unread_beginning_has_no_clock() -> None:
    """A ticket whose creation was never read gets no clock rather than a guessed one."""
    story = Story("2026-03-03 10:00").set("2026-03-03 12:00", status="pending")
    history = msgspec.structs.replace(story.history(), events=tuple(e for e in story.events if e.at > story.created))
    assert replay(history, BUILDER) == []


def test_a_profile_edit_leaves_a_running_clock_and_a_new_ticket_gets_the_new_figure() -> None:
    """Business P2 from 4bh to 3bh: the running clock keeps 14:00; the next ticket is due at 13:00. SLA-03."""
    story = Story("2026-03-03 10:00")
    running = replay(story.history(), BUILDER)
    new = edited("builder", "targets: {First response: {table: {P2: {business: 3bh}}}}")
    kept = [clock for clock in replay(story.history(), new, stored=running) if clock.measure == "first_reply"]
    assert [clock.due_at for clock in kept] == [at("2026-03-03 14:00")]
    fresh = [clock for clock in replay(story.history(), new) if clock.measure == "first_reply"]
    assert [clock.due_at for clock in fresh] == [at("2026-03-03 13:00")]


TIGHTER = "targets: {First response: {table: {P2: {business: 1bh}, P3: {business: 1bh, enterprise: 1bh}}}}"


def test_an_edit_finds_no_new_figure_for_what_was_before() -> None:
    """Tags that came before the edit (our own fields add some), or a change that left the figure as it was: both have
    had theirs. What changes after the edit takes the new figure."""
    alike = edited("builder", "targets: {First response: {table: {P2: {business: 8bh}}}}")
    before = Story("2026-03-03 08:00").set("2026-03-03 08:01", tags="tier_1").set("2026-03-03 09:00", severity="P3")
    running = replay(before.history(), alike)
    assert first_reply(running) == [at("2026-03-03 16:00")]
    new = edited("builder", TIGHTER)
    assert first_reply(replay(before.history(), new, stored=running)) == [at("2026-03-03 16:00")]
    after = before.set("2026-03-03 10:00", severity="P2").history()
    assert first_reply(replay(after, new, stored=running)) == [at("2026-03-03 11:00")]


def first_reply(found: Sequence[Clock]) -> list[datetime | None]:
    """When first replies are due."""
    return [clock.due_at for clock in found if clock.measure == "first_reply"]


moments = st.integers(0, 60 * 24 * 6)
told = st.lists(
    st.tuples(
        moments,
        st.sampled_from(
            ["reply", "note", "customer", "pending", "open", "solved", "P1", "P3", "tier2", "tier3", "plan"]
        ),
    ),
    max_size=12,
)


def tell(things: list[tuple[int, str]]) -> Story:
    """A story out of minutes and words."""
    story = Story("2026-03-06 15:00", plan="professional")
    for minute, word in sorted(things):
        when = (story.created + timedelta(minutes=minute + 1)).astimezone(story.zone).strftime("%Y-%m-%d %H:%M")
        match word:
            case "reply":
                story.reply(when)
            case "note":
                story.reply(when, public=False)
            case "customer":
                story.reply(when, Actor.CUSTOMER)
            case "pending" | "open" | "solved":
                story.set(when, status=word)
            case "P1" | "P3":
                story.set(when, severity=word)
            case "tier2" | "tier3":
                story.set(when, Actor.US, tier=word[-1])
            case "plan":
                story.change_plan(when, "business")
    return story


@given(told)
def test_replaying_gives_the_same_clocks(things: list[tuple[int, str]]) -> None:
    """The same past gives the same rows, to the byte, also when the rows of last time are given back."""
    history = tell(things).history()
    once = replay(history, BUILDER)
    again = replay(history, BUILDER, stored=once)
    assert msgspec.json.encode(once) == msgspec.json.encode(again)
    assert len({clock.key for clock in once}) == len(once)


@given(told, st.randoms())
def test_the_order_of_arrival_does_not_matter(things: list[tuple[int, str]], random: object) -> None:
    """Events read in any order give the same clocks."""
    history = tell(things).history()
    events = list(history.events)
    random.shuffle(events)  # type: ignore[attr-defined]
    shuffled = msgspec.structs.replace(history, events=tuple(events))
    assert replay(history, BUILDER) == replay(shuffled, BUILDER)


@given(told, moments)
def test_a_missed_clock_stays_missed_as_more_is_told(things: list[tuple[int, str]], until: int) -> None:
    """What was missed when a part of the story was known is still missed when all of it is."""
    story = tell(things)
    cut = story.created + timedelta(minutes=until)
    early = tell([thing for thing in things if thing[0] + 1 <= until])
    missed = {c.key for c in replay(early.history(), BUILDER) if c.state is ClockState.MISSED}
    late = {c.key: c.state for c in replay(story.history(), BUILDER)}
    assert cut >= story.created
    assert all(late[key] is ClockState.MISSED for key in missed)


@given(told)
def test_what_the_export_still_hides_is_replaced_when_it_arrives(things: list[tuple[int, str]]) -> None:
    """Reading a ticket with its newest minute hidden, then whole, ends in the same clocks."""
    story = tell(things)
    whole = story.history()
    partial = replay(forget(whole, story.last - timedelta(minutes=1)), BUILDER)
    assert replay(whole, BUILDER, stored=partial)[: len(replay(whole, BUILDER))] == replay(whole, BUILDER)
