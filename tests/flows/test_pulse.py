"""The pulse as a whole: a second run changes nothing, one run at a time, and an operator's word holds."""

from datetime import timedelta

import pytest

from connectors.store import Mode, OutboxState, StaleLease
from flows import pulse, sync
from flows.lease import leased
from flows.report import Pulse
from tests.flows.desk import Desk, unfinished


def a_days_work(desk: Desk) -> list[int]:
    """Something for every policy: a late ticket, one at night, a page that is taken and ends, a keyword."""
    late = desk.file("P2", "business")
    desk.minutes(2)
    desk.move("2026-03-03 14:02")
    desk.minutes(3)
    security = desk.file("P3", "professional", fields={"kind": "security"})
    desk.minutes(2)
    desk.move("2026-03-03 22:00")
    desk.minutes(2)
    queued, paged = desk.file("P3", "business"), desk.file("P1", "enterprise")
    desk.minutes(2)
    desk.phone.acknowledge(desk.incidents[0].id)
    desk.minutes(2)
    desk.sim.reply(paged, author=desk.agent, body="It is back.", status="solved")
    desk.minutes(4)
    return [late, security, queued, paged]


@pytest.mark.req("NFR-03")
def test_second_run_changes_nothing(either_desk: Desk) -> None:
    """After a day's work another run, in the same minute or in later ones, plans nothing and does nothing."""
    desk = either_desk
    late, security, queued, paged = a_days_work(desk)
    assert [note for note in desk.notes(late) if "Moved to Technical support" in note]
    assert "security" in desk.tags(security)
    assert "next_business_day" in desk.tags(queued)
    assert [incident.status for incident in desk.incidents] == ["resolved"]
    assert desk.field(paged, "first_response_at") is not None
    assert unfinished(desk.rows()) == []
    rows, done = len(desk.rows()), desk.done()
    for _ in range(2):
        desk.beat()
    desk.minutes(3)
    desk.restart()
    desk.beat()
    assert (len(desk.rows()), desk.done()) == (rows, done)


def test_each_thing_is_done_once(desk: Desk) -> None:
    """In that day no note and no message was written twice."""
    for ticket in a_days_work(desk):
        said = [*desk.notes(ticket), *desk.replies(ticket)]
        bare = [text.partition("\n\nref ")[0] for text in said]
        assert len(set(bare)) == len(bare)


@pytest.mark.req("NFR-10")
def test_webhooks_make_no_difference(desk: Desk) -> None:
    """Every webhook lost: the same is done (Part 1 listens to none; they are hints)."""
    desk.core.switches.webhook_lose = 1.0
    tickets = a_days_work(desk)
    assert all(desk.effects(ticket) for ticket in tickets)


def test_shadow_writes_nothing(desk: Desk) -> None:
    """In shadow a policy journals what it would have done, once, and nobody is written to or paged."""
    for policy in ("triage", "sla", "rules", "paging"):
        desk.ctx.store.set_mode(policy, Mode.SHADOW, desk.now)
    desk.move("2026-03-03 22:00")
    desk.minutes(2)
    ticket = desk.file("P1", "enterprise")
    desk.minutes(3)
    assert desk.effects() == []
    assert ("page", "shadow") in desk.states(ticket)
    assert len(desk.states(ticket, "page")) == 1


