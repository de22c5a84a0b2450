"""Stories 1 and 2 of the requirements, end to end on both databases: the same that `make demo` plays."""

import pytest

from connectors.store import OutboxState
from flows.demo.stories import all_stories
from tests.scenarios.conftest import Staged


@pytest.mark.req("SLA-01", "SLA-04", "SLA-06", "SLA-09", "ESC-01", "AFT-01", "AFT-07", "NFR-11", "SEC-04")
@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
def test_four_plans_one_fault_and_a_system_down_on_saturday(staged: Staged) -> None:
    """Four plans are warned and moved up at their own minute, a system-down pages once; run again: nothing changes."""
    stage = staged("builder")
    all_stories(stage)
    assert [check for check in stage.checks if not check.true] == []
    assert len(stage.checks) > 20
    done = [row.action for row in stage.store.outbox(state=OutboxState.DONE, limit=10_000)]
    assert done
    assert all(action.rule in action.reason.text and "profile builder@" in action.reason.text for action in done)
