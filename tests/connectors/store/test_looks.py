"""What a policy asks the store: what to look at again, what was done already, what would be new."""

from typing import Any

import pytest

from connectors.store import Applied, Facts, Mode, OutboxState, Result, Store
from mappings.model import Actor, ClockState, PageStatus, Status
from mappings.plan import NotConnected, PageResolve
from tests.connectors.store.make import (
    NOW,
    action,
    at,
    begun,
    clock,
    event,
    incident,
    keys,
    page,
    plan,
    save,
    take,
    ticket,
)

DROPPED, DONE = OutboxState.DROPPED, OutboxState.DONE


def test_a_profile_edit_has_open_tickets_looked_at_again(store: Store) -> None:
    """Once per version, and not on the first day."""
    save(store, ticket(1), ticket(2, status=Status.CLOSED), ticket(3))
    assert store.look_again("builder@1") == 0
    store.decide(policy="sla", decided_seq=store.changed("sla").through_seq, now=NOW, mode=Mode.APPLY)
    assert store.look_again("builder@1") == 0
    assert store.look_again("builder@2") == 2
    assert store.changed("sla").ticket_ids == (1, 3)
    assert store.look_again("builder@2") == 0


def test_dropped_to_be_decided_again(store: Store) -> None:
    """Keys dropped because their ticket changed are told until they are planned anew or settled."""
    plan(store, action("a"), action("b", "zendesk:2"), action("c", "zendesk:3"))
    a, b, c = take(store)
    store.finish([Result(id=row.id, state=DROPPED, again=True) for row in (a, b)], NOW)
    store.finish([Result(id=c.id, state=DROPPED)], NOW)
    assert store.again("sla") == {"zendesk:1": {"a"}, "zendesk:2": {"b"}}
    assert store.again("rules") == {}
    plan(store, action("a"))
    assert store.again("sla") == {"zendesk:2": {"b"}}
    store.settle(["zendesk:2"], "sla")
    store.settle([], "sla")
    assert store.again("sla") == {}
    assert plan(store, action("b", "zendesk:2")).known == 1, "settled means given up"


def test_what_was_done_already(store: Store) -> None:
    """Rows of one verb on some records, in the states asked for."""
    plan(store, action("a"), action("b", verb="tag"), action("c", "zendesk:2"), action("d", "zendesk:3"))
    store.finish([Result(id=row.id, state=DONE) for row in take(store, limit=1)], NOW)
    assert keys(store.acted(["zendesk:1", "zendesk:2"], "escalate", [DONE])) == ["a"]
    under_way = [OutboxState.PLANNED, DONE]
    assert keys(store.acted(["zendesk:1", "zendesk:2"], "escalate", under_way)) == ["a", "c"]


@pytest.mark.parametrize(
    ("known", "open_"),
    [
        pytest.param((), True, id="not heard of since"),
        pytest.param((incident("page-p", status=PageStatus.ACKNOWLEDGED),), True, id="acknowledged"),
        pytest.param((incident("page-p", status=PageStatus.RESOLVED),), False, id="resolved"),
    ],
)
def test_pages_that_are_still_open(store: Store, known: tuple[Any, ...], open_: bool) -> None:
    """A page that went out is open until its incident is known to be resolved."""
    resolve = PageResolve(dedup_key="page-p", service="On call")
    plan(store, page("p"), page("not sent", "zendesk:2"), page("r", change=resolve, verb="resolve"))
    rows = store.outbox(record="zendesk:1")
    for row in rows:
        with store.writing() as conn:
            conn.exec_driver_sql(f"UPDATE outbox SET state = 'done' WHERE id = {row.id}")
    save(store, incidents=known)
    assert keys(store.open_pages()) == (["p"] if open_ else [])


@pytest.mark.parametrize("begins", [True, False])
def test_a_preview_is_what_deciding_gives(store: Store, begins: bool) -> None:
    """What a plan says would be new is what applying it then makes new, and asking changes nothing."""
    if begins:
        begun(store)
    actions = [
        action("new"),
        action("long ago", cause_at=at(-5)),
        action("no tool", change=NotConnected(needs="Jira")),
        action("new"),
    ]
    for _ in range(2):
        asked = store.preview(policy="sla", actions=actions, now=NOW)
        assert store.preview(policy="sla", actions=actions, now=NOW) == asked
        told = store.decide(policy="sla", decided_seq=None, now=NOW, mode=Mode.APPLY, actions=actions)
        assert told == asked
    assert told == Applied(known=3)


