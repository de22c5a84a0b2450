"""A store whose facts are lost and read anew, in whatever order: the journal knows, and nothing is done twice."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from connectors.store import schema
from tests.flows.desk import Desk
from tests.flows.test_delivery import climbed, late, settled

FACTS = ("ticket", "ticket_event", "company", "person", "plan_seen", "incident", "clock", "source", "parked")


def forget(desk: Desk) -> None:
    """Empty everything but the journal, and since when which rule acts."""
    with desk.ctx.store.engine.begin() as conn:
        for name in FACTS:
            conn.execute(sa.delete(schema.metadata.tables[name]))
    desk.restart()


def plainly(desk: Desk) -> None:
    """As on any first load: exports, newest, audits."""


def newest_first(desk: Desk) -> None:
    """The exports do not answer for a while: only the newest tickets are read, and their audits."""
    desk.fail(kind="status", status=503, path="incremental", count=40)


def events_late(desk: Desk) -> None:
    """The events' export comes last."""
    desk.fail(kind="status", status=503, path="ticket_events", count=20)


def test_late_again_while_nothing_was_known(desk: Desk) -> None:
    """The hand-off is late too when the facts come back: the old step is known, and the new one is taken."""
    (ticket,) = late(desk)
    settled(desk)
    assert climbed(desk, ticket) == 1
    forget(desk)
    desk.move("2026-03-04 09:00")
    desk.minutes(8)
    assert climbed(desk, ticket) == 2
    assert desk.group(ticket) == "Engineering"


@pytest.mark.parametrize("order", [plainly, newest_first, events_late])
def test_facts_read_anew(desk: Desk, order: Callable[[Desk], None]) -> None:
    """Late tickets, a page that was taken, rules that replied: with all facts read anew no note, page or mail more."""
    tickets = late(desk, 3)
    settled(desk)
    desk.move("2026-03-04 02:00")
    desk.minutes(2)
    night = desk.file("P1", "enterprise")
    desk.minutes(2)
    desk.phone.acknowledge(desk.incidents[0].id)
    desk.sim.reply(night, author=desk.agent, body="We are on it.")
    settled(desk, 6)
    before, pages = desk.done(), len(desk.incidents)
    forget(desk)
    order(desk)
    desk.minutes(8)
    desk.well()
    desk.minutes(6)
    new = [row for row in desk.done() if row not in before]
    assert [row for row in new if row[2] != "field"] == []
    assert len(desk.incidents) == pages == 1
    assert [climbed(desk, ticket) for ticket in tickets] == [1, 1, 1]
