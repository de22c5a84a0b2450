"""What a REST write asks for, checked before it is done: creating, changing and merging incidents."""

from collections.abc import Sequence

from connectors.sandbox.clock import iso
from connectors.sandbox.core import Core
from connectors.sandbox.pagerduty.account import Account
from connectors.sandbox.pagerduty.gate import Refusal, invalid
from connectors.sandbox.pagerduty.lifecycle import Lifecycle, by_user
from connectors.sandbox.pagerduty.records import Incident, Policy, Priority, Record, Service, User
from connectors.sandbox.pagerduty.shapes import Shapes

STATUSES = ("triggered", "acknowledged", "resolved")
TWIN = "Open incident with matching dedup key already exists on this service"


class Changes:
    """Reads the bodies of writes and carries them out in the name of the requester."""

    def __init__(self, core: Core, account: Account, life: Lifecycle) -> None:
        self._core, self._account, self._life = core, account, life

    def create(self, body: Record, user: User) -> Incident:
        """Open the incident that a POST describes."""
        found = [] if str(body.get("title") or "").strip() else ["Title cannot be empty"]
        service = next((s for s in self._account.services if s.id == _id(body.get("service"))), None)
        found += [] if service else ["Service must exist"]
        found += self._problems(body)
        if found or service is None:
            raise invalid(*found)
        key = body.get("incident_key") or self._account.names.key("incident_key")
        self._refuse_twin(service, key)
        return self._life.open(
            service,
            body["title"],
            key=key,
            urgency=body.get("urgency") or ("high" if service.urgency == "severity_based" else service.urgency),
            agent=by_user(user),
            channel="web_trigger",
            details=(body.get("body") or {}).get("details"),
            priority=self._priority(body.get("priority")),
            policy=self._policy(body.get("escalation_policy")),
            assignees=self._users(body.get("assignments")),
        )

    def _refuse_twin(self, service: Service, key: str) -> None:
        if any(i.open and i.key == key and i.service is service for i in self._account.incidents.values()):
            raise Refusal(400, 2002, TWIN)

    def check(self, incident: Incident, change: Record) -> None:
        """Refuse a PUT that cannot be carried out, before anything is changed."""
        status = change.get("status")
        found = self._problems(change)
        if "title" in change and not str(change["title"] or "").strip():
            found.append("Title cannot be empty")
        if status is not None and status not in STATUSES:
            found.append(f"Status must be one of {', '.join(STATUSES)}")
        level = change.get("escalation_level")
        if level is not None and level not in range(1, len(incident.policy.rules) + 1):
            found.append("Escalation level is out of range")
        if found:
            raise invalid(*found)
        reopens = status == "acknowledged" and self._core.switches.repeat_status_reopens
        if not incident.open and status in ("acknowledged", "resolved") and not reopens:
            raise Refusal(400, 1001)

    def apply(self, incident: Incident, change: Record, user: User) -> None:
        """Carry out a PUT that `check` let pass."""
        agent = by_user(user)
        if "title" in change:
            incident.title = change["title"]
        if "urgency" in change:
            incident.urgency = change["urgency"]
        if "priority" in change:
            self._life.prioritise(incident, self._priority(change["priority"]), agent)
        if policy := self._policy(change.get("escalation_policy")):
            incident.policy = policy
            self._life.escalate(incident, 0, agent)
        if users := self._users(change.get("assignments")):
            self._life.assign(incident, users, agent)
        if level := change.get("escalation_level"):
            self._life.escalate(incident, level - 1, agent)
        self._enter(incident, change, user)
        incident.updated_at = self._core.clock.now()

    def _enter(self, incident: Incident, change: Record, user: User) -> None:
        status, agent = change.get("status"), by_user(user)
        if status is None:
            return
        if not incident.open:
            self._life.reopen(incident, agent)
        if status == "acknowledged":
            self._life.acknowledge(incident, agent, user)
        elif status == "resolved":
            if resolution := change.get("resolution"):
                self._life.annotate(incident, user, resolution, lambda note: {"id": note.id, "content": note.content})
            self._life.resolve(incident, agent)
        elif incident.status == "acknowledged":
            self._life.unacknowledge(incident, agent)

    def merge(self, target: Incident, sources: Sequence[Incident], user: User, reference: Record) -> None:
        """Move the sources' alerts to the target and resolve the sources, naming it as the reason."""
        for source in sources:
            target.alerts += source.alerts
            source.alerts = []
            if source.open:
                reason = {"type": "merge_resolve_reason", "incident": reference}
                self._life.resolve(source, by_user(user), reason=reason)
        target.updated_at = self._core.clock.now()

    def tell_stakeholders(self, incident: Incident, user: User, body: Record, shapes: Shapes) -> Record:
        """Publish a status update; says what was published."""
        now, text, record = self._core.clock.now(), body["message"], f"pagerduty:{incident.id}"
        self._core.journal.add("pagerduty", "status_update", record, at=now, actor=user.email, text=text)
        return {
            "id": self._account.names.id("status_update"),
            "message": text,
            "created_at": iso(now),
            "sender": shapes.user_ref(user),
        }

    def _problems(self, body: Record) -> list[str]:
        found = []
        if body.get("urgency") not in (None, "high", "low"):
            found.append("Urgency must be high or low")
        if body.get("assignments") and body.get("escalation_policy"):
            found.append("Only one of assignments or escalation_policy may be given")
        wanted = body.get("assignments") or []
        if len(self._users(wanted)) != len(wanted):
            found.append("Assignee not found")
        if body.get("priority") and not self._priority(body["priority"]):
            found.append("Priority not found")
        if body.get("escalation_policy") and not self._policy(body["escalation_policy"]):
            found.append("Escalation policy not found")
        return found

    def _priority(self, given: object) -> Priority | None:
        return next((p for p in self._account.priorities if p.id == _id(given)), None)

    def _policy(self, given: object) -> Policy | None:
        return next((p for p in self._account.policies if p.id == _id(given)), None)

    def _users(self, given: object) -> list[User]:
        rows = given if isinstance(given, list) else []
        wanted = [_id(row.get("assignee")) for row in rows]
        return [user for id in wanted for user in self._account.users if user.id == id]


def _id(reference: object) -> str | None:
    return reference.get("id") if isinstance(reference, dict) else None
