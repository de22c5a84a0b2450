"""The stories that faults are played over: what people do at which minute, with a pulse after each.

`four plans`: two of story 1's plans on a Tuesday, warned, late, moved up, answered. `saturday night`: story 2, a system
that is down at 02:00 and a P2 that waits for Monday.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.people import answer, solve
from tests.flows.desk import Desk


@dataclass
class Stage:
    """A story under way: its tickets, in the order in which they were filed."""

    desk: Desk
    tickets: list[int] = field(default_factory=list)

    def file(self, severity: str, *plans: str) -> None:
        """A customer on each of these plans asks for help."""
        self.tickets += [self.desk.file(severity, plan) for plan in plans]

    def answer(self, number: int, group: str) -> None:
        """Somebody of a group answers."""
        answer(self.desk, self.tickets[number], "as the story goes", group)

    def acknowledge(self) -> None:
        """On-call takes whatever page rings."""
        for incident in self.desk.incidents:
            if incident.status == "triggered":
                self.desk.phone.acknowledge(incident.id)

    def solve(self, number: int, group: str) -> None:
        """Somebody of a group ends it."""
        if self.desk.sim.account.tickets[self.tickets[number]].status not in ("solved", "closed"):
            solve(self.desk, self.tickets[number], "", group)


class Moment(NamedTuple):
    """A time of the office's day, what people do then, and a pulse."""

    at: str
    deed: Callable[[Stage], None] | None = None


class Story(NamedTuple):
    """A name, when our first minutes with the account begin, and what happens from then on."""

    name: str
    opens: str
    moments: tuple[Moment, ...]


TUESDAY, SATURDAY = "2026-03-03", "2026-03-07"

FOUR_PLANS = Story(
    "four plans",
    f"{TUESDAY} 09:50",
    (
        Moment(f"{TUESDAY} 10:00", lambda stage: stage.file("P2", "business", "enterprise")),
        Moment(f"{TUESDAY} 10:01"),
        Moment(f"{TUESDAY} 10:45"),
        Moment(f"{TUESDAY} 11:00"),
        Moment(f"{TUESDAY} 11:05", lambda stage: stage.answer(1, "Technical")),
        Moment(f"{TUESDAY} 13:00"),
        Moment(f"{TUESDAY} 14:00"),
        Moment(f"{TUESDAY} 14:10", lambda stage: stage.answer(0, "Technical")),
    ),
)

SATURDAY_NIGHT = Story(
    "saturday night",
    f"{SATURDAY} 01:50",
    (
        Moment(f"{SATURDAY} 02:00", lambda stage: stage.file("P1", "enterprise")),
        Moment(f"{SATURDAY} 02:01"),
        Moment(f"{SATURDAY} 02:03", Stage.acknowledge),
        Moment(f"{SATURDAY} 02:05", lambda stage: stage.file("P2", "business")),
        Moment(f"{SATURDAY} 02:11", lambda stage: stage.answer(0, "Engineering")),
        Moment(f"{SATURDAY} 02:30", lambda stage: stage.solve(0, "Engineering")),
        Moment(f"{SATURDAY} 02:33"),
    ),
)

STORIES = (FOUR_PLANS, SATURDAY_NIGHT)
