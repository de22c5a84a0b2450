"""Reading the tools: nothing is missed, nothing is believed that was not said, and trouble stays where it is."""

import logging
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from connectors.store import Facts, OutboxState
from connectors.zendesk import client
from mappings.model import ClockState, Status
from mappings.zendesk.statuses import OWN_STATUS, named_status
from tests.flows.desk import Desk
from tests.stories import at


def ticket(desk: Desk, id: int):  # type: ignore[no-untyped-def]
    """A ticket as the store has it."""
    return desk.ctx.store.histories([id])[0].ticket


def test_new_ticket_is_known_at_once(desk: Desk) -> None:
    """A ticket filed this minute is there with its clock, although the exports still hide it."""
    filed = desk.file("P2", "business")
    desk.minutes(1)
    assert desk.clocks(filed)["First response"].due_at == at("2026-03-03 14:03")


@pytest.mark.req("INT-03")
def test_a_long_subject_is_cut(desk: Desk) -> None:
    """Of 301 characters 300 are kept; the ticket itself stays as it is."""
    filed = desk.file("P3", "business", subject="x" * 301)
    desk.minutes(2)
    assert ticket(desk, filed).subject == "x" * 300
    assert len(desk.sim.account.tickets[filed].subject) == 301


@pytest.mark.req("INT-05")
def test_five_statuses(desk: Desk) -> None:
    """A ticket goes through all five, each known by our name; the account's own one is told by its events, too."""
    filed = desk.file("P3", "business")
    seen = []
    for chosen in ("open", "In progress", "pending", "solved", "closed"):
        desk.sim.edit(filed, author=desk.agent, assignee=desk.agent, status=chosen)
        desk.minutes(2)
        seen.append(named_status(ticket(desk, filed), desk.ctx.profile))
    assert seen == ["open", "in_progress", "waiting_on_customer", "resolved", "closed"]
    (history,) = desk.ctx.store.histories([filed])
    own = [(event.old, event.new) for event in history.events if event.field == OWN_STATUS]
    assert own == [(None, "in_progress"), ("in_progress", None)]


def test_statuses_that_may_not_be_read(desk: Desk) -> None:
    """The account's own statuses are forbidden to us: tickets are read all the same, by their categories."""
    desk.fail(vendor="zendesk", kind="status", status=403, path="custom_statuses")
    desk.move("2026-03-03 11:00")
    filed = desk.file("P3", "business")
    desk.sim.edit(filed, author=desk.agent, assignee=desk.agent, status="In progress")
    desk.minutes(2)
    assert named_status(ticket(desk, filed), desk.ctx.profile) == "open"


def test_fixed_calls_of_a_quiet_minute(desk: Desk) -> None:
    """A minute in which nothing changed costs three calls to Zendesk: newest tickets, two exports."""
    before = desk.core.recorder.count
    desk.minutes(1)
    paths = sorted(call["path"] for call in desk.calls(path="/api/v2/", after=before))
    assert paths == [
        "/api/v2/incremental/ticket_events.json",
        "/api/v2/incremental/tickets/cursor.json",
        "/api/v2/tickets.json",
    ]


def test_plan_change_retightens_within_five_minutes(desk: Desk) -> None:
    """A company's plan changes and no ticket does: its open ticket's due time follows within five minutes."""
    filed = desk.file("P2", "professional")
    desk.minutes(2)
    assert desk.clocks(filed)["First response"].due_at == at("2026-03-04 08:03")
    company = next(c for c in desk.sim.companies() if desk.sim.company(c).fields["plan"] == "plan_professional")
    desk.sim.change_plan(company, "enterprise")
    desk.minutes(5)
    # an hour from the start has not passed yet when the plan changes, so the hour counts from the start
    assert desk.clocks(filed)["First response"].due_at == at("2026-03-03 11:03")


def test_page_with_a_mangled_ticket(desk: Desk) -> None:
    """One ticket that cannot be read is parked with its reason; the rest of its page goes on, and later so does it."""
    good, bad = desk.file("P2", "business"), desk.file("P2", "business")
    stored = desk.sim.account.tickets[bad]
    whole = stored.subject
    stored.subject = ["not", "a", "text"]  # type: ignore[assignment]
    desk.minutes(1)
    assert "First response" in desk.clocks(good)
    parked = {row.record: row.reason for row in desk.ctx.store.parked()}
    assert "subject" in parked[f"zendesk:{bad}"]
    assert not desk.clocks(bad)
    stored.subject = whole
    desk.minutes(2)
    assert "First response" in desk.clocks(bad)
    assert f"zendesk:{bad}" not in {row.record for row in desk.ctx.store.parked()}


