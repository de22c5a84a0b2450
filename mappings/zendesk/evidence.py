"""A ticket with all that was said and done, as one text that is kept as evidence (ABU-07).

Comments keep their words, authors, whether they were public, and their attachments' names, addresses and sizes; the
ticket its fields; audits who did what. Keys are sorted, so that the same ticket is the same text.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

_COMMENT = ("id", "audit_id", "created_at", "author_id", "public", "body", "type")
_ATTACHMENT = ("id", "file_name", "content_url", "content_type", "size")
_AUDIT = ("id", "created_at", "author_id")
_EVENT = ("id", "type", "field_name", "value", "previous_value", "author_id", "public")
_PERSON = ("id", "name", "email", "role")
_TICKET = (
    "id", "subject", "status", "priority", "tags", "created_at", "updated_at", "requester_id", "submitter_id",
    "assignee_id", "group_id", "organization_id", "custom_fields", "via",
)  # fmt: skip


class _Body(msgspec.Struct):
    tickets: list[dict[str, Any]] = []
    comments: list[dict[str, Any]] = []
    audits: list[dict[str, Any]] = []
    users: list[dict[str, Any]] = []


def shown_ticket(body: bytes) -> bool:
    """Does an answer of /tickets/show_many show the ticket that was asked for?"""
    return bool(_read(body).tickets)


def people_in(bodies: Iterable[bytes]) -> list[int]:
    """The ids of everybody who wrote or changed something, and of the requester; rising, without machines."""
    found: set[int] = set()
    for body in map(_read, bodies):
        rows = (*body.tickets, *body.comments, *body.audits)
        found |= {row[key] for row in rows for key in ("author_id", "requester_id", "assignee_id") if row.get(key)}
    return sorted(id for id in found if id > 0)


def evidence_text(*, ticket: bytes, comments: Iterable[bytes], audits: Iterable[bytes], people: Iterable[bytes]) -> str:
    """Put a copy together from the bodies of /tickets/show_many, …/comments, …/audits and /users/show_many."""
    copy = {
        "ticket": [_of(row, _TICKET) for row in _read(ticket).tickets],
        "comments": [_comment(row) for body in comments for row in _read(body).comments],
        "audits": [_audit(row) for body in audits for row in _read(body).audits],
        "people": [_of(row, _PERSON) for body in people for row in _read(body).users],
    }
    return msgspec.json.encode(copy, order="deterministic").decode()


def _read(body: bytes) -> _Body:
    return msgspec.json.decode(body, type=_Body)


def _of(row: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}


def _comment(row: dict[str, Any]) -> dict[str, Any]:
    return _of(row, _COMMENT) | {"attachments": [_of(one, _ATTACHMENT) for one in row.get("attachments") or ()]}


def _audit(row: dict[str, Any]) -> dict[str, Any]:
    return _of(row, _AUDIT) | {"events": [_of(one, _EVENT) for one in row.get("events") or ()]}
