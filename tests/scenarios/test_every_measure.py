"""NFR-02: whatever is measured, a breach is noticed within 60 s of its due time, by sweeps alone.

No webhook reaches us here: none is subscribed. Minutes are stepped without Prefect; the clock jumps only where nothing
is due.
"""

from datetime import datetime, timedelta

import msgspec
import pytest

from flows.demo.stage import Stage
from mappings.model import Clock
from tests.profiles import profile
from tests.scenarios.conftest import Staged

MINUTE = timedelta(minutes=1)


class Case(msgspec.Struct, frozen=True):
    """A measure, the profile and target that promise it, and the ticket."""

    measure: str
    org: str
    target: str
    fields: dict[str, str]
    source: str = "in_app"


CASES = [
    Case("ack", "archbuilder", "Acknowledgement", {"severity": "P2", "kind": "software_bug"}),
    Case("triage", "pmerit", "First review", {"severity": "P2", "kind": "technical"}),
    Case("first_reply", "builder", "First response", {"severity": "P2", "kind": "bug"}),
    Case("handoff_reply", "builder", "Hand-off response", {"severity": "P2", "kind": "bug"}),
    Case("update", "pmerit", "User updates", {"severity": "P0", "kind": "technical"}),
    Case("progress", "pmerit", "No progress", {"severity": "P2", "kind": "technical"}),
    Case("resolve", "pmerit", "Resolution", {"severity": "P0", "kind": "technical"}),
    Case("abuse_review", "builder", "Abuse review", {"severity": "P3", "kind": "bug"}),
    Case("time_in_tier", "archbuilder", "Escalation matrix", {"severity": "P2", "kind": "performance"}),
]


@pytest.mark.req("NFR-02")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.measure)
def test_a_breach_is_noticed_within_a_minute(staged: Staged, case: Case) -> None:
    """Stepping minute by minute past the due time, the breach is noticed at most 60 s late."""
    stage = staged(case.org, "2026-03-03 09:50")
    stage.beat()
    stage.people.move_to(stage.moment("2026-03-03 10:00"))
    stage.people.switch(triggers=case.measure != "ack")
    ticket = filed(stage, case)
    stage.beat()
    if case.measure == "update":
        agent = stage.people.act("agents", group="Support")[0]
        stage.people.move_to(stage.moment("2026-03-03 10:03"))
        stage.people.act("reply", ticket_id=ticket, author=agent, body="We are looking into it.")
        stage.settle()
    if case.measure == "handoff_reply":
        step_past(stage, clock_of(stage, ticket, "First response"))
        stage.settle()
    if case.measure == "abuse_review":
        stage.people.move_to(stage.moment("2026-03-03 10:03"))
        agent = stage.people.act("agents", group="Support")[0]
        stage.people.act("edit", ticket_id=ticket, author=agent, fields={"abuse": "threats"})
        stage.settle()
    clock = clock_of(stage, ticket, case.target)
    noticed = step_past(stage, clock)
    grace = timedelta(seconds=profile(case.org).grace) if clock.cell == "immediate" else timedelta()
    assert clock.due_at is not None
    assert clock.due_at + grace <= noticed <= clock.due_at + grace + MINUTE


def filed(stage: Stage, case: Case) -> int:
    """A customer asks; nothing answers by itself."""
    company = stage.people.act("companies")[0]
    stage.people.act("plan", company=company, plan_key=next(reversed(profile(case.org).plans)))
    requester = stage.people.act("customers", company=company)[0]
    fields = {**case.fields, "source": case.source}
    ticket = int(stage.people.act("file", requester=requester, subject="It fails", body="Since today.", fields=fields))
    stage.cast.add(f"zendesk:{ticket}")
    return ticket


def clock_of(stage: Stage, ticket: int, target: str) -> Clock:
    """The target's running clock."""
    record = f"zendesk:{ticket}"
    [clock] = [c for c in stage.store.clocks([record])[record] if c.target == target and c.stopped_at is None]
    return clock


def step_past(stage: Stage, clock: Clock) -> datetime:
    """Step minutes from just before a clock's due time until its breach was noticed; gives when that was."""
    assert clock.due_at is not None
    stage.people.move_to(clock.due_at - timedelta(seconds=90))
    for _ in range(10):
        stage.beat()
        [now] = [c for c in stage.store.clocks([clock.record])[clock.record] if c.key == clock.key]
        if now.detected_at is not None:
            return now.detected_at
        stage.people.move_to(stage.people.now() + MINUTE)
    raise AssertionError(f"{clock.target} of {clock.record} was never noticed")
