"""Facts over several tickets: what a company files, and who is on a problem, as it was at a moment.

The flow fetches the neighbours where a rule names such a fact; each carries its times, so that judging the same past
again gives the same, whatever has happened to the neighbours since.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from mappings.model import Neighbour


class Around(msgspec.Struct, frozen=True):
    """The tickets that a ticket is judged beside: its company's, and those on its problem. It is one of them."""

    neighbours: tuple[Neighbour, ...] = ()

    def of_company(self, company_id: int, since: datetime, until: tuple[datetime, int]) -> list[Neighbour]:
        """A company's tickets that came after `since` and up to (time, id), in the order in which they came to it.

        One that was merged, deleted or spam by then is no ticket of anybody's.
        """
        found = [
            one
            for one in self.neighbours
            if one.company_id == company_id and one.company_since > since and arrival(one) <= until
        ]
        return sorted((one for one in found if one.ended is None or one.ended > until[0]), key=arrival)

    def on_problem(self, problem: int, at: datetime) -> list[Neighbour]:
        """The tickets on a problem at a time, the problem's own included."""
        return [
            one
            for one in self.neighbours
            if (one.id == problem or problem_at(one, at) == problem)
            and one.created_at <= at
            and (one.ended is None or one.ended > at)
        ]

    def joined(self, problem: int) -> list[datetime]:
        """When a problem was given a ticket, or lost one."""
        return sorted({at for one in self.neighbours for at in _moves(one.problems, problem)})


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
