"""`act_from`: whatever is installed, paused, switched or edited, what was before is written down, and nobody hears."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox.server import Sandbox
from connectors.store import Mode, OutboxState
from flows import operations, restore
from flows.profiles import read_profile
from flows.sandbox_world import build_world
from mappings.plan import POLICIES, Lane
from tests.flows.desk import OPENS, SIZE, Desk, unfinished
from tests.profiles import edited
from tests.stories import at

NOTICED = (Lane.PAGE, Lane.CUSTOMER, Lane.ESCALATION)


def noticed(desk: Desk, after: int) -> list[str]:
    """What somebody would notice of what we did since: notes, messages, moves, pages; not our fields' upkeep."""
    quiet = {"SLA due", "Support tier", "Next escalation", "First response at", "Resolved at"}
    rows = [row for row in desk.effects(after=after) if row.detail.get("field") not in quiet]
    return [f"{row.record}: {row.kind} {row.detail}" for row in rows if row.kind not in ("updated", "audit")]


@pytest.fixture
def waiting(desk: Desk) -> list[int]:
    """Tickets that nobody has answered, and that are not late yet: two by day, one at night."""
    return [desk.file("P2", "business"), desk.file("P1", "business"), desk.file("P4", "professional")]


def switch(desk: Desk, mode: Mode) -> None:
    for policy in POLICIES:
        desk.ctx.store.set_mode(policy, mode, desk.now)


def test_pause_and_resume(desk: Desk, waiting: list[int]) -> None:
    """What fell due during a pause is not made up for: no note, no message, no page, then or later."""
    desk.minutes(2)
    desk.ctx.store.pause("all", desk.now)
    before = len(desk.core.journal)
    desk.move("2026-03-03 19:00")
    desk.minutes(1)
    desk.file("P1", "enterprise")
    desk.file("P3", "business")
    desk.minutes(2)
    desk.ctx.store.resume("all", desk.now)
    desk.minutes(3)
    assert noticed(desk, before) == []
    assert desk.incidents == []


def test_from_plan_to_apply(desk: Desk, waiting: list[int]) -> None:
    """What shadow wrote down is not sent when it applies, and stands in the way of nothing that comes after."""
    switch(desk, Mode.SHADOW)
    before = len(desk.core.journal)
    desk.move("2026-03-03 19:00")
    desk.minutes(1)
    old = desk.file("P1", "enterprise")
    desk.minutes(2)
    assert ("page", "shadow") in desk.states(old)
    switch(desk, Mode.APPLY)
    desk.minutes(3)
    assert noticed(desk, before) == []
    new = desk.file("P3", "business")
    urgent = desk.file("P1", "enterprise")
    desk.minutes(2)
    assert len(desk.replies(new)) == 1
    assert [incident.title for incident in desk.incidents] == [f"P1 System down: ticket {urgent} (enterprise)"]
    desk.minutes(14)
    assert len(desk.notes(urgent)) == 2, "warned, and moved up"