def test_mode_of_the_environment_caps(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """HELPDESK_MODE=shadow holds whatever a policy's own mode says."""
    monkeypatch.setenv("HELPDESK_MODE", "shadow")
    desk.restart()
    desk.ctx.store.set_mode("rules", Mode.APPLY, desk.now)
    desk.file("P3", "business", fields={"kind": "security"})
    desk.minutes(3)
    assert desk.effects() == []


def test_off_is_silent_and_on_again_looks_forward(desk: Desk) -> None:
    """Off: nothing is journalled. Switched on again, what happened meanwhile stays undone; what comes is served."""
    desk.ctx.store.set_mode("rules", Mode.OFF, desk.now)
    before = desk.file("P3", "business", fields={"kind": "security"})
    desk.minutes(3)
    assert not [row for row in desk.rows(before) if row.action.policy == "rules"]
    desk.ctx.store.set_mode("rules", Mode.APPLY, desk.now)
    after = desk.file("P3", "business", fields={"kind": "security"})
    desk.minutes(3)
    assert "security" not in desk.tags(before)
    assert "security" in desk.tags(after)


def test_pause_holds_deliveries(desk: Desk) -> None:
    """Paused: decided and kept, not sent; reading goes on. Resumed with `keep` it comes out once."""
    desk.ctx.store.pause("all", desk.now)
    ticket = desk.file("P3", "business", fields={"kind": "security"})
    desk.minutes(3)
    assert desk.effects() == []
    assert "First response" in desk.clocks(ticket)
    desk.ctx.store.resume("all", desk.now, keep=True)
    desk.minutes(2)
    assert "security" in desk.tags(ticket)


def test_paused_record(desk: Desk) -> None:
    """One ticket is paused: the others are served."""
    held, other = (desk.file("P3", "business", fields={"kind": "security"}) for _ in range(2))
    desk.ctx.store.pause(f"zendesk:{held}", desk.now)
    desk.minutes(3)
    assert desk.effects(held) == []
    assert "security" in desk.tags(other)


@pytest.mark.req("SEC-10")
def test_plan_only_changes_nothing(desk: Desk) -> None:
    """A plan says what would be done, and leaves outbox, tools and what policies have decided as they are."""
    ticket = desk.file("P3", "business", fields={"kind": "security"})
    desk.sandbox.advance(60)
    rows, seq = len(desk.rows()), desk.ctx.store.decided_seq("rules")
    with desk.another(plan_only=True) as planning:
        found = pulse.beat(planning)
    assert [action.verb for one in found.decided for action in one.actions if action.policy == "rules"]
    assert (len(desk.rows()), desk.ctx.store.decided_seq("rules")) == (rows, seq)
    assert desk.effects() == []
    desk.beat()
    assert "security" in desk.tags(ticket)


def test_two_pulses_at_once(either_desk: Desk) -> None:
    """While one pulse is at work another one does nothing and says so."""
    desk = either_desk
    with desk.another() as other, leased(other, Pulse(at=desk.now)) as ours:
        assert ours
        found = desk.beat()
        assert found.skipped == "Another run is at work; nothing was done."
        assert found.synced == {}
    assert desk.beat().skipped is None


def test_overtaken_pulse_stops(desk: Desk) -> None:
    """A pulse that slept through its lease and was overtaken writes nothing any more."""
    desk.file("P3", "business", fields={"kind": "security"})
    desk.sandbox.advance(60)
    found, other = Pulse(at=desk.now), Pulse(at=desk.now)
    with desk.another() as sleeper, leased(sleeper, found):
        sync.all_tools(sleeper)
        sleeper.store.release("pulse", sleeper.fence or 0)  # as if it had run out
        with leased(desk.ctx, other) as ours:
            assert ours
            with pytest.raises(StaleLease):
                pulse.decide(sleeper)


@pytest.mark.parametrize("half", [0, 30])
def test_day_one_pages_nobody(fresh_desk: Desk, half: int) -> None:
    """An account full of late tickets, first seen at any time of day: no note, no page; new tickets are served."""
    desk = fresh_desk
    desk.core.set_time(desk.now + timedelta(hours=half))
    desk.file("P1", "starter")
    desk.sandbox.advance(7200)
    desk.beat()
    desk.minutes(3)
    assert desk.effects() == []
    assert OutboxState.BASELINE in {row.state for row in desk.rows()}
    ticket = desk.file("P3", "business", fields={"kind": "security"})
    desk.minutes(2)
    assert "security" in desk.tags(ticket)
