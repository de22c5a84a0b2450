"""Writes every saved update into the sandbox's journal, so that a judge can count what customers really saw."""

from datetime import UTC, datetime

from connectors.sandbox.journal import Journal
from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.draft import Draft
from connectors.sandbox.zendesk.records import SYSTEM, Audit, Change, Comment, Create, Event, SatisfactionRating, Via


class Chronicle:
    """Turns audits into journal rows: created, public_comment, note, field, rating, notification."""

    def __init__(self, account: Account, journal: Journal) -> None:
        self._account, self._journal = account, journal

    def observe(self, draft: Draft, audit: Audit) -> None:
        """Note one saved update."""
        if draft.creating:
            self._add(audit, "created", self._name(audit.author_id), subject=draft.ticket.subject)
        for event in audit.events:
            self._note(audit, event)

    def _note(self, audit: Audit, event: Event) -> None:
        if isinstance(event, Comment):
            kind = "public_comment" if event.public else "note"
            self._add(audit, kind, self._name(event.author_id), body=event.body, metadata=audit.custom)
            return
        actor = _rule(event.rule) if event.rule is not None else self._updater(audit)
        if isinstance(event, Create):
            return
        if isinstance(event, SatisfactionRating):
            self._add(audit, "rating", actor, score=event.score, comment=event.body)
            return
        if isinstance(event, Change):
            name = self._account.ticket_fields[int(event.field)].title if event.field.isdigit() else event.field
            self._add(audit, "field", actor, field=name, old=event.previous, new=event.value, metadata=audit.custom)
            return
        to = [self._name(id) for id in event.recipients]
        self._add(audit, "notification", actor, subject=event.subject, body=event.body, to=to)

    def _updater(self, audit: Audit) -> str:
        return _rule(audit.via) if audit.via.channel == "rule" else self._name(audit.author_id)

    def _name(self, user_id: int) -> str:
        if user_id == SYSTEM:
            return "system"
        user = self._account.users.get(user_id)
        return "unknown" if user is None else user.email or user.name

    def _add(self, audit: Audit, kind: str, actor: str, **detail: object) -> None:
        at = datetime.fromtimestamp(audit.at, UTC)
        self._journal.add("zendesk", kind, f"zendesk:{audit.ticket_id}", at=at, actor=actor, **detail)


def _rule(via: Via) -> str:
    return f"rule:{dict(via.origin).get('title')}"
