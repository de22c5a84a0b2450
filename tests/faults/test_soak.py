"""Workers that are killed under load: the short form of `make soak`."""

from pathlib import Path

import pytest

from tests.faults.soak import soak


@pytest.mark.req("NFR-03")
@pytest.mark.postgres
def test_workers_killed_under_load(postgres_store: str, tmp_path: Path) -> None:
    """Two processes, one killed every few seconds while people file tickets: nothing lost, nothing doubled."""
    with soak(postgres_store, tmp_path, seconds=10) as found:
        assert list(found.judge()) == []
        assert found.kills > 0
        assert len(found.tickets) > 0
