"""Day one on an old account: 200,000 tickets, 3,000 of them late, and what anybody notices of it (`act_from`).

`python -m tests.benchmarks.bench_act_from` prints it: the store is filled directly, and policies decide as a pulse has
them. After each event of its life (installed, paused and resumed, from shadow to apply, profile edited, database
put back) it is counted what would go out, and what was asked of Zendesk besides looking. Both have to be 0.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import msgspec

from connectors.store import Facts, Mode, OutboxState, SourceState, Store
from flows import restore
from flows.context import Context
from flows.pulse import DECIDERS
from mappings.model import Actor, EventKind, Status, Ticket, TicketEvent
from mappings.plan import POLICIES
from mappings.zendesk import read_page
from tests.benchmarks import Row
from tests.benchmarks.bench_sla import Desk, past, urgent, world
from tests.benchmarks.bench_store import a_ticket
from tests.benchmarks.bench_sync import reading
from tests.profiles import edited

NOW = datetime(2026, 3, 3, 16, tzinfo=UTC)
MINUTE, AGE = timedelta(minutes=1), timedelta(days=20)
OLD, LATE, SAVED = 200_000, 3_000, 5_000
EDIT = """
targets: {First response: {table: {P1: {starter: 5m, professional: 5m, business: 5m, enterprise: 5m}}}}
rules: {watch: {when: {severity: P1}, do: [page on_call, tell management, tag watched]}}
"""
QUIET = (OutboxState.BASELINE, OutboxState.SHADOW, OutboxState.NOT_CONNECTED)


class Account(Desk):
    """An account that counts what it is asked, by method."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked[request.method] += 1
        return super()._answer(request)


def fill(store: Store, account: Account) -> None:
    """Tickets that were solved weeks ago, and those that nobody has answered since."""
    for low in range(LATE + 1, OLD + 1, SAVED):
        tickets = [solved(id) for id in range(low, min(low + SAVED, OLD + 1))]
        events = tuple(event for ticket in tickets for event in history(ticket))
        store.save(Facts(tickets=tuple(tickets), events=events))
    created = NOW - AGE
    account.bodies = {id: json.dumps(urgent(id, created)).encode() for id in range(1, LATE + 1)}
    page = read_page(b'{"tickets":[%s]}' % b",".join(account.bodies.values()), reading())
    assert not page.parked, page.parked[:3]
    events = tuple(event for id in account.bodies for event in past(id, created))
    read = SourceState(tool="zendesk", name="events", cursor="1", fresh_through=NOW)
    store.save(Facts(tickets=page.tickets, events=events), source=read)


def solved(id: int) -> Ticket:
    """A ticket that was answered and solved within a day, weeks ago."""
    at = NOW - AGE - timedelta(minutes=id)
    given: dict[str, Any] = {"status": Status.SOLVED, "created_at": at, "updated_at": at + timedelta(hours=20)}
    return msgspec.structs.replace(a_ticket(id), company_id=None, requester_id=None, **given)


def history(ticket: Ticket) -> Iterator[TicketEvent]:
    """How it began, and how it was solved."""
    yield from past(ticket.id, ticket.created_at)
    end: dict[str, Any] = {"at": ticket.updated_at, "actor": Actor.AGENT, "audit_id": ticket.id * 100 + 50}
    yield TicketEvent(id=ticket.id * 100 + 50, ticket_id=ticket.id, kind=EventKind.COMMENT, public=True, **end)
    said = {"field": "status", "old": "open", "new": "solved"}
    yield TicketEvent(id=ticket.id * 100 + 51, ticket_id=ticket.id, kind=EventKind.CHANGE, **said, **end)


def events_of_a_life(ctx: Context) -> dict[str, Callable[[], None]]:
    """What happens to a deployment, one thing after another; policies decide after each."""
    store = ctx.store

    def pause() -> None:
        store.pause("all", ctx.now())

    def resume() -> None:
        store.resume("all", ctx.now())

    def switch(mode: Mode) -> None:
        for policy in POLICIES:
            store.set_mode(policy, mode, ctx.now())

    def edit() -> None:
        ctx.profile = edited("builder", EDIT)

    return {
        "installed": lambda: None,
        "a minute later": lambda: None,
        "paused": pause,
        "resumed": resume,
        "to shadow": lambda: switch(Mode.SHADOW),
        "to apply": lambda: switch(Mode.APPLY),
        "profile edited: figures, a new rule": edit,
        "database put back": lambda: _told(restore.start_anew(store, ctx.now())),
    }


def _told(_: object) -> None:
    """Whatever it says."""


def run() -> list[Row]:
    """Live through it."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        store = Store.open(f"sqlite:///{Path(name) / 'store.sqlite'}", profile="builder", migrate=True)
        account = Account()
        fill(store, account)
        with world(store, account) as ctx:
            for minute, (what, happen) in enumerate(events_of_a_life(ctx).items()):
                ctx.now = lambda at=NOW + minute * MINUTE: at  # type: ignore[misc]
                start = perf_counter()
                happen()
                looked = sum(decide(ctx).looked for decide in DECIDERS.values())
                spent = perf_counter() - start
                rows.append(Row(f"{what}: would go out", going(store), "actions", figure="act-from"))
                rows.append(Row(f"{what}: {looked:,} tickets looked at", spent, "s"))
        known = {state: count for state, count in store.outbox_counts().items() if count}
        rows.append(Row("written down as baseline", known.get(OutboxState.BASELINE, 0), "actions"))
        rows.append(Row("written to Zendesk", account.asked.total() - account.asked["GET"], "calls", figure="act-from"))
        assert known.get(OutboxState.BASELINE, 0) >= LATE, known
        store.close()
    return rows


def going(store: Store) -> int:
    """How many actions are anywhere but in the journal."""
    return sum(count for state, count in store.outbox_counts().items() if state not in QUIET)


if __name__ == "__main__":
    print(*run(), sep="\n")
