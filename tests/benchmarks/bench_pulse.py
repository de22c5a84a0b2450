"""A quiet pulse as a whole process (design §8): from the command line and through Prefect, short and long past.

`python -m tests.benchmarks.bench_pulse` prints wall and CPU of the process, Python's own start included. The tools are
a sandbox in another process whose clock moves by a minute between pulses, so that limits of calls are as in life.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from connectors.sandbox.client import People
from flows.demo.processes import Processes
from tests.benchmarks import Row
from tests.benchmarks.rig import MINUTE, Spent, environment, grow, sandbox, settle, spent

ROUNDS, MOST = 5, 15
SHORT, LONG = 5, 50
"""How many times the sandbox's 600 tickets and their past are in the store: 3,000 and 30,000."""


def plain() -> tuple[Spent, bool]:
    """A pulse from the command line, and whether it was a quiet one."""
    took = spent("flows.cli", "run", "pulse", "--apply", "--json")
    return took, all(decided["looked"] == 0 for decided in json.loads(took.said)["decided"])


def prefect() -> tuple[Spent, bool]:
    """The same as a flow run that a Prefect server records."""
    took = spent("tests.benchmarks.bench_pulse", "once")
    return took, "looked at 0 tickets" in took.said


def quiet(people: People, *pulses: Callable[[], tuple[Spent, bool]]) -> list[list[Spent]]:
    """Each kind of pulse in turn, minute by minute, until there are enough minutes that were quiet for all of them."""
    found: list[list[Spent]] = []
    for _ in range(MOST):
        people.move_to(people.now() + MINUTE)
        round_ = [pulse() for pulse in pulses]
        if all(silent for _, silent in round_):
            found.append([took for took, _ in round_])
        if len(found) == ROUNDS:
            break
    if not found:
        raise RuntimeError(f"not one of {MOST} pulses was quiet: {round_[0][0].said}")
    return [list(kind) for kind in zip(*found, strict=True)]


def wall(runs: list[Spent]) -> float:
    """The middle one of the wall times."""
    return median(run.wall for run in runs)


def cpu(runs: list[Spent]) -> float:
    """The middle one of the CPU times."""
    return median(run.cpu for run in runs)


def within(path: Path, pulse: Callable[[], tuple[Spent, bool]]) -> Callable[[], tuple[Spent, bool]]:
    """The pulse on a store of its own."""

    def run() -> tuple[Spent, bool]:
        with environment(HELPDESK_DATABASE_URL=f"sqlite:///{path}"):
            return pulse()

    return run


def run() -> list[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as name, sandbox() as addresses, environment(**addresses):
        folder = Path(name)
        short, long = folder / "short.sqlite", folder / "long.sqlite"
        people = People(addresses["HELPDESK_SANDBOX_URL"])
        with environment(HELPDESK_DATABASE_URL=f"sqlite:///{short}"):
            settle(people)
        shutil.copy(short, long)
        grow(short, SHORT)
        grow(long, LONG)
        bare, longer = quiet(people, within(short, plain), within(long, plain))
        with Processes(folder) as processes:
            processes.prefect()
            (recorded,) = quiet(people, within(short, prefect))
        people.close()
    least = spent("flows.pulse")
    return [
        Row("a quiet pulse through Prefect, whole process: wall", wall(recorded), "s", figure="pulse-wall"),
        Row("a quiet pulse through Prefect, whole process: CPU", cpu(recorded), "s", figure="pulse-cpu"),
        Row("the same from the command line: wall", wall(bare), "s", "starting alone", wall(bare) / least.wall),
        Row("the same from the command line: CPU", cpu(bare), "s", "starting alone", cpu(bare) / least.cpu),
        Row(
            "30,000 tickets in the store instead of 3,000: wall",
            wall(longer),
            "s",
            "the short past",
            wall(longer) / wall(bare),
            "history-ratio",
        ),
    ]


def once() -> None:
    """One pulse through Prefect; prints its sentence."""
    from prefect.logging.handlers import APILogWorker

    from flows.pulse import run_now

    print(run_now())
    APILogWorker.drain_all(timeout=10)


if __name__ == "__main__":
    if sys.argv[1:] == ["once"]:
        once()
    else:
        print(*run(), sep="\n")
