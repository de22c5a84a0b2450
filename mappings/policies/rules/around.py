"""Facts over several tickets: what a company files, and who is on a problem, as it was at a moment.

The flow fetches the neighbours where a rule names such a fact; each carries its times, so that judging the same past
again gives the same, whatever has happened to the neighbours since.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

import msgspec

from mappings.model import Neighbour


class Around(msgspec.Struct, frozen=True, dict=True):
    """The tickets that a ticket is judged beside: its company's, and those on its problem. It is one of them."""

    neighbours: tuple[Neighbour, ...] = ()

    def of_company(self, company_id: int, since: datetime, until: tuple[datetime, int]) -> list[Neighbour]:
        """A company's tickets that came after `since` and up to (time, id), in the order in which they came to it.

        One that was merged, deleted or spam by then is no ticket of anybody's.
        """
        arrived = self._arrived.get(company_id, [])
        first = bisect_right(arrived, since, key=lambda one: one.company_since)
        last = bisect_right(arrived, until, key=arrival)
        return [one for one in arrived[first:last] if one.ended is None or one.ended > until[0]]

    def on_problem(self, problem: int, at: datetime) -> list[Neighbour]:
        """The tickets on a problem at a time, the problem's own included."""
        return [
            one
            for one in self._ever_on.get(problem, ())
            if (one.id == problem or problem_at(one, at) == problem)
            and one.created_at <= at
            and (one.ended is None or one.ended > at)
        ]

    def joined(self, problem: int) -> list[datetime]:
        """When a problem was given a ticket, or lost one."""
        return sorted({at for one in self._ever_on.get(problem, ()) for at in _moves(one.problems, problem)})

    @cached_property
    def _arrived(self) -> dict[int | None, list[Neighbour]]:
        """Tickets by company, in the order in which they came to it."""
        found: dict[int | None, list[Neighbour]] = {}
        for one in sorted(self.neighbours, key=arrival):
            found.setdefault(one.company_id, []).append(one)
        return found

    @cached_property
    def _ever_on(self) -> dict[int | None, list[Neighbour]]:
        """Tickets by each problem that they ever were on, or are themselves."""
        found: dict[int | None, list[Neighbour]] = {one.id: [one] for one in self.neighbours}
        for one in self.neighbours:
            if one.problems:
                for problem in {problem for _, problem in one.problems} - {one.id}:
                    found.setdefault(problem, []).append(one)
        return found


ALONE = Around()


def arrival(one: Neighbour) -> tuple[datetime, int]:
    """When a ticket became its company's; of simultaneous ones the lower number came first."""
    return (one.company_since, one.id)


def problem_at(one: Neighbour, at: datetime) -> int | None:
    """The problem that a ticket was on at a time."""
    known = [problem for since, problem in one.problems if since <= at]
    return known[-1] if known else None


def _moves(problems: Iterable[tuple[datetime, int | None]], problem: int) -> Iterable[datetime]:
    before: int | None = None
    for at, now in problems:
        if problem in (before, now) and before != now:
            yield at
        before = now
