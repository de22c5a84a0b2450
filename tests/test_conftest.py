"""The suite's own rules: nothing leaves the machine, and requirement marks mean what they say."""

import os
import socket

import pytest

from tests.plugins.requirements import Row, describe, read_rows, tally, unknown_marks

ROWS = {"AA-1": Row("one", "core"), "AA-2": Row("two", "core", "half"), "AA-3": Row("three", "extended")}


@pytest.mark.req("NFR-11")
@pytest.mark.parametrize("address", ["192.0.2.1", "203.0.113.7"])
def test_no_test_leaves_the_machine(address: str) -> None:
    """A connection to any other machine is refused before it is tried."""
    with socket.socket() as outside, pytest.raises(PermissionError, match=address):
        outside.connect((address, 443))


def test_loopback_is_open() -> None:
    """Servers that a test starts here can be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_no_account_is_inherited() -> None:
    """A developer's own addresses and tokens are not there for a test to use."""
    inherited = [name for name in os.environ if name.startswith(("HELPDESK_", "ZENDESK_", "PAGERDUTY_"))]
    assert inherited == []


def test_a_mark_must_name_a_row() -> None:
    """An id that the file does not hold is told with its test."""
    marks = [("test_x.py::test_y", "AA-1"), ("test_x.py::test_y", "ZZ-9")]
    assert unknown_marks(marks, ROWS) == [
        "test_x.py::test_y: 'ZZ-9' is no row of tests/requirements.yaml; add it there or mend the mark"
    ]


@pytest.mark.parametrize(
    ("outcomes", "everything", "expected"),
    [
        ({"AA-1": {"passed"}, "AA-2": {"passed"}}, True, (["AA-1"], ["AA-2"], [], ["AA-3"])),
        ({"AA-1": {"passed", "failed"}}, True, ([], [], ["AA-1"], ["AA-2", "AA-3"])),
        ({"AA-1": {"skipped"}}, False, ([], [], [], ["AA-1"])),
        ({"AA-1": {"passed", "skipped"}}, False, (["AA-1"], [], [], [])),
    ],
    ids=["a row with a note is shown in part", "one failure unshows", "skipped shows nothing", "some of it ran"],
)
def test_tally(outcomes: dict[str, set[str]], everything: bool, expected: tuple[list[str], ...]) -> None:
    """A row is shown by a passing test, and by no failing one."""
    assert tuple(tally(ROWS, outcomes, everything=everything)) == expected


def test_summary_lines() -> None:
    """The summary names what is shown, what is half there and why, and what is not yet."""
    lines = list(describe(ROWS, tally(ROWS, {"AA-1": {"passed"}, "AA-2": {"passed"}}, everything=True)))
    assert lines == ["shown: AA-1", "shown in part: AA-2 (half)", "not yet: AA-3"]


@pytest.mark.parametrize("text", ["A-1: {what: x, level: high}", "A-1: {level: core}", "A-1: {what: x, wat: y}"])
def test_rows_are_checked(text: str) -> None:
    """A row with a wrong level, without its line or with an unknown field is refused by name."""
    with pytest.raises(ValueError, match="A-1"):
        read_rows(text)
