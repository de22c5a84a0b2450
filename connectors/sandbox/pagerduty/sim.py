"""The simulated PagerDuty as one piece: its application, and what people do in it by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from connectors.sandbox.answers import answer
from connectors.sandbox.clock import iso
from connectors.sandbox.core import Core
from connectors.sandbox.pagerduty.account import found, on_duty
from connectors.sandbox.pagerduty.directory import Directory, Subscriptions, subscribe
from connectors.sandbox.pagerduty.events import THROTTLED, Events
from connectors.sandbox.pagerduty.gate import Gate, error
from connectors.sandbox.pagerduty.incidents import Incidents
from connectors.sandbox.pagerduty.lifecycle import Lifecycle, by_user
from connectors.sandbox.pagerduty.records import Incident, User
from connectors.sandbox.pagerduty.shapes import Shapes
from connectors.sandbox.pagerduty.subscriptions import Announcements

EVENT_TYPES = (
    "incident.triggered",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.resolved",
    "incident.reopened",
    "incident.annotated",
    "incident.escalated",
    "incident.reassigned",
    "incident.priority_updated",
)


class PagerDutySim:
    """One account on one port: REST under /, Events under /v2."""

    name = "pagerduty"

    def __init__(self, core: Core, world: Mapping[str, Any]) -> None:
        self._core = core
        self.account = found(core.seed, world)
        shapes = Shapes(self.account, lambda: core.urls.get(self.name, ""), core.clock.now)
        announcements = Announcements(core, self.account, shapes)
        self._life = Lifecycle(core, self.account, announcements.tell)
        self.gate = Gate(core, self.account)
        self.events = Events(core, self.account, self._life)
        self._incidents = Incidents(core, self.account, self._life, shapes, self.gate)
        directory = Directory(core, self.account, shapes, self.gate)
        subscriptions = Subscriptions(self.account, shapes, self.gate, announcements)
        self.app = Starlette(
            routes=[*self.events.routes, *self._incidents.routes, *directory.routes, *subscriptions.routes],
            exception_handlers={HTTPException: _missing},
        )
        account = self.account
        core.recorder.hide(account.token, account.read_only_token, account.user_token, account.webhook_secret)
        core.recorder.hide(*(service.routing_key for service in account.services))

    def label(self, path: str) -> str:
        """Events are a second API, recorded under a name of their own."""
        return "pagerduty_events" if path.startswith("/v2/") else self.name

    def refuse(self, status: int) -> tuple[Mapping[str, str], bytes]:
        """PagerDuty's own words for a status: 401, 429, 5xx."""
        code = {401: 2006, 402: 2014, 403: 2010, 404: 2100, 429: 2020}.get(status, 5001)
        return {"content-type": "application/json"}, msgspec.json.encode(error(code))

    def environment(self) -> dict[str, str]:
        """Address and credentials, as NAME: value."""
        url = self._core.urls[self.name]
        return {
            "PAGERDUTY_URL": url,
            "PAGERDUTY_EVENTS_URL": url,
            "PAGERDUTY_TOKEN": self.account.token,
            "PAGERDUTY_FROM": self.account.requester.email,
            "PAGERDUTY_EVENTS_KEY": self.account.services[0].routing_key,
            "PAGERDUTY_WEBHOOK_SECRET": self.account.webhook_secret,
        }

    # what people do -------------------------------------------------------------------------------------------

    def acknowledge(self, incident: str, user: str | None = None) -> None:
        """A user (by e-mail; whoever holds it by default) takes an incident (id or number) in the app."""
        with self._core.lock:
            row = self._open(incident)
            who = self._user(row, user)
            self._life.acknowledge(row, by_user(who), who)

    def resolve(self, incident: str, user: str | None = None) -> None:
        """A user ends an incident in the app."""
        with self._core.lock:
            row = self._open(incident)
            self._life.resolve(row, by_user(self._user(row, user)))

    def note(self, incident: str, user: str | None, content: str) -> None:
        """A user writes a note on an incident."""
        with self._core.lock:
            row = self._find(incident)
            who = self._user(row, user)
            self._life.annotate(row, who, content, lambda made: self._incidents.hook_note(row, made))

    def subscribe(self, url: str, events: Sequence[str] = EVENT_TYPES) -> str:
        """An administrator adds a webhook for the whole account; its id. The first one has the printed secret."""
        body = {
            "delivery_method": {"type": "http_delivery_method", "url": url},
            "description": "helpdesk-flows",
            "events": list(events),
            "filter": {"type": "account_reference"},
        }
        with self._core.lock:
            return subscribe(self.account, body).id

    def _find(self, incident: str) -> Incident:
        for row in self.account.incidents.values():
            if incident in (row.id, str(row.number)):
                return row
        raise LookupError(f"PagerDuty has no incident {incident}")

    def _open(self, incident: str) -> Incident:
        row = self._find(incident)
        if not row.open:
            raise ValueError(f"incident {incident} is already resolved")
        return row

    def _user(self, incident: Incident, email: str | None) -> User:
        if email is None:
            return incident.assignees[0] if incident.assignees else self.account.users[0]
        user = self.account.user_by_email(email)
        if user is None:
            raise LookupError(f"PagerDuty has no user {email}")
        return user

    def on_duty_now(self) -> list[dict[str, Any]]:
        """Who is on call at each level of the first policy, for the console."""
        rows, now = [], self._core.clock.now()
        for level, rule in enumerate(self.account.policies[0].rules, 1):
            if isinstance(rule.target, User):
                rows.append({"level": level, "name": rule.target.name, "until": None})
            else:
                user, _, until = on_duty(rule.target, now)
                rows.append({"level": level, "name": user.name, "until": iso(until)})
        return rows

    def console_view(self) -> list[dict[str, Any]]:
        """Incidents for the console, newest first: who is paged and since when."""
        return [
            {
                "id": row.id,
                "number": row.number,
                "title": row.title,
                "status": row.status,
                "urgency": row.urgency,
                "service": row.service.name,
                "key": row.key,
                "created_at": iso(row.created_at),
                "paged": [{"name": user.name, "since": iso(at)} for at, user in row.assignments],
                "acknowledged": [{"name": user.name, "at": iso(at)} for at, user in row.acknowledgements],
                "resolved_at": iso(row.resolved_at) if row.resolved_at else None,
                "next": {kind: iso(at) for kind, at in sorted(row.pending.items(), key=lambda item: item[1])},
                "log": [{"at": iso(entry.at), "what": entry.summary} for entry in row.log],
                "notes": [{"at": iso(n.at), "by": n.user.name, "text": n.content} for n in row.notes],
                "details": row.details,
            }
            for row in reversed(self.account.incidents.values())
        ]


async def _missing(request: Request, refused: Exception) -> Response:
    status = refused.status_code if isinstance(refused, HTTPException) else 500
    if request.url.path.startswith("/v2/"):
        return answer(
            {"status": THROTTLED["status"] if status == 429 else "invalid event", "message": "Not Found"}, status
        )
    return answer(error(2100 if status in (404, 405) else 5001), status)
