"""What became of an update is looked up, by its job, its ticket's audits or the ticket itself; never guessed."""

import pytest

from connectors.store import OutboxState
from flows import delivery
from mappings.zendesk.writing import digest
from tests.flows.desk import Desk
from tests.flows.test_delivery import climbed, late, settled


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pulse that looks at a job once and leaves it to the next one: no test waits for a slow job."""
    monkeypatch.setattr(delivery, "JOB_SECONDS", 0)


def row_of(desk: Desk, ticket: int, verb: str = "escalate") -> tuple[OutboxState, str]:
    """The state of a ticket's latest row of a verb, and what is said of it."""
    row = [row for row in desk.rows(ticket) if row.action.verb == verb][-1]
    return row.state, row.error or ""


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("keeps_metadata", [True, False])
def test_a_job_of_three_minutes(desk: Desk, keeps_metadata: bool) -> None:
    """A job takes three minutes: each pulse asks for it by its stored id, nothing is sent again, each row is done."""
    desk.core.switches.bulk_keeps_metadata = keeps_metadata
    tickets = late(desk, 3)
    desk.core.switches.job_seconds, desk.sim.switches.job_looks = 180.0, 1_000_000
    before = desk.core.recorder.count
    desk.minutes(3)
    assert [row_of(desk, ticket)[0] for ticket in tickets] == [OutboxState.UNKNOWN] * 3
    assert "asked again with the next pulse" in row_of(desk, tickets[0])[1]
    desk.minutes(2)
    assert [row_of(desk, ticket)[0] for ticket in tickets] == [OutboxState.DONE] * 3
    assert [climbed(desk, ticket) for ticket in tickets] == [1, 1, 1]
    assert desk.calls(path="audits", after=before) == []


@pytest.mark.usefixtures("hasty")
def test_a_job_that_says_no_after_all(desk: Desk) -> None:
    """A slow job refuses one row: that row's own result counts, with its reason, and nobody looks into the ticket."""
    good, bad = late(desk, 2)
    desk.core.switches.job_seconds, desk.sim.switches.job_looks = 100.0, 1_000_000
    desk.minutes(1)
    group = next(group for group in desk.sim.account.groups.values() if group.name == "Technical")
    id = desk.sim.account.tickets[bad].group_id
    desk.sim.account.tickets[bad].requester_id = 1  # from now on Zendesk refuses any change to it
    desk.minutes(3)
    assert (climbed(desk, good), climbed(desk, bad)) == (1, 0)
    state, said = row_of(desk, bad)
    assert state is OutboxState.FAILED
    assert f"zendesk ticket {bad}: TicketUpdateFailed: Requester: is not valid" in said
    assert desk.sim.account.tickets[bad].group_id == id != group.id


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("keeps_metadata", [True, False])
def test_a_job_that_zendesk_has_forgotten(desk: Desk, keeps_metadata: bool) -> None:
    """We come back two days later and Zendesk knows the job no more: the ticket's audits say that it was done."""
    desk.core.switches.bulk_keeps_metadata = keeps_metadata
    (ticket,) = late(desk)
    desk.sim.switches.job_looks = 1_000_000
    desk.minutes(1)
    assert row_of(desk, ticket)[0] is OutboxState.UNKNOWN
    desk.move("2026-03-05 20:00")
    desk.minutes(2)
    first = next(row for row in desk.rows(ticket) if row.action.verb == "escalate")
    assert first.state is OutboxState.DONE
    assert len([note for note in desk.notes(ticket) if "(tier 2)" in note and "Moved" in note]) == 1


@pytest.mark.parametrize("keeps_metadata", [True, False])
@pytest.mark.parametrize("breaks_at", [1, 2, 3])
def test_a_job_that_breaks_down(desk: Desk, breaks_at: int, keeps_metadata: bool) -> None:
    """A job breaks down at its n-th row and tells no results: what was done is found, the rest is sent again, once."""
    desk.core.switches.bulk_keeps_metadata = keeps_metadata
    tickets = late(desk, 3)
    desk.sim.switches.job_breaks_at = breaks_at
    desk.minutes(1)
    assert sum(climbed(desk, ticket) for ticket in tickets) == breaks_at - 1
    assert {row_of(desk, ticket)[0] for ticket in tickets} == {OutboxState.UNKNOWN}
    desk.sim.switches.job_breaks_at = 0
    settled(desk)
    assert [climbed(desk, ticket) for ticket in tickets] == [1, 1, 1]
    assert {row_of(desk, ticket)[0] for ticket in tickets} == {OutboxState.DONE}


