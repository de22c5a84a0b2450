"""The processes of the demo: sandbox, Prefect server, served deployments; started, awaited, ended by their own ids."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import httpx

PREFECT_PORT = 4200
"""Where Prefect's pages look for their server by themselves."""
SANDBOX_PORT = 8700
LAST_LINE = "SMTP_FROM"
"""What the sandbox prints last."""
_PATIENCE = 120.0


class Processes:
    """Child processes of one demo. Ends all it started when it is left, the last one first."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> "Processes":
        self.home.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, process in reversed(self._running):
            process.terminate()
        for _, process in reversed(self._running):
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def sandbox(self, profile: str, now: str) -> dict[str, str]:
        """Start the sandbox, its clock standing still; the addresses and credentials that it prints."""
        base = SANDBOX_PORT if _free(SANDBOX_PORT, 9) else 0
        words = ["sandbox", "--profile", profile, "--now", now, "--still", "--port-base", str(base)]
        process = self._start(f"sandbox {profile}", [*_helpdesk(), *words], os.environ, piped=True)
        assert process.stdout is not None
        found: dict[str, str] = {}
        for line in process.stdout:
            name, _, value = line.decode().strip().partition("=")
            found[name] = value
            if name == LAST_LINE:
                return found
        raise RuntimeError(f"the sandbox ended before it answered; see {self.home / f'sandbox {profile}.log'}")

    def prefect(self) -> str:
        """Start a Prefect server with a database of its own; the address of its pages."""
        port = PREFECT_PORT if _free(PREFECT_PORT) else _any_port()
        address = f"http://127.0.0.1:{port}"
        settings = {
            "PREFECT_HOME": str(self.home / "prefect"),
            "PREFECT_API_URL": f"{address}/api",
            "PREFECT_UI_API_URL": f"{address}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
        }
        os.environ.update(settings)
        words = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        process = self._start("prefect", words, os.environ)
        _answers(f"{address}/api/health", process, self.home / "prefect.log")
        return address

    def serve(self) -> None:
        """Start the served deployments."""
        self._start("serve", [*_helpdesk(), "serve"], {**os.environ, "PREFECT_RUNNER_POLL_FREQUENCY": "2"})

    def end_sandbox(self, profile: str) -> None:
        """End the sandbox of one organisation."""
        for name, process in self._running:
            if name == f"sandbox {profile}":
                process.terminate()
                process.wait(timeout=15)
        self._running = [(name, process) for name, process in self._running if name != f"sandbox {profile}"]

    def wait(self) -> None:
        """Stay until a process ends or somebody interrupts."""
        try:
            while all(process.poll() is None for _, process in self._running):
                time.sleep(1)
        except KeyboardInterrupt:
            return
        ended = [name for name, process in self._running if process.poll() is not None]
        raise RuntimeError(f"{', '.join(ended)} ended; see {self.home}/*.log")

    def _start(
        self, name: str, words: list[str], environment: Mapping[str, str], *, piped: bool = False
    ) -> subprocess.Popen[bytes]:
        log = (self.home / f"{name}.log").open("wb")
        out = subprocess.PIPE if piped else log
        process = subprocess.Popen(words, stdout=out, stderr=log, stdin=subprocess.DEVNULL, env=dict(environment))
        self._running.append((name, process))
        return process


def _helpdesk() -> list[str]:
    return [sys.executable, "-m", "flows.cli"]


def _answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends:
        if process.poll() is not None:
            break
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{url} did not answer; see {log}")


def _free(base: int, count: int = 1) -> bool:
    for port in range(base, base + count):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
