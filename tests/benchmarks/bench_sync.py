"""The sync's figures (design §8): export pages from the wire's bytes to rows in the store, beside the bare minimum.

`python -m tests.benchmarks.bench_sync` prints them. A page is 1,000 tickets of an ordinary size with the people and
companies that it side-loads, as the real export prints them (custom fields twice). A server in another process has them
rendered, and `flows.streams.read_tickets` reads them to the end. The bound is what cannot be saved: one typed decode of
the same bytes, and the same number of rows through sqlite3 with nothing compared.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec
from pydantic import SecretStr

from connectors.store import Store
from connectors.zendesk.client import Zendesk
from flows import sla
from flows.cases import Decided, cases
from flows.context import Context, load_replies
from flows.profiles import read_tools
from flows.settings import Settings
from flows.streams import Stretch, read_tickets
from mappings.profile import Source, load_tools
from mappings.zendesk import Reading, build_reading
from tests.benchmarks import Row
from tests.benchmarks.bench_store import postgres_store, sqlite_store
from tests.benchmarks.rig import peak, spent
from tests.profiles import CONFIG, profile

PAGES, PAGE, PEOPLE, COMPANIES = 20, 1000, 5000, 500
MANY = 200
"""Pages of the load whose memory is taken; then some chunks of them are decided on."""
CHUNKS = 10
AT, NOW = "2026-03-03T12:00:00Z", datetime(2026, 3, 4, tzinfo=UTC)


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


class _Export(BaseHTTPRequestHandler):
    """The cursor export: page `cursor` of as many as were asked for, over one connection that stays."""

    protocol_version = "HTTP/1.1"
    pages: Mapping[int, bytes] = {}

    def do_GET(self) -> None:
        """Answer with a page."""
        asked = parse_qs(urlsplit(self.path).query)
        body = self.pages[int(asked.get("cursor", ["0"])[0])]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Rendered(dict[int, bytes]):
    """Pages that are never kept."""

    def __init__(self, pages: int) -> None:
        self.last = pages - 1

    def __missing__(self, number: int) -> bytes:
        return a_page(number, last=number == self.last)


def serve(pages: int) -> None:
    """Render the pages, print the address, and answer until the process is ended. Very many are rendered as asked."""
    if pages > PAGES:
        _Export.pages = _Rendered(pages)
    else:
        _Export.pages = {number: a_page(number, last=number == pages - 1) for number in range(pages)}
    server = HTTPServer(("127.0.0.1", 0), _Export)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


@contextmanager
def served(pages: int) -> Iterator[str]:
    """A server of so many pages in a process of its own; its address once it answers."""
    words = [sys.executable, "-m", "tests.benchmarks.bench_sync", "serve", str(pages)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Loaded(NamedTuple):
    """What a load took of wall and our CPU, in seconds, and how many calls."""

    wall: float
    cpu: float
    calls: int


def world(store: Store, url: str) -> Context:
    """A run's world around a store, before an account at an address."""
    secrets = {"ZENDESK_EMAIL": "flows@us.example", "ZENDESK_TOKEN": "t"}
    client = Zendesk(url, secret=lambda name: SecretStr(secrets[name]) if name in secrets else None)
    settings = Settings()
    tools, replies = read_tools(settings.config_dir), load_replies(settings.config_dir)
    return Context(settings, profile("builder"), tools, replies, store, lambda: NOW, zendesk=client, reading=reading())


def load(ctx: Context) -> Loaded:
    """Read the export to its end into a store."""
    assert ctx.zendesk is not None
    wall, cpu = perf_counter(), process_time()
    read_tickets(ctx, Stretch("tickets", 0), None)
    took = Loaded(perf_counter() - wall, process_time() - cpu, ctx.zendesk.policy.calls)
    ctx.zendesk.close()
    return took


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


def measured(store: Store, name: str, figure: str, url: str) -> list[Row]:
    """A first load into one store."""
    took = load(world(store, url))
    tickets = PAGES * PAGE
    return [
        Row(f"{name}: first load of {tickets:,} tickets", tickets / took.wall, "tickets/s", figure=figure),
        Row(f"{name}: our CPU per 1,000 tickets", took.cpu / tickets * 1e6, "ms", figure="load-cpu"),
        Row(f"{name}: calls", took.calls, "calls", "a call for 1,000", took.calls / PAGES),
    ]


def run() -> list[Row]:
    """Measure SQLite beside its bound, PostgreSQL where it can be started, and memory."""
    with served(PAGES) as url:
        with sqlite_store() as store:
            rows = measured(store, "SQLite", "load-sqlite", url)
        least = PAGES * PAGE / bound()
        rows[0] = rows[0]._replace(beside="a bare decode and executemany", ratio=rows[0].value / least)
        with postgres_store() as server:
            if server is not None:
                rows += measured(server, "PostgreSQL", "load-postgres", url)
    with served(MANY) as url:
        with sqlite_store() as store:
            rows.append(memory("SQLite", url, store))
        with postgres_store() as server:
            if server is not None:
                rows.append(memory("PostgreSQL", url, server))
    return rows


def memory(name: str, url: str, store: Store) -> Row:
    """The most that a process has which loads very many tickets into an empty store and begins to decide on them."""
    address = store.engine.url.render_as_string(hide_password=False)
    most = float(spent("tests.benchmarks.bench_sync", "load", url, address).said)
    return Row(f"{name}: peak memory while {MANY * PAGE:,} tickets are loaded", most, "MB", figure="memory")


def _load(url: str, address: str) -> None:
    store = Store.open(address)
    ctx = world(store, url)
    load(ctx)
    for _ in range(CHUNKS):
        changed = store.changed("sla")
        sla._replay(ctx, cases(ctx, changed.ticket_ids), changed.through_seq, Decided("sla"), NOW, set())
    store.close()
    print(peak())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", count]:
            serve(int(count))
        case ["load", address, database]:
            _load(address, database)
        case _:
            print(*run(), sep="\n")
