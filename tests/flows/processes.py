"""Programs that a test starts and is sure to end, and waiting for what they do without counting on their speed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

GENEROUS = 300.0
"""Seconds that anything may take on a slow, shared machine before it counts as stuck."""


class Program:
    """A running program with its own process group, and a file that holds what it prints."""

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> None:
        """Start `python argv…`; nothing is inherited from this run but PATH, HOME and what `env` says."""
        self.log = log
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, *argv],
                env={**keep, **env},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def tail(self) -> str:
        """Return the end of what the program printed."""
        return self.log.read_text(errors="replace")[-3000:]

    def wait_for(self, what: str, ask: Callable[[], T | None], deadline: float = GENEROUS) -> T:
        """Return the first answer of `ask` that is not null; fail with the log when the program ends or is stuck."""
        give_up = time.monotonic() + deadline
        while (answer := ask()) is None:
            ended = self.process.poll()
            if ended is not None:
                raise AssertionError(f"ended with {ended} before {what}:\n{self.tail()}")
            if time.monotonic() > give_up:
                raise AssertionError(f"not {what} within {deadline:.0f} s:\n{self.tail()}")
            time.sleep(0.25)
        return answer

    def ended(self, deadline: float = GENEROUS) -> int:
        """Wait until it ends by itself, and return its exit code."""
        return self.process.wait(deadline)

    def stop(self) -> None:
        """Ask it to end, and end whatever of its group is left."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@contextmanager
def running(argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> Iterator[Program]:
    """Run a program for as long as the block lasts."""
    program = Program(argv, env=env, log=log, cwd=cwd)
    try:
        yield program
    finally:
        program.stop()


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
