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
        pytest.param({"through": at(0)}, [], id="its audits have been read"),
    ],
)
def test_comments_whose_author_matters(store: Store, given: dict[str, Any], wanted: list[int]) -> None:
    """Audits are read for public comments of unknown authors on tickets with a reply clock running, for no others."""
    one = event(1, **{"actor": Actor.UNKNOWN} | given.get("event", {}))
    through = {1: given["through"]} if "through" in given else {}
    store.save(Facts(tickets=(ticket(1, **given.get("ticket", {})),), events=(one,)), events_through=through)
    plan(store, clocks=[clock(**given.get("clock", {}))])
    assert store.unattributed(10) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param({}, [1], id="touched, and nothing of it was read"),
        pytest.param({"ticket": {"updated_at": NOW}}, [], id="not touched since it was created"),
        pytest.param({"ticket": {"created_at": at(-5)}}, [], id="older"),
        pytest.param({"ticket": {"status": Status.CLOSED}}, [], id="closed"),
        pytest.param({"events": (event(1),)}, [], id="something was read"),
        pytest.param({"clocks": [clock()]}, [], id="it has a clock"),
    ],
)
def test_young_tickets_touched_before_they_were_read(store: Store, given: dict[str, Any], wanted: list[int]) -> None:
    """The export hides the newest minute: young tickets that were touched in it are read at once."""
    save(store, ticket(1, **{"updated_at": at(1)} | given.get("ticket", {})), events=given.get("events", ()))
    plan(store, clocks=given.get("clocks", []))
    assert store.unread_since(at(-1), 10) == wanted
