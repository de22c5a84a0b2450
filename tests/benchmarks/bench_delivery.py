"""How many calls work takes (design §8), counted in the record of what the sandbox was asked.

`python -m tests.benchmarks.bench_delivery` prints them: reading 2,500 tickets that changed, and moving 1,000 late
tickets up by one pulse, a note each. Jobs are over at the first look here: how long they take is Zendesk's affair.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from pathlib import Path
from time import perf_counter

from connectors.sandbox.client import People
from connectors.sandbox.server import Sandbox
from flows import sync
from flows.context import open_context
from flows.pulse import beat
from flows.report import Pulse
from flows.sandbox_world import build_world
from tests.benchmarks import Row
from tests.benchmarks.rig import MINUTE, environment, settle
from tests.profiles import profile

CHANGED, LATE, BULK, EXPORT = 2_500, 1_000, 100, 1_000
TIERS = ("1", "2", "3")
AWAY = timedelta(days=5)
"""Long enough that every first reply is late, whatever the plan."""


class Calls:
    """What was asked of Zendesk since the last look, by method and path without ids."""

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0

    def take(self) -> Counter[str]:
        """The calls that came since, counted."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            lines = [json.loads(line) for line in file]
            self._read = file.tell()
        return Counter(_named(line["method"], line["path"]) for line in lines if line["vendor"] == "zendesk")


def _named(method: str, path: str) -> str:
    parts = ["…" if any(sign.isdigit() for sign in part.removeprefix("v2")) else part for part in path.split("/")]
    return f"{method} {'/'.join(parts).removeprefix('/api/v2/').removesuffix('.json')}"


@contextmanager
def account(tickets: int) -> Iterator[tuple[People, Calls]]:
    """An account of so many tickets, its environment set and its traffic recorded; nothing of it was read yet."""
    with tempfile.TemporaryDirectory() as name:
        record = Path(name) / "record.jsonl"
        world = build_world(profile("builder"), size={"tickets": tickets})
        with Sandbox(world, 1, record=record) as sandbox:
            url = f"sqlite:///{name}/store.sqlite"
            with environment(**sandbox.environment(), HELPDESK_PROFILE="builder", HELPDESK_DATABASE_URL=url):
                people = People(sandbox.environment()["HELPDESK_SANDBOX_URL"])
                people.switch(rate_limits=False, job_seconds=0.0)
                yield people, Calls(record)
                people.close()


def reading() -> list[Row]:
    """Everything there is, from the start: tickets and what happened to them."""
    with account(CHANGED) as (_, calls), open_context() as ctx:
        sync.read_all(ctx, "zendesk")
        asked = calls.take()
        tickets, events = (asked[f"GET incremental/{name}"] for name in ("tickets/cursor", "ticket_events"))
        stored = len(ctx.store.known(range(1, 10 * CHANGED)))
    assert stored >= CHANGED, stored
    beyond = tickets - ceil(stored / EXPORT)
    return [
        Row(f"{stored:,} tickets read: calls beyond {ceil(stored / EXPORT)}", beyond, "calls", figure="sync-calls"),
        Row("the same: what happened to them, pages of the events' export", events, "calls"),
    ]


def late() -> list[Row]:
    """A pulse that moves up 1,000 late tickets, in three tiers, after an operator has approved them."""
    with account(1) as (people, calls):
        settle(people)
        customers = people.act("customers")
        for number in range(LATE):
            fields = {"severity": "P2", "kind": "bug", "module": "scheduling", "tier": TIERS[number % len(TIERS)]}
            asking = {"requester": customers[number % len(customers)], "fields": fields}
            people.act("file", subject=f"Ticket {number}", body="It does not add up.", **asking)
        people.move_to(people.now() + 2 * MINUTE)
        settle(people)
        people.move_to(people.now() + AWAY)
        pulse()
        people.move_to(people.now() + MINUTE)
        approve()
        people.switch(rate_limits=True)
        calls.take()
        start = perf_counter()
        with open_context() as ctx:
            assert ctx.zendesk is not None
            found, used = beat(ctx), ctx.zendesk.policy.budget.used
        spent = perf_counter() - start
        asked = calls.take()
    budgets = [
        Row(f"Zendesk's budget {name!r}, of {use.limit:,} a minute", use.calls, "calls") for name, use in used.items()
    ]
    return _told(found, asked, spent) + budgets


def pulse() -> Pulse:
    """One pulse from the command line, in this process."""
    with open_context() as ctx:
        return beat(ctx)


def approve() -> None:
    """An operator releases what a limit held back: a thousand at once are more than a profile lets pass unasked."""
    with open_context() as ctx:
        for batch in ctx.store.batches():
            ctx.store.approve(batch.hash, ctx.now())


def _told(found: Pulse, asked: Counter[str], spent: float) -> list[Row]:
    moved = sum(action.verb == "escalate" for decided in found.decided for action in decided.actions)
    looks, writes = asked["GET tickets/show_many"], asked["PUT tickets/update_many"]
    looked_up = asked["GET job_statuses/…"] + asked["GET job_statuses/show_many"]
    other = asked.total() - looks - writes - looked_up
    assert moved == LATE, found.sentence()
    return [
        Row(
            f"{moved:,} late tickets moved up, a note each: calls",
            looks + writes + looked_up,
            "calls",
            figure="escalate-calls",
        ),
        Row("of them fresh looks, 100 tickets each", looks, "calls", "the least", looks / ceil(moved / BULK)),
        Row("of them writes, 100 tickets each", writes, "calls", "the least", writes / ceil(moved / BULK)),
        Row("of them looks at their jobs", looked_up, "calls"),
        Row("the pulse's other reads", other, "calls"),
        Row("the pulse, sandbox included: wall", spent, "s"),
    ]


def run() -> list[Row]:
    """Count."""
    return reading() + late()


if __name__ == "__main__":
    print(*run(), sep="\n")
