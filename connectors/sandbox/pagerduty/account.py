"""A PagerDuty account made from a seed: users, rotations, policies, services, priorities and keys."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.clock import parse_time
from connectors.sandbox.pagerduty.records import (
    Incident,
    Policy,
    Priority,
    Rule,
    Schedule,
    Service,
    Subscription,
    User,
    Window,
)

ROSTER = ("Mara Lindqvist", "Tomas Okafor", "Ines Duarte", "Wes Calloway")
"""Who is on call where the world names nobody (`on_call`: a list of {name, email}); the last one is the backup."""
PRIORITIES = (("P1", "Critical"), ("P2", "High"), ("P3", "Medium"), ("P4", "Low"), ("P5", "Informational"))
ABILITIES = ("sso", "teams", "urgencies", "event_rules", "service_support_hours", "priorities", "response_operations")


class Names:
    """Opaque ids and keys that follow from the seed and from how many were drawn before."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: dict[str, int] = {}

    def digest(self, kind: str) -> bytes:
        """The next 32 bytes for a kind of thing."""
        number = self._drawn[kind] = self._drawn.get(kind, 0) + 1
        return hashlib.sha256(f"{self._seed}:pagerduty:{kind}:{number}".encode()).digest()

    def id(self, kind: str) -> str:
        """An id as PagerDuty's: `P` and six capitals or digits; incidents and log entries have fourteen after `Q`."""
        text = base64.b32encode(self.digest(kind)).decode()
        return "Q" + text[:13] if kind in ("incident", "log_entry") else "P" + text[:6]

    def key(self, kind: str) -> str:
        """A key of 32 hex digits."""
        return self.digest(kind).hex()[:32]

    def uuid(self, kind: str) -> str:
        """A UUID's text."""
        d = self.digest(kind).hex()
        return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[17:20]}-{d[20:32]}"


@dataclass
class Account:
    """Everything in the account, by kind; incidents by id, oldest first."""

    names: Names
    html: str
    token: str
    read_only_token: str
    user_token: str
    webhook_secret: str
    requester: User
    users: list[User]
    schedules: list[Schedule]
    policies: list[Policy]
    services: list[Service]
    priorities: list[Priority]
    incidents: dict[str, Incident] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)

    def user_by_email(self, email: str) -> User | None:
        """The user with this address in any case."""
        return next((u for u in self.users if u.email.lower() == email.strip().lower()), None)

    def service_by_key(self, routing_key: str) -> Service | None:
        """The service behind a routing key."""
        return next((s for s in self.services if s.routing_key == routing_key), None)

    def in_maintenance(self, service: Service, now: datetime) -> bool:
        """Whether a window over this service is open now."""
        return any(service in w.services and w.start <= now < w.end for w in self.windows)


def on_duty(schedule: Schedule, at: datetime) -> tuple[User, datetime, datetime]:
    """Who a schedule names at a time, with the start and end of that turn."""
    week = timedelta(days=7)
    monday = datetime(2024, 1, 1, 15, tzinfo=at.tzinfo)
    turn = (at - monday) // week
    start = monday + turn * week
    return schedule.users[turn % len(schedule.users)], start, start + week


def found(seed: int, world: Mapping[str, Any]) -> Account:
    """Found the account: one policy for all services, its first step the rotation, its second the backup.

    The world may name `on_call` (people), `services` (names) and `pagerduty` (fields of every service to set).
    """
    names, domain = Names(seed), f"{world.get('profile', 'helpdesk')}.example"
    staff = world.get("on_call") or [{"name": n, "email": f"{n.split()[0].lower()}@{domain}"} for n in ROSTER]
    people = [User(names.id("user"), p["name"], p["email"]) for p in staff]
    requester = User(names.id("user"), "Helpdesk Flows", f"flows@{domain}", "admin")
    rotation = Schedule(names.id("schedule"), "Support rotation", tuple(people[:-1] or people))
    steps = (Rule(names.id("rule"), 15, rotation), Rule(names.id("rule"), 15, people[-1]))
    policy = Policy(names.id("policy"), "Support escalation", steps)
    created, settings = parse_time(world["now"]) - timedelta(days=400), dict(world.get("pagerduty", {}))
    services = [
        Service(names.id("service"), name, policy, names.id("integration"), names.key("routing"), created, **settings)
        for name in world.get("services") or ["support-on-call"]
    ]
    return Account(
        names=names,
        html=f"https://{world.get('profile', 'helpdesk')}.pagerduty.example",
        token="pdkey-" + names.key("token")[:14],
        read_only_token="pdread-" + names.key("token")[:13],
        user_token="pduser-" + names.key("token")[:13],
        webhook_secret=names.key("webhook_secret"),
        requester=requester,
        users=[*people, requester],
        schedules=[rotation],
        policies=[policy],
        services=services,
        priorities=[Priority(names.id("priority"), name, text) for name, text in PRIORITIES],
    )
