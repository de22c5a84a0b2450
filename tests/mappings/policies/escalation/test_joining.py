"""Two wishes for one step: one is taken, the other tells its reason."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mappings.plan import Action, Lane, TicketChange
from mappings.policies.escalation import CALLED, Taken, calling, one_step, taken_by
from mappings.policies.escalation.step import level_of, step_up
from mappings.reasons import reason
from tests.mappings.policies.escalation.climbing import life_of, told
from tests.profiles import profile
from tests.stories import Story, at

BUILDER = profile("builder")
LIFE = life_of(Story("2026-03-03 10:00"), BUILDER)
NOW = at("2026-03-03 12:00")
RECORD = "zendesk:123"


def wish(argument: object, rule: str = "one", record: str = RECORD) -> Action:
    """A rule's `escalate`, as the engine makes it."""
    step = step_up(LIFE, BUILDER, [level_of(argument, 1, BUILDER)], at=NOW)
    why = reason(
        "rule_held", rule, f"Because of {rule}. {step.says}", BUILDER, {**step.facts, "because": f"For {rule}."}
    )
    return Action(
        key=f"rule:escalate:{argument}:{record}",
        policy="rules",
        rule=rule,
        verb=step.verb,
        tool="zendesk",
        record=record,
        change=step.told(why),
        reason=why,
        lane=Lane.ESCALATION,
        cause_at=NOW,
    )


def went(actions: list[Action]) -> list[tuple[str, int | None]]:
    """Verb and tier of each action."""
    return [(action.verb, told(action).tier) for action in actions]


def test_the_higher_of_two_tiers_is_taken() -> None:
    """`escalate next` and `escalate 3` at once: tier 3, and a note with the other's reason, in either order."""
    for pair in ([wish("next"), wish(3, "two")], [wish(3, "two"), wish("next")]):
        found = one_step(pair, {})
        assert sorted(went(found), key=str) == [("escalate", 3), ("note", None)]
        (note,) = [told(action).note for action in found if action.verb == "note"]
        assert note == "Already moved up from this tier. For one."


def test_a_step_and_a_call_are_both_done() -> None:
    """Up one tier and management called: nothing is in the way of the other; a second call is."""
    found = one_step([wish("next"), wish("management", "two")], {})
    assert [action.verb for action in found] == ["escalate", "escalate"]
    called = {RECORD: Taken(called=frozenset({LIFE.stays[-1].cause}))}
    assert [action.verb for action in one_step([wish("next"), wish("management", "two")], called)] == [
        "escalate",
        "note",
    ]


def test_management_is_called_once() -> None:
    """Two rules that call management for one ticket under different keys: one call, and the other's reason."""
    again = msgspec.structs.replace(wish("management", "two"), key="rule:escalate:management:zendesk:123:17")
    assert [action.verb for action in one_step([wish("management"), again], {})] == ["escalate", "note"]


def test_a_call_that_joins_mails_nobody() -> None:
    """The mail goes with the call that is made; another ticket's call of the same second is one of its own."""
    first, again, other = wish("management"), wish("management", "two"), wish("management", "two", "zendesk:124")
    wishes = [one for call in (first, again, other) for one in calling(call, LIFE, BUILDER, at=NOW)]
    assert [action.verb for action in wishes] == ["escalate", "message"] * 3
    found = one_step(wishes, {})
    assert [(action.verb, action.record) for action in found] == [
        ("escalate", RECORD),
        ("message", RECORD),
        ("note", RECORD),
        ("escalate", "zendesk:124"),
        ("message", "zendesk:124"),
    ]


def test_what_a_request_takes_off_is_taken_off() -> None:
    """An agent's request that joins another step still clears its tag and its reason."""
    asking = wish("next", "two")
    cleared = msgspec.structs.replace(told(asking), remove_tags=("hf_escalate",), fields={"escalation_reason": None})
    found = one_step([msgspec.structs.replace(asking, change=cleared)], {RECORD: taken_by([wish("next")])})
    assert (told(found[0]).remove_tags, dict(told(found[0]).fields)) == (("hf_escalate",), {"escalation_reason": None})


def test_what_was_stepped_before_is_not_stepped_again() -> None:
    """A step of another policy in this minute: the wish joins it; a higher tier than that is still gone to."""
    taken = {RECORD: taken_by([wish("next")])}
    assert went(one_step([wish("next", "two")], taken)) == [("note", None)]
    assert went(one_step([wish(3, "two")], taken)) == [("escalate", 3)]
    assert went(one_step([wish("next", "two", "zendesk:124")], taken)) == [("escalate", 2)]


WISHES = st.lists(st.sampled_from(["next", 2, 3, "management"]), max_size=6)


@given(WISHES, st.integers(0, 3), st.randoms(use_true_random=False))
def test_one_move_at_most_whatever_the_order(wishes: list[object], before: int, shuffled: object) -> None:
    """However many wishes in whatever order: at most one move and one call, to the highest tier wanted, if that is
    above what was taken before; each reason is told."""
    actions = [wish(argument, f"rule {number}") for number, argument in enumerate(wishes)]
    shuffled.shuffle(actions)  # type: ignore[attr-defined]
    stay = LIFE.stays[-1].cause
    found = one_step(actions, {RECORD: Taken({stay: before} if before else {})})
    moved = [told(action).tier for action in found if told(action).tier is not None]
    best = max((level_of(argument, 1, BUILDER) for argument in wishes if argument != "management"), default=0)
    assert moved == ([best] if best > before else [])
    assert sum(CALLED in told(action).add_tags for action in found) == ("management" in wishes)
    said = "\n".join(told(action).note or "" for action in found)
    for number in range(len(wishes)):
        assert f"rule {number}." in said
    assert all(isinstance(action.change, TicketChange) for action in found)
