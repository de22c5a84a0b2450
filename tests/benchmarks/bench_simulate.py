"""The preview over 10,000 tickets of a month: wall, our CPU, and the most memory that its process takes.

`python -m tests.benchmarks.bench_simulate` prints them. The tickets are the sandbox's, with their past, several times
over; the new profile promises P2 in half the time, so that steps of its own are lived through, too.
"""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from connectors.sandbox.client import People
from flows.profiles import CONFIG, typed_profile
from flows.settings import read_settings
from flows.simulate import live_both, looking
from tests.benchmarks import Row
from tests.benchmarks.rig import environment, grow, peak, sandbox, settle, spent

COPIES = 19
WINDOW = timedelta(days=30)
_P2 = "professional: 8bh, business: 4bh"


def once() -> None:
    """One preview in this process; prints tickets, those that differ, seconds, and the peak of memory in MB."""
    text = (CONFIG / "profiles" / "builder.yaml").read_text()
    assert _P2 in text
    new = typed_profile(text.replace(_P2, "professional: 4bh, business: 2bh"))
    start = perf_counter()
    with looking(read_settings()) as ctx:
        found = live_both(ctx, new, ctx.now() - WINDOW)
    print(found.tickets, found.differing, perf_counter() - start, peak())


def run() -> list[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as name, sandbox() as addresses:
        path = Path(name) / "store.sqlite"
        with environment(**addresses, HELPDESK_DATABASE_URL=f"sqlite:///{path}"):
            people = People(addresses["HELPDESK_SANDBOX_URL"])
            settle(people)
            people.close()
            grow(path, COPIES, over=False)
            took = spent("tests.benchmarks.bench_simulate", "once")
    tickets, differing, wall, memory = (float(word) for word in took.said.split())
    assert tickets >= 10_000, tickets
    assert differing > 0
    return [
        Row(f"preview of {tickets:,.0f} tickets over 30 days, two profiles", wall, "s"),
        Row("preview, our CPU per 1,000 tickets", took.cpu / tickets * 1000, "s"),
        Row("preview, peak memory of its process", memory, "MB", figure="memory"),
    ]


if __name__ == "__main__":
    once() if sys.argv[1:] == ["once"] else print(*run(), sep="\n")
