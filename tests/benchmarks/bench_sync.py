"""The sync's figures (design §8): export pages from the wire's bytes to rows in the store, beside the bare minimum.

`python -m tests.benchmarks.bench_sync` prints them. A page is 1,000 tickets of an ordinary size with the people and
companies that it side-loads, as the real export prints them (custom fields twice). The bound is what cannot be saved:
one typed decode of the same bytes, and the same number of rows through sqlite3 with nothing compared.
"""

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from connectors.store import Facts, Store
from connectors.zendesk.client import Zendesk
from mappings.profile import Source, load_tools
from mappings.zendesk import Reading, build_reading, read_page
from tests.benchmarks import Row
from tests.benchmarks.bench_store import postgres_store, sqlite_store
from tests.profiles import CONFIG, profile

PAGES, PAGE, PEOPLE, COMPANIES = 20, 1000, 5000, 500
AT = "2026-03-03T12:00:00Z"


def reading() -> Reading:
    """An account of the builder profile with all its fields; ids from 1."""
    tables = load_tools([Source(path.name, path.read_text()) for path in sorted((CONFIG / "tools").glob("*.yaml"))])
    titles = [field.known_by for field in tables.zendesk.ticket_fields.values()]
    return build_reading(
        tables.zendesk,
        profile("builder"),
        ticket_fields=[
            json.dumps({"ticket_fields": [{"id": n, "title": t} for n, t in enumerate(titles, 1)]}).encode()
        ],
        groups=[b'{"groups":[{"id":10,"name":"Support"}]}'],
        agents=[b'{"users":[{"id":9000,"name":"Ann"}]}'],
        me=b'{"user":{"id":9999,"name":"Helpdesk Flows"}}',
    )


def a_ticket(id: int) -> dict[str, Any]:
    """A ticket of about 3 kB."""
    values = {1: "severity_p2", 2: "kind_bug", 3: "module_estimating", 4: "source_email", 7: "tier_1", 8: AT}
    custom = [{"id": n, "value": values.get(n)} for n in range(1, 31)]
    return {
        "url": f"https://acme.zendesk.com/api/v2/tickets/{id}.json",
        "id": id,
        "external_id": None,
        "via": {"channel": "email", "source": {"from": {"address": "a@b.example"}, "to": {}, "rel": None}},
        "created_at": AT,
        "updated_at": AT,
        "generated_timestamp": 1772539200 + id,
        "type": "incident",
        "subject": f"Ticket {id}: the estimate does not add up after the last change",
        "description": "The total on page two is another than the sum of its lines. " * 8,
        "priority": "normal",
        "status": "open" if id % 5 == 0 else "closed",
        "requester_id": 20_000 + id * 7919 % PEOPLE,
        "submitter_id": 20_000 + id * 7919 % PEOPLE,
        "assignee_id": 9000,
        "organization_id": 50_000 + id % COMPANIES,
        "group_id": 10,
        "tags": ["severity_p2", "kind_bug", f"module_{id % 9}", "source_email"],
        "custom_fields": custom,
        "fields": custom,
        "ticket_form_id": 2,
        "brand_id": 1,
    }


