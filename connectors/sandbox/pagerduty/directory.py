"""The REST API beside incidents: abilities, users, services, policies, on-calls, windows, subscriptions."""

from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandbox.answers import answer, read_json
from connectors.sandbox.clock import parse_time
from connectors.sandbox.core import Core
from connectors.sandbox.pagerduty.account import ABILITIES, Account, on_duty
from connectors.sandbox.pagerduty.gate import Gate, Refusal, invalid, not_found
from connectors.sandbox.pagerduty.paging import page, several, time_of
from connectors.sandbox.pagerduty.records import Record, Schedule, Service, Subscription, User, Window
from connectors.sandbox.pagerduty.shapes import Shapes
from connectors.sandbox.pagerduty.subscriptions import Announcements


class Directory:
    """Endpoints over what rarely changes."""

    def __init__(self, core: Core, account: Account, shapes: Shapes, gate: Gate) -> None:
        self._core, self._account, self._shapes = core, account, shapes
        service = "/services/{id}"
        self.routes = [
            Route("/abilities", gate.guard(self.abilities)),
            Route("/users", gate.guard(self.users)),
            Route("/users/me", gate.guard_signed(self.me)),
            Route("/users/{id}", gate.guard(self.user)),
            Route("/services", gate.guard(self.services)),
            Route(service, gate.guard(self.service)),
            Route(f"{service}/integrations/{{integration_id}}", gate.guard(self.integration)),
            Route("/escalation_policies", gate.guard(self.policies)),
            Route("/escalation_policies/{id}", gate.guard(self.policy)),
            Route("/schedules", gate.guard(self.schedules)),
            Route("/teams", gate.guard(self.teams)),
            Route("/priorities", gate.guard(self.priorities, ability="priorities")),
            Route("/oncalls", gate.guard(self.oncalls)),
            Route("/maintenance_windows", gate.guard(self.windows)),
            Route("/maintenance_windows", gate.guard_signed(self.open_window), methods=["POST"]),
            Route("/maintenance_windows/{id}", gate.guard(self.close_window), methods=["DELETE"]),
        ]

    async def abilities(self, _: Request) -> Response:
        """GET /abilities: what the plan allows."""
        missing = self._core.switches.missing_abilities
        return answer({"abilities": [name for name in ABILITIES if name not in missing]})

    async def users(self, request: Request) -> Response:
        """GET /users; `query` looks in names and addresses."""
        text = request.query_params.get("query", "").lower()
        rows = [u for u in self._account.users if text in f"{u.name} {u.email}".lower()]
        return page(request, "users", rows, self._shapes.user)

    async def me(self, request: Request, user: User) -> Response:
        """GET /users/me: user keys only."""
        if self._account.user_token not in request.headers.get("authorization", ""):
            raise Refusal(400, 2001, "account-level keys belong to no user")
        return answer({"user": self._shapes.user(user)})

    async def user(self, request: Request) -> Response:
        """GET /users/{id}."""
        return answer({"user": self._shapes.user(_find(self._account.users, request))})

    async def services(self, request: Request) -> Response:
        """GET /services; `query` and `name` look in names."""
        text, name = request.query_params.get("query", "").lower(), request.query_params.get("name")
        rows = [s for s in self._account.services if text in s.name.lower() and name in (None, s.name)]
        rows.sort(key=lambda s: s.name, reverse=request.query_params.get("sort_by") == "name:desc")
        include = several(request, "include")
        return page(request, "services", rows, lambda s: self._shapes.service(s, include))

    async def service(self, request: Request) -> Response:
        """GET /services/{id}."""
        found: Service = _find(self._account.services, request)
        return answer({"service": self._shapes.service(found, several(request, "include"))})

    async def integration(self, request: Request) -> Response:
        """GET /services/{id}/integrations/{integration_id}, with its routing key."""
        found: Service = _find(self._account.services, request)
        if found.integration_id != request.path_params["integration_id"]:
            raise not_found()
        return answer({"integration": self._shapes.integration(found)})

    async def policies(self, request: Request) -> Response:
        """GET /escalation_policies."""
        return page(request, "escalation_policies", self._account.policies, self._shapes.policy)

    async def policy(self, request: Request) -> Response:
        """GET /escalation_policies/{id}."""
        return answer({"escalation_policy": self._shapes.policy(_find(self._account.policies, request))})

    async def schedules(self, request: Request) -> Response:
        """GET /schedules."""
        return page(request, "schedules", self._account.schedules, self._shapes.schedule)

    async def teams(self, request: Request) -> Response:
        """GET /teams: this account has none."""
        none: list[Record] = []
        return page(request, "teams", none, lambda row: row)

    async def priorities(self, request: Request) -> Response:
        """GET /priorities: 402 where the plan has none."""
        return page(request, "priorities", self._account.priorities, self._shapes.priority)

    async def oncalls(self, request: Request) -> Response:
        """GET /oncalls: who is on call, per policy and level; every turn between `since` and `until`."""
        now = self._core.clock.now()
        since = time_of(request, "since") or now
        until = time_of(request, "until") or since + timedelta(seconds=1)
        if until <= since or until > now + timedelta(days=90):
            raise Refusal(400, 2005, "until must lie after since and within 90 days")
        rows = [row for row in self._turns(since, until) if _wanted(request, row)]
        if request.query_params.get("earliest") == "true":
            rows = list({_who(row): row for row in reversed(rows)}.values())[::-1]
        return page(request, "oncalls", rows, lambda row: row)

    def _turns(self, since: datetime, until: datetime) -> list[Record]:
        rows = []
        for policy in self._account.policies:
            for level, rule in enumerate(policy.rules):
                at = since
                while at < until:
                    rows.append(self._shapes.oncall(policy, level, at))
                    at = on_duty(rule.target, at)[2] if isinstance(rule.target, Schedule) else until
        return rows

    # maintenance windows --------------------------------------------------------------------------------------

    async def windows(self, request: Request) -> Response:
        """GET /maintenance_windows; `filter` is past, future, ongoing, open or all."""
        now, chosen = self._core.clock.now(), request.query_params.get("filter", "all")
        parts = {
            "past": lambda w: w.end <= now,
            "future": lambda w: w.start > now,
            "ongoing": lambda w: w.start <= now < w.end,
            "open": lambda w: w.end > now,
            "all": lambda w: True,
        }
        if chosen not in parts:
            raise invalid(f"filter must be one of {', '.join(parts)}")
        return page(
            request, "maintenance_windows", list(filter(parts[chosen], self._account.windows)), self._shapes.window
        )

    async def open_window(self, request: Request, user: User) -> Response:
        """POST /maintenance_windows; a start in the past is moved to now."""
        body = (await read_json(request)).get("maintenance_window") or {}
        try:
            start, end = parse_time(str(body.get("start_time"))), parse_time(str(body.get("end_time")))
        except ValueError as error:
            raise invalid(str(error)) from error
        ids = [row.get("id") for row in body.get("services") or []]
        services = [s for s in self._account.services if s.id in ids]
        now = self._core.clock.now()
        if not services or len(services) != len(ids) or end <= max(start, now):
            raise invalid("End time must lie after start time and now, and services must exist")
        window = Window(
            id=self._account.names.id("window"),
            number=len(self._account.windows) + 1,
            start=max(start, now),
            end=end,
            services=services,
            description=str(body.get("description") or ""),
            created_by=user,
        )
        self._account.windows.append(window)
        return answer({"maintenance_window": self._shapes.window(window)}, 201)

    async def close_window(self, request: Request) -> Response:
        """DELETE /maintenance_windows/{id}: ends one that runs, cancels one to come; 405 when it is over."""
        window: Window = _find(self._account.windows, request)
        now = self._core.clock.now()
        if window.end <= now:
            raise Refusal(405, 2001, "the maintenance window is already over")
        if window.start > now:
            self._account.windows.remove(window)
        window.end = now
        return answer(None, 204)


