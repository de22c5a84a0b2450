"""A decision goes in whole, once; each action becomes what mode, start and limits make of it."""

import pytest

from connectors.store import Applied, Mode, OutboxState, Result, StaleLease, Store
from mappings.plan import NotConnected
from tests.connectors.store.make import NOW, action, at, clock, keys, page, plan, save, take, ticket

JIRA = NotConnected(needs="Jira")


@pytest.mark.parametrize(
    ("given", "mode", "state"),
    [
        pytest.param({}, Mode.APPLY, "planned", id="apply"),
        pytest.param({}, Mode.SHADOW, "shadow", id="shadow"),
        pytest.param({}, Mode.OFF, None, id="off"),
        pytest.param({"cause_at": at(-1)}, Mode.APPLY, "baseline", id="its cause came before the rule acted"),
        pytest.param({"cause_at": at(-1)}, Mode.SHADOW, "baseline", id="the same in shadow"),
        pytest.param({"change": JIRA}, Mode.APPLY, "not_connected", id="its tool is not there"),
        pytest.param({"change": JIRA}, Mode.SHADOW, "not_connected", id="the same, in shadow"),
        pytest.param({"change": JIRA, "cause_at": at(-1)}, Mode.APPLY, "baseline", id="not there, and long ago"),
    ],
)
def test_what_an_action_becomes(store: Store, given: dict[str, object], mode: Mode, state: str | None) -> None:
    """The first that holds: before its start, tool not connected, shadow, planned. Mode off keeps nothing."""
    applied = plan(store, action("k", **given), mode=mode)
    assert applied == (Applied(**{state: ("k",)}) if state else Applied())
    assert [(row.action.key, row.state) for row in store.journal("zendesk:1")] == ([("k", state)] if state else [])


def test_an_action_comes_back_as_it_went_in(store: Store) -> None:
    """The journal holds the whole action with its reason."""
    given = action("k", not_after=at(480), expects={"group_id": "9", "tier": None}, after="other")
    plan(store, given, page("p"))
    row, paged = store.journal("zendesk:1")
    assert row.action == given
    assert paged.action == page("p")
    assert (row.profile_version, row.attempts, row.created_at, row.owner) == ("builder@3f2a", 0, NOW, None)


def test_a_key_is_planned_once(store: Store) -> None:
    """Deciding the same again changes nothing, whatever became of it; of two with one key the first counts."""
    assert plan(store, action("k", verb="tag"), action("k")).planned == ("k",)
    assert plan(store, action("k"), now=at(1)) == Applied(known=1)
    (row,) = take(store)
    assert row.action.verb == "tag"
    for state in (OutboxState.FAILED, OutboxState.DONE):
        store.finish([Result(id=row.id, state=state)], at(1))
        assert plan(store, action("k"), now=at(2)) == Applied(known=1)


def test_only_dropped_with_again_is_planned_again(store: Store) -> None:
    """A row dropped because the facts changed may be planned anew under its key; one that was given up may not."""
    plan(store, action("changed"), action("given up", "zendesk:2"))
    changed, given_up = take(store)
    store.finish(
        [
            Result(id=changed.id, state=OutboxState.DROPPED, again=True, error="group changed"),
            Result(id=given_up.id, state=OutboxState.DROPPED, error="ticket closed"),
        ],
        at(1),
    )
    anew = action("changed", expects={"group_id": "10"})
    assert plan(store, anew, action("given up", "zendesk:2"), now=at(2)) == Applied(planned=("changed",), known=1)
    (row,) = store.journal("zendesk:1")
    assert (row.action, row.state, row.error, row.attempts, row.again) == (anew, OutboxState.PLANNED, None, 0, False)
    assert (row.created_at, row.decided_at) == (NOW, at(2))


def test_changed_facts_have_the_ticket_decided_again(store: Store) -> None:
    """Dropping with `again` brings the ticket back into what has to be decided."""
    save(store, ticket(1), ticket(2))
    plan(store, action("a"), action("b", "zendesk:2"), decided_seq=store.changed("sla").through_seq)
    a, b = take(store)
    store.finish([Result(id=a.id, state=OutboxState.DROPPED, again=True), Result(id=b.id, state=OutboxState.DONE)], NOW)
    assert store.changed("sla").ticket_ids == (1,)


def test_a_rule_not_begun_starts_with_its_first_decision(store: Store) -> None:
    """Day one: nothing that lies before a rule's first decision is acted on, even if nobody called `begin`."""
    applied = store.decide(
        policy="sla",
        decided_seq=None,
        now=NOW,
        mode=Mode.APPLY,
        actions=[action("old", cause_at=at(-1)), action("new")],
    )
    assert (applied.baseline, applied.planned) == (("old",), ("new",))
    assert store.begin([("sla", "Response"), ("sla", "Hand-off")], at(5)) == {
        ("sla", "Response"): NOW,
        ("sla", "Hand-off"): at(5),
    }


