"""Workers that are killed under load: the short form of `make soak`."""

from pathlib import Path

import pytest

from tests.faults.soak import soak
from tests.plugins.postgres import empty


@pytest.mark.req("NFR-03")
@pytest.mark.postgres
def test_workers_killed_under_load(migrated_postgres: str, tmp_path: Path) -> None:
    """Two processes, one killed every few seconds while people file tickets: nothing lost, nothing doubled."""
    empty(migrated_postgres)
    with soak(migrated_postgres, tmp_path, seconds=10) as found:
        assert list(found.judge()) == []
        assert found.kills > 0
        assert len(found.tickets) > 0
