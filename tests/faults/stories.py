"""The stories that faults are played over: what people do at which minute, with a pulse after each.

`four plans`: two of story 1's plans on a Tuesday, warned, late, moved up, answered. `saturday night`: story 2, a system
that is down at 02:00 and a P2 that waits for Monday. `third and rude`: stories 9 and 7, a company that writes for the
third time in a week, and threatens. `emergency`: of story 10, another organisation's mail to its emergency address.
`everybody`: a third organisation, whose worst severity is told to all in Slack and by mail, and others in a digest.
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
    customer: str | None = None
    """Who asks again and again."""

    def file(self, severity: str, *plans: str) -> None:
        """A customer on each of these plans asks for help."""
        self.tickets += [self.desk.file(severity, plan) for plan in plans]

    def file_again(self) -> None:
        """Somebody of a company that has long been silent asks, and asks again."""
        sim = self.desk.sim
        if self.customer is None:
            since = self.desk.now.timestamp() - 10 * 86_400
            busy = {one.organization_id for one in sim.account.tickets.values() if one.created_at > since}
            company = next(name for name in sim.companies() if sim.company(name).id not in busy and sim.people(name))
            sim.change_plan(company, "business")
            self.customer = sim.people(company)[0]
        self.tickets.append(self.desk.file("P3", requester=self.customer))

    def file_emergency(self) -> None:
        """Somebody writes to roofing's emergency address."""
        sim = self.desk.sim
        requester = next(person for company in sim.companies() for person in sim.people(company))
        self.tickets.append(
            sim.file_ticket(
                requester=requester,
                subject="Payments fail for all customers",
                body="Nobody can pay.",
                channel="email",
                recipient="emergency@roofingplatform.com",
            )
        )

    def file_worst(self) -> None:
        """Nobody at a customer of pmerit's can work."""
        self.tickets.append(self.desk.file("P0", "standard", fields={"working": "no", "kind": "technical"}))

    def file_question(self) -> None:
        """A customer of pmerit's asks for help."""
        self.tickets.append(self.desk.file("P2", "standard", fields={"kind": "question"}))

    def urge(self, number: int) -> None:
        """An agent asks for the next tier."""
        self.desk.sim.edit(self.tickets[number], author=self.desk.agent, tags_add=("escalate_please",))

    def flag(self, number: int) -> None:
        """An agent flags a ticket as abusive."""
        self.desk.sim.edit(self.tickets[number], author=self.desk.agent, fields={"abuse": "threats"})

    def decide(self, number: int, what: str) -> None:
        """A manager decides on it."""
        manager = self.desk.sim.agents("Management")[0]
        self.desk.sim.edit(self.tickets[number], author=manager, fields={"abuse_decision": what})

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
    """A name, when our first minutes with the account begin, what happens from then on, and whose profile it is."""

    name: str
    opens: str
    moments: tuple[Moment, ...]
    org: str = "builder"
    telling: bool = False
    """Whether the ways by which colleagues are told are struck, too."""


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

THIRD_AND_RUDE = Story(
    "third and rude",
    f"{TUESDAY} 09:50",
    (
        Moment(f"{TUESDAY} 10:00", Stage.file_again),
        Moment(f"{TUESDAY} 10:05", Stage.file_again),
        Moment(f"{TUESDAY} 10:10", Stage.file_again),
        Moment(f"{TUESDAY} 10:15", lambda stage: stage.flag(2)),
        Moment(f"{TUESDAY} 10:16"),
        Moment(f"{TUESDAY} 10:20", lambda stage: stage.decide(2, "warn")),
        Moment(f"{TUESDAY} 10:23"),
        Moment(f"{TUESDAY} 10:25", lambda stage: stage.decide(2, "restrict")),
        Moment(f"{TUESDAY} 10:31"),
    ),
)

EMERGENCY = Story(
    "emergency",
    f"{SATURDAY} 01:50",
    (
        Moment(f"{SATURDAY} 02:00", Stage.file_emergency),
        Moment(f"{SATURDAY} 02:01"),
        Moment(f"{SATURDAY} 02:03", Stage.acknowledge),
        Moment(f"{SATURDAY} 02:11", lambda stage: stage.answer(0, "Engineering")),
        Moment(f"{SATURDAY} 02:30", lambda stage: stage.solve(0, "Engineering")),
        Moment(f"{SATURDAY} 02:33"),
    ),
    org="roofing",
)

EVERYBODY = Story(
    "everybody",
    f"{TUESDAY} 08:00",
    (
        Moment(f"{TUESDAY} 08:10", Stage.file_worst),
        Moment(f"{TUESDAY} 08:11"),
        Moment(f"{TUESDAY} 08:13", Stage.file_question),
        Moment(f"{TUESDAY} 08:15", lambda stage: stage.urge(1)),
        Moment(f"{TUESDAY} 08:17"),
        Moment(f"{TUESDAY} 08:21", lambda stage: stage.answer(0, "Tech leads")),
        Moment(f"{TUESDAY} 08:22", lambda stage: stage.answer(1, "Engineering")),
        Moment(f"{TUESDAY} 08:25"),
        Moment(f"{TUESDAY} 08:31"),
    ),
    org="pmerit",
    telling=True,
)

STORIES = (FOUR_PLANS, SATURDAY_NIGHT, THIRD_AND_RUDE)
