"""What the tests of flows stand on: a small simulated deployment (`desk`), and a Prefect server (`prefect`).

The server has a free port, a thrown-away home and SQLite database, one for the whole run.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from connectors.sandbox.server import Sandbox
from connectors.store import Store
from flows.profiles import read_profile
from flows.sandbox_world import build_world
from tests.flows.desk import OPENS, SIZE, Desk
from tests.flows.processes import Program, free_port, running
from tests.stories import at

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


@contextmanager
def deployment(url: str, org: str = "builder") -> Iterator[Desk]:
    """A small simulated account with some weeks behind it, and a store at `url`. The same seed, the same world."""
    world = build_world(read_profile(org), now=at(OPENS), size=SIZE)
    with Sandbox(world, seed=1) as sandbox, pytest.MonkeyPatch.context() as environment:
        ours = {"HELPDESK_DATABASE_URL": url, "HELPDESK_PROFILE": org}
        for name, value in {**sandbox.environment(), **ours}.items():
            environment.setenv(name, value)
        desk = Desk(sandbox, url)
        try:
            yield desk
        finally:
            desk.restart()


def settle(desk: Desk) -> None:
    """Our first minutes with an account: everything is read, and nothing is left to do."""
    desk.beat()
    desk.minutes(3)


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("store") / "template.db"
    Store.open(f"sqlite:///{path}", migrate=True).close()
    return path


@pytest.fixture(scope="session")
def settled_store(migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file as it is after our first minutes, to copy: every test's world begins the same."""
    path = tmp_path_factory.mktemp("settled") / "store.db"
    shutil.copy(migrated_store, path)
    with deployment(f"sqlite:///{path}") as desk:
        settle(desk)
    return path


@pytest.fixture
def fresh_desk(migrated_store: Path, tmp_path: Path) -> Iterator[Desk]:
    """A small account that we have never looked at."""
    shutil.copy(migrated_store, tmp_path / "store.db")
    with deployment(f"sqlite:///{tmp_path / 'store.db'}") as desk:
        yield desk


@pytest.fixture
def desk(settled_store: Path, tmp_path: Path) -> Iterator[Desk]:
    """A small account after our first three minutes with it."""
    shutil.copy(settled_store, tmp_path / "store.db")
    with deployment(f"sqlite:///{tmp_path / 'store.db'}") as desk:
        desk.sandbox.advance(180)
        yield desk


@pytest.fixture
def desk_of(migrated_store: Path, tmp_path: Path) -> Iterator[Callable[[str], Desk]]:
    """A function that opens a small account of a shipped profile, after our first minutes with it."""
    with ExitStack() as opened:

        def begin(org: str) -> Desk:
            shutil.copy(migrated_store, tmp_path / f"{org}.db")
            desk = opened.enter_context(deployment(f"sqlite:///{tmp_path / f'{org}.db'}", org))
            settle(desk)
            return desk

        yield begin


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either_desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """As `desk`, on each of the two databases."""
    if request.param == "sqlite":
        yield request.getfixturevalue("desk")
        return
    with deployment(request.getfixturevalue("postgres_store")) as desk:
        settle(desk)
        yield desk
