"""Facts and actions for the store's tests, each with the one property that a test is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.store import Facts, Mode, Store
from mappings.model import (
    Actor,
    Clock,
    ClockState,
    Company,
    EventKind,
    Incident,
    PageStatus,
    Person,
    Status,
    Ticket,
    TicketEvent,
)
from mappings.plan import Action, Lane, PageTrigger, Reason, TicketChange

NOW = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after NOW."""
    return NOW + timedelta(minutes=minutes)


def ticket(id: int = 1, **more: Any) -> Ticket:
    return Ticket(**{"id": id, "status": Status.OPEN, "created_at": NOW, "updated_at": NOW} | more)


def company(id: int = 7, **more: Any) -> Company:
    return Company(**{"id": id, "name": "Oak Homes", "updated_at": NOW} | more)


def person(id: int = 5, **more: Any) -> Person:
    return Person(**{"id": id, "name": "Ada", "updated_at": NOW} | more)


def event(id: int, ticket_id: int = 1, **more: Any) -> TicketEvent:
    defaults = {"audit_id": id, "at": NOW, "actor": Actor.AGENT, "kind": EventKind.COMMENT, "public": True}
    return TicketEvent(id=id, ticket_id=ticket_id, **defaults | more)


def incident(dedup_key: str, **more: Any) -> Incident:
    defaults = {"id": f"P-{dedup_key}", "status": PageStatus.TRIGGERED, "created_at": NOW, "updated_at": NOW}
    return Incident(dedup_key=dedup_key, **defaults | more)


def clock(record: str = "zendesk:1", **more: Any) -> Clock:
    defaults = {
        "target": "Response",
        "measure": "first_reply",
        "cause": "900",
        "start_at": NOW,
        "state": ClockState.RUNNING,
        "cell": "4bh",
        "dims": {"severity": "P2", "plan": "business"},
        "profile_version": "builder@3f2a",
        "warn_at": at(180),
        "due_at": at(240),
        "segments": ((1772553600, "4bh"),),
    }
    return Clock(record=record, **defaults | more)


def action(key: str, record: str = "zendesk:1", **more: Any) -> Action:
    defaults = {
        "policy": "sla",
        "rule": "Response",
        "verb": "escalate",
        "tool": "zendesk",
        "change": TicketChange(tier=2, add_tags=("late",), note="First response was due 14:00."),
        "reason": Reason(code="late", rule="Response", text="First response was due 14:00.", profile="builder@3f2a"),
        "lane": Lane.ESCALATION,
        "cause_at": NOW,
    }
    return Action(key=key, record=record, **defaults | more)


def page(key: str, record: str = "zendesk:1", **more: Any) -> Action:
    change = PageTrigger(dedup_key=f"page-{key}", service="On call", summary="P1 late")
    return action(key, record, **{"tool": "pagerduty", "verb": "page", "lane": Lane.PAGE, "change": change} | more)


def begun(store: Store) -> Store:
    """A store in which the rule of `action` acts from NOW on."""
    store.begin([("sla", "Response")], NOW)
    return store


def plan(store: Store, *actions: Action, **more: Any) -> Any:
    """Decide on these actions, in apply mode, at NOW."""
    defaults = {"policy": "sla", "decided_seq": None, "now": NOW, "mode": Mode.APPLY}
    return begun(store).decide(actions=actions, **defaults | more)


def take(store: Store, **more: Any) -> Any:
    """Take the escalation lane of Zendesk at NOW, with a deadline a minute away."""
    defaults = {
        "tool": "zendesk",
        "lane": Lane.ESCALATION,
        "limit": 100,
        "owner": "run-1",
        "deadline": at(1),
        "now": NOW,
    }
    return store.take(**defaults | more)


def keys(rows: Any) -> list[str]:
    return [row.action.key for row in rows]


def save(store: Store, *tickets: Ticket, **more: Any) -> Any:
    return store.save(Facts(tickets=tickets, **more))
