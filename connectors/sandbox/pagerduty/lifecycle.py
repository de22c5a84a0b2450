"""How an incident lives: triggered, acknowledged, back again, escalated, resolved, on simulated time.

Sources: vendor-facts §4.6; low urgency never climbs, and an acknowledgement that runs out notifies whoever gave it
(PagerDuty's page "Configurable Service Settings"). Timers are scheduled work of the core: one rings only if the
incident still has it pending for that very time.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from connectors.sandbox.core import Core
from connectors.sandbox.pagerduty.account import Account, on_duty
from connectors.sandbox.pagerduty.records import (
    Agent,
    Alert,
    Entry,
    Incident,
    Note,
    Policy,
    Priority,
    Record,
    Service,
    User,
)

Tell = Callable[[str, Incident, Agent | None, Record | None], None]
"""Announces an incident's change: event type without `incident.`, the incident, who did it, other data than itself."""


def by_user(user: User) -> Agent:
    """A user as an agent."""
    return Agent("user", user.id, user.name)


def by_service(service: Service) -> Agent:
    """A service as an agent: what its timers do is done in its name."""
    return Agent("service", service.id, service.name)


class Lifecycle:
    """Every change to an incident, each with its log entry, its row in the journal and its webhook."""

    def __init__(self, core: Core, account: Account, tell: Tell) -> None:
        self._core, self._account, self._tell = core, account, tell

    # opening --------------------------------------------------------------------------------------------------

    def open(
        self,
        service: Service,
        title: str,
        *,
        key: str,
        urgency: str,
        agent: Agent,
        channel: str,
        details: Any = None,
        alert: Alert | None = None,
        priority: Priority | None = None,
        policy: Policy | None = None,
        assignees: Sequence[User] = (),
    ) -> Incident:
        """Open an incident and page its first level, or `assignees` where they are named."""
        now = self._core.clock.now()
        incident = Incident(
            id=self._account.names.id("incident"),
            number=len(self._account.incidents) + 1,
            title=title,
            service=service,
            key=key,
            urgency=urgency,
            created_at=now,
            updated_at=now,
            policy=policy or service.policy,
            details=details,
            priority=priority,
            alerts=[alert] if alert else [],
        )
        self._account.incidents[incident.id] = incident
        service.last_incident_at = now
        self._log(incident, "trigger", agent, {"type": channel}, "Triggered through the API", event_details={})
        incident.status_changed_by = agent
        self._journal(incident, "incident", agent, dedup_key=key, title=title, urgency=urgency)
        self._tell("triggered", incident, agent, None)
        if assignees:
            self.assign(incident, list(assignees), None)
        else:
            self._page_level(incident, 0)
        self._arm_auto_resolve(incident)
        return incident

    def _page_level(self, incident: Incident, level: int) -> None:
        target = incident.policy.rules[level].target
        user = target if isinstance(target, User) else on_duty(target, self._core.clock.now())[0]
        incident.level, incident.assigned_via = level, "escalation_policy"
        self._hand_to(incident, [user], by_service(incident.service))
        self._arm_escalation(incident)

    def _hand_to(self, incident: Incident, users: list[User], agent: Agent | None) -> None:
        now = self._core.clock.now()
        incident.assignments = [(now, user) for user in users]
        names = ", ".join(user.name for user in users)
        self._log(incident, "assign", agent, {"type": "auto"}, f"Assigned to {names}", assignees=users)
        for user in users:
            told = {"type": "auto", "notification": {"type": "push_notification", "status": "success"}}
            self._log(incident, "notify", agent, told, f"Notified {user.name}", user=user)
            self._journal(incident, "page", agent, user=user.email, dedup_key=incident.key, title=incident.title)

    # status ---------------------------------------------------------------------------------------------------

    def acknowledge(self, incident: Incident, agent: Agent, user: User | None) -> None:
        """Somebody takes it: escalation stops and the acknowledgement times out unless renewed."""
        now, timeout = self._core.clock.now(), incident.service.acknowledgement_timeout
        self._enter(incident, "acknowledged", agent)
        if user is not None:
            incident.acknowledgements = [(now, user)]
            if user not in incident.assignees:
                incident.assignments = [(now, user)]
        self._log(
            incident,
            "acknowledge",
            agent,
            self._channel(agent),
            f"Acknowledged by {agent.name}",
            acknowledgement_timeout=timeout,
        )
        self._tell("acknowledged", incident, agent, None)
        if timeout:
            self._arm(incident, "unacknowledge", timeout, lambda: self.unacknowledge(incident, None))

    def unacknowledge(self, incident: Incident, agent: Agent | None) -> None:
        """Back to triggered: the acknowledgement ran out, or somebody put it back. Whoever holds it is notified."""
        self._enter(incident, "triggered", agent)
        incident.acknowledgements = []
        self._log(incident, "unacknowledge", agent, {"type": "timeout" if agent is None else "api"}, "Unacknowledged")
        self._tell("unacknowledged", incident, agent, None)
        self._hand_to(incident, incident.assignees, by_service(incident.service))
        self._arm_escalation(incident)

    def resolve(self, incident: Incident, agent: Agent | None, *, reason: Record | None = None) -> None:
        """It is over: its alerts are resolved too and nobody holds it any more."""
        now = self._core.clock.now()
        self._enter(incident, "resolved", agent)
        incident.assignments, incident.acknowledgements = [], []
        incident.resolved_at, incident.resolve_reason = now, reason
        for alert in incident.alerts:
            if alert.status == "triggered":
                alert.status, alert.resolved_at = "resolved", now
        by = agent.name if agent else "timeout"
        self._log(incident, "resolve", agent, self._channel(agent), f"Resolved by {by}")
        self._tell("resolved", incident, agent, None)

    def reopen(self, incident: Incident, agent: Agent) -> None:
        """A resolved incident comes back as triggered and pages from the first level."""
        self._enter(incident, "triggered", agent)
        incident.resolved_at = incident.resolve_reason = None
        incident.loop = 0
        self._log(incident, "trigger", agent, self._channel(agent), f"Reopened by {agent.name}", event_details={})
        self._tell("reopened", incident, agent, None)
        self._page_level(incident, 0)
        self._arm_auto_resolve(incident)

    def snooze(self, incident: Incident, agent: Agent, user: User, seconds: int) -> None:
        """Acknowledged for exactly `seconds`, whatever the service's timeout is."""
        if incident.status != "acknowledged":
            self.acknowledge(incident, agent, user)
        self._log(incident, "snooze", agent, self._channel(agent), f"Snoozed for {seconds} s", changed_actions=[])
        self._arm(incident, "unacknowledge", seconds, lambda: self.unacknowledge(incident, None))

    # who, what, how urgent ------------------------------------------------------------------------------------

    def escalate(self, incident: Incident, level: int, agent: Agent | None) -> None:
        """Page the level with this index."""
        incident.pending.pop("escalate", None)
        self._touch(incident)
        channel = {"type": "timeout" if agent is None else "api"}
        self._log(incident, "escalate", agent, channel, f"Escalated to level {level + 1}")
        self._page_level(incident, level)
        self._tell("escalated", incident, agent, None)

    def assign(self, incident: Incident, users: list[User], agent: Agent | None) -> None:
        """Give it to named users; the policy no longer climbs."""
        incident.assigned_via = "direct_assignment"
        incident.pending.pop("escalate", None)
        self._touch(incident)
        self._hand_to(incident, users, agent)
        if agent is not None:
            self._tell("reassigned", incident, agent, None)

    def prioritise(self, incident: Incident, priority: Priority | None, agent: Agent) -> None:
        """Set its priority, which is neither urgency nor severity."""
        incident.priority = priority
        self._touch(incident)
        self._tell("priority_updated", incident, agent, None)

    def annotate(self, incident: Incident, user: User, content: str, data: Callable[[Note], Record]) -> Note:
        """Add a note; `data` writes what the webhook carries."""
        note = Note(self._account.names.id("note"), user, content, self._core.clock.now())
        incident.notes.append(note)
        self._touch(incident)
        agent = by_user(user)
        told = {"type": "note", "summary": content}
        self._log(incident, "annotate", agent, told, f"Note added by {user.name}", note=content)
        self._journal(incident, "note", agent, text=content)
        self._tell("annotated", incident, agent, data(note))
        return note

    def append(self, incident: Incident, agent: Agent, details: Any) -> None:
        """A further event for an open alert: it is logged and pages nobody."""
        self._touch(incident)
        self._log(incident, "trigger", agent, {"type": "api"}, "Triggered through the API", event_details=details or {})

    # what all of them share -----------------------------------------------------------------------------------

    def _enter(self, incident: Incident, status: str, agent: Agent | None) -> None:
        before, incident.status = incident.status, status
        over = incident.pending.pop("resolve", None)
        incident.pending = {"resolve": over} if over and status != "resolved" else {}
        self._touch(incident)
        incident.status_changed_at = incident.updated_at
        incident.status_changed_by = agent or by_service(incident.service)
        self._journal(incident, "status", agent, old=before, new=status, dedup_key=incident.key)

    def _touch(self, incident: Incident) -> None:
        incident.updated_at = self._core.clock.now()

    def _channel(self, agent: Agent | None) -> Record:
        return {"type": "timeout" if agent is None else "website" if agent.kind == "user" else "api"}

    def _log(
        self, incident: Incident, kind: str, agent: Agent | None, channel: Record, summary: str, **extra: Any
    ) -> None:
        now = self._core.clock.now()
        incident.log.append(Entry(self._account.names.id("log_entry"), kind, now, agent, channel, summary, extra))

    def _journal(self, incident: Incident, kind: str, agent: Agent | None, **detail: Any) -> None:
        user = next((u for u in self._account.users if agent and u.id == agent.id), None)
        actor = user.email if user else f"{agent.kind}:{agent.name}" if agent else "system"
        self._core.journal.add(
            "pagerduty", kind, f"pagerduty:{incident.id}", at=self._core.clock.now(), actor=actor, **detail
        )

    def _arm(self, incident: Incident, kind: str, seconds: float, do: Callable[[], None]) -> None:
        due = self._core.clock.now() + timedelta(seconds=seconds)
        incident.pending[kind] = due

        def ring() -> None:
            if incident.pending.get(kind) == due:
                del incident.pending[kind]
                do()

        self._core.at(due, ring)

    def _arm_auto_resolve(self, incident: Incident) -> None:
        if seconds := incident.service.auto_resolve_timeout:
            self._arm(incident, "resolve", seconds, lambda: self.resolve(incident, None))

    def _arm_escalation(self, incident: Incident) -> None:
        if incident.urgency != "high" or incident.assigned_via != "escalation_policy":
            return
        rules, level = incident.policy.rules, incident.level + 1
        if level == len(rules):
            if incident.loop >= incident.policy.loops:
                return
            level = 0

        def climb() -> None:
            incident.loop += level == 0
            self.escalate(incident, level, None)

        self._arm(incident, "escalate", rules[incident.level].delay_minutes * 60, climb)
