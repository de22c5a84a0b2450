"""Every way to get a profile wrong: one file per fault in faults/, whose first lines say what must be told.

A fault file is laid over builder. Its head is `# LINE: field: problem; fix` for what is told of the file itself, and
`# FILE: field: …` for what is told of another file (there the line may move). All of it must be told, and nothing else.
"""

import re
from pathlib import Path

import pytest

from mappings.profile import Problem, ProfileError, Source, load
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