def a_page(number: int, *, last: bool) -> bytes:
    """One page of the cursor export."""
    tickets = [a_ticket(id) for id in range(number * PAGE + 1, (number + 1) * PAGE + 1)]
    people = {ticket["requester_id"] for ticket in tickets}
    companies = {ticket["organization_id"] for ticket in tickets}
    body = {
        "tickets": tickets,
        "users": [
            {"id": id, "name": f"User {id}", "email": f"u{id}@b.example", "role": "end-user", "updated_at": AT}
            | {"organization_id": 50_000 + id % COMPANIES, "user_fields": {"role": "role_owner"}, "active": True}
            for id in people
        ],
        "organizations": [
            {"id": id, "name": f"Company {id}", "updated_at": AT, "external_id": f"b-{id}"}
            | {"organization_fields": {"plan": "plan_business", "vip": False}}
            for id in companies
        ],
        "after_cursor": str(number + 1),
        "end_of_stream": last,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def account(body: list[bytes]) -> Zendesk:
    """Our client, its wire answering with what lies in `body`."""
    secrets = {"ZENDESK_EMAIL": "flows@us.example", "ZENDESK_TOKEN": "t"}

    def secret(name: str) -> SecretStr | None:
        return SecretStr(secrets[name]) if name in secrets else None

    def wire(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body[0])

    return Zendesk("https://acme.zendesk.com", secret=secret, transport=httpx.MockTransport(wire))


def load(store: Store, pages: int = PAGES) -> tuple[float, float, float]:
    """Load page after page, rendered outside the time taken; wall, CPU, and the decode's part of the wall."""
    known, body = reading(), [b""]
    client = account(body)
    wall = cpu = decode = 0.0
    for number in range(pages):
        body[0] = a_page(number, last=number == pages - 1)
        start, used = perf_counter(), process_time()
        answer = client.export_tickets(cursor=str(number))
        page = read_page(answer or b"", known)
        decode += perf_counter() - start
        store.save(Facts(tickets=page.tickets, people=page.people, companies=page.companies, parked=page.parked))
        wall, cpu = wall + perf_counter() - start, cpu + process_time() - used
    return wall, cpu, decode


class _Bare(msgspec.Struct):
    id: int
    updated_at: str
    status: str
    subject: str
    requester_id: int
    organization_id: int
    group_id: int
    generated_timestamp: int
    tags: list[str]
    custom_fields: list[dict[str, Any]]


class _BareBody(msgspec.Struct):
    tickets: list[_Bare]
    users: list[dict[str, Any]]
    organizations: list[dict[str, Any]]


def bound() -> float:
    """Seconds for a typed decode and three executemany a page."""
    spent = 0.0
    with tempfile.TemporaryDirectory() as folder:
        conn = sqlite3.connect(Path(folder) / "bound.db")
        conn.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
        columns = "id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i"
        for table in ("ticket", "person", "company"):
            conn.execute(f"CREATE TABLE {table} ({columns})")
        into = "INSERT OR REPLACE INTO {} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        for number in range(PAGES):
            body = a_page(number, last=False)
            start = perf_counter()
            page = msgspec.json.decode(body, type=_BareBody)
            with conn:
                conn.executemany(into.format("ticket"), _rows(page.tickets))
                for table, rows in (("person", page.users), ("company", page.organizations)):
                    values = ((row["id"], row["name"], row["updated_at"], *(None,) * 7) for row in rows)
                    conn.executemany(into.format(table), values)
            spent += perf_counter() - start
        conn.close()
    return spent


def _rows(tickets: list[_Bare]) -> Iterator[tuple[Any, ...]]:
    for t in tickets:
        plain = (t.id, t.updated_at, t.status, t.subject, t.requester_id, t.organization_id, t.group_id)
        yield (*plain, t.generated_timestamp, " ".join(t.tags), str(t.custom_fields[:8]))


def peak() -> float:
    """Peak memory in MB of a process of its own that loads five times as much."""
    argv = [sys.executable, "-m", "tests.benchmarks.bench_sync", "memory"]
    return float(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def measured(store: Store, name: str, figure: str) -> list[Row]:
    """A first load into one store."""
    wall, cpu, decode = load(store)
    tickets = PAGES * PAGE
    return [
        Row(f"{name}: first load, from bytes to rows", tickets / wall, "tickets/s", figure=figure),
        Row(f"{name}: our CPU per 1,000 tickets", cpu / tickets * 1e6, "ms"),
        Row(f"{name}: of it, call and decode per 1,000 tickets", decode / tickets * 1e6, "ms"),
    ]


def run() -> list[Row]:
    """Measure SQLite beside its bound, PostgreSQL where it can be started, and memory."""
    with sqlite_store() as store:
        rows = measured(store, "SQLite", "load-sqlite")
    least = PAGES * PAGE / bound()
    rows[0] = rows[0]._replace(beside="a bare decode and executemany", ratio=rows[0].value / least)
    with postgres_store() as server:
        if server is not None:
            rows += measured(server, "PostgreSQL", "load-postgres")
    return [*rows, Row("peak memory while 100,000 tickets are loaded", peak(), "MB", figure="memory")]


def _memory() -> None:
    with sqlite_store() as store:
        load(store, pages=100)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    work: Callable[[], object] = _memory if sys.argv[1:] == ["memory"] else lambda: print(*run(), sep="\n")
    work()
