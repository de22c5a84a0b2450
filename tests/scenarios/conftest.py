"""A stage for each test: a sandbox of its own with a still clock, and a store on SQLite or PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.sandbox.client import People
from connectors.sandbox.server import Sandbox
from connectors.store import Store
from flows.context import open_context
from flows.demo.stage import Stage
from flows.pulse import beat
from flows.sandbox_world import build_world, moment, office_hours
from mappings.profile import Profile
from tests.profiles import profile

SMALL = {"companies": 8, "people": 24, "agents": 12, "tickets": 60, "weeks": 6}
Staged = Callable[..., Stage]


@contextmanager
def sandbox_of(chosen: Profile, *, now: str, record: Path | None = None) -> Iterator[Sandbox]:
    """A running sandbox of a profile, small enough for tests."""
    zone, _ = office_hours(chosen)
    world = build_world(chosen, now=moment(now, zone), size=SMALL)
    sandbox = Sandbox(world, seed=1, record=record).start()
    try:
        yield sandbox
    finally:
        sandbox.stop()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of the kind that the test asks for."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    return str(request.getfixturevalue("postgres_store"))


@pytest.fixture
def staged(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Staged]:
    """Builds the stage for a profile's office, opened on a day before the story begins."""
    closing: list[Callable[[], None]] = []

    def build(org: str | Profile, now: str = "2026-03-03 09:50", record: Path | None = None) -> Stage:
        chosen = profile(org) if isinstance(org, str) else org
        key = chosen.key
        manager = sandbox_of(chosen, now=now, record=record)
        sandbox = manager.__enter__()
        for name, value in {
            **sandbox.environment(), "HELPDESK_PROFILE": key, "HELPDESK_DATABASE_URL": database,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        people = People(sandbox.environment()["HELPDESK_SANDBOX_URL"])
        store = Store.open(database, profile=key, migrate=True)
        closing.extend([store.close, people.close, lambda: manager.__exit__(None, None, None)])
        return Stage(people, store, chosen.zone, pulse=pulse_once, tell=lambda line: print(line))

    yield build
    for close in closing:
        close()


def pulse_once() -> None:
    """One pulse as the command line runs it."""
    with open_context() as ctx:
        beat(ctx)
