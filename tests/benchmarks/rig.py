"""What the benches of whole runs stand on: a sandbox of its own process, processes measured, a store that can grow."""

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import sqlalchemy as sa

from connectors.sandbox.client import People
from connectors.store import schema
from flows.context import open_context
from flows.demo.processes import LAST_LINE
from flows.pulse import beat

MINUTE = timedelta(seconds=61)
TICKETS_APART, EVENTS_APART = 10**6, 10**14
"""Between the ids of one copy and the next: more than a sandbox hands out."""
_COPIED = {
    schema.ticket: {"id": f"id + :n * {TICKETS_APART}"},
    schema.ticket_event: {"id": f"id + :n * {EVENTS_APART}", "ticket_id": f"ticket_id + :n * {TICKETS_APART}"},
    schema.clock: {"record": f"'zendesk:' || (substr(record, 9) + :n * {TICKETS_APART})"},
    schema.outbox: {
        "id": f"id + :n * {TICKETS_APART}",
        "key": "key || ':' || :n",
        "record": f"'zendesk:' || (substr(record, 9) + :n * {TICKETS_APART})",
    },
}
_LONG_AGO = {
    schema.ticket: {"status": "'closed'", "open": "0"},
    schema.clock: {"state": "CASE state WHEN 'missed' THEN 'missed' ELSE 'met' END", "next_at": "NULL"},
}


class Spent(NamedTuple):
    """What a process took, in seconds, and what it printed."""

    wall: float
    cpu: float
    said: str


def peak() -> float:
    """The most memory that this process ever had, in MB; by `getrusage` a child would inherit its parent's peak."""
    try:
        [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(line.split()[1]) / 1024


def spent(*words: str) -> Spent:
    """Run `python -m …` with this process's environment, to its end. RuntimeError where it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as problems:
        start = perf_counter()
        process = subprocess.Popen([sys.executable, "-m", *words], stdout=out, stderr=problems)
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            problems.seek(0)
            raise RuntimeError(f"{words[0]} ended with {process.returncode}: {problems.read().decode()[-2000:]}")
        out.seek(0)
        return Spent(wall, usage.ru_utime + usage.ru_stime, out.read().decode())


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set variables for a block, and put back whatever the block changed."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def sandbox(profile: str = "builder") -> Iterator[Mapping[str, str]]:
    """A sandbox in a process of its own, its clock standing still; gives what it prints: addresses and credentials."""
    words = ["-m", "flows.cli", "sandbox", "--still", "--port-base", "0", "--profile", profile]
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found: dict[str, str] = {"HELPDESK_PROFILE": profile}
        try:
            for line in process.stdout:
                name, _, value = line.strip().partition("=")
                found[name] = value
                if name == LAST_LINE:
                    break
            yield found
        finally:
            process.terminate()


def settle(people: People, most: int = 10) -> None:
    """Pulses, a minute apart, until one finds nothing to do: the first load and what it leaves to read are over."""
    for _ in range(most):
        with open_context() as ctx:
            if all(decided.looked == 0 for decided in beat(ctx).decided):
                return
        people.move_to(people.now() + MINUTE)


def grow(path: Path, times: int, *, over: bool = True) -> None:
    """Copy all tickets of a store with their past until there are so many times as many; `over`: all long closed.

    No policy has to look at a copy: it has the number of what it was copied from.
    """
    conn = sqlite3.connect(path)
    with conn:
        for table, changes in _COPIED.items():
            said = changes | (_LONG_AGO.get(table, {}) if over else {})
            conn.executemany(_copying(table, said), [{"n": n} for n in range(1, times)])
    conn.close()


def _copying(table: sa.Table, said: Mapping[str, str]) -> str:
    names = [column.name for column in table.columns]
    into, values = ", ".join(f'"{name}"' for name in names), ", ".join(said.get(name, f'"{name}"') for name in names)
    first = (
        f"SELECT {into} FROM {table.name} WHERE "
        + {
            "ticket": f"id < {TICKETS_APART}",
            "ticket_event": f"ticket_id < {TICKETS_APART}",
            "clock": f"substr(record, 9) + 0 < {TICKETS_APART}",
            "outbox": f"id < {TICKETS_APART}",
        }[table.name]
    )
    return f"INSERT INTO {table.name} ({into}) SELECT {values} FROM ({first})"
