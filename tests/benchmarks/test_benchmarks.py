"""What `make bench` says of a figure (the measuring itself is no test: machines differ)."""

import pytest

from tests.benchmarks import FIGURES, Figure, Row
from tests.benchmarks.__main__ import judged, main, names

LESS, MORE = Figure("seconds", 1.0, 0.5), Figure("tickets/s", 100, 200, more_is_better=True)


@pytest.mark.parametrize(
    ("figure", "value", "verdict"),
    [
        (LESS, 0.5, "stretch"),
        (LESS, 1.0, "reached"),
        (LESS, 2.0, "missed"),
        (LESS, 2.1, "FAR OFF"),
        (MORE, 200, "stretch"),
        (MORE, 100, "reached"),
        (MORE, 50, "missed"),
        (MORE, 49, "FAR OFF"),
    ],
)
def test_verdict(figure: Figure, value: float, verdict: str) -> None:
    """A figure is reached on the spot, and far off when it is more than twice beside its promise."""
    assert figure.verdict(value) == verdict


def test_a_promised_ratio_is_judged_by_the_ratio() -> None:
    """Where the promise is a ratio, the value in milliseconds does not matter."""
    assert judged(Row("ten times longer", 900.0, "ms", "the short one", 1.1, "history-ratio")) == "reached"


def test_a_row_without_a_figure_is_not_judged() -> None:
    """Rows that stand for comparison only have no verdict."""
    assert judged(Row("numpy bound", 0.01, "s")) == ""


def test_a_figure_has_room_to_miss() -> None:
    """No wish is weaker than its promise."""
    weaker = [
        key
        for key, figure in FIGURES.items()
        if figure.stretch is not None and (figure.stretch > figure.reach) != figure.more_is_better
    ]
    assert weaker == []


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt part is told together with the parts that there are."""
    assert main(["calender"]) == 2
    assert "calender" in capsys.readouterr().err


def test_every_benchmark_can_be_found() -> None:
    """`make bench` without arguments runs what lies in this folder."""
    assert names() == sorted(set(names()))
