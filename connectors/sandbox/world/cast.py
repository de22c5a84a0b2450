"""Who is there: companies on every plan, their people in every role, and the agents who help them."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.world.names import FIRST, LAST, PLACES, TRADES


@dataclass(frozen=True, slots=True)
class Company:
    """A customer. `plan` is the world's key; `csm` an agent's e-mail, where somebody looks after them."""

    name: str
    external_id: str
    domain: str
    plan: str
    vip: bool
    csm: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a customer; `role` is the world's key."""

    name: str
    email: str
    company: str
    external_id: str
    role: str


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who answers. `duty` is agent, lead or manager; a manager administers the tools.

    `specialties` are kinds of request that are theirs, by the world's keys.
    """

    name: str
    email: str
    groups: tuple[str, ...]
    duty: str = "agent"
    specialties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cast:
    """Everybody."""

    account: str
    companies: tuple[Company, ...]
    people: tuple[Person, ...]
    agents: tuple[Agent, ...]

    def agents_of(self, group: str) -> list[Agent]:
        """Who works in a group."""
        return [agent for agent in self.agents if group in agent.groups]


def cast(world: Mapping[str, Any], chance: random.Random) -> Cast:
    """Invent everybody that a world needs: its `size` says how many, its plans, roles, tiers and groups say what."""
    size = {"companies": 40, "people": 200, "agents": 12, **world.get("size", {})}
    account = re.sub(r"[^a-z0-9]", "", str(world.get("profile") or "sandbox").lower()) or "sandbox"
    agents = _agents(world, account, int(size["agents"]))
    companies = _companies(world, int(size["companies"]), agents, chance)
    return Cast(account, companies, _people(world, int(size["people"]), companies, chance), agents)


def _agents(world: Mapping[str, Any], account: str, count: int) -> tuple[Agent, ...]:
    """A manager, a lead in the first tier, then every group in turn, the tiers' groups (first the first) twice.

    Every other one has a kind of request that is theirs.
    """
    groups = list(world.get("groups") or ["Support"])
    tiers = [tier["group"] for tier in world.get("tiers", []) if tier.get("group") in groups] or groups[:1]
    management = next((group for group in groups if group.lower().startswith("manage")), groups[-1])
    others = [group for group in groups if group not in tiers and group != management]
    turn = [tiers[0], *tiers, *others, tiers[0], *tiers]
    kinds = [str(kind["key"]) for kind in world.get("kinds", [])]
    agents = []
    for number in range(max(2, count)):
        name = f"{FIRST[(number * 7 + 3) % len(FIRST)]} {LAST[(number * 11 + 5) % len(LAST)]}"
        email = f"{name.lower().replace(' ', '.')}@{account}.example"
        if number == 0:
            agents.append(Agent(name, email, (management,), "manager"))
        elif number == 1:
            agents.append(Agent(name, email, (tiers[0],), "lead"))
        else:
            own = (kinds[number % len(kinds)],) if kinds and number % 2 else ()
            agents.append(Agent(name, email, (turn[(number - 2) % len(turn)],), specialties=own))
    return tuple(agents)


def _companies(
    world: Mapping[str, Any], count: int, agents: tuple[Agent, ...], chance: random.Random
) -> tuple[Company, ...]:
    plans = [plan["key"] for plan in world.get("plans", [])] or ["standard"]
    companies = []
    for number in range(count):
        place, trade = PLACES[number % len(PLACES)], TRADES[(number // len(PLACES) + number) % len(TRADES)]
        round_number = number // (len(PLACES) * len(TRADES))
        name = f"{place} {trade}" + (f" {round_number + 1}" if round_number else "")
        domain = f"{re.sub('[^a-z0-9]', '', name.lower())}.example"
        plan = plans[number % len(plans)]
        top = plan == plans[-1]
        csm = agents[number % len(agents)].email if top or chance.random() < 0.15 else None
        companies.append(Company(name, f"co-{number + 1:04d}", domain, plan, top and chance.random() < 0.3, csm))
    return tuple(companies)


def _people(
    world: Mapping[str, Any], count: int, companies: tuple[Company, ...], chance: random.Random
) -> tuple[Person, ...]:
    roles = list(world.get("roles") or ["customer"])
    people, seen = [], set[str]()
    for number in range(count):
        company = companies[number % len(companies)]
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        stem = name.lower().replace(" ", ".")
        email = f"{stem}@{company.domain}"
        if email in seen:
            email = f"{stem}{number}@{company.domain}"
        seen.add(email)
        nth = number // len(companies)
        role = roles[0] if nth == 0 else roles[(nth - 1 + number) % len(roles)]
        people.append(Person(name, email, company.name, f"u-{number + 1:05d}", role))
    return tuple(people)