EDITS = {
    "a new rule": "rules: {watch: {when: {severity: [P1, P2, P4]}, do: [page on_call, tell management, tag watched]}}",
    "a renamed rule": """
        rules:
          night page: null
          page at night: {when: {severity: P1, office: closed}, do: [page on_call]}
        """,
    "a renamed target": """
        targets:
          First response: null
          Answer:
            measure: first_reply
            by: [severity, plan]
            table:
              P1: {starter: 4h, professional: 2h, business: 1h, enterprise: 15m}
              P2: {starter: 1bd, professional: 8bh, business: 4bh, enterprise: 1bh}
              P3: {starter: 2bd, professional: 1bd, business: 8bh, enterprise: 4bh}
              P4: {starter: best effort, professional: 2bd, business: 1bd, enterprise: 8bh}
            late: [escalate next, tell management]
          Hand-off response: {table: same as Answer}
        """,
    "tighter figures": """
        targets:
          First response:
            table:
              P1: {starter: 5m, professional: 5m, business: 5m, enterprise: 5m}
              P2: {starter: 5m, professional: 5m, business: 5m, enterprise: 5m}
              P3: {starter: 5m, professional: 5m, business: 5m, enterprise: 5m}
              P4: {starter: 5m, professional: 5m, business: 5m, enterprise: 5m}
        """,
    "tighter figures under a new name": """
        targets:
          First response: null
          Answer: {measure: first_reply, table: 5m, late: [escalate next, tell management]}
          Hand-off response: {by: [severity], table: {P1: 5m, P2: 5m, P3: 5m, P4: 5m}}
        """,
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_profile(desk: Desk, waiting: list[int], edit: str) -> None:
    """An edit makes nothing late that was not, and acts on nothing of before; clocks that run keep their figure."""
    late = desk.file("P1", "enterprise")
    desk.minutes(20)
    assert len([note for note in desk.notes(late) if "Moved to" in note]) == 1
    before = len(desk.core.journal)
    desk.ctx.profile = edited("builder", EDITS[edit])
    desk.minutes(4)
    assert noticed(desk, before) == []
    assert desk.incidents == []
    rows = [row for row in desk.rows() if row.state in (OutboxState.PLANNED, OutboxState.HELD)]
    assert rows == []


@pytest.fixture
def busy_desk(migrated_store: Path, tmp_path: Path) -> Iterator[Desk]:
    """An account of 2,000 tickets of six weeks that we have never looked at."""
    world = build_world(read_profile("builder"), now=at(OPENS), size={**SIZE, "tickets": 2000, "weeks": 6})
    url = f"sqlite:///{tmp_path / 'busy.db'}"
    (tmp_path / "busy.db").write_bytes(migrated_store.read_bytes())
    with Sandbox(world, seed=1) as sandbox, pytest.MonkeyPatch.context() as environment:
        for name, value in {**sandbox.environment(), "HELPDESK_DATABASE_URL": url}.items():
            environment.setenv(name, value)
        desk = Desk(sandbox, url)
        desk.core.switches.rate_limits = False
        try:
            yield desk
        finally:
            desk.restart()


def test_a_busy_account(busy_desk: Desk) -> None:
    """2,000 tickets, hundreds of them long late: installed, paused, switched, edited, put back, and nobody notices."""
    desk = busy_desk
    desk.beat()
    desk.minutes(6)
    old = {row.action.record for row in desk.rows(state=OutboxState.BASELINE) if row.action.lane in NOTICED}
    assert len(old) >= 300
    desk.ctx.store.pause("all", desk.now)
    desk.minutes(1)
    desk.ctx.store.resume("all", desk.now)
    desk.minutes(1)
    for mode in (Mode.SHADOW, Mode.APPLY):
        switch(desk, mode)
        desk.minutes(1)
    for edit in EDITS.values():
        desk.ctx.profile = edited("builder", edit)
        desk.minutes(1)
    restore.start_anew(desk.ctx.store, desk.now)
    desk.minutes(2)
    later = at(OPENS).timestamp()
    rows = [row for row in desk.rows() if row.action.lane in NOTICED and row.state is not OutboxState.BASELINE]
    early = [row for row in rows if row.action.cause_at.timestamp() < later]
    assert early == []
    assert desk.incidents == []


def test_adopting_an_old_account(fresh_desk: Desk) -> None:
    """All that was before us is adopted: no message goes out, no page for a finished ticket; what is still late climbs
    once, a few at a time unasked and more only when they are approved."""
    desk = fresh_desk
    desk.beat()
    desk.minutes(3)
    old = desk.rows(state=OutboxState.BASELINE)
    assert {"reply", "escalate"} <= {row.action.verb for row in old}
    for policy in ("sla", "rules"):
        operations.adopt(desk.ctx.store, desk.now, policy=policy)
    desk.minutes(5)
    assert [row for row in desk.effects() if row.kind == "public_comment"] == []
    paged = {row.action.record for row in desk.rows(state=OutboxState.DONE) if row.action.verb == "page"}
    tickets = desk.sim.account.tickets
    assert all(tickets[int(record.partition(":")[2])].status not in ("solved", "closed") for record in paged)
    assert unfinished(desk.rows()) == []
    waits = [row for row in desk.rows(state=OutboxState.DROPPED) if row.again]
    assert waits == []
    moved = [sum("Moved to" in note for note in desk.notes(ticket)) for ticket in tickets]
    assert sum(moved) > 0
    assert max(moved) == 1
