"""A store on each of the two databases: SQLite in a file of its own, PostgreSQL emptied before each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.store import Store
from tests.plugins.databases import empty


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated, empty store."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "store.db")
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("migrated_postgres")
    empty(url)
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    store = Store.open(store_url)
    yield store
    store.close()
