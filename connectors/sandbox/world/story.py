"""What happened in the past weeks: every ticket is a short story whose steps come in the order of time."""

import heapq
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from connectors.sandbox.world import texts
from connectors.sandbox.world.cast import Agent, Cast, Person
from connectors.sandbox.world.hours import OfficeHours

MINUTE, HOUR, DAY = 60, 3600, 86_400

FIRST_REPLY = (20 * MINUTE, 2 * HOUR, 5 * HOUR, 9 * HOUR)
"""Open time until the first answer that agents usually need, worst severity first."""

SHARES = (0.04, 0.2, 0.46, 0.3)
"""How often each severity occurs, worst first."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One step: who did what to which ticket, when (epoch seconds).

    `ticket` counts stories from 0; for `merge` the story is closed into `other`. Kinds: file, reply, edit, merge,
    delete, spam.
    """

    at: int
    ticket: int
    kind: str
    author: str
    body: str = ""
    subject: str = ""
    public: bool = True
    status: str | None = None
    channel: str = "web"
    other: int | None = None
    recipient: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


def history(
    world: Mapping[str, Any], people: Cast, hours: OfficeHours, chance: random.Random, start: int, now: int
) -> Iterator[Happening]:
    """Everything that happened from `start` to `now`, oldest first. Stories that reach past `now` stay unfinished."""
    teller = _Teller(world, people, hours, chance)
    tickets = int(world.get("size", {}).get("tickets", 600))
    waiting: list[tuple[int, int, Iterator[Happening], Happening]] = []
    order = count()

    def push(steps: Iterator[Happening]) -> None:
        step = next(steps, None)
        if step is not None and step.at <= now:
            heapq.heappush(waiting, (step.at, next(order), steps, step))

    for number, filed in enumerate(_moments(tickets, hours, chance, start, now)):
        while waiting and waiting[0][0] <= filed:
            _, _, steps, step = heapq.heappop(waiting)
            yield step
            push(steps)
        push(teller.tell(number, filed))
    while waiting:
        _, _, steps, step = heapq.heappop(waiting)
        yield step
        push(steps)


def _moments(tickets: int, hours: OfficeHours, chance: random.Random, start: int, now: int) -> list[int]:
    """When tickets are filed: four in five while the office is open."""
    moments = []
    for _ in range(tickets):
        at = chance.randrange(start, now - 5 * MINUTE)
        for _ in range(6):
            if hours.is_open(at) or chance.random() < 0.2:
                break
            at = chance.randrange(start, now - 5 * MINUTE)
        moments.append(at)
    return sorted(moments)


