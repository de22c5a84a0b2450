"""The account as people see it: rows and conversations with names instead of ids, for the sandbox's console page."""

from collections.abc import Iterable
from typing import Any

from connectors.sandbox.console.desk import Happening, Remark, TicketPage, TicketRow
from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.records import (
    SYSTEM,
    Audit,
    Change,
    Comment,
    Create,
    Event,
    Notification,
    SatisfactionRating,
    Ticket,
    Via,
)
from connectors.sandbox.zendesk.texts import iso

_HEAD = frozenset(
    {"subject", "requester_id", "organization_id", "brand_id", "ticket_form_id", "status", "custom_status_id", "tags"}
)
_NAMES = {"ticket_form_id": "Form", "assignee_id": "Assignee", "group_id": "Group", "requester_id": "Requester"}


class Views:
    """Reads one account; `service_user_id` is who counts as us, `severities` are the world's keys."""

    def __init__(self, account: Account, service_user_id: int, severities: Iterable[str]) -> None:
        self._account, self._us = account, service_user_id
        self._severities = {f"severity_{key}".lower(): key for key in severities}
        self._rows: dict[int, tuple[tuple[int, int, int], TicketRow]] = {}

    def tickets(self) -> list[TicketRow]:
        """All tickets that are not deleted, the newest change first."""
        return [self.row(self._account.tickets[id]) for _, id in self._account.updated.before()]

    def row(self, ticket: Ticket) -> TicketRow:
        """One line of the list; kept until the ticket or its company changes, as the page asks again and again."""
        company = self._account.organizations.get(ticket.organization_id or 0)
        version = (len(ticket.audits), ticket.generated_at, company.updated_at if company else 0)
        kept = self._rows.get(ticket.id)
        if kept is None or kept[0] != version:
            kept = self._rows[ticket.id] = version, self._row(ticket)
        return kept[1]

    def _row(self, ticket: Ticket) -> TicketRow:
        account = self._account
        company = account.organizations.get(ticket.organization_id or 0)
        group = account.groups.get(ticket.group_id or 0)
        fields = {
            field.title: text for field in account.ticket_fields.values() if (text := _shown(ticket, field.id, account))
        }
        severity = next((f for f in account.ticket_fields.values() if f.key == "severity"), None)
        tag = ticket.custom.get(severity.id) if severity else None
        return {
            "id": ticket.id,
            "subject": ticket.subject,
            "status": ticket.status,
            "priority": ticket.priority,
            "requester": self._who(ticket.requester_id) or "",
            "company": company.name if company else None,
            "plan": self._plan(company.fields.get("plan")) if company else None,
            "severity": self._severities.get(tag, tag) if tag else None,
            "group": group.name if group else None,
            "assignee": self._who(ticket.assignee_id),
            "tags": list(ticket.tags),
            "fields": fields,
            "created_at": iso(ticket.created_at),
            "updated_at": iso(ticket.updated_at),
        }

    def page(self, ticket: Ticket) -> TicketPage:
        """A ticket with all that was said and done."""
        comments: list[Remark] = []
        happenings: list[Happening] = []
        for place, audit in enumerate(ticket.audits):
            for event in audit.events:
                if isinstance(event, Comment):
                    comments.append(self._remark(audit, event, place))
                elif what := self._words(event):
                    via = audit.via if audit.via.channel == "rule" else None
                    author, role = self._actor(audit.author_id, event.rule or via)
                    happenings.append(
                        {"at": iso(audit.at), "update": place, "author": author, "role": role, "what": what}
                    )
        return {**self.row(ticket), "comments": comments, "happenings": happenings}

    def _remark(self, audit: Audit, comment: Comment, place: int) -> Remark:
        user = self._account.users.get(comment.author_id)
        return {
            "at": iso(audit.at),
            "update": place,
            "author": user.name if user else "unknown",
            "email": user.email if user else None,
            "role": self._actor(comment.author_id, None)[1],
            "public": comment.public,
            "body": comment.body,
        }

    def _words(self, event: Event) -> str | None:
        """A change in words; null for a first value that is empty or that the ticket's head shows."""
        if isinstance(event, Notification):
            to = ", ".join(self._who(id) or "" for id in event.recipients)
            return f"Mail to {to}: {event.subject}"
        if isinstance(event, SatisfactionRating):
            return f"Rated {event.score}: {event.body}" if event.body else f"Rated {event.score}"
        if isinstance(event, Comment) or (isinstance(event, Create) and _plain(event)):
            return None
        if event.field == "custom_status_id":
            return self._status(event)
        if event.field == "tags" and isinstance(event, Change):
            return _tagged(event)
        name, value = self._title(event.field), self._value(event.field, event.value)
        if isinstance(event, Change):
            return f"{name}: {self._value(event.field, event.previous)} → {value}"
        return f"{name}: {value}"

    def _status(self, event: Create | Change) -> str | None:
        """A status of the account's own, chosen or left; a category's default goes without saying."""
        ids = (event.previous, event.value) if isinstance(event, Change) else (event.value,)
        chosen = [self._account.statuses[int(id)] for id in ids if id]
        labels = " → ".join(one.label for one in chosen)
        return None if all(one.default for one in chosen) else f"Status: {labels}"

    def _title(self, field: str) -> str:
        if field.isdigit():
            return self._account.ticket_fields[int(field)].title
        return _NAMES.get(field) or field.removesuffix("_id").replace("_", " ").capitalize()

    def _value(self, field: str, value: Any) -> str:
        if value in (None, "", []):
            return "–"
        if field.isdigit():
            return _option(self._account, int(field), value)
        if isinstance(value, list):
            return " ".join(str(one) for one in value)
        if field in ("assignee_id", "requester_id"):
            return self._who(int(value)) or str(value)
        names: dict[str, dict[int, Any]] = {
            "group_id": self._account.groups,
            "organization_id": self._account.organizations,
            "ticket_form_id": self._account.forms,
        }
        record = names[field].get(int(value)) if field in names else None
        return str(record.name) if record is not None else str(value)

    def _actor(self, user_id: int, rule: Via | None) -> tuple[str, str]:
        if rule is not None or user_id == SYSTEM:
            return str(dict(rule.origin).get("title")) if rule is not None else "system", "rule"
        user = self._account.users.get(user_id)
        if user is None:
            return "unknown", "customer"
        role = "us" if user.id == self._us else "agent" if user.staff else "customer"
        return user.name, role

    def _who(self, user_id: int | None) -> str | None:
        user = self._account.users.get(user_id or 0)
        return user.name if user else None

    def _plan(self, tag: Any) -> str | None:
        field = self._account.organization_fields.get("plan")
        return next((name for _, name, value in field.options if value == tag), None) if field else None


def _tagged(event: Change) -> str:
    before, after = list(event.previous or ()), list(event.value or ())
    told = [f"+{tag}" for tag in after if tag not in before] + [f"−{tag}" for tag in before if tag not in after]
    return f"Tags: {' '.join(told)}"


def _plain(event: Create) -> bool:
    return event.value in (None, "", []) or event.field in _HEAD


def _shown(ticket: Ticket, field_id: int, account: Account) -> str | None:
    value = ticket.custom.get(field_id)
    return None if value in (None, False) else _option(account, field_id, value)


def _option(account: Account, field_id: int, value: Any) -> str:
    options = account.ticket_fields[field_id].options
    return next((name for _, name, tag in options if tag == value), str(value))