class Subscriptions:
    """Endpoints over webhook subscriptions."""

    def __init__(self, account: Account, shapes: Shapes, gate: Gate, announcements: Announcements) -> None:
        self._account, self._shapes, self._announcements = account, shapes, announcements
        one = "/webhook_subscriptions/{id}"
        self.routes = [
            Route("/webhook_subscriptions", gate.guard(self.index)),
            Route("/webhook_subscriptions", gate.guard(self.create), methods=["POST"]),
            Route(one, gate.guard(self.read)),
            Route(one, gate.guard(self.update), methods=["PUT"]),
            Route(one, gate.guard(self.delete), methods=["DELETE"]),
            Route(f"{one}/enable", gate.guard(self.enable), methods=["POST"]),
            Route(f"{one}/ping", gate.guard(self.ping), methods=["POST"]),
        ]

    async def index(self, request: Request) -> Response:
        """GET /webhook_subscriptions."""
        return page(request, "webhook_subscriptions", self._account.subscriptions, self._shapes.subscription)

    async def create(self, request: Request) -> Response:
        """POST /webhook_subscriptions: the only answer that shows the secret."""
        body = (await read_json(request)).get("webhook_subscription") or {}
        subscription = subscribe(self._account, body)
        return answer({"webhook_subscription": self._shapes.subscription(subscription, secret=True)})

    async def read(self, request: Request) -> Response:
        """GET /webhook_subscriptions/{id}."""
        return self._one(request)

    async def update(self, request: Request) -> Response:
        """PUT /webhook_subscriptions/{id}: description, events, filter, active."""
        subscription: Subscription = _find(self._account.subscriptions, request)
        body = (await read_json(request)).get("webhook_subscription") or {}
        for name in ("description", "events", "filter", "active"):
            if name in body:
                setattr(subscription, name, body[name])
        return self._one(request)

    async def delete(self, request: Request) -> Response:
        """DELETE /webhook_subscriptions/{id}."""
        self._account.subscriptions.remove(_find(self._account.subscriptions, request))
        return answer(None, 204)

    async def enable(self, request: Request) -> Response:
        """POST …/enable: after three drops in a row."""
        self._announcements.enable(_find(self._account.subscriptions, request))
        return self._one(request)

    async def ping(self, request: Request) -> Response:
        """POST …/ping: send a `pagey.ping`."""
        self._announcements.ping(_find(self._account.subscriptions, request))
        return answer({}, 202)

    def _one(self, request: Request) -> Response:
        found: Subscription = _find(self._account.subscriptions, request)
        return answer({"webhook_subscription": self._shapes.subscription(found)})


