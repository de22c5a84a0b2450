"""A process of ours that is killed at a named point: one pulse, then `kill -9` by its own hand.

`python -m tests.faults.victim POINT [NTH]` runs one against the deployment that the environment names. Without
arguments it waits for such lines and has a child run each, one after another: a child is a process of its own, but its
imports are done. Sockets and databases are opened by the child. It answers with how the child ended.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from flows import pulse
from flows.context import open_context
from tests.faults import points

ROOT = Path(__file__).parents[2]
SURVIVED = 0
KILLED = -signal.SIGKILL
NOWHERE = "nowhere"
"""The point that no process comes to."""


def killing(point: str, nth: int = 1) -> Callable[[str], None]:
    """For `points.watch`: ends this process when it comes to `point` for the `nth` time."""
    left = [nth]

    def reached(name: str) -> None:
        if name == point:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached


def one_pulse(point: str, nth: int = 1) -> None:
    """A pulse that does not live to see its end, if it comes to the point."""
    with open_context() as ctx:
        points.watch(ctx, killing(point, nth))
        pulse.beat(ctx)


def child(work: Callable[[], object]) -> int:
    """The number of a new process that does `work` and ends; with 1, and the error on its stderr, where it fails."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = SURVIVED
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def answer() -> None:
    """Take lines until there are no more."""
    for line in sys.stdin:
        point, _, nth = line.strip().partition(" ")
        pid = child(lambda point=point, nth=nth: one_pulse(point, int(nth or 1)))  # type: ignore[misc]
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


class Victims:
    """The waiting program, started with this process's environment, and asked for one victim after another."""

    def __init__(self, log: Path) -> None:
        self._log = log
        with log.open("wb") as errors:
            self._program = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.victim"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                text=True,
            )

    def run(self, point: str, nth: int = 1) -> int:
        """A pulse that is killed at a point; how it ended (`KILLED`, `SURVIVED` or a code)."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"{point} {nth}\n")
        self._program.stdin.flush()
        said = self._program.stdout.readline()
        assert said, f"the victims' program ended:\n{self._log.read_text()[-3000:]}"
        return int(said)

    def close(self) -> None:
        """Ask for no more."""
        assert self._program.stdin is not None
        self._program.stdin.close()
        self._program.wait(60)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one_pulse(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    else:
        answer()
