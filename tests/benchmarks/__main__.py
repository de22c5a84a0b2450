"""`make bench`: run every benchmark, or the named ones, and print one table against the promised figures.

Exit 1 when a figure is more than twice off; a figure that is missed by less is for a person to judge.
"""

import sys
import traceback
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import FIGURES, RATIOS, Row


def names() -> list[str]:
    """Return the benchmarks there are, by the part that they measure."""
    return sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def judged(row: Row) -> str:
    """Say how a row stands to its figure, nothing where none was promised."""
    if not row.figure:
        return ""
    return FIGURES[row.figure].verdict(row.ratio or 0.0 if row.figure in RATIOS else row.value)


def cells(part: str, row: Row) -> Iterator[str]:
    """Yield the cells of one line of the table."""
    figure = FIGURES.get(row.figure)
    yield part
    yield row.name
    yield f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:,.3g}"
    yield row.unit
    yield f"{row.ratio:.2f} × {row.beside}" if row.ratio is not None else ""
    yield f"{figure.reach:,g}" if figure else ""
    yield f"{figure.stretch:,g}" if figure and figure.stretch is not None else ""
    yield judged(row)


def report(measured: Iterable[tuple[str, Row]]) -> Table:
    """Lay the rows out as one table."""
    table = Table("part", "what", "value", "unit", "beside", "reach", "stretch", "", title="helpdesk-flows: make bench")
    for part, row in measured:
        table.add_row(*cells(part, row))
    return table


def main(wanted: list[str]) -> int:
    """Measure, print, and return the exit code."""
    unknown = set(wanted) - set(names())
    if unknown:
        print(f"no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    measured: list[tuple[str, Row]] = []
    broken = []
    for part in wanted or names():
        print(f"measuring {part} …", file=sys.stderr)
        try:
            rows = import_module(f"tests.benchmarks.bench_{part}").run()
        except Exception:  # what the other parts measured is shown all the same
            traceback.print_exc()
            broken.append(part)
        else:
            measured += [(part, Row(*row)) for row in rows]
    console = Console(width=None if sys.stdout.isatty() else 170)
    console.print(report(measured))
    left = [figure.what for key, figure in FIGURES.items() if key not in {row.figure for _, row in measured}]
    if left and not wanted:
        console.print("promised and not measured here: " + "; ".join(left))
    if broken:
        console.print(f"broke down: {', '.join(broken)}")
    return 1 if broken or any(judged(row) == "FAR OFF" for _, row in measured) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