@pytest.mark.parametrize("fault", [{"kind": "truncate"}, {"kind": "html"}, {"kind": "html", "status": 200}])
def test_broken_answers_cost_their_source_only(desk: Desk, fault: dict[str, object]) -> None:
    """Half an answer, or a page of HTML (even one that says 200): that source waits, the rest goes on, and it heals."""
    desk.fail(path="incremental|/tickets.json", **fault)
    filed = desk.file("P1", "enterprise")
    told = desk.minutes(3)[-1].synced
    failed = {name for name, said in told.items() if said.startswith("failed")}
    assert failed == {"zendesk tickets", "zendesk newest", "zendesk events", "zendesk companies"}
    assert told["pagerduty incidents"] == "0 open pages looked at"
    desk.well()
    desk.minutes(2)
    assert desk.clocks(filed)["First response"].due_at == at("2026-03-03 10:18")
    assert all(source.down_since is None for source in desk.ctx.store.sources())


def test_away_for_an_hour(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Zendesk is away for an hour: reported once when it goes and once when it returns; PagerDuty goes on."""
    desk.minutes(2)
    desk.fail(kind="away")
    with caplog.at_level(logging.INFO, logger="helpdesk"):
        told = desk.minutes(2)[-1].synced
        assert told["pagerduty incidents"] == "0 open pages looked at"
        desk.move("2026-03-03 11:05")
        desk.beat()
        desk.well()
        filed = desk.file("P2", "business")
        desk.minutes(2)
    said = [record.getMessage() for record in caplog.records if record.name == "helpdesk"]
    assert len([line for line in said if line.startswith("zendesk tickets does not answer")]) == 1
    assert len([line for line in said if line.startswith("zendesk tickets answers again")]) == 1
    assert "First response" in desk.clocks(filed)


def test_first_run_while_zendesk_is_away(fresh_desk: Desk) -> None:
    """The very first run finds Zendesk away: it says so, and the next one begins."""
    fresh_desk.fail(kind="away")
    fresh_desk.minutes(1)
    fresh_desk.well()
    fresh_desk.minutes(2)
    assert fresh_desk.ctx.store.open_tickets()
    assert fresh_desk.effects() == []


@pytest.mark.parametrize("wait", ["2", "1.5", "Tue, 03 Mar 2026 16:03:30 GMT"])
def test_rate_limited_reading(desk: Desk, wait: str) -> None:
    """429 with Retry-After as a number, with decimals or as a date: waited for, and nothing is lost."""
    filed = desk.file("P2", "business")
    desk.fail(kind="status", status=429, headers={"retry-after": wait}, count=2)
    desk.minutes(2)
    assert "First response" in desk.clocks(filed)


def test_token_expires_in_mid_run(desk: Desk) -> None:
    """An access token runs out between two calls: renewed once, and the pulse goes on."""
    filed = desk.file("P2", "business")
    desk.fail(kind="token_expired", path="ticket_events", count=1)
    told = desk.minutes(1)[0].synced
    assert not [said for said in told.values() if said.startswith("failed")]
    assert "First response" in desk.clocks(filed)


@pytest.mark.parametrize("how", ["merge", "delete", "spam"])
def test_ended_tickets_stop_everything(desk: Desk, how: str) -> None:
    """Merged, deleted or marked as spam: its clocks are void, and when their time comes nothing is sent."""
    filed, target = desk.file("P2", "business"), desk.file("P4", "starter")
    desk.minutes(2)
    match how:
        case "merge":
            desk.sim.merge(target, [filed], author=desk.agent)
        case "delete":
            desk.sim.delete(filed, author=desk.agent)
        case "spam":
            desk.sim.mark_spam(filed, author=desk.agent)
    desk.minutes(3)
    assert ticket(desk, filed).status in (Status.MERGED, Status.DELETED, Status.SPAM)
    assert {clock.state for clock in desk.clocks(filed).values()} == {ClockState.VOID}
    desk.move("2026-03-03 14:10")
    done = desk.effects(filed)
    desk.minutes(3)
    assert desk.effects(filed) == done
    assert not [row for row in desk.rows(filed) if row.state in (OutboxState.PLANNED, OutboxState.FAILED)]


def test_deleted_in_the_hidden_minute(desk: Desk) -> None:
    """Deleted just before its due time, when no list shows it and the export hides it: asked for, found gone."""
    filed = desk.file("P2", "business")
    desk.minutes(2)
    desk.move("2026-03-03 14:01")
    desk.minutes(1)
    desk.core.set_time(desk.now.replace(second=50))
    desk.sim.delete(filed, author=desk.agent)
    desk.minutes(3)
    assert not [note for note in desk.notes(filed) if "was due" in note]
    assert ticket(desk, filed).status is Status.DELETED


def test_restored_ticket_is_served_again(desk: Desk) -> None:
    """Restored from the bin: its clock runs again and its lateness is acted on, once."""
    filed = desk.file("P2", "business")
    desk.minutes(2)
    desk.sim.delete(filed, author=desk.agent)
    desk.minutes(3)
    desk.sim.restore(filed, author=desk.agent)
    desk.minutes(3)
    clock = desk.clocks(filed)["First response"]
    assert clock.state is ClockState.RUNNING
    assert clock.due_at is not None
    desk.core.set_time(clock.due_at)
    desk.minutes(4)
    assert len([note for note in desk.notes(filed) if "was due" in note]) == 1


def test_many_changed_tickets_cost_few_calls(desk: Desk) -> None:
    """150 tickets that changed at once: one page of the export (a thousand fit) and two pages of the newest."""
    for _ in range(150):
        desk.file("P3", "professional")
    desk.sandbox.advance(90)
    before = desk.core.recorder.count
    desk.beat()
    calls = [call["path"].rpartition("/")[2] for call in desk.calls("GET", "/api/v2/", after=before)]
    assert calls.count("cursor.json") == 1
    assert calls.count("tickets.json") <= 2
    assert calls.count("ticket_events.json") == 1
    delivering = [call for call in calls if call.startswith("V3-") or call == "show_many.json"]
    assert len(calls) - len(delivering) <= 4  # what is delivered has looks and jobs of its own


def test_older_copy_never_wins(desk: Desk) -> None:
    """What was read later but is older changes nothing."""
    filed = desk.file("P2", "business")
    desk.minutes(2)
    known = ticket(desk, filed)
    older = msgspec.structs.replace(known, updated_at=at("2026-03-01 10:00"), status=Status.CLOSED)
    desk.ctx.store.save(Facts(tickets=(older,)))
    assert ticket(desk, filed) == known


def fresh(desk: Desk) -> dict[str, datetime]:
    """Up to when each of Zendesk's streams has been read."""
    states = {at.name: at.fresh_through for at in desk.ctx.store.sources() if at.tool == "zendesk"}
    return {name: at for name in ("tickets", "events", "newest") if (at := states[name]) is not None}


def test_late_while_the_tool_was_away(either_desk: Desk) -> None:
    """Due while Zendesk is away for an hour: what was answered meanwhile is not late, the rest is, once, on its return.

    All the while each stream says up to when it has been read, and that it went and returned is told once.
    """
    desk = either_desk
    answered, forgotten = desk.file("P2", "business"), desk.file("P2", "business")
    desk.minutes(3)
    desk.move("2026-03-03 13:40")
    desk.minutes(3)
    before, noted = fresh(desk), {id: len(desk.notes(id)) for id in (answered, forgotten)}
    desk.fail(kind="away")
    beats = desk.minutes(3)
    desk.sim.reply(answered, author=desk.agent, body="Here is how.")
    desk.move("2026-03-03 14:35")
    beats += desk.minutes(3)
    assert fresh(desk) == before
    assert all(at < beats[0].at for at in before.values())
    desk.well()
    beats += desk.minutes(4)
    said = [line for beat in beats for line in beat.news if line.startswith("zendesk tickets")]
    assert [line.split(":")[0] for line in said] == ["zendesk tickets does not answer", "zendesk tickets answers again"]
    assert all(at >= desk.now - timedelta(minutes=2) for at in fresh(desk).values())
    told = {id: desk.notes(id)[noted[id] :] for id in (answered, forgotten)}
    assert told[answered] == []
    assert len([note for note in told[forgotten] if "was due" in note]) == 1


def test_freshness_in_the_middle_of_a_long_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """More has changed than a pulse reads: the stream is as fresh as its last page, and never says more."""
    monkeypatch.setattr(client, "EXPORT_PAGE", 3)
    desk.sandbox.advance(120)
    filed = []
    for _ in range(20):
        filed.append(desk.file("P3", "professional"))
        desk.sandbox.advance(60)
    desk.sandbox.advance(600)
    desk.fail(path="/tickets.json", kind="status", status=500)
    desk.beat()
    through = fresh(desk)["tickets"]
    there = desk.ctx.store.known(filed)
    created = {id: at_second(desk.sim.account.tickets[id].created_at) for id in filed}
    assert 0 < len(there) < len(filed)
    assert {id for id in filed if created[id] <= through} <= there.keys()
    assert through < desk.now - timedelta(minutes=10)
    desk.minutes(3)
    assert fresh(desk)["tickets"] >= desk.now - timedelta(minutes=2)


def at_second(second: int) -> datetime:
    """A second of the account's time."""
    return datetime.fromtimestamp(second, UTC)