def subscribe(account: Account, body: Record) -> Subscription:
    """Add the subscription that a POST describes; its secret follows from the seed, so the first one is known ahead."""
    method, events, about = body.get("delivery_method") or {}, body.get("events") or [], body.get("filter") or {}
    found = [] if str(method.get("url", "")).startswith(("http://", "https://")) else ["delivery_method.url is invalid"]
    found += [] if events else ["events cannot be empty"]
    known = ("account_reference", "service_reference", "team_reference")
    found += [] if about.get("type") in known else [f"filter.type must be one of {', '.join(known)}"]
    if found:
        raise invalid(*found)
    subscription = Subscription(
        id=account.names.id("subscription"),
        method_id=account.names.id("delivery_method"),
        url=method["url"],
        events=list(events),
        filter=about,
        description=str(body.get("description") or ""),
        secrets=[account.webhook_secret if not account.subscriptions else account.names.key("webhook_secret")],
        headers=list(method.get("custom_headers") or []),
    )
    account.subscriptions.append(subscription)
    return subscription


def _find(rows: list[Any], request: Request) -> Any:
    row = next((row for row in rows if row.id == request.path_params["id"]), None)
    if row is None:
        raise not_found()
    return row


def _wanted(request: Request, row: Record) -> bool:
    schedule = row["schedule"]
    given = {
        "user_ids": row["user"]["id"],
        "escalation_policy_ids": row["escalation_policy"]["id"],
        "schedule_ids": schedule["id"] if schedule else None,
    }
    return all(not (ids := several(request, name)) or value in ids for name, value in given.items())


def _who(row: Record) -> tuple[str, int, str]:
    return row["escalation_policy"]["id"], row["escalation_level"], row["user"]["id"]
