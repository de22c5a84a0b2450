"""A first load beside the running service: what is new is served at once, what is open comes first, nothing is lost."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.sandbox.server import Sandbox
from connectors.store import Store, schema
from connectors.zendesk import client
from flows import first_load, sync
from flows.context import Context
from flows.profiles import read_profile
from flows.sandbox_world import build_world
from mappings.model import ClockState
from tests.faults.points import Killed, watch
from tests.flows.desk import OPENS, Desk
from tests.stories import at

LARGE = {"companies": 8, "people": 30, "agents": 6, "tickets": 1200, "weeks": 6}
PAGE = 150
"""Rows of an export's page here, so that the past is some fifty pages: ten minutes' worth and more."""


class Waited(list[float]):
    """Who waits lets the world's time go on."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def append(self, seconds: float) -> None:
        self.sandbox.advance(seconds)


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """An account with a long past that we have never looked at; its exports take ten calls a minute."""
    monkeypatch.setattr(client, "EXPORT_PAGE", PAGE)
    with Sandbox(build_world(read_profile("builder"), now=at(OPENS), size=LARGE), seed=1) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        desk = Desk(sandbox, "", slept=Waited(sandbox))
        another_store(desk, tmp_path / "first.db", monkeypatch)
        yield desk
        desk.restart()


def another_store(desk: Desk, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on our process has this store, empty at first."""
    desk.restart()
    monkeypatch.setenv("HELPDESK_DATABASE_URL", f"sqlite:///{path}")


def place(ctx: Context, part: str) -> str | None:
    """How far a part of the load has come."""
    return ctx.store.source("zendesk", part).cursor


def loaded(ctx: Context) -> bool:
    """Is the past in?"""
    return first_load.span(ctx) is not None and not first_load.steps(ctx)


def facts(store: Store) -> dict[str, set[Any]]:
    """What was read, without what depends on the order of reading: numbers, and what the audits alone tell."""
    left_out = {"seq", "generated_at", "events_through", "actor", "actor_id"}
    found: dict[str, set[Any]] = {}
    with store.reading() as conn:
        for table in (schema.ticket, schema.ticket_event, schema.company, schema.person):
            columns = [column for column in table.columns if column.name not in left_out]
            rows = conn.execute(table.select().with_only_columns(*columns)).mappings()
            found[table.name] = {tuple(row.values()) for row in rows if row.get("kind") != "notification"}
    return found


def clocks(store: Store) -> dict[Any, Any]:
    """The clocks of open tickets, but for when we noticed something about them."""
    records = [f"zendesk:{id}" for id in store.open_tickets(limit=100_000)]
    return {
        clock.key: msgspec.structs.replace(clock, warned_at=None, detected_at=None)
        for row in store.clocks(records).values()
        for clock in row
    }


def running(clocks: dict[Any, Any]) -> set[Any]:
    """Those that still count."""
    return {key for key, clock in clocks.items() if clock.state in (ClockState.RUNNING, ClockState.PAUSED)}


def test_new_tickets_are_served_while_the_past_is_read(large: Desk) -> None:
    """Two minutes after our first look, at night, the past unread: a P1 is filed, and a minute later it pages."""
    large.move("2026-03-04 02:00")
    large.minutes(2)
    filed = large.file("P1", "starter")
    large.minutes(1)
    large.sandbox.advance(5)
    (incident,) = large.incidents
    assert f"ticket {filed} " in incident.title
    assert "First response" in large.clocks(filed)
    assert place(large.ctx, first_load.EVENTS) != first_load.END


def test_open_tickets_come_before_the_past(large: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the past's events still unread, every open ticket has the clocks that an unhurried load gives it."""
    monkeypatch.setenv("HELPDESK_MODE", "off")
    while (beat := large.minutes(1)[0]).synced["zendesk audits"] != "0 tickets read whole":
        assert not loaded(large.ctx), beat.synced
    assert place(large.ctx, first_load.EVENTS) != first_load.END
    early = clocks(large.ctx.store)
    another_store(large, tmp_path / "second.db", monkeypatch)
    sync.catch_up(large.ctx, "zendesk")
    large.beat()
    while large.beat().synced["zendesk audits"] != "0 tickets read whole":
        pass
    late = clocks(large.ctx.store)
    assert early == {key: late.get(key) for key in early}
    assert running(early) == running(late)
    assert len(running(early)) > 50


def test_hurried_and_unhurried_loads_end_alike(large: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Minute by minute beside the service, or at once by `helpdesk sync`: the same is known in the end."""
    monkeypatch.setenv("HELPDESK_MODE", "off")
    while not loaded(large.ctx):
        sync.all_tools(large.ctx)
        large.sandbox.advance(60)
    large.minutes(3)
    hurried = facts(large.ctx.store)
    another_store(large, tmp_path / "second.db", monkeypatch)
    sync.catch_up(large.ctx, "zendesk")
    large.beat()
    assert hurried == facts(large.ctx.store)
    assert len(hurried["ticket"]) >= LARGE["tickets"]
    assert loaded(large.ctx)


@pytest.mark.parametrize("by_hand", [False, True], ids=["the pulse", "helpdesk sync"])
def test_killed_in_the_middle(large: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_hand: bool) -> None:
    """Killed again and again wherever it is, and started again: in the end all is there, as if it had lived."""
    chance = random.Random(3)
    died = 0
    while not loaded(large.ctx):
        steps = chance.randrange(30, 250)

        def reached(_: str) -> None:
            nonlocal steps
            steps -= 1
            if steps == 0:
                raise Killed

        watch(large.ctx, reached)
        try:
            if by_hand and died < 4:
                sync.catch_up(large.ctx, "zendesk")
            else:
                sync.all_tools(large.ctx)
        except Killed:
            died += 1
        steps = 0
        large.restart()
        large.sandbox.advance(60)
    sync.all_tools(large.ctx)
    killed = facts(large.ctx.store)
    another_store(large, tmp_path / "second.db", monkeypatch)
    sync.catch_up(large.ctx, "zendesk")
    assert died > 3
    assert killed == facts(large.ctx.store)


def test_other_programs_use_the_exports_too(large: Desk) -> None:
    """Another program takes most of the exports' calls: the past waits, and what is new is served all the same."""
    large.sim.switches.exports_per_minute = 4
    large.minutes(1)
    filed = large.file("P1", "enterprise")
    beat = large.minutes(1)[0]
    assert large.clocks(filed)["First response"].due_at is not None
    assert not [said for said in beat.synced.values() if said.startswith("failed")]
    large.sim.switches.exports_per_minute = 1
    filed = large.file("P1", "enterprise")
    told = large.minutes(1)[0].synced
    assert large.clocks(filed)["First response"].due_at is not None
    assert told["zendesk past tickets"] == "waits for its share of the exports"
    assert all(source.down_since is None for source in large.ctx.store.sources())


def test_a_search_that_ran_out_begins_again(large: Desk) -> None:
    """The search for open tickets is only good for an hour: after a longer rest it is asked anew, and all come in."""
    large.fail(kind="status", status=400, path="search/export", nth=2, body={"error": "InvalidPaginationParameter"})
    assert large.minutes(1)[0].synced["zendesk open tickets"] == "begins again"
    large.minutes(1)
    assert place(large.ctx, first_load.OPEN) == first_load.END
    living = {id for id, ticket in large.sim.account.tickets.items() if ticket.status in ("new", "open", "pending")}
    assert living <= set(large.ctx.store.known(living))
