"""Rows that do not move: named in words, with what waits behind them, and released by one command."""

from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner

from connectors.store import Facts, OutboxState, SourceState
from flows.commands import explain, store
from flows.report import page
from tests.flows.desk import Desk, unfinished
from tests.flows.test_delivery import climbed, late
from tests.flows.test_ticket_looks import row_of

Run = Callable[..., str]


@pytest.fixture
def run() -> Run:
    """Type `helpdesk …`; what it printed, on one line."""
    app = typer.Typer()
    store.register(app)
    explain.register(app)

    def typed(*words: object) -> str:
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        return " ".join(result.stdout.split())

    return typed


def rename(desk: Desk, old: str, new: str) -> None:
    """An admin renames a group, and we come to know of it."""
    next(group for group in desk.sim.account.groups.values() if group.name == old).name = new
    unknown = SourceState(tool="zendesk", name="account", cursor=None, fresh_through=None)
    desk.ctx.store.save(Facts(), source=unknown)


@pytest.fixture
def parked(desk: Desk) -> int:
    """A late ticket whose step up fails, since its group is not there, and an answer's fields that wait behind it."""
    (ticket,) = late(desk)
    rename(desk, "Technical", "Tech")
    desk.minutes(2)
    desk.sim.reply(ticket, author=desk.agent, body="Here is how.")
    desk.minutes(3)
    assert row_of(desk, ticket)[0] is OutboxState.FAILED
    return ticket


def test_a_failed_row_parks_its_own_ticket_only(desk: Desk, parked: int) -> None:
    """What comes later for the ticket waits; other tickets are served."""
    assert [row.action.verb for row in unfinished(desk.rows(parked))] == ["fields"]
    other = desk.file("P2", "business")
    desk.minutes(3)
    assert desk.field(other, "tier") == "tier_1"


def test_a_dead_letter_is_explained(desk: Desk, parked: int, run: Run) -> None:
    """The list and the ticket's life say place, cause and fix, which rows wait, and the commands that help."""
    (failed,) = [row for row in desk.rows(parked) if row.state is OutboxState.FAILED]
    (waits,) = unfinished(desk.rows(parked))
    for told in (run("outbox", "list", "--state", "failed"), run("explain", f"zendesk:{parked}")):
        for said in (
            "group 'Technical': Zendesk has none of that name; create it, or change the profile's tiers",
            f"zendesk:{parked} is parked in zendesk: row {waits.id} waits",
            f"`helpdesk outbox retry {failed.id}`",
            f"`helpdesk outbox drop {failed.id}`",
        ):
            assert said in told


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_retry_and_drop_unpark(desk: Desk, parked: int, run: Run, command: str) -> None:
    """Put right and sent again, the step is taken; given up, it is not. Either way what waited goes on."""
    (failed,) = [row for row in desk.rows(parked) if row.state is OutboxState.FAILED]
    rename(desk, "Tech", "Technical")
    run("outbox", command, failed.id)
    desk.minutes(4)
    assert unfinished(desk.rows(parked)) == []
    assert not [row for row in desk.rows(parked) if row.state is OutboxState.FAILED]
    assert desk.field(parked, "first_response_at") is not None
    if command == "drop":
        assert climbed(desk, parked) == 0


def test_a_field_left_to_a_rule_is_told(desk: Desk, run: Run) -> None:
    """The run's page and the ticket's life name the rule that we gave way to."""
    desk.sim.switches.field_resetter = True
    ticket = desk.file("P2", "business")
    found = desk.minutes(3)
    for minute in range(4):
        desk.sim.reply(ticket, author=desk.agent, body=f"Try {minute}.")
        found += desk.minutes(3)
    said = "Keep Next escalation empty"
    assert said in run("explain", f"zendesk:{ticket}")
    pages = [page(desk.ctx, pulse, "pulse") for pulse in found]
    (told,) = [text for text in pages if said in text]
    assert "leave the field to a rule" in told
    assert "tool not connected" not in told


def test_a_ticket_at_which_jobs_break_down(desk: Desk) -> None:
    """Jobs break down at a ticket each time: the others are served, and after some tries it is a dead letter."""
    poison, *others = late(desk, 3)
    desk.sim.switches.job_breaks_on = poison
    desk.minutes(40)
    assert [climbed(desk, ticket) for ticket in others] == [1, 1]
    state, error = row_of(desk, poison)
    assert state is OutboxState.FAILED
    assert f"zendesk ticket {poison}: Zendesk's job breaks down at it" in error
    desk.sim.switches.job_breaks_on = 0
    (row,) = [row for row in desk.rows(poison) if row.state is OutboxState.FAILED]
    desk.ctx.store.retry(row.id, desk.now)
    desk.minutes(5)
    assert climbed(desk, poison) == 1
