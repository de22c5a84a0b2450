"""The SLA policy's figures (design §8): a minute over many open tickets, and the replay of tickets that changed.

`python -m tests.benchmarks.bench_sla` prints them. The minute is `flows.sla.decide` as a pulse runs it, on SQLite: two
running clocks a ticket, none of which crosses, or as many as cross in an ordinary minute (a sixtieth of 3 % an hour).
Those have a past and are due within that minute; the look at them is answered by our own client's wire at once. The
look for comments whose author nobody has read is part of it.
"""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.sandbox.client import People
from connectors.store import Facts, Mode, Store, schema
from connectors.zendesk.client import Zendesk
from flows import audits, sla
from flows.account import know_account
from flows.cases import Decided, cases
from flows.context import Context, load_replies, open_context
from flows.profiles import read_profile, read_tools
from flows.settings import Settings
from mappings.model import Actor, EventKind, TicketEvent
from mappings.zendesk import read_page
from tests.benchmarks import Row
from tests.benchmarks.bench_store import a_clock
from tests.benchmarks.bench_store import a_ticket as a_stored_ticket
from tests.benchmarks.bench_sync import a_ticket, reading
from tests.benchmarks.rig import environment, grow, sandbox, settle

NOW = datetime(2026, 3, 3, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SIZES = (10_000, 100_000, 1_000_000)
REPLAYED, COPIES = 5_000, 9
TEMPLATE = 10**9
"""The id of the ticket that the many are copies of."""


# The minute


class Desk:
    """The account's answer to a look at tickets: as they were stored, nothing changed."""

    def __init__(self) -> None:
        self.bodies: dict[int, bytes] = {}
        secrets = {"ZENDESK_EMAIL": "flows@us.example", "ZENDESK_TOKEN": "t"}
        self.client = Zendesk(
            "https://acme.zendesk.com",
            secret=lambda name: SecretStr(secrets[name]) if name in secrets else None,
            transport=httpx.MockTransport(self._answer),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        wanted = (self.bodies[int(id)] for id in request.url.params["ids"].split(","))
        return httpx.Response(200, content=b'{"tickets":[%s]}' % b",".join(wanted))


@contextmanager
def world(store: Store, desk: Desk) -> Iterator[Context]:
    """A run's world around a store, its clock at `NOW`."""
    settings = Settings()
    context = Context(
        settings,
        read_profile("builder", settings.config_dir),
        read_tools(settings.config_dir),
        load_replies(settings.config_dir),
        store,
        lambda: NOW,
        zendesk=desk.client,
        reading=reading(),
    )
    yield context


def soon_late(ctx: Context, desk: Desk, ids: range) -> None:
    """Tickets that nobody answered, of a company that is promised a reply in an hour, a minute before it is over."""
    created = NOW - timedelta(hours=1) + timedelta(seconds=30)
    for low in range(ids.start, ids.stop, 1000):
        some = range(low, min(low + 1000, ids.stop))
        for id in some:
            desk.bodies[id] = json.dumps(urgent(id, created)).encode()
        body = b'{"tickets":[%s],"organizations":[%s]}' % (b",".join(desk.bodies[id] for id in some), _company())
        page = read_page(body, reading())
        assert not page.parked, page.parked[:3]
        events = tuple(event for id in some for event in past(id, created))
        ctx.store.save(
            Facts(tickets=page.tickets, companies=page.companies, events=events),
            events_through=dict.fromkeys(some, created),
        )


def urgent(id: int, created: datetime) -> dict[str, Any]:
    """A new ticket of the worst severity, as Zendesk prints it."""
    values = {1: "severity_p1", 2: "kind_bug", 3: "module_estimating", 4: "source_email", 7: "tier_1"}
    custom = [{"id": n, "value": values.get(n)} for n in range(1, 31)]
    at = {"created_at": created.isoformat(), "updated_at": created.isoformat()}
    return a_ticket(id) | at | {"status": "open", "organization_id": 50_000, "custom_fields": custom, "fields": custom}


def _company() -> bytes:
    company = {"id": 50_000, "name": "Acme", "updated_at": "2026-01-01T00:00:00Z"}
    return json.dumps(company | {"organization_fields": {"plan": "plan_business"}}).encode()


def past(id: int, created: datetime) -> Iterator[TicketEvent]:
    """How a ticket begins: its first values, and the customer's words."""
    first = {"status": "open", "severity": "P1", "kind": "bug", "module": "estimating", "tier": "1", "group_id": "10"}
    audit = id * 100
    said = {"audit_id": audit, "ticket_id": id, "at": created, "actor": Actor.CUSTOMER}
    yield TicketEvent(id=audit, kind=EventKind.COMMENT, public=True, **said)
    for number, (field, new) in enumerate(first.items(), 1):
        yield TicketEvent(id=audit + number, kind=EventKind.CREATE, field=field, new=new, **said)


def fill(path: Path, known: int, wanted: int) -> None:
    """Make the open tickets that are waiting as many as `wanted`: copies whose clocks are due within four days."""
    first = int(NOW.timestamp()) + 600
    ticket = {"id": "n"}
    clock = {"record": "'zendesk:' || n", "warn_at": f"{first} + n * 7919 % 345600", "next_at": "warn_at"}
    clock |= {"next_at": clock["warn_at"], "due_at": f"{clock['warn_at']} + 3600"}
    conn = sqlite3.connect(path)
    with conn:
        for table, said in ((schema.ticket, ticket), (schema.clock, clock)):
            names = [column.name for column in table.columns]
            into = ", ".join(f'"{name}"' for name in names)
            values = ", ".join(said.get(name, f'"{name}"') for name in names)
            key = f"id = {TEMPLATE}" if table is schema.ticket else f"record = 'zendesk:{TEMPLATE}'"
            conn.execute(
                f"WITH RECURSIVE many(n) AS (SELECT {known + 1} UNION ALL SELECT n + 1 FROM many WHERE n < {wanted}) "
                f"INSERT INTO {table.name} ({into}) SELECT {values} FROM many JOIN {table.name} ON {key}"
            )
    conn.close()


def minutes(store: Store, path: Path) -> list[Row]:
    """A minute at each size: nothing crosses, then an ordinary minute's share does."""
    rows, known, desk = [], 0, Desk()
    pair = [a_clock(2 * TEMPLATE + number, 100) for number in range(2)]
    store.save(Facts(tickets=(a_stored_ticket(TEMPLATE),)))
    store.decide(policy="sla", decided_seq=None, now=NOW, mode=Mode.APPLY, clocks=pair)
    with world(store, desk) as ctx:
        for size in SIZES:
            fill(path, known, size)
            crossing = size * 2 * 3 // 100 // 60
            begin = TEMPLATE + 10 * size
            soon_late(ctx, desk, range(begin, begin + crossing))
            ctx.now = lambda: NOW
            sla.decide(ctx)
            known = size
            audits.unread(ctx)
            still = min(_taken(ctx)[0] for _ in range(5))
            ctx.now = lambda: NOW + MINUTE
            spent, decided = _taken(ctx)
            assert decided.looked == crossing, (decided.looked, crossing)
            assert len(decided.actions) == crossing, len(decided.actions)
            figure = "minute" if size == 100_000 else ""
            rows += [
                Row(f"SLA minute, {size:,} open tickets, none crosses", still * 1000, "ms"),
                Row(f"SLA minute, {size:,} open tickets, {crossing} late", spent * 1000, "ms", figure=figure),
            ]
    return rows


def _taken(ctx: Context) -> tuple[float, Decided]:
    """Seconds of the look for unread authors and the decision together."""
    start = perf_counter()
    audits.unread(ctx)
    decided = sla.decide(ctx)
    return perf_counter() - start, decided


# The replay


def replays(folder: Path) -> list[Row]:
    """Clocks of 5,000 changed tickets from their beginning: the sandbox's, 25 events a ticket, several times over."""
    path = folder / "replay.sqlite"
    with sandbox() as addresses, environment(**addresses, HELPDESK_DATABASE_URL=f"sqlite:///{path}"):
        people = People(addresses["HELPDESK_SANDBOX_URL"])
        settle(people)
        people.close()
        grow(path, COPIES, over=False)
        conn = sqlite3.connect(path)
        with conn:
            conn.execute("DELETE FROM clock")
            conn.execute("DELETE FROM outbox")
            conn.execute("UPDATE policy SET decided_seq = 0")
            (events,) = conn.execute(
                "SELECT count(*) * 1.0 / (SELECT count(*) FROM ticket) FROM ticket_event"
            ).fetchone()
        conn.close()
        with open_context() as ctx:
            know_account(ctx)
            wall, cpu, reading_ = _replay_all(ctx)
    return [
        Row(f"replay of clocks, {events:.0f} events a ticket", REPLAYED / wall, "tickets/s"),
        Row("replay of clocks, our CPU per 1,000 tickets", cpu / REPLAYED * 1e6, "ms"),
        Row("of it, reading their past", reading_ / REPLAYED * 1e6, "ms"),
    ]


def _replay_all(ctx: Context) -> tuple[float, float, float]:
    """Seconds of wall, of CPU, and of CPU until the cases lay there."""
    decided, read = Decided("sla"), 0.0
    ids = ctx.store.changed("sla", limit=REPLAYED).ticket_ids
    assert len(ids) == REPLAYED
    wall, cpu = perf_counter(), process_time()
    for low in range(0, REPLAYED, 1000):
        start = process_time()
        looked = cases(ctx, ids[low : low + 1000])
        read += process_time() - start
        sla._replay(ctx, looked, 0, decided, ctx.now(), set())
    return perf_counter() - wall, process_time() - cpu, read


def run() -> list[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "minute.sqlite"
        store = Store.open(f"sqlite:///{path}", migrate=True)
        rows = minutes(store, path)
        store.close()
        return rows + replays(folder)


if __name__ == "__main__":
    print(*run(), sep="\n")