@pytest.mark.parametrize("kind", ["cut_after", "cut_before"])
def test_words_left_no_trace(desk: Desk, kind: str) -> None:
    """Fields set without a comment, no metadata kept, the answer lost: the ticket as it stands says what was done."""
    desk.core.switches.bulk_keeps_metadata = False
    desk.fail(kind=kind, method="PUT", path="update_many", count=1)
    ticket = desk.file("P2", "business")
    desk.minutes(1)
    state, _ = row_of(desk, ticket, "fields")
    assert state is OutboxState.UNKNOWN
    settled(desk)
    assert desk.field(ticket, "tier") == "tier_1"
    set_once = [row for row in desk.effects(ticket) if row.kind == "field" and row.detail["field"] == "Support tier"]
    assert len(set_once) == 1
    first = next(row for row in desk.rows(ticket) if row.action.verb == "fields")
    assert first.state is OutboxState.DONE
    assert ("as it wanted it" in (first.error or "")) is (kind == "cut_after")


def test_a_trace_that_no_longer_shows(desk: Desk) -> None:
    """As before, but an agent changed the ticket since: the row is given up and the fields are decided on anew."""
    desk.core.switches.bulk_keeps_metadata = False
    desk.fail(kind="cut_before", method="PUT", path="update_many", count=1)
    ticket = desk.file("P2", "business")
    desk.minutes(1)
    desk.sim.edit(ticket, author=desk.agent, tags_add=("theirs",))
    settled(desk, 6)
    first = next(row for row in desk.rows(ticket) if row.action.verb == "fields")
    assert (first.state, first.error) == (OutboxState.DROPPED, "the ticket changed meanwhile; decided again")
    assert desk.field(ticket, "tier") == "tier_1"


def test_an_agent_who_quotes_us_proves_nothing(desk: Desk) -> None:
    """The answer is lost and nothing was done; an agent's note happens to carry our `ref` line: ours is sent all the
    same."""
    desk.core.switches.bulk_keeps_metadata = False
    (ticket,) = late(desk)
    desk.fail(kind="cut_before", method="PUT", path="update_many", count=1)
    desk.minutes(1)
    key = next(row.action.key for row in desk.rows(ticket) if row.action.verb == "escalate")
    desk.sim.reply(ticket, author=desk.agent, body=f"I saw\nref hf-{digest(key)}", public=False)
    settled(desk, 7)
    assert climbed(desk, ticket) == 1


def test_audits_beyond_a_page(desk: Desk) -> None:
    """A ticket with more than a hundred audits: ours, the newest, is found on its second page."""
    desk.core.switches.bulk_keeps_metadata = False
    desk.core.switches.rate_limits = False
    (ticket,) = late(desk)
    for number in range(130):
        desk.sim.edit(ticket, author=desk.agent, subject=f"Version {number}")
    desk.fail(kind="cut_after", method="PUT", path="update_many", count=1)
    before = desk.core.recorder.count
    desk.minutes(1)
    assert row_of(desk, ticket)[0] is OutboxState.UNKNOWN
    settled(desk, 4)
    assert climbed(desk, ticket) == 1
    assert row_of(desk, ticket)[0] is OutboxState.DONE
    assert any("audits" in call["path"] and call["query"].get("page[after]") for call in desk.calls(after=before))


def test_an_old_job_says_nothing_of_a_new_try(desk: Desk) -> None:
    """Refused, put right, sent again, done, and the answer lost: the first try's refusal is not taken for its
    outcome."""
    (ticket,) = late(desk)
    requester = desk.sim.account.tickets[ticket].requester_id
    desk.sim.account.tickets[ticket].requester_id = 1
    desk.minutes(1)
    (failed,) = [row for row in desk.rows(ticket) if row.state is OutboxState.FAILED]
    desk.sim.account.tickets[ticket].requester_id = requester
    desk.ctx.store.retry(failed.id, desk.now)
    desk.fail(kind="cut_after", method="PUT", path="update_many", count=1)
    desk.minutes(4)
    assert row_of(desk, ticket)[0] is OutboxState.DONE
    assert climbed(desk, ticket) == 1
