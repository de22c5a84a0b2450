"""A person wins: what somebody changed by hand stays, and what does not make sense any more is not done."""

from typing import Any

import pytest

from connectors.store import OutboxState
from flows import delivery, pulse, sync
from tests.flows.desk import Desk
from tests.flows.test_delivery import climbed, decide_late, late, settled
from tests.flows.test_ticket_looks import row_of


def hold(desk: Desk, ticket: int) -> None:
    """An agent tells us to keep off a ticket."""
    desk.sim.edit(ticket, author=desk.agent, tags_add=("hf_hold",))


def release(desk: Desk, ticket: int) -> None:
    """And to go on."""
    desk.sim.edit(ticket, author=desk.agent, tags_remove=("hf_hold",))


def test_too_late_between_take_and_call(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row made sense when it was taken and no longer when its call is made: it is dropped, and says so."""
    (ticket,) = late(desk)
    decide_late(desk)
    stamped = delivery._stamped

    def slow(*given: object) -> object:
        found = stamped(*given)  # type: ignore[arg-type]
        desk.sandbox.advance(9 * 3600)
        return found

    monkeypatch.setattr(delivery, "_stamped", slow)
    delivery.deliver(desk.ctx)
    state, said = row_of(desk, ticket)
    assert state is OutboxState.DROPPED
    assert said.startswith("too late: it made sense until 2026-03-04 04:03 UTC")
    assert climbed(desk, ticket) == 0


@pytest.mark.parametrize("keeps_metadata", [True, False])
def test_held_after_deciding(desk: Desk, keeps_metadata: bool) -> None:
    """Tagged hf_hold after the decision: nothing is written while the tag is there; once it is gone, one step."""
    desk.core.switches.bulk_keeps_metadata = keeps_metadata
    (ticket,) = late(desk)
    decide_late(desk)
    desk.sandbox.advance(5)
    hold(desk, ticket)
    before = len(desk.effects(ticket))
    delivery.deliver(desk.ctx)
    assert row_of(desk, ticket)[0] is OutboxState.DROPPED
    desk.minutes(10)
    assert len(desk.effects(ticket)) == before
    release(desk, ticket)
    settled(desk)
    assert climbed(desk, ticket) == 1
    assert len(desk.notes(ticket)) == 2  # the warning from before, and the step


def test_held_before_a_rules_row_goes(desk: Desk) -> None:
    """A rule's row carries no stamp: the tag is seen when the ticket is read just before the call."""
    desk.move("2026-03-03 18:30")
    desk.minutes(2)
    ticket = desk.file("P2", "business")
    desk.sandbox.advance(60)
    sync.all_tools(desk.ctx)
    pulse.decide(desk.ctx)
    hold(desk, ticket)
    delivery.deliver(desk.ctx)
    assert desk.replies(ticket) == []
    held = {row.error for row in desk.rows(ticket) if row.action.policy == "rules" and row.state is OutboxState.DROPPED}
    assert len(held) == 1
    assert "hf_hold" in (held.pop() or "")
    desk.minutes(5)
    assert desk.effects(ticket) == []
    release(desk, ticket)
    settled(desk)
    assert len(desk.replies(ticket)) == 1
    assert "next_business_day" in desk.tags(ticket)


@pytest.mark.parametrize(
    "asking",
    [{"tags_add": ("escalate_please",)}, {"fields": {"escalation_reason": "escalation_ability"}}],
    ids=["rule", "agent"],
)
def test_an_agent_has_moved_the_ticket_higher_meanwhile(desk: Desk, asking: dict[str, Any]) -> None:
    """A step to tier 2 is under way when an agent takes the ticket to tier 3: it stays there, and the wish is told."""
    ticket = desk.file("P3", "business")
    desk.minutes(3)
    desk.sim.edit(ticket, author=desk.agent, **asking)
    desk.sandbox.advance(60)
    sync.all_tools(desk.ctx)
    pulse.decide(desk.ctx)
    assert desk.states(ticket, "escalate") == [("escalate", "planned")]
    desk.sim.edit(ticket, author=desk.agent, fields={"tier": "3"}, group="Engineering")
    delivery.deliver(desk.ctx)
    settled(desk)
    assert (desk.field(ticket, "tier"), desk.group(ticket)) == ("tier_3", "Engineering")
    assert any("It is with Engineering already." in note for note in desk.notes(ticket))


def test_a_long_hold_ends_without_a_flood(desk: Desk) -> None:
    """Held over a night of warnings, lateness and a customer's P1: afterwards one step, no page and no old reply."""
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    hold(desk, ticket)
    desk.minutes(2)
    desk.move("2026-03-04 02:00")
    desk.minutes(2)
    desk.sim.edit(ticket, author=desk.agent, fields={"severity": "P1"})
    desk.minutes(2)
    desk.move("2026-03-04 09:00")
    before = len(desk.effects(ticket))
    desk.minutes(2)
    assert len(desk.effects(ticket)) == before
    release(desk, ticket)
    settled(desk)
    assert climbed(desk, ticket) == 1
    assert [len(desk.incidents), desk.replies(ticket)] == [0, []]


def test_a_page_of_a_held_ticket_waits(desk: Desk) -> None:
    """PagerDuty is away, the ticket is tagged hf_hold meanwhile: nobody is paged until the tag is gone."""
    desk.move("2026-03-04 02:00")
    desk.minutes(3)
    ticket = desk.file("P1", "business")
    desk.fail(vendor="pagerduty", kind="status", status=503, path="enqueue")
    desk.minutes(1)
    hold(desk, ticket)
    desk.well()
    desk.minutes(3)
    assert desk.incidents == []
    release(desk, ticket)
    desk.minutes(3)
    assert len(desk.incidents) == 1


def test_an_agent_moves_the_ticket_back(desk: Desk) -> None:
    """We moved it up and an agent took it back: group and tier stay theirs, however long we look."""
    (ticket,) = late(desk)
    settled(desk)
    assert (desk.group(ticket), climbed(desk, ticket)) == ("Technical", 1)
    desk.sim.edit(ticket, author=desk.agent, group="Support")
    desk.minutes(3)
    assert desk.field(ticket, "tier") == "tier_1"
    for day in ("2026-03-04 09:00", "2026-03-05 16:00"):
        desk.move(day)
        desk.minutes(4)
    assert (desk.group(ticket), climbed(desk, ticket)) == ("Support", 1)
    assert desk.field(ticket, "tier") == "tier_1"


def test_a_trigger_that_empties_our_field(desk: Desk) -> None:
    """The account's trigger takes our field back twice: we stop, and the journal names the trigger; no note says so."""
    desk.sim.switches.field_resetter = True
    ticket = desk.file("P2", "business")
    desk.minutes(6)
    for minute in range(4):
        desk.sim.reply(ticket, author=desk.agent, body=f"Try {minute}.")
        desk.minutes(4)
    ours = [r for r in desk.effects(ticket) if r.kind == "field" and r.detail["field"] == "Next escalation"]
    assert len(ours) == 2
    (row,) = [row for row in desk.rows(ticket) if row.action.verb == "leave"]
    trigger = next(t for t in desk.sim.desk.triggers if t.title == "Keep Next escalation empty")
    said = f"The account's own rule “Keep Next escalation empty” ({trigger.id}) has set the field next escalation back"
    assert row.action.reason.text.startswith(said)
    assert row.state is OutboxState.NOT_CONNECTED
    assert not [note for note in desk.notes(ticket) if "back" in note]
    assert desk.field(ticket, "sla_due") is None  # the other fields go on: answered, so nothing is due
    assert desk.field(ticket, "first_response_at") is not None


def test_a_trigger_that_resets_the_group(desk: Desk) -> None:
    """The account's trigger puts the group back after each step: the third step leaves the group to it."""
    desk.sim.switches.group_resetter = True
    ticket = desk.file("P1", "enterprise")
    desk.minutes(1)
    for minute in ("10:17", "10:33", "10:48"):
        desk.move(f"2026-03-03 {minute}")
        desk.minutes(4)
    group = [r for r in desk.effects(ticket) if r.kind == "field" and r.detail["field"] == "group_id"]
    assert len(group) == 2
    assert climbed(desk, ticket) == 2
    assert desk.field(ticket, "tier") == "tier_3"
    (row,) = [row for row in desk.rows(ticket) if row.action.verb == "leave"]
    assert "has set the field group back 2 times" in row.action.reason.text
    assert "Keep Support request with Support" in row.action.reason.text
