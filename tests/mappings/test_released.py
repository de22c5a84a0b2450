"""What an operator released goes only while it still makes sense."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from mappings.model import Actor, EventKind, History, Status
from mappings.plan import Action, Lane
from mappings.policies.sla.measures import live
from mappings.released import fit
from mappings.timeline import build
from tests.connectors.store.make import action, event, page, ticket
from tests.profiles import profile

NOW = datetime(2026, 3, 3, 16, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


def fitted(given: Action, status: Status, at: datetime | None = None) -> Action | None:
    """The action on a ticket that has a status since a time."""
    said = {"actor": Actor.AGENT, "field": "status"}
    events = [event(1, kind=EventKind.CREATE, at=BEFORE, new="open", **said)]
    if at is not None:
        events.append(event(2, kind=EventKind.CHANGE, at=at, old="open", new=str(status), **said))
    its = ticket(1, status=status, created_at=BEFORE, updated_at=at or BEFORE)
    history = History(ticket=its, events=tuple(events), events_through=AFTER)
    return fit(given, live(history, build(history), profile("builder"), {}))


@pytest.mark.parametrize(
    ("status", "at", "goes"),
    [
        pytest.param(Status.OPEN, None, True, id="open"),
        pytest.param(
            Status.SOLVED, BEFORE + timedelta(minutes=5), True, id="solved before its cause: it is about that"
        ),
        pytest.param(Status.SOLVED, AFTER, False, id="solved since"),
        pytest.param(Status.CLOSED, BEFORE + timedelta(minutes=5), False, id="closed: nothing can be written"),
        pytest.param(Status.DELETED, AFTER, False, id="deleted"),
    ],
)
@pytest.mark.parametrize("made", [action, page], ids=["ticket", "page"])
def test_a_finished_ticket_is_left_alone(made: object, status: Status, at: datetime | None, goes: bool) -> None:
    """Neither a note nor a page for what was finished since."""
    assert callable(made)
    assert (fitted(made("k", cause_at=NOW), status, at) is not None) == goes


def test_it_goes_while_the_ticket_is_as_it_is() -> None:
    """Whatever happens until it is sent has it decided once more."""
    found = fitted(action("k", cause_at=NOW), Status.OPEN)
    assert found is not None
    assert found.expects == {"updated_at": BEFORE.isoformat()}


@pytest.mark.parametrize(("lane", "until"), [(Lane.CUSTOMER, AFTER), (Lane.ESCALATION, None), (Lane.UPKEEP, None)])
def test_only_texts_to_customers_keep_their_hour(lane: Lane, until: datetime | None) -> None:
    """An operator's word stands over how long it made sense, but a message was written for its hour."""
    found = fitted(msgspec.structs.replace(action("k", cause_at=NOW), lane=lane, not_after=AFTER), Status.OPEN)
    assert found is not None
    assert found.not_after == until