class _Teller:
    """Invents stories for one world."""

    def __init__(self, world: Mapping[str, Any], people: Cast, hours: OfficeHours, chance: random.Random) -> None:
        self._cast, self._hours, self._chance = people, hours, chance
        self._severities = [row["key"] for row in world.get("severities", [])]
        self._weights = [SHARES[round(n * 3 / max(1, len(self._severities) - 1))] for n in range(len(self._severities))]
        self._kinds = [(row["key"], row.get("group")) for row in world.get("kinds", [])] or [("question", None)]
        self._modules = [(row["key"], row["name"]) for row in world.get("modules", [])] or [("app", "the app")]
        self._urls = {row["key"]: row.get("urls") or [] for row in world.get("modules", [])}
        self._mailboxes = {row.get("kind"): row["address"] for row in reversed(world.get("mailboxes") or [])}
        self._sources = list(world.get("sources") or ["portal", "email"])
        self._plans = {company.name: company.plan for company in people.companies}
        self._companies = {company.name: company for company in people.companies}
        tiers = [tier["group"] for tier in world.get("tiers", [])]
        self._tiers = tiers or [people.agents[-1].groups[0]]
        self._staff = {group: people.agents_of(group) for agent in people.agents for group in agent.groups}

    def tell(self, number: int, filed: int) -> Iterator[Happening]:
        """One ticket's story, lazily."""
        chance = self._chance
        if chance.random() < 0.008:
            return self._spam(number, filed)
        person = chance.choice(self._cast.people)
        rank = chance.choices(range(len(self._severities)), self._weights)[0] if self._severities else 0
        return self._ordinary(number, filed, person, rank)

    def _spam(self, number: int, filed: int) -> Iterator[Happening]:
        chance = self._chance
        subject = chance.choice(texts.SPAM)
        author = f"offer{number}@bulk-mail.example"
        yield Happening(filed, number, "file", author, subject, subject, channel="email")
        yield Happening(self._hours.later(filed, 20 * MINUTE), number, "spam", self._agent(0).email)

    def _ordinary(self, number: int, filed: int, person: Person, rank: int) -> Iterator[Happening]:
        chance = self._chance
        kind, group = chance.choice(self._kinds)
        yield self._filing(number, filed, person, rank, kind)
        usual = FIRST_REPLY[round(rank * 3 / max(1, len(self._severities) - 1))]
        agent = chance.choice(self._staff[group]) if group in self._staff else self._agent(0)
        at = self._hours.later(filed, int(usual * chance.uniform(0.1, 1.1)))
        fate = chance.random()
        if fate < 0.015:
            yield Happening(at, number, "delete", agent.email)
            return
        if fate < 0.035 and number > 20:
            yield Happening(at, number, "merge", agent.email, other=number - chance.randrange(1, 15))
            return
        if fate < 0.06:
            return  # nobody ever answers: open and long late
        if fate < 0.16:
            at = self._hours.later(at, int(usual * chance.uniform(2, 8)))  # answered, but late
        yield from self._answers(number, at, person, agent, usual)

    def _filing(self, number: int, filed: int, person: Person, rank: int, kind: str) -> Happening:
        chance = self._chance
        module, module_name = chance.choice(self._modules)
        source = chance.choices(self._sources, [1 / (n + 1) for n in range(len(self._sources))])[0]
        words = {"verb": chance.choice(texts.VERBS), "thing": chance.choice(texts.THINGS), "module": module_name}
        subject = chance.choice(texts.subjects(kind)).format(**words)
        subject = subject[0].upper() + subject[1:]
        body = chance.choice(texts.OPENINGS).format(
            subject=subject.rstrip("?"), name=person.name, company=person.company
        )
        told: dict[str, Any] = {"kind": kind, "module": module, "source": source}
        if self._severities and chance.random() > 0.04:
            told["severity"] = self._severities[rank]
        if urls := self._urls.get(module):
            told["current_url"] = chance.choice(urls)
        if rank == 0:
            told |= {"affected_users": str(chance.randrange(3, 40)), "working": chance.choice(("no", "no", "yes"))}
        company = self._companies[person.company]
        told |= {"plan_at_submission": company.plan, "builder_id": company.external_id, "user_id": person.external_id}
        told |= {"user_role": person.role, "browser_os": "Chrome 144, Windows 11"}
        written = self._mailboxes.get(kind) or self._mailboxes.get(None) if source == "email" else None
        return Happening(
            filed,
            number,
            "file",
            person.email,
            body,
            subject,
            channel=source,
            recipient=written,
            changes={"fields": told},
        )

    def _answers(self, number: int, at: int, person: Person, agent: Agent, usual: int) -> Iterator[Happening]:
        chance, hours = self._chance, self._hours
        names = {"name": person.name.split()[0], "agent": agent.name.split()[0]}
        yield Happening(at, number, "edit", agent.email, changes={"assignee": agent.email})
        at += chance.randrange(30, 600)
        text = chance.choice(texts.FIRST_REPLIES).format(**names)
        waits = chance.random() < 0.45
        yield Happening(at, number, "reply", agent.email, text, status="pending" if waits else "open")
        if waits:
            at += int(chance.expovariate(1 / (9 * HOUR)))
            if chance.random() < 0.12:
                return  # the customer never came back: pending
            yield Happening(at, number, "reply", person.email, chance.choice(texts.ANSWERS))
        for tier, group in enumerate(self._tiers[1:], 1):
            if chance.random() > 0.25:
                break
            at = hours.later(at, int(usual * chance.uniform(0.2, 1)))
            yield Happening(at, number, "reply", agent.email, chance.choice(texts.NOTES), public=False)
            agent = self._agent(tier)
            at += chance.randrange(20, 90)
            yield Happening(at, number, "edit", agent.email, changes={"group": group})
            names["agent"] = agent.name.split()[0]
        if chance.random() < 0.06:
            yield Happening(at + 60, number, "edit", agent.email, changes={"status": "hold"})
            return
        for _ in range(2 if chance.random() < 0.12 else 1):
            at = hours.later(at, int(usual * chance.uniform(0.5, 5)))
            yield Happening(at, number, "edit", agent.email, changes={"assignee": agent.email})
            text = chance.choice(texts.SOLUTIONS).format(**names)
            yield Happening(at + 45, number, "reply", agent.email, text, status="solved")
            at += int(chance.uniform(1, 60) * HOUR)
            if chance.random() > 0.12:
                return
            yield Happening(at, number, "reply", person.email, chance.choice(texts.REOPENINGS))

    def _agent(self, tier: int) -> Agent:
        group = self._tiers[min(tier, len(self._tiers) - 1)]
        return self._chance.choice(self._staff.get(group) or list(self._cast.agents))
