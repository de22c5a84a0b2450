"""Tickets told as stories, for tests of policies: who did what at which minute of the office's day."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from mappings.model import (
    Actor,
    Company,
    EventKind,
    History,
    Person,
    Status,
    Ticket,
    TicketEvent,
)

CHICAGO = ZoneInfo("America/Chicago")
GROUPS = {1: "Support", 2: "Technical", 3: "Engineering", 4: "Management", 5: "Product"}


def at(text: str, zone: ZoneInfo = CHICAGO) -> datetime:
    """`2026-03-03 10:00` as the office's clock shows it, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


class Story:
    """One ticket's life; each method is one update. `history()` is what a complete sync would have read."""

    def __init__(
        self,
        created: str,
        *,
        severity: str | None = "P2",
        plan: str | None = "business",
        kind: str | None = "bug",
        channel: str = "in_app",
        tags: str = "",
        vip: bool = False,
        zone: ZoneInfo = CHICAGO,
        id: int = 123,
    ) -> None:
        self.zone, self.id, self.channel, self.vip = zone, id, channel, vip
        self.subject = ""
        self.created = self.last = at(created, zone)
        self.values: dict[str, str | None] = {
            "status": "new", "severity": severity, "kind": kind, "tags": tags or None, "group_id": "1",
        }  # fmt: skip
        self.plans: list[tuple[datetime, str | None]] = [(self.created, plan)]
        self.events: list[TicketEvent] = []
        self.serial = 1000
        for field, value in self.values.items():
            if value is not None:
                self._event(self.created, Actor.CUSTOMER, EventKind.CREATE, field=field, new=value)
        self._event(self.created, Actor.CUSTOMER, EventKind.COMMENT, public=True)

    def _event(self, when: datetime, actor: Actor, kind: EventKind, **more: object) -> None:
        self.serial += 1
        audit = 1000 if when == self.created and kind is not EventKind.NOTIFICATION else int(when.timestamp())
        self.events.append(
            TicketEvent(id=self.serial, audit_id=audit, ticket_id=self.id, at=when, actor=actor, kind=kind, **more)  # type: ignore[arg-type]
        )
        self.last = max(self.last, when)

    def set(self, when: str, actor: Actor = Actor.AGENT, **fields: str | None) -> "Story":
        """Change fields, as an agent unless said otherwise."""
        moment = at(when, self.zone)
        for field, value in fields.items():
            self._event(moment, actor, EventKind.CHANGE, field=field, old=self.values.get(field), new=value)
            self.values[field] = value
        return self

    def reply(self, when: str, actor: Actor = Actor.AGENT, *, public: bool = True, **fields: str | None) -> "Story":
        """Say something, and perhaps change fields in the same update."""
        self._event(at(when, self.zone), actor, EventKind.COMMENT, public=public)
        return self.set(when, actor, **fields)

    def notify(self, when: str) -> "Story":
        """A trigger mails the customer."""
        self._event(at(when, self.zone), Actor.RULE, EventKind.NOTIFICATION)
        return self

    def change_plan(self, when: str, plan: str) -> "Story":
        """The company buys another plan."""
        self.plans.append((at(when, self.zone), plan))
        return self

    def ticket(self) -> Ticket:
        """The ticket as it stands after all that was told."""
        known = {"status", "severity", "kind", "tags", "group_id", "tier", "assignee_id"}
        value: Callable[[str], str | None] = self.values.get
        return Ticket(
            id=self.id,
            status=Status(value("status") or "new"),
            created_at=self.created,
            updated_at=self.last,
            channel=self.channel,
            subject=self.subject,
            company_id=7,
            severity=value("severity"),
            kind=value("kind"),
            tags=frozenset((value("tags") or "").split()),
            group_id=int(value("group_id") or 0) or None,
            assignee_id=int(value("assignee_id") or 0) or None,
            tier=int(value("tier") or 0) or None,
            fields={key: val for key, val in self.values.items() if key not in known},
        )

    def history(self) -> History:
        """All that is known of the ticket."""
        return History(
            ticket=self.ticket(),
            events=tuple(self.events),
            company=Company(id=7, name="Acme", updated_at=self.created, plan=self.plans[-1][1], vip=self.vip),
            requester=Person(id=9, name="Ann", updated_at=self.created, role="owner"),
            events_through=self.last,
            plan_history=tuple(self.plans),
        )


def forget(history: History, after: datetime) -> History:
    """The same ticket as an export that hides everything after `after` shows it."""
    kept = tuple(event for event in history.events if event.at <= after)
    return msgspec.structs.replace(history, events=kept, events_through=after)