def test_clocks_place_and_plan_go_in_together(store: Store) -> None:
    """A fence that is refused leaves clocks, `decided_seq` and outbox as they were."""
    save(store, ticket())
    through = store.changed("sla").through_seq
    fence = store.lease("pulse", "run-1", 60)
    assert fence is not None
    store.release("pulse", fence)
    newer = store.lease("pulse", "run-2", 60)
    with pytest.raises(StaleLease, match=f"we hold fence {fence}, the newest is {newer}"):
        plan(store, action("k"), clocks=[clock()], decided_seq=through, fence=fence)
    assert store.clocks(["zendesk:1"]) == {"zendesk:1": []}
    assert store.decided_seq("sla") == 0
    assert store.journal("zendesk:1") == []
    plan(store, action("k"), clocks=[clock()], decided_seq=through, fence=newer)
    assert store.clocks(["zendesk:1"]) == {"zendesk:1": [clock()]}
    assert store.decided_seq("sla") == through
    assert keys(store.journal("zendesk:1")) == ["k"]


def test_the_place_never_goes_back(store: Store) -> None:
    """A late, smaller `decided_seq` is ignored."""
    for seq in (5, 3, None):
        plan(store, decided_seq=seq)
    assert store.decided_seq("sla") == 5


def test_applying_after_not_applying_starts_anew(store: Store) -> None:
    """From shadow to apply, by an operator or by HELPDESK_MODE: what came before is baseline, not a burst."""
    plan(store, action("a"), mode=Mode.APPLY)
    plan(store, mode=Mode.SHADOW, now=at(1))
    applied = plan(store, action("b", cause_at=at(5)), action("c", cause_at=at(10)), mode=Mode.APPLY, now=at(10))
    assert (applied.baseline, applied.planned) == (("b",), ("c",))
    states = {row.action.key: row.state for row in store.outbox()}
    assert states == {"a": OutboxState.BASELINE, "b": OutboxState.BASELINE, "c": OutboxState.PLANNED}


def test_adopting_has_it_decided_again(store: Store) -> None:
    """An operator may have chosen earlier causes acted on after all: their policy decides anew, whenever that was."""
    save(store, ticket(1), ticket(2))
    old = action("a", cause_at=at(-60), not_after=at(-30))
    plan(store, old, action("b", "zendesk:2", cause_at=at(-60)), decided_seq=store.changed("sla").through_seq)
    first, _ = store.outbox(state=OutboxState.BASELINE)
    assert store.adopt(at(1), ids=[first.id, 404]) == 1
    assert keys(take(store, now=at(1))) == [], "nothing goes before it was looked at"
    assert store.changed("sla").ticket_ids == (1,)
    assert store.released("sla") == {"a"}
    anew = action("a", cause_at=at(-60), not_after=at(480))
    assert plan(store, anew, now=at(2)).planned == ("a",)
    assert keys(take(store, now=at(2))) == ["a"]


def test_what_is_adopted_and_holds_no_more_stays_undone(store: Store) -> None:
    """Decided anew and not wanted again: dropped for good, and its row says why."""
    plan(store, action("a", cause_at=at(-60)))
    store.adopt(at(1), rule="Response")
    store.settle(["zendesk:1"], "sla")
    (row,) = store.outbox()
    assert (row.state, row.again) == (OutboxState.DROPPED, False)
    assert row.error == "released by an operator; looked at again, it did not hold any more"
    assert plan(store, action("a"), now=at(2)) == Applied(known=1)


def test_adopting_may_be_put_aside_again(store: Store) -> None:
    """A pause and its end after an adoption: the row is baseline again, as if nobody had chosen it."""
    plan(store, action("a", cause_at=at(-60)))
    store.adopt(at(1), ids=[1])
    plan(store, action("a", cause_at=at(-60)), now=at(2))
    store.pause("all", at(3))
    store.resume("all", at(4))
    (row,) = store.outbox()
    assert (row.state, row.batch) == (OutboxState.BASELINE, None)


def test_groups_tell_how_much_there_is(store: Store) -> None:
    """By policy, rule and verb, the largest first: how many, from when to when, and the newest as examples."""
    three = [action(f"k{n}", f"zendesk:{n}", cause_at=at(-n)) for n in (1, 2, 3)]
    plan(store, *three, action("other", "zendesk:9", verb="tell", cause_at=at(-9)))
    many, one = store.groups(state=OutboxState.BASELINE, examples=2)
    assert (many.policy, many.rule, many.verb, many.count) == ("sla", "Response", "escalate", 3)
    assert (many.oldest, many.newest) == (at(-3), at(-1))
    assert keys(many.examples) == ["k3", "k2"]
    assert (one.verb, one.count) == ("tell", 1)
    assert [group.count for group in store.groups(state=OutboxState.BASELINE, since=at(-2))] == [2]
