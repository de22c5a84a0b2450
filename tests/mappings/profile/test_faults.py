"""Every way to get a profile wrong: one file per fault in faults/, whose first lines say what must be told.

A fault file is laid over builder. Its head is `# LINE: field: problem; fix` for what is told of the file itself, and
`# FILE: field: …` for what is told of another file (there the line may move). All of it must be told, and nothing else.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.profile import Problem, ProfileError, Source, load
from mappings.profile.reading import read
from tests.profiles import CONFIG, sources

FAULTS = sorted((Path(__file__).parent / "faults").glob("*.yaml"))


def templates() -> list[Source]:
    """The shipped reply texts."""
    return [Source(str(path), path.read_text()) for path in sorted(CONFIG.glob("templates/*/*.md"))]


def faults(name: str, text: str) -> list[Problem]:
    """What is told when a text is laid over builder."""
    with pytest.raises(ProfileError) as caught:
        load([*sources("builder"), Source(name, text)], templates())
    return caught.value.problems


def expected(text: str) -> list[str]:
    """The lines at the head of a fault file."""
    head = re.match(r"(# [^\n]+\n)*", text)
    assert head is not None
    return sorted(line.removeprefix("# ") for line in head[0].splitlines())


def told(problem: Problem, own: str) -> str:
    """A problem as a head says it."""
    where = str(problem.line) if problem.file == own else problem.file
    return f"{where}: {problem.field}: {problem.problem}; {problem.fix}"


@pytest.mark.req("SLA-03", "NFR-05")
@pytest.mark.parametrize("file", FAULTS, ids=lambda path: path.stem)
def test_a_fault_is_told_by_line_with_its_fix(file: Path) -> None:
    """Each fault is named once: its line, the field, what is wrong, what to write instead; all faults at once."""
    text = file.read_text()
    assert expected(text), "the head of the file says nothing"
    found = faults(file.name, text)
    assert sorted(told(problem, file.name) for problem in found) == expected(text)
    for problem in found:
        assert problem.fix
        assert "\n" not in str(problem)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a plain tree."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield (*path, key)
            yield from paths(below, (*path, key))
    elif isinstance(value, list):
        yield from ((*path, index) for index in range(len(value)))


BUILDER = read(sources("builder")[1]).plain()
JUNK: list[Any] = [
    None,
    3,
    -1,
    0.5,
    True,
    "",
    "x",
    "P9",
    "4h",
    "*",
    "same as x",
    "escalate 9",
    [],
    ["x"],
    [None],
    [["x"]],
]
JUNK += [{}, {"x": None}, {"x": {}}, {"*": "4h"}, {"1": 2}]


@settings(max_examples=40)
@given(st.sampled_from(sorted(paths(BUILDER), key=str)), st.sampled_from(JUNK))
def test_whatever_is_broken_is_told(path: tuple[str | int, ...], junk: object) -> None:
    """Any value in any place: the profile loads, or says what is wrong and how to cure it. It never just fails."""
    broken = deepcopy(BUILDER)
    around = broken
    for step in path[:-1]:
        around = around[step]
    around[path[-1]] = junk
    problems: list[Problem] = []
    try:
        load([sources("builder")[0], Source("builder.yaml", json.dumps(broken))])
    except ProfileError as wrong:
        problems = wrong.problems
    assert all(problem.fix for problem in problems)


def test_problems_come_in_the_order_of_the_file() -> None:
    """Somebody who fixes them goes down the file once."""
    file = next(path for path in FAULTS if path.stem == "several_faults")
    lines = [problem.line for problem in faults(file.name, file.read_text())]
    assert len(lines) > 2
    assert lines == sorted(lines)


def test_a_problem_is_one_line() -> None:
    """`file:line: field: what is wrong; what to write instead`, as editors and scripts read it."""
    found = faults("x.yaml", "grace: soon\n")
    fix = "write for example 15m, 4h, 14d or 7y"
    assert [str(problem) for problem in found] == [f"x.yaml:1: grace: 'soon' is no length of time; {fix}"]
