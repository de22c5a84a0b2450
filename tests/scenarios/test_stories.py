"""Stories 1 and 2 of the requirements, end to end on both databases: the same that `make demo` plays."""

import pytest

from connectors.store import OutboxState
from flows.demo.conduct import abusive_customer, third_ticket
from flows.demo.organisations import ORGANISATIONS
from flows.demo.stories import all_stories, nothing_new, settle_in
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


@pytest.mark.req("ESC-15", "ABU-01", "ABU-03", "ABU-04", "ABU-05", "ABU-07", "NTF-01")
def test_a_third_ticket_and_an_abusive_customer(staged: Staged) -> None:
    """Stories 9 and 7: flagged once and told once; flag, review, warning, restriction with its end, evidence."""
    stage = staged("builder")
    settle_in(stage)
    third_ticket(stage)
    abusive_customer(stage)
    nothing_new(stage)
    assert [check for check in stage.checks if not check.true] == []


@pytest.mark.req("TRI-09", "ESC-03", "ESC-08", "ESC-10", "ESC-11", "INT-12", "INT-13", "AFT-06")
@pytest.mark.parametrize("organisation", ORGANISATIONS)
def test_same_code_other_organisations(staged: Staged, organisation: str) -> None:
    """Story 10: each of the other four plays its own policy, from its profile alone; run again: nothing changes."""
    stage = staged(organisation)
    ORGANISATIONS[organisation](stage)
    nothing_new(stage)
    assert [check for check in stage.checks if not check.true] == []
