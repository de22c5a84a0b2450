"""Figures beside each other: what is odd is told, what is merely unusual is not."""

import pytest

from mappings.profile import ProfileError
from tests.profiles import edited, profile


def warnings(name: str, yaml: str = "{}") -> dict[str, list[str]]:
    """Field → problems of what is odd in a profile with some lines laid over it."""
    found: dict[str, list[str]] = {}
    for warning in edited(name, yaml).warnings:
        found.setdefault(warning.field, []).append(warning.problem)
    return found


@pytest.mark.parametrize("name", ["builder", "roofing", "pmerit", "lasercalc"])
def test_four_profiles_have_nothing_odd(name: str) -> None:
    """Their figures fall with severity and plan, at every instant of the week."""
    assert profile(name).warnings == ()


def test_a_ladder_longer_than_the_resolution_is_told() -> None:
    """archbuilder's technical ladder takes days, its P1 is resolved in 4 hours: the ladder comes too late there."""
    found = warnings("archbuilder")
    assert list(found) == ["targets.Escalation matrix.table"]
    said = sorted(found["targets.Escalation matrix.table"])
    assert said == [
        "billing: all tiers take longer than Resolution (3bd) for severity 'P3'",
        "technical, performance, integration, billing: all tiers take longer than Resolution (1bd) for severity 'P2'",
        "technical, performance, integration, billing: all tiers take longer than Resolution (4h) for severity 'P1'",
    ]


def test_the_security_ladder_fits() -> None:
    """2 h, 1 h and 30 min are less than P1's 4 hours; half an hour more would not be."""
    slower = "targets: {Escalation matrix: {table: {security: {3: 90m}}}}"
    told = warnings("archbuilder", slower)["targets.Escalation matrix.table"]
    assert any("security" in problem and "'P1'" in problem for problem in told)


def test_a_new_plan_is_missed_in_every_row_of_the_first_reply() -> None:
    """Somebody who adds a plan is told each row that lacks it: a figure is owed, or best effort said."""
    with pytest.raises(ProfileError) as caught:
        edited("builder", "plans: {growth: {name: Growth}}")
    said = [(problem.field.rpartition(".")[2], problem.fix) for problem in caught.value.problems]
    assert said == [(row, "add growth: a figure or best effort") for row in ("P1", "P2", "P3", "P4")]


def test_a_plan_left_out_of_another_table_is_only_odd() -> None:
    """A partial table means that there is no target; it is told, because it may have been forgotten."""
    table = "targets: {Resolution: {measure: resolve, by: [plan], table: {business: 2bd, enterprise: 1bd}}}"
    assert warnings("builder", table) == {
        "targets.Resolution.table": ["plan 'professional' has no target here", "plan 'starter' has no target here"]
    }


def test_best_effort_is_slower_than_anything() -> None:
    """A worse severity with best effort under a milder one with a figure is an error."""
    with pytest.raises(ProfileError, match="best effort for severity 'P3' is slower than 8bh"):
        edited("builder", "targets: {First response: {table: {P3: {enterprise: best effort}}}}")


def test_equal_figures_are_allowed() -> None:
    """A milder severity may have the same figure."""
    same = edited("builder", "targets: {First response: {table: {P4: {business: 8bh}}}}")
    assert same.targets["First response"].cells["P4", "business"].text == "8bh"


def test_units_are_compared_by_due_times() -> None:
    """In a ten-hour day 20bh and 2bd are due together; 21bh are later, though 21 hours sound less than two days."""
    assert edited("builder", "targets: {First response: {table: {P2: {starter: 20bh}, P3: {starter: 2bd}}}}")
    with pytest.raises(ProfileError, match="21bh for severity 'P2' is slower than 2bd"):
        edited("builder", "targets: {First response: {table: {P2: {starter: 21bh}, P3: {starter: 2bd}}}}")


def test_a_wider_calendar_counts() -> None:
    """Four wall hours by night are less than four open hours: enterprise round the clock is never slower."""
    assert edited("builder", "plans: {enterprise: {hours: always}}")
    with pytest.raises(ProfileError, match=r"for plan '\w+' is slower than .* for the lower plan 'starter'"):
        edited("builder", "plans: {starter: {hours: always}}\ntargets: {First response: {table: {P2: {starter: 8bh}}}}")


def test_groups_that_look_alike_are_told() -> None:
    """A misspelt group would swallow tickets."""
    told = warnings("builder", "kinds: {bug: {group: Enginering}}")
    assert told == {"tiers": ["groups 'Engineering' and 'Enginering' look alike"]}


ROUTES = "routes: {one: {group: Technical}, two: {group: Product}, same: {group: Technical}}"


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("{when: {severity: P1}, do: [assign one]}", "{when: {severity: [P1, P2]}, do: [tag x, assign two]}", True),
        ("{when: {severity: P1}, do: [assign one]}", "{when: {severity: P2}, do: [assign two]}", False),
        ("{when: {severity: P1}, do: [assign one]}", "{when: {severity: P1}, do: [assign same]}", False),
        ("{when: {severity: P1}, do: [assign one]}", "{when: {vip: true}, do: [assign two]}", False),
        ("{when: {tag: a, kind: bug}, do: [assign one]}", "{when: {tag: a, kind: billing}, do: [assign two]}", False),
        ("{when: {tag: a, kind: bug}, do: [assign one]}", "{when: {tag: a, kind_not: bug}, do: [assign two]}", False),
        ("{when: {tag: [a, b], vip: true}, do: [assign one]}", "{when: {tag: c, vip: true}, do: [assign two]}", True),
        ('{when: {rating: "<=2"}, do: [assign one]}', '{when: {rating: ">=2"}, do: [assign two]}', True),
        ('{when: {rating: "<2"}, do: [assign one]}', '{when: {rating: ">=2"}, do: [assign two]}', False),
    ],
)
def test_rules_that_may_contradict_each_other_are_told(one: str, other: str, told: bool) -> None:
    """Two groups for one ticket, where both rules speak of the same facts and can hold together: told, and decided."""
    found = warnings("builder", f"{ROUTES}\nrules:\n  one: {one}\n  other: {other}")
    problems = [problem for field, its in found.items() if field.startswith("rules.") for problem in its]
    wanted = ["assigns to 'two' what rule 'one' may assign to 'one' at the same moment"]
    assert problems == (wanted if told else [])


@pytest.mark.parametrize(
    ("step", "assigned", "told"),
    [
        ("escalate 3", "one", True),
        ("escalate 2", "one", False),  # that tier's own group
        ("escalate next", "two", False),  # from some tier it may lead there
        ("escalate management", "two", False),
    ],
)
def test_an_assignment_beside_a_step_is_told(step: str, assigned: str, told: bool) -> None:
    """A step to a tier goes before an assignment elsewhere, in another rule of the same facts or in the same one."""
    for rules in (
        f"{{a: {{when: {{vip: true}}, do: [{step}]}}, b: {{when: {{vip: true}}, do: [tag x, assign {assigned}]}}}}",
        f"{{b: {{when: {{vip: true}}, do: [{step}, assign {assigned}]}}}}",
    ):
        found = warnings("builder", f"{ROUTES}\nrules: {rules}")
        assert list(found) == (["rules.b.do[1]"] if told else [])


def test_a_rule_that_contradicts_itself_is_told() -> None:
    """Two groups in one rule's own actions."""
    found = warnings("builder", f"{ROUTES}\nrules: {{one: {{when: {{vip: true}}, do: [assign one, assign two]}}}}")
    assert list(found) == ["rules.one.do[1]"]
