"""The figures that we promise, and what a measurement of one looks like.

Every `bench_*.py` here has `run() -> list[Row]`; `make bench` runs them all and holds the rows against `FIGURES`.
"""

from typing import NamedTuple


class Figure(NamedTuple):
    """A promise: `reach` must hold, `stretch` is the wish; both are in the row's unit."""

    what: str
    reach: float
    stretch: float | None = None
    more_is_better: bool = False

    def verdict(self, value: float) -> str:
        """Say how a value stands to the promise; more than twice off is said too."""
        if self.stretch is not None and self._holds(value, self.stretch):
            return "stretch"
        if self._holds(value, self.reach):
            return "reached"
        return "missed" if self._holds(value, self.reach * (0.5 if self.more_is_better else 2)) else "FAR OFF"

    def _holds(self, value: float, figure: float) -> bool:
        return value >= figure if self.more_is_better else value <= figure


class Row(NamedTuple):
    """One measurement: what it is, in what unit, how it stands to a named bound or peer (1 is alike), and its figure.

    `figure` is a key of `FIGURES`. Where the promise is a ratio, the ratio is what is judged.
    """

    name: str
    value: float
    unit: str
    beside: str = ""
    ratio: float | None = None
    figure: str = ""

    def __str__(self) -> str:
        beside = f"   {self.ratio:6.2f} x {self.beside}" if self.ratio is not None else ""
        return f"{self.name:<60} {self.value:>12,.4f} {self.unit}{beside}"


FIGURES = {
    "pulse-wall": Figure("a quiet pulse, whole process: wall, s", 5),
    "pulse-cpu": Figure("a quiet pulse, whole process: CPU, s", 3, 2),
    "minute": Figure("an SLA minute over 100,000 open tickets, ms", 100, 10),
    "due-many": Figure("1 M due times at once, s", 0.3, 0.1),
    "sync-calls": Figure("calls to sync N changed tickets, beyond ceil(N / 1000) and a pulse's fixed reads", 0),
    "escalate-calls": Figure("escalate 1,000 late tickets to three groups with a note each, calls", 21),
    "consolidate-calls": Figure("10,000 tickets under one problem with a public reply, writes", 101),
    "metrics-sqlite": Figure("weekly metrics over 5 M events on SQLite, s", 1.5, 0.6),
    "metrics-postgres": Figure("weekly metrics over 5 M events on PostgreSQL, s", 4),
    "history-ratio": Figure("a quiet pulse with history ten times longer, × as long", 1.2, 1.05),
    "memory": Figure("peak memory of a sync, however many tickets, MB", 200, 120),
    "load-sqlite": Figure("first load into SQLite, tickets/s", 6_000, 12_000, more_is_better=True),
    "load-cpu": Figure("first load: our CPU per 1,000 tickets, ms", 140, 60),
    "load-postgres": Figure("first load into PostgreSQL, tickets/s", 3_500, 4_500, more_is_better=True),
    "act-from": Figure("what anybody notices of 3,000 tickets that were late before us, actions", 0),
}
RATIOS = frozenset({"history-ratio"})
