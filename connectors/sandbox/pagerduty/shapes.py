"""The JSON of every PagerDuty object: references by default, whole where a request says `include[]`."""

from collections.abc import Callable, Collection
from datetime import datetime

from connectors.sandbox.clock import iso
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
    Rule,
    Schedule,
    Service,
    Subscription,
    User,
    Window,
)

Include = Collection[str]


class Shapes:
    """Writes records as PagerDuty's JSON. `base` says the REST API's own address."""

    def __init__(self, account: Account, base: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._account, self._base, self._now = account, base, now

    def _tag(self, kind: str, id: str, summary: str, path: str, html: str | None = "") -> Record:
        page = None if html is None else f"{self._account.html}{html or path}"
        return {"id": id, "type": kind, "summary": summary, "self": f"{self._base()}{path}", "html_url": page}

    # references -----------------------------------------------------------------------------------------------

    def user_ref(self, user: User) -> Record:
        """A user, as a reference."""
        return self._tag("user_reference", user.id, user.name, f"/users/{user.id}")

    def service_ref(self, service: Service) -> Record:
        """A service, as a reference."""
        path = f"/services/{service.id}"
        return self._tag("service_reference", service.id, service.name, path, f"/service-directory/{service.id}")

    def policy_ref(self, policy: Policy) -> Record:
        """An escalation policy, as a reference."""
        return self._tag("escalation_policy_reference", policy.id, policy.name, f"/escalation_policies/{policy.id}")

    def schedule_ref(self, schedule: Schedule) -> Record:
        """A schedule, as a reference."""
        return self._tag("schedule_reference", schedule.id, schedule.name, f"/schedules/{schedule.id}")

    def priority_ref(self, priority: Priority | None) -> Record | None:
        """A priority, as a reference; null where none is set."""
        if priority is None:
            return None
        return self._tag("priority_reference", priority.id, priority.name, f"/priorities/{priority.id}", None)

    def integration_ref(self, service: Service) -> Record:
        """A service's Events v2 integration, as a reference."""
        path = f"/services/{service.id}/integrations/{service.integration_id}"
        kind = "events_api_v2_inbound_integration_reference"
        return self._tag(kind, service.integration_id, "Events API V2", path)

    def incident_ref(self, incident: Incident) -> Record:
        """An incident, as a reference."""
        summary = f"[#{incident.number}] {incident.title}"
        return self._tag("incident_reference", incident.id, summary, f"/incidents/{incident.id}")

    def entry_ref(self, incident: Incident, entry: Entry) -> Record:
        """A log entry, as a reference."""
        path = f"/log_entries/{entry.id}?incident_id={incident.id}"
        html = f"/incidents/{incident.id}/log_entries/{entry.id}"
        return self._tag(f"{entry.kind}_log_entry_reference", entry.id, entry.summary, path, html)

    def agent_ref(self, agent: Agent | None) -> Record | None:
        """Whoever acted, as a reference; null for a timer in webhooks."""
        if agent is None:
            return None
        paths = {"user": "/users/", "service": "/services/", "integration": "/integrations/"}
        return self._tag(f"{agent.kind}_reference", agent.id, agent.name, paths[agent.kind] + agent.id)

    # whole objects --------------------------------------------------------------------------------------------

    def user(self, user: User) -> Record:
        """A user."""
        return {
            **self.user_ref(user),
            "type": "user",
            "name": user.name,
            "email": user.email,
            "time_zone": "America/Chicago",
            "color": "purple",
            "avatar_url": f"{self._account.html}/avatars/{user.id}.png",
            "billed": True,
            "role": user.role,
            "description": None,
            "invitation_sent": False,
            "job_title": "On-call" if user.role == "user" else "Integration",
            "teams": [],
            "contact_methods": [],
            "notification_rules": [],
        }

    def service(self, service: Service, include: Include = ()) -> Record:
        """A service; `include` may name integrations and escalation_policies."""
        constant = {"type": "constant", "urgency": service.urgency}
        whole = self.integration(service) if "integrations" in include else self.integration_ref(service)
        policy = service.policy
        return {
            **self.service_ref(service),
            "type": "service",
            "name": service.name,
            "description": f"Pages for {service.name}",
            "created_at": iso(service.created_at),
            "updated_at": iso(service.created_at),
            "status": self._service_status(service),
            "teams": [],
            "alert_creation": "create_alerts_and_incidents",
            "addons": [],
            "scheduled_actions": [],
            "support_hours": None,
            "last_incident_timestamp": iso(service.last_incident_at) if service.last_incident_at else None,
            "escalation_policy": self.policy(policy) if "escalation_policies" in include else self.policy_ref(policy),
            "incident_urgency_rule": constant,
            "acknowledgement_timeout": service.acknowledgement_timeout,
            "auto_resolve_timeout": service.auto_resolve_timeout,
            "integrations": [whole],
            "response_play": None,
        }

    def _service_status(self, service: Service) -> str:
        if service.disabled:
            return "disabled"
        if self._account.in_maintenance(service, self._now()):
            return "maintenance"
        statuses = {i.status for i in self._account.incidents.values() if i.service is service}
        return "critical" if "triggered" in statuses else "warning" if "acknowledged" in statuses else "active"

    def integration(self, service: Service) -> Record:
        """A service's Events v2 integration, with its routing key."""
        return {
            **self.integration_ref(service),
            "type": "events_api_v2_inbound_integration",
            "name": "Events API V2",
            "service": self.service_ref(service),
            "created_at": iso(service.created_at),
            "vendor": None,
            "integration_key": service.routing_key,
        }

    def policy(self, policy: Policy) -> Record:
        """An escalation policy with its rules."""
        return {
            **self.policy_ref(policy),
            "type": "escalation_policy",
            "name": policy.name,
            "description": None,
            "num_loops": policy.loops,
            "on_call_handoff_notifications": "if_has_services",
            "escalation_rules": [self._rule(rule) for rule in policy.rules],
            "services": [self.service_ref(s) for s in self._account.services if s.policy is policy],
            "teams": [],
        }

    def _rule(self, rule: Rule) -> Record:
        target = rule.target
        whom = self.user_ref(target) if isinstance(target, User) else self.schedule_ref(target)
        return {"id": rule.id, "escalation_delay_in_minutes": rule.delay_minutes, "targets": [whom]}

    def schedule(self, schedule: Schedule) -> Record:
        """A schedule with its users."""
        return {
            **self.schedule_ref(schedule),
            "type": "schedule",
            "name": schedule.name,
            "time_zone": "America/Chicago",
            "description": "Weekly rotation",
            "users": [self.user_ref(u) for u in schedule.users],
            "escalation_policies": [
                self.policy_ref(p) for p in self._account.policies if schedule in [r.target for r in p.rules]
            ],
            "teams": [],
        }

    def priority(self, priority: Priority) -> Record:
        """A priority."""
        reference = self.priority_ref(priority) or {}
        return {**reference, "type": "priority", "name": priority.name, "description": priority.description}

    def window(self, window: Window) -> Record:
        """A maintenance window."""
        return {
            **self._tag("maintenance_window", window.id, window.description, f"/maintenance_windows/{window.id}"),
            "sequence_number": window.number,
            "start_time": iso(window.start),
            "end_time": iso(window.end),
            "description": window.description,
            "created_by": self.user_ref(window.created_by),
            "services": [self.service_ref(s) for s in window.services],
            "teams": [],
        }

    def subscription(self, subscription: Subscription, *, secret: bool = False) -> Record:
        """A webhook subscription; its secret is shown only by the call that creates it."""
        return {
            "id": subscription.id,
            "type": "webhook_subscription",
            "active": subscription.active,
            "delivery_method": {
                "id": subscription.method_id,
                "type": "http_delivery_method",
                "secret": subscription.secrets[0] if secret else None,
                "temporarily_disabled": subscription.disabled_until is not None,
                "url": subscription.url,
                "custom_headers": [{**h, "value": "<redacted>"} for h in subscription.headers],
            },
            "description": subscription.description,
            "events": subscription.events,
            "filter": subscription.filter,
        }

    def oncall(self, policy: Policy, level: int, at: datetime) -> Record:
        """Who is on call at one level of a policy; start and end are null for somebody who always is."""
        target = policy.rules[level].target
        user, start, end = (target, None, None) if isinstance(target, User) else on_duty(target, at)
        return {
            "escalation_policy": self.policy_ref(policy),
            "escalation_level": level + 1,
            "schedule": None if isinstance(target, User) else self.schedule_ref(target),
            "user": self.user_ref(user),
            "start": iso(start) if start else None,
            "end": iso(end) if end else None,
        }

    # incidents ------------------------------------------------------------------------------------------------

    def incident(self, incident: Incident, include: Include = ()) -> Record:
        """An incident as the REST API shows it (a webhook shows it differently: see `hook_incident`)."""

        def who(user: User, option: str) -> Record:
            return self.user(user) if option in include else self.user_ref(user)

        service, policy, priority, first = incident.service, incident.policy, incident.priority, incident.log[0]
        row = {
            **self.incident_ref(incident),
            "type": "incident",
            "incident_number": incident.number,
            "title": incident.title,
            "description": incident.title,
            "created_at": iso(incident.created_at),
            "updated_at": iso(incident.updated_at),
            "status": incident.status,
            "incident_key": incident.key,
            "service": self.service(service) if "services" in include else self.service_ref(service),
            "assignments": [{"at": iso(at), "assignee": who(u, "assignees")} for at, u in incident.assignments],
            "assigned_via": incident.assigned_via,
            "last_status_change_at": iso(incident.status_changed_at or incident.created_at),
            "resolved_at": iso(incident.resolved_at) if incident.resolved_at else None,
            "first_trigger_log_entry": (
                self.entry(incident, first)
                if "first_trigger_log_entries" in include
                else self.entry_ref(incident, first)
            ),
            "alert_counts": self._counts(incident),
            "is_mergeable": incident.open,
            "incident_type": {"name": "incident_default"},
            "escalation_policy": self.policy(policy) if "escalation_policies" in include else self.policy_ref(policy),
            "teams": [],
            "impacted_services": [self.service_ref(service)],
            "pending_actions": [
                {"type": kind, "at": iso(at)} for kind, at in sorted(incident.pending.items(), key=lambda p: p[1])
            ],
            "acknowledgements": [
                {"at": iso(at), "acknowledger": who(u, "acknowledgers")} for at, u in incident.acknowledgements
            ],
            "alert_grouping": None,
            "last_status_change_by": self.agent_ref(incident.status_changed_by),
            "priority": self.priority(priority)
            if priority and "priorities" in include
            else self.priority_ref(priority),
            "resolve_reason": incident.resolve_reason,
            "conference_bridge": None,
            "incidents_responders": [],
            "responder_requests": [],
            "urgency": incident.urgency,
        }
        if "body" in include:
            row["body"] = {"type": "incident_body", "details": incident.details}
        return row

    def _counts(self, incident: Incident) -> dict[str, int]:
        triggered = sum(1 for alert in incident.alerts if alert.status == "triggered")
        return {"all": len(incident.alerts), "triggered": triggered, "resolved": len(incident.alerts) - triggered}

    def hook_incident(self, incident: Incident) -> Record:
        """An incident as webhooks show it: `number`, `assignees`, no `updated_at` (vendor-facts §4.9)."""
        tag = self.incident_ref(incident)
        return {
            "id": incident.id,
            "type": "incident",
            "self": tag["self"],
            "html_url": tag["html_url"],
            "number": incident.number,
            "status": incident.status,
            "incident_key": incident.key,
            "created_at": iso(incident.created_at),
            "title": incident.title,
            "service": self.service_ref(incident.service),
            "assignees": [self.user_ref(user) for user in incident.assignees],
            "escalation_policy": self.policy_ref(incident.policy),
            "teams": [],
            "priority": self.priority_ref(incident.priority),
            "urgency": incident.urgency,
            "conference_bridge": None,
            "resolve_reason": incident.resolve_reason,
            "incident_type": {"name": "incident_default"},
        }

    def alert(self, incident: Incident, alert: Alert) -> Record:
        """One alert of an incident."""
        path = f"/incidents/{incident.id}/alerts/{alert.id}"
        return {
            **self._tag("alert", alert.id, alert.summary, path, f"/alerts/{alert.id}"),
            "created_at": iso(alert.created_at),
            "status": alert.status,
            "resolved_at": iso(alert.resolved_at) if alert.resolved_at else None,
            "alert_key": alert.key,
            "suppressed": False,
            "severity": alert.severity,
            "service": self.service_ref(incident.service),
            "incident": self.incident_ref(incident),
            "first_trigger_log_entry": self.entry_ref(incident, incident.log[0]),
            "integration": self.integration_ref(incident.service),
            "body": {"type": "alert_body", "contexts": alert.contexts, "details": alert.details},
        }

    def entry(self, incident: Incident, entry: Entry, include: Include = ()) -> Record:
        """One log entry."""
        row = {
            **self.entry_ref(incident, entry),
            "type": f"{entry.kind}_log_entry",
            "created_at": iso(entry.at),
            "agent": self.agent_ref(entry.agent) or self.service_ref(incident.service),
            "channel": entry.channel,
            "service": self.service_ref(incident.service),
            "incident": self.incident(incident) if "incidents" in include else self.incident_ref(incident),
            "teams": [],
            "contexts": [],
        }
        for name, value in entry.extra.items():
            if name == "assignees":
                row[name] = [self.user_ref(user) for user in value]
            else:
                row[name] = self.user_ref(value) if isinstance(value, User) else value
        return row

    def note(self, note: Note) -> Record:
        """A note."""
        return {
            "id": note.id,
            "user": self.user_ref(note.user),
            "channel": {"summary": "The PagerDuty website or APIs", "type": "web"},
            "content": note.content,
            "created_at": iso(note.at),
        }
