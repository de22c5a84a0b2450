"""A Prefect server of the tests' own: free port, thrown-away home and SQLite database, one for the whole run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.flows.processes import Program, free_port, running

ROOT = Path(__file__).parents[2]


class Prefect(NamedTuple):
    """Where the server answers, and the settings that make a program use it."""

    api: httpx.Client
    env: dict[str, str]


def healthy(api: httpx.Client) -> bool | None:
    """True once the server answers, null while it does not."""
    try:
        return api.get("/health").is_success or None
    except httpx.TransportError:
        return None


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    """A running Prefect server, as the locked packages make it."""
    home = tmp_path_factory.mktemp("prefect")
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    env = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home}/prefect.db",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(ROOT),
    }
    argv = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with running(argv, env=env, log=home / "server.log", cwd=home) as server, httpx.Client(base_url=url) as api:
        server.wait_for("answering", lambda: healthy(api))
        yield Prefect(api, env)


@pytest.fixture
def start(prefect: Prefect, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """A function that starts `python ARGV…` against the server, with more environment; all end with the test."""
    started: list[Program] = []

    def begin(*argv: str, cwd: Path = ROOT, **env: str) -> Program:
        log = tmp_path / f"program-{len(started)}.log"
        started.append(Program(argv, env={**prefect.env, **env}, log=log, cwd=cwd))
        return started[-1]

    yield begin
    for program in started:
        program.stop()
