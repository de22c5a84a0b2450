"""The REST API's incidents: list, read, create, change one or many, notes, alerts, log entries.

Sources: vendor-facts §4.4, §4.5, §4.8.
"""

from collections.abc import Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandbox.answers import answer, read_json
from connectors.sandbox.core import Core
from connectors.sandbox.pagerduty.account import Account
from connectors.sandbox.pagerduty.changes import Changes
from connectors.sandbox.pagerduty.gate import Gate, Refusal, invalid, not_found
from connectors.sandbox.pagerduty.lifecycle import Lifecycle, by_user
from connectors.sandbox.pagerduty.paging import page, range_of, several, time_of
from connectors.sandbox.pagerduty.records import Entry, Incident, Note, Record, User
from connectors.sandbox.pagerduty.shapes import Shapes

OVERVIEW = {"trigger", "acknowledge", "unacknowledge", "escalate", "resolve", "assign", "snooze", "annotate"}


class Incidents:
    """Endpoints under /incidents and /log_entries."""

    def __init__(self, core: Core, account: Account, life: Lifecycle, shapes: Shapes, gate: Gate) -> None:
        self._core, self._account, self._life, self._shapes = core, account, life, shapes
        self._changes = Changes(core, account, life)
        one = "/incidents/{id}"
        self.routes = [
            Route("/incidents", gate.guard(self.index)),
            Route("/incidents", gate.guard_signed(self.create), methods=["POST"]),
            Route("/incidents", gate.guard_signed(self.update_many), methods=["PUT"]),
            Route(one, gate.guard(self.read)),
            Route(one, gate.guard_signed(self.update), methods=["PUT"]),
            Route(f"{one}/notes", gate.guard(self.list_notes)),
            Route(f"{one}/notes", gate.guard_signed(self.add_note), methods=["POST"]),
            Route(f"{one}/alerts", gate.guard(self.list_alerts)),
            Route(f"{one}/log_entries", gate.guard(self.list_own_entries)),
            Route(f"{one}/snooze", gate.guard_signed(self.snooze), methods=["POST"]),
            Route(f"{one}/merge", gate.guard_signed(self.merge), methods=["PUT"]),
            Route(f"{one}/status_updates", gate.guard_signed(self.update_status), methods=["POST"]),
            Route("/log_entries", gate.guard(self.list_entries)),
            Route("/log_entries/{id}", gate.guard(self.read_entry)),
        ]

    # reading --------------------------------------------------------------------------------------------------

    async def index(self, request: Request) -> Response:
        """GET /incidents: those created in the last month unless the request says otherwise."""
        rows: Iterable[Incident] = self._account.incidents.values()
        for keep in self._filters(request):
            rows = [row for row in rows if keep(row)]
        ordered = _sorted(list(rows), request.query_params.get("sort_by"))
        include = several(request, "include")
        return page(request, "incidents", ordered, lambda row: self._shapes.incident(row, include))

    def _filters(self, request: Request) -> list[Callable[[Incident], bool]]:
        keep: list[Callable[[Incident], bool]] = []
        if span := range_of(request, self._core.clock.now()):
            keep.append(lambda i: span[0] <= i.created_at < span[1])
        if statuses := several(request, "statuses"):
            if wrong := set(statuses) - {"triggered", "acknowledged", "resolved"}:
                raise invalid(f"statuses: unknown {', '.join(sorted(wrong))}")
            keep.append(lambda i: i.status in statuses)
        if urgencies := several(request, "urgencies"):
            keep.append(lambda i: i.urgency in urgencies)
        if services := several(request, "service_ids"):
            keep.append(lambda i: i.service.id in services)
        if users := several(request, "user_ids"):  # finds open incidents only: resolved ones are nobody's
            keep.append(lambda i: any(u.id in users for u in i.assignees))
        if several(request, "team_ids"):  # this account has no teams
            keep.append(lambda i: False)
        if key := request.query_params.get("incident_key"):
            keep.append(lambda i: i.key == key)
        return keep

    async def read(self, request: Request) -> Response:
        """GET /incidents/{id}, by id or by number."""
        return self._one(self._incident(request), several(request, "include"))

    def _one(self, incident: Incident, include: Iterable[str] = (), status: int = 200) -> Response:
        return answer({"incident": self._shapes.incident(incident, list(include))}, status)

    def _incident(self, request: Request) -> Incident:
        return self._by_id(request.path_params["id"])

    def _by_id(self, id: str) -> Incident:
        if incident := self._account.incidents.get(id):
            return incident
        numbered = (i for i in self._account.incidents.values() if str(i.number) == id)
        if incident := next(numbered, None):
            return incident
        raise not_found()

    # writing --------------------------------------------------------------------------------------------------

    async def create(self, request: Request, user: User) -> Response:
        """POST /incidents; an open twin with the same key on the same service is a 400 with code 2002."""
        incident = self._changes.create((await _object(request, "incident")), user)
        return self._one(incident, ("body",), 201)

    async def update(self, request: Request, user: User) -> Response:
        """PUT /incidents/{id}."""
        incident = self._incident(request)
        change = await _object(request, "incident")
        self._changes.check(incident, change)
        self._changes.apply(incident, change, user)
        return self._one(incident)

    async def update_many(self, request: Request, user: User) -> Response:
        """PUT /incidents: 250 at most (413); all are checked before any is changed."""
        body = await read_json(request)
        changes = body.get("incidents") if isinstance(body, dict) else None
        if not isinstance(changes, list):
            raise invalid("incidents must be a list")
        if len(changes) > 250:
            raise Refusal(413, 2001, "at most 250 incidents in one request")
        rows = [(self._by_id(str(change.get("id"))), change) for change in changes]
        for incident, change in rows:
            self._changes.check(incident, change)
        for incident, change in rows:
            self._changes.apply(incident, change, user)
        return page(request, "incidents", [row for row, _ in rows], self._shapes.incident)

    async def snooze(self, request: Request, user: User) -> Response:
        """POST …/snooze: stays acknowledged for `duration` seconds (1 to 604,800)."""
        incident, body = self._incident(request), await read_json(request)
        seconds = body.get("duration") if isinstance(body, dict) else None
        if not isinstance(seconds, int) or not 1 <= seconds <= 604_800:
            raise invalid("duration must be between 1 and 604800 seconds")
        if not incident.open:
            raise Refusal(400, 1001)
        self._life.snooze(incident, by_user(user), user, seconds)
        return self._one(incident, status=201)

    async def merge(self, request: Request, user: User) -> Response:
        """PUT …/merge: the sources' alerts move over and the sources are resolved."""
        target = self._incident(request)
        body = await read_json(request)
        sources = [self._by_id(str(row.get("id"))) for row in body.get("source_incidents", [])]
        if not target.open or target in sources:
            raise invalid("the target must be open and none of the sources")
        self._changes.merge(target, sources, user, self._shapes.incident_ref(target))
        return answer({"incident": self._shapes.incident_ref(target)})

    async def update_status(self, request: Request, user: User) -> Response:
        """POST …/status_updates: a message to stakeholders."""
        incident, body = self._incident(request), await read_json(request)
        if not body.get("message"):
            raise invalid("Message cannot be empty")
        return answer({"status_update": self._changes.tell_stakeholders(incident, user, body, self._shapes)})

    # notes, alerts, log ---------------------------------------------------------------------------------------

    async def list_notes(self, request: Request) -> Response:
        """GET …/notes, newest first; not paged."""
        return answer({"notes": [self._shapes.note(note) for note in reversed(self._incident(request).notes)]})

    async def add_note(self, request: Request, user: User) -> Response:
        """POST …/notes; notes are never changed, and an incident takes 2,000."""
        incident, body = self._incident(request), await _object(request, "note")
        content = body.get("content")
        if not isinstance(content, str) or not content.strip():
            raise invalid("Content cannot be empty")
        if len(incident.notes) >= 2000:
            raise invalid("Incident has reached its limit of 2000 notes")
        note = self._life.annotate(incident, user, content, lambda made: self.hook_note(incident, made))
        return answer({"note": self._shapes.note(note)})

    def hook_note(self, incident: Incident, note: Note) -> Record:
        """A note as `incident.annotated` carries it."""
        reference = self._shapes.incident_ref(incident)
        return {
            "incident": reference,
            "id": note.id,
            "type": "incident_note",
            "content": note.content,
            "trimmed": False,
        }

    async def list_alerts(self, request: Request) -> Response:
        """GET …/alerts."""
        incident = self._incident(request)
        statuses, key = several(request, "statuses"), request.query_params.get("alert_key")
        rows = [a for a in incident.alerts if (not statuses or a.status in statuses) and (key is None or a.key == key)]
        return page(request, "alerts", rows, lambda alert: self._shapes.alert(incident, alert))

    async def list_own_entries(self, request: Request) -> Response:
        """GET …/log_entries, newest first."""
        return self._entries(request, [self._incident(request)])

    async def list_entries(self, request: Request) -> Response:
        """GET /log_entries of the whole account, newest first: the only way to see old incidents change."""
        return self._entries(request, self._account.incidents.values())

    def _entries(self, request: Request, incidents: Iterable[Incident]) -> Response:
        since, until = time_of(request, "since"), time_of(request, "until")
        brief, include = request.query_params.get("is_overview") == "true", several(request, "include")
        found: list[tuple[Incident, Entry]] = [
            (incident, entry)
            for incident in incidents
            for entry in incident.log
            if (since is None or entry.at >= since)
            and (until is None or entry.at < until)
            and (not brief or entry.kind in OVERVIEW)
        ]
        found.reverse()
        found.sort(key=lambda pair: pair[1].at, reverse=True)
        return page(request, "log_entries", found, lambda pair: self._shapes.entry(*pair, include))

    async def read_entry(self, request: Request) -> Response:
        """GET /log_entries/{id}."""
        for incident in self._account.incidents.values():
            for entry in incident.log:
                if entry.id == request.path_params["id"]:
                    include = several(request, "include")
                    return answer({"log_entry": self._shapes.entry(incident, entry, include)})
        raise not_found()


def _sorted(rows: list[Incident], order: str | None) -> list[Incident]:
    keys: dict[str, Callable[[Incident], Any]] = {
        "created_at": lambda i: i.created_at,
        "incident_number": lambda i: i.number,
        "resolved_at": lambda i: (i.resolved_at is not None, i.resolved_at or i.created_at),
        "urgency": lambda i: i.urgency == "high",
    }
    steps = (order or "incident_number:asc").split(",")
    if len(steps) > 2:
        raise invalid("sort_by takes two fields at most")
    for step in reversed(steps):
        name, _, way = step.partition(":")
        if name not in keys:
            raise invalid(f"sort_by: unknown field {name}")
        rows.sort(key=keys[name], reverse=way == "desc")
    return rows


async def _object(request: Request, name: str) -> Record:
    body = await read_json(request)
    inner = body.get(name) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        raise Refusal(400, 2003, f"{name} is missing")
    return inner
