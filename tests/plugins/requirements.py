"""Requirement rows and the tests that show them: `@pytest.mark.req` is checked, and the summary says what is shown.

The rows are in tests/requirements.yaml. A row is shown when at least one test that names it passed and none failed;
a row with a `note` is shown in part. After a run of everything the rows without a test are listed as "not yet";
after a run of some tests only the rows they name are listed.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML

ROWS = Path(__file__).parents[1] / "requirements.yaml"
LEVELS = ("core", "expected", "extended")
RECORDED = "req"


class Row(NamedTuple):
    """One requirement: its line in our own words, how much it matters, and what of it is not there yet."""

    what: str
    level: str
    note: str = ""


class Tally(NamedTuple):
    """Row ids by how they stand, each in the order of the file."""

    shown: list[str]
    in_part: list[str]
    failed: list[str]
    not_yet: list[str]


def read_rows(text: str) -> dict[str, Row]:
    """Return the rows of requirements.yaml by id; raise ValueError with every mistake in it."""
    rows: dict[str, Row] = {}
    mistakes: list[str] = []
    for key, fields in (YAML(typ="safe").load(text) or {}).items():
        unknown = set(fields) - set(Row._fields)
        if unknown or not fields.get("what"):
            mistakes.append(f"{key}: wants what, level and perhaps note; has {', '.join(fields)}")
        elif fields.get("level") not in LEVELS:
            mistakes.append(f"{key}.level: {fields.get('level')!r}; write one of {', '.join(LEVELS)}")
        else:
            rows[key] = Row(**fields)
    if mistakes:
        raise ValueError("tests/requirements.yaml: " + "; ".join(mistakes))
    return rows


def unknown_marks(marks: Iterable[tuple[str, str]], rows: Mapping[str, Row]) -> list[str]:
    """Return one line for each (test, row id) whose id is not among `rows`."""
    advice = "is no row of tests/requirements.yaml; add it there or mend the mark"
    return [f"{test}: {row!r} {advice}" for test, row in marks if row not in rows]


def tally(rows: Mapping[str, Row], outcomes: Mapping[str, set[str]], *, everything: bool) -> Tally:
    """Sort `rows` by the outcomes of the tests that name them; rows not named are left out unless `everything` ran."""
    result = Tally([], [], [], [])
    for key, row in rows.items():
        seen = outcomes.get(key, set())
        if "failed" in seen:
            result.failed.append(key)
        elif "passed" in seen:
            (result.in_part if row.note else result.shown).append(key)
        elif everything or seen:
            result.not_yet.append(key)
    return result


def describe(rows: Mapping[str, Row], result: Tally) -> Iterator[str]:
    """Yield the lines of the summary."""
    yield _listing("shown", result.shown)
    yield from (f"shown in part: {key} ({rows[key].note})" for key in result.in_part)
    if result.failed:
        yield _listing("failed", result.failed)
    if result.not_yet:
        yield _listing("not yet", result.not_yet)


def _listing(title: str, keys: list[str]) -> str:
    return fill(f"{title}: {', '.join(keys) or 'none'}", width=118, subsequent_indent="  ")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse marks that name no row, and record each test's rows with its report."""
    rows = read_rows(ROWS.read_text())
    named = [(item, str(row)) for item in items for mark in item.iter_markers("req") for row in mark.args]
    mistakes = unknown_marks(((item.nodeid, row) for item, row in named), rows)
    if mistakes:
        raise pytest.UsageError("\n".join(mistakes))
    for item, row in named:
        item.user_properties.append((RECORDED, row))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Generator[None, None, None]:
    """Say last, after the failures, which requirement rows this run has shown."""
    yield
    if config.option.collectonly:
        return
    rows = read_rows(ROWS.read_text())
    outcomes = seen_outcomes(terminalreporter)
    everything = config.args == config.getini("testpaths") and not (config.option.keyword or config.option.markexpr)
    if everything or outcomes:
        terminalreporter.section("requirements", sep="-")
        for line in describe(rows, tally(rows, outcomes, everything=everything)):
            terminalreporter.write_line(line)


def seen_outcomes(terminalreporter: pytest.TerminalReporter) -> dict[str, set[str]]:
    """Return how the tests that name a row ended, by row; an error of a fixture is a failure."""
    outcomes: defaultdict[str, set[str]] = defaultdict(set)
    for outcome in ("passed", "failed", "error", "skipped", "xfailed"):
        for report in terminalreporter.getreports(outcome):
            for name, row in getattr(report, "user_properties", ()):
                if name == RECORDED:
                    outcomes[row].add("failed" if outcome == "error" else outcome)
    return outcomes