@pytest.mark.parametrize(
    ("stored", "comes", "actor", "told"),
    [
        pytest.param(Actor.UNKNOWN, Actor.AGENT, Actor.AGENT, (1,), id="now known"),
        pytest.param(Actor.UNKNOWN, Actor.UNKNOWN, Actor.UNKNOWN, (), id="still not known"),
        pytest.param(Actor.AGENT, Actor.UNKNOWN, Actor.AGENT, (), id="known before"),
        pytest.param(Actor.AGENT, Actor.CUSTOMER, Actor.AGENT, (), id="said otherwise"),
    ],
)
def test_who_wrote_a_comment_is_learnt_later(
    store: Store, stored: Actor, comes: Actor, actor: Actor, told: tuple[int, ...]
) -> None:
    """The export names no author: once the audits do, the comment has one, and its ticket is looked at again."""
    save(store, ticket(1), events=(event(1, actor=stored),))
    assert save(store, events=(event(1, actor=comes),)).ticket_ids == told
    assert store.histories([1])[0].events[0].actor is actor


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param({}, [1], id="a reply that may have stopped a clock"),
        pytest.param({"event": {"public": False}}, [], id="an internal note"),
        pytest.param({"event": {"actor": Actor.AGENT}}, [], id="its author is known"),
        pytest.param({"clock": {"measure": "resolution"}}, [], id="no comment stops its clock"),
        pytest.param({"clock": {"state": ClockState.MET}}, [], id="its clock has stopped"),
        pytest.param({"clock": {"record": "zendesk:2"}}, [], id="another ticket's clock"),
        pytest.param({"ticket": {"status": Status.SOLVED}}, [], id="the ticket is solved"),
        pytest.param({"through": at(1)}, [], id="its audits have been read"),
        pytest.param({"through": NOW}, [1], id="its audits were read within the comment's own second"),
    ],
)
def test_comments_whose_author_matters(store: Store, given: dict[str, Any], wanted: list[int]) -> None:
    """Audits are read for public comments of unknown authors on tickets with a reply clock running, for no others."""
    one = event(1, **{"actor": Actor.UNKNOWN} | given.get("event", {}))
    through = {1: given["through"]} if "through" in given else {}
    store.save(Facts(tickets=(ticket(1, **given.get("ticket", {})),), events=(one,)), events_through=through)
    plan(store, clocks=[clock(**given.get("clock", {}))])
    assert list(store.unread(after=0, limit=10, since=at(1)).ticket_ids) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param({}, [1], id="touched, and nothing of it was read"),
        pytest.param({"ticket": {"updated_at": NOW}}, [], id="not touched since it was created"),
        pytest.param({"ticket": {"status": Status.CLOSED}}, [], id="closed"),
        pytest.param({"events": (event(1),)}, [], id="its beginning was read"),
        pytest.param({"events": (event(1, at=at(1)),)}, [1], id="only something later was read"),
        pytest.param({"clocks": [clock()]}, [], id="it has a clock"),
        pytest.param({"through": at(0)}, [], id="its audits have been read"),
    ],
)
def test_open_tickets_without_their_beginning(store: Store, given: dict[str, Any], wanted: list[int]) -> None:
    """A first load begins in the middle of a ticket's life, and the export hides the newest minute: read at once."""
    one = ticket(1, **{"updated_at": at(1)} | given.get("ticket", {}))
    through = {1: given["through"]} if "through" in given else {}
    store.save(Facts(tickets=(one,), events=given.get("events", ())), events_through=through)
    plan(store, clocks=given.get("clocks", []))
    assert list(store.unread(after=0, limit=10, since=NOW).ticket_ids) == wanted


@pytest.mark.parametrize(
    ("said_at", "wanted"),
    [pytest.param(at(0), [1], id="since then"), pytest.param(at(-1), [], id="in the long past")],
)
def test_an_answer_that_also_solved_the_ticket(store: Store, said_at: Any, wanted: list[int]) -> None:
    """Who wrote it is asked where the clock ended with it, and not of all that was ever closed."""
    said = event(1, actor=Actor.UNKNOWN, at=said_at)
    save(store, ticket(1, status=Status.SOLVED), events=(said,))
    plan(store, clocks=[clock(state=ClockState.MET, stopped_at=at(0))])
    assert list(store.unread(after=0, limit=10, since=NOW).ticket_ids) == wanted


def test_unread_tickets_are_asked_for_in_parts(store: Store) -> None:
    """It says how far it looked, so that the next question goes on there; what is quiet is not looked at."""
    save(store, *(ticket(id, updated_at=at(1)) for id in range(1, 6)))
    first = store.unread(after=0, limit=2, since=NOW)
    assert (first.ticket_ids, first.more) == ((1, 2), True)
    rest = store.unread(after=first.through_seq, limit=10, since=NOW)
    assert (rest.ticket_ids, rest.more) == ((3, 4, 5), False)
    assert store.unread(after=rest.through_seq, limit=10, since=NOW).ticket_ids == ()
    assert store.unread(after=0, through=2, limit=10, since=NOW).ticket_ids == (1, 2)
