"""What an operator says: modes, pauses, and what starting again means."""

import pytest

from connectors.store import Mode, OutboxState, Store
from tests.connectors.store.make import NOW, action, at, keys, page, plan, take


def test_a_mode_is_what_was_set(store: Store) -> None:
    """Nobody has set a mode until somebody does; it stays until it is set again."""
    assert store.mode("sla") is None
    plan(store)
    assert store.modes() == {"sla": None}
    for mode in Mode:
        store.set_mode("sla", mode, NOW)
        assert store.mode("sla") is mode
    assert store.modes() == {"sla": Mode.APPLY}


@pytest.mark.parametrize("away", [Mode.OFF, Mode.SHADOW])
def test_an_operator_who_switches_on_again_starts_anew(store: Store, away: Mode) -> None:
    """Set to off or shadow and back to apply: what was planned is put aside, and causes count from then on."""
    plan(store, action("before"))
    assert store.set_mode("sla", Mode.APPLY, at(1)) == 0, "it applied all the time"
    assert store.set_mode("sla", away, at(2)) == 0
    assert store.set_mode("sla", Mode.APPLY, at(9)) == 1
    applied = plan(store, action("meanwhile", cause_at=at(5)), action("now", cause_at=at(9)), now=at(10))
    assert (applied.baseline, applied.planned) == (("meanwhile",), ("now",))
    assert keys(take(store, now=at(10))) == ["now"]


def test_a_rule_begins_once(store: Store) -> None:
    """A rule seen for the first time starts now; the others keep their start."""
    first = store.begin([("sla", "Response"), ("sla", "Fix")], NOW)
    assert first == {("sla", "Response"): NOW, ("sla", "Fix"): NOW}
    again = store.begin([("sla", "Response"), ("rules", "Response")], at(9))
    assert again == {("sla", "Response"): NOW, ("rules", "Response"): at(9)}


@pytest.mark.parametrize(
    ("scope", "aside"),
    [("all", {"a", "b", "p"}), ("sla", {"a", "b", "p"}), ("zendesk", {"a", "b"}), ("zendesk:1", {"a", "p"})],
)
def test_resuming_puts_aside_what_waited(store: Store, scope: str, aside: set[str]) -> None:
    """Un-pausing is a start: what was planned before is journalled as baseline, to be adopted, not sent in a burst."""
    plan(store, action("a"), action("b", "zendesk:2"), page("p"))
    assert store.pause(scope, at(1)) is True
    assert store.pause(scope, at(2)) is False
    assert store.paused() == {scope: at(1)}
    assert store.paused(["zendesk:404"]) == {}
    assert store.resume(scope, at(3)) == len(aside)
    assert {row.action.key for row in store.outbox(state=OutboxState.BASELINE)} == aside
    assert store.paused() == {}
    assert store.resume(scope, at(3)) is None


@pytest.mark.parametrize(("scope", "start"), [("all", at(9)), ("sla", at(9)), ("zendesk", NOW), ("rules", NOW)])
def test_resuming_a_policy_moves_its_start(store: Store, scope: str, start: object) -> None:
    """Rules of the policies that were paused act on causes from then on; a tool's pause moves no rule."""
    store.begin([("sla", "Response")], NOW)
    store.pause(scope, at(1))
    store.resume(scope, at(9))
    assert store.begin([("sla", "Response")], at(10)) == {("sla", "Response"): start}
