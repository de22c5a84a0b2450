"""How the database goes about it: what a pulse asks goes through indexes, so that a long history costs nothing."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.store import Facts, Result, Store
from connectors.store.values import OutboxState
from mappings.plan import Lane
from tests.connectors.store.make import (
    NOW,
    action,
    at,
    clock,
    company,
    event,
    incident,
    page,
    person,
    plan,
    save,
    ticket,
)

LARGE = ("ticket", "ticket_event", "clock", "outbox", "person", "company", "plan_seen", "inbox", "incident")


def a_quiet_pulse(store: Store) -> None:
    """Everything a pulse asks when nothing happened."""
    store.changed("sla")
    store.again("sla")
    store.due_clocks(NOW)
    store.deliveries("zendesk")
    store.unread(after=0, limit=50, since=NOW)
    store.outbox_count(OutboxState.PLANNED)
    store.expire(NOW)
    store.drop_ended(NOW)
    store.open_pages(taken_since=NOW)
    store.unconfirmed_pages(before=NOW, since=NOW)
    store.stuck(waiting_since=NOW, failed_since=NOW)
    store.settled(NOW)
    store.imported([1, 2])
    store.behind([1, 2])
    for lane in Lane:
        store.unknown("zendesk")
        store.take(tool="zendesk", lane=lane, limit=100, owner="run", deadline=NOW, now=NOW)


def a_changed_ticket(store: Store) -> None:
    """One ticket changes, and its company, its requester, its page."""
    store.save(
        Facts(
            tickets=(ticket(1, updated_at=at(1)),),
            companies=(company(updated_at=at(1), plan="business"),),
            people=(person(updated_at=at(1), role="owner"),),
            events=(event(9),),
            incidents=(incident("page-p", updated_at=at(1)),),
        ),
        events_through={1: at(1)},
    )
    store.histories(store.changed("sla").ticket_ids)
    store.clocks(["zendesk:1"])
    store.journal("zendesk:1")
    store.incidents(["page-p"])


def a_decision(store: Store) -> None:
    """One action is decided, sent and done."""
    plan(store, action("again and again"), action("k2", "zendesk:2", after="k1"), clocks=[clock()])
    rows = store.take(tool="zendesk", lane=Lane.ESCALATION, limit=100, owner="run", deadline=at(1), now=NOW)
    store.note_ref([row.id for row in rows], "job")
    store.finish([Result(id=row.id, state=OutboxState.DONE) for row in rows], NOW)


@pytest.mark.parametrize("work", [a_quiet_pulse, a_changed_ticket, a_decision])
def test_no_large_table_is_read_whole(store: Store, work: Callable[[Store], None]) -> None:
    """Every statement of a pulse finds its rows in the large tables by an index."""
    save(store, *(ticket(id, company_id=7, requester_id=5) for id in range(1, 50)))
    plan(store, page("p"), *(action(f"k{i}", f"zendesk:{i}") for i in range(50)))
    asked: dict[str, Any] = {}

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
        if re.match("SELECT|UPDATE|DELETE", statement):
            asked[statement] = parameters[0] if many else parameters

    work(store)
    sa.event.remove(store.engine, "before_cursor_execute", note)
    assert asked
    for statement, parameters in asked.items():
        read = whole(store, statement, parameters) & set(LARGE)
        assert not read, f"{read} read whole by {statement}"


def whole(store: Store, statement: str, parameters: Any) -> set[str]:
    """The tables that a statement reads from end to end, as the database's own plan says."""
    with store.writing() as conn:
        if conn.dialect.name == "sqlite":
            steps = [str(row[3]) for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            names = dict(re.findall(r"(\w+) AS (\w+)", statement))
            found = {m[1] for step in steps if (m := re.match(r"SCAN (\w+)(?! USING)", step)) and "USING" not in step}
            return found | {table for table, name in names.items() if name in found}
        conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        steps = [str(row[0]) for row in conn.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
        return {m[1] for step in steps if (m := re.search(r"Seq Scan on (\w+)", step))}
