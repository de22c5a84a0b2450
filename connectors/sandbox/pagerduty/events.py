"""Events API v2: a 202 says that an event was taken, nothing about an incident; that follows later, or never.

Source: vendor-facts §4.7.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandbox.answers import answer
from connectors.sandbox.core import Core
from connectors.sandbox.limits import SlidingWindow
from connectors.sandbox.pagerduty.account import Account
from connectors.sandbox.pagerduty.lifecycle import Lifecycle
from connectors.sandbox.pagerduty.records import Agent, Alert, Incident, Record, Service

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")
LARGEST = 512 * 1024
CLASSES = {"critical": "high", "error": "high", "warning": "low", "info": "low"}


class Events:
    """Takes events at once and applies them `event_delay` simulated seconds later."""

    def __init__(self, core: Core, account: Account, life: Lifecycle) -> None:
        self._core, self._account, self._life = core, account, life
        self.limit = SlidingWindow(120, 60)
        self.routes = [
            Route("/v2/enqueue", self.enqueue, methods=["POST"]),
            Route("/v2/change/enqueue", self.enqueue_change, methods=["POST"]),
        ]

    async def enqueue(self, request: Request) -> Response:
        """POST /v2/enqueue."""
        event, problems = await _read(request, _event_problems)
        if problems:
            return _invalid(problems)
        if refused := self._refuse(event["routing_key"]):
            return refused
        key = event.get("dedup_key") or self._account.names.key("dedup")
        if service := self._account.service_by_key(event["routing_key"]):
            due = self._core.clock.now() + timedelta(seconds=self._core.switches.event_delay)
            self._core.at(due, lambda: self._apply(service, event, key))
        return answer({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    async def enqueue_change(self, request: Request) -> Response:
        """POST /v2/change/enqueue: shown beside incidents, pages nobody."""
        event, problems = await _read(request, _change_problems)
        if problems:
            return _invalid(problems)
        if refused := self._refuse(event["routing_key"]):
            return refused
        return answer({"status": "success", "message": "Change event processed"}, 202)

    def _refuse(self, key: str) -> Response | None:
        if self._core.switches.rate_limits and not self.limit.take(key, self._core.clock.now()).allowed:
            return answer(THROTTLED, 429)
        known = self._account.service_by_key(key) or self._core.switches.unknown_key_accepted
        return None if known else _invalid(["'routing_key' is invalid"])

    def _apply(self, service: Service, event: Record, key: str) -> None:
        if service.disabled:
            return
        incident = self._holding(service, key)
        agent = Agent("integration", service.integration_id, "Events API V2")
        if event["event_action"] == "trigger":
            self._trigger(service, event, key, incident, agent)
        elif incident and event["event_action"] == "acknowledge":
            if incident.status == "triggered":
                self._life.acknowledge(incident, agent, None)
        elif incident:
            self._resolve_alert(incident, key, agent)

    def _holding(self, service: Service, key: str) -> Incident | None:
        """The open incident whose triggered alert has this key; other services' keys are another world."""
        for incident in reversed(self._account.incidents.values()):
            held = incident.open and incident.service is service
            if held and any(alert.key == key and alert.status == "triggered" for alert in incident.alerts):
                return incident
        return None

    def _trigger(self, service: Service, event: Record, key: str, incident: Incident | None, agent: Agent) -> None:
        payload = event["payload"]
        if incident:
            self._life.append(incident, agent, payload.get("custom_details"))
            return
        now = self._core.clock.now()
        if self._account.in_maintenance(service, now):
            return
        links = [{"type": "link", "href": link["href"], "text": link.get("text")} for link in event.get("links") or []]
        alert = Alert(
            id=self._account.names.id("alert"),
            key=key,
            severity=payload["severity"],
            summary=payload["summary"],
            created_at=now,
            details=payload.get("custom_details") or {},
            contexts=links,
        )
        urgency = CLASSES[payload["severity"]] if service.urgency == "severity_based" else service.urgency
        self._life.open(
            service,
            payload["summary"],
            key=key,
            urgency=urgency,
            agent=agent,
            channel="api",
            details=payload.get("custom_details"),
            alert=alert,
        )

    def _resolve_alert(self, incident: Incident, key: str, agent: Agent) -> None:
        for alert in incident.alerts:
            if alert.key == key:
                alert.status, alert.resolved_at = "resolved", self._core.clock.now()
        if all(alert.status == "resolved" for alert in incident.alerts):
            self._life.resolve(incident, agent)


THROTTLED = {
    "status": "throttle exceeded",
    "message": "Requests for this service are arriving too quickly. Please retry later.",
}


async def _read(request: Request, check: Any) -> tuple[Record, list[str]]:
    raw = await request.body()
    if len(raw) > LARGEST:
        return {}, ["the event is larger than 512 KB"]
    try:
        event = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return {}, ["the body is not valid JSON"]
    if not isinstance(event, dict):
        return {}, ["the body is not an object"]
    return event, check(event)


def _invalid(problems: list[str]) -> Response:
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": problems}
    return answer(body, 400)


def _text(row: Record, name: str, label: str, longest: int) -> list[str]:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        return [f"'{label}' is missing or blank"]
    return [f"'{label}' is too long (maximum is {longest} characters)"] if len(value) > longest else []


def _event_problems(event: Record) -> list[str]:
    action, key = event.get("event_action"), event.get("dedup_key")
    found = _key_problems(event)
    if action not in ACTIONS:
        found.append(f"'event_action' is missing or invalid (must be one of {', '.join(ACTIONS)})")
    if key is not None and (not isinstance(key, str) or len(key) > 255):
        found.append("'dedup_key' is invalid (must be a string of at most 255 characters)")
    if action in ("acknowledge", "resolve") and not key:
        found.append(f"'dedup_key' is missing or blank (required to {action})")
    if action == "trigger":
        found += _payload_problems(event.get("payload"))
        found += [
            f"'links[{n}].href' is missing" for n, link in enumerate(event.get("links") or []) if not link.get("href")
        ]
        found += [
            f"'images[{n}].src' is missing" for n, img in enumerate(event.get("images") or []) if not img.get("src")
        ]
    return found


def _key_problems(event: Record) -> list[str]:
    key = event.get("routing_key")
    if not isinstance(key, str) or not key:
        return ["'routing_key' is missing or blank"]
    return [] if len(key) == 32 else ["Length of 'routing_key' is incorrect (should be 32 characters)"]


def _payload_problems(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    found = _text(payload, "summary", "payload.summary", 1024) + _text(payload, "source", "payload.source", 255)
    if payload.get("severity") not in SEVERITIES:
        found.append(f"'payload.severity' is invalid (must be one of the following: {', '.join(SEVERITIES)})")
    return found + _time_problems(payload.get("timestamp"))


def _time_problems(timestamp: Any) -> list[str]:
    if timestamp is None:
        return []
    try:
        datetime.fromisoformat(timestamp)
    except (TypeError, ValueError):
        return ["'payload.timestamp' is invalid (must be ISO 8601)"]
    return []


def _change_problems(event: Record) -> list[str]:
    payload = event.get("payload")
    body = _text(payload, "summary", "payload.summary", 1024) if isinstance(payload, dict) else ["'payload' is missing"]
    return _key_problems(event) + body
