"""A ticket's history as the API prints it: comments, audits, and the rows of the ticket_events export."""

import html
from typing import Any

from connectors.sandbox.zendesk.records import (
    Attachment,
    Audit,
    Change,
    Comment,
    Create,
    Event,
    Json,
    SatisfactionRating,
)
from connectors.sandbox.zendesk.texts import iso, via_json

SYSTEM = {
    "client": "Sandbox/1.0",
    "ip_address": "192.0.2.10",
    "location": "Austin, TX, United States",
    "latitude": 30.2672,
    "longitude": -97.7431,
}
"""Where every update came from: an address of the documentation range."""


def comment_json(audit: Audit, place: int, comment: Comment) -> Json:
    """A comment as `/tickets/{id}/comments` lists it; `place` is that of the event in its audit."""
    return {
        **_comment(audit, place, comment),
        "via": via_json(audit.via),
        "created_at": iso(audit.at),
        "metadata": _metadata(audit),
    }


def audit_json(audit: Audit) -> Json:
    """An audit with its events."""
    return {
        "id": audit.id,
        "ticket_id": audit.ticket_id,
        "created_at": iso(audit.at),
        "author_id": audit.author_id,
        "metadata": _metadata(audit),
        "events": [_event(audit, place, event) for place, event in enumerate(audit.events)],
        "via": via_json(audit.via),
    }


def _metadata(audit: Audit) -> Json:
    return {"system": SYSTEM, "custom": audit.custom or {}}


def _comment(audit: Audit, place: int, comment: Comment) -> Json:
    body = comment.body
    paragraphs = html.escape(body, quote=False).replace("\n", "<br>")
    return {
        "id": audit.event_id(place),
        "type": "Comment",
        "author_id": comment.author_id,
        "body": body,
        "html_body": f'<div class="zd-comment" dir="auto"><p dir="auto">{paragraphs}</p></div>',
        "plain_body": " ".join(body.split(" ")),
        "public": comment.public,
        "attachments": [_attachment(one) for one in comment.attachments],
        "audit_id": audit.id,
    }


def _attachment(one: Attachment) -> Json:
    return {
        "id": one.id,
        "file_name": one.name,
        "content_url": f"https://sandbox.example/attachments/token/{one.id}/?name={one.name}",
        "content_type": one.kind,
        "size": one.size,
    }


def _event(audit: Audit, place: int, event: Event) -> Json:
    if isinstance(event, Comment):
        return _comment(audit, place, event)
    row: Json = {"id": audit.event_id(place), "type": type(event).__name__}
    if isinstance(event, Create | Change):
        row |= {"value": event.value, "field_name": event.field}
        if isinstance(event, Change):
            row["previous_value"] = event.previous
        if event.rule is not None:
            row["via"] = via_json(event.rule)
        return row
    if isinstance(event, SatisfactionRating):
        return {**row, **_rated(event)}
    return {
        **row,
        "subject": event.subject,
        "body": event.body,
        "recipients": event.recipients,
        "via": via_json(event.rule),
    }


def _rated(event: SatisfactionRating) -> Json:
    return {"score": event.score, "body": event.body, "assignee_id": event.assignee_id}


def child_events(audit: Audit, *, comments: bool, notifications: bool, ratings: bool, ids_as_text: bool) -> list[Json]:
    """An audit's events as the ticket_events export lists them: keyed by the field, `event_type` instead of `type`.

    Without the `comment_events` side-load a comment is only two booleans, and nobody says who wrote it. (The vendor's
    API description gives this endpoint the rows of another one; this is what connectors have seen.)
    """
    rows = []
    for place, event in enumerate(audit.events):
        row = _child(audit, place, event, comments=comments, ids_as_text=ids_as_text)
        left_out = {"Notification": not notifications, "SatisfactionRating": not ratings}
        if not left_out.get(row["event_type"], False):
            rows.append(row)
    return rows


def _child(audit: Audit, place: int, event: Event, *, comments: bool, ids_as_text: bool) -> Json:
    rule = None if isinstance(event, Comment) else event.rule
    via = audit.via if rule is None else rule
    row: Json = {"id": audit.event_id(place), "via": via.label, "via_reference_id": via.reference}
    if isinstance(event, Comment):
        if comments:
            said = {**_comment(audit, place, event), "created_at": iso(audit.at), "via": via_json(audit.via)}
            return {**said, "via_reference_id": via.reference, "event_type": "Comment"}
        return {**row, "comment_present": True, "comment_public": event.public, "event_type": "Comment"}
    if isinstance(event, Create | Change):
        previous = event.previous if isinstance(event, Change) else None
        if event.field.isdigit():
            row["custom_ticket_fields"] = {event.field: event.value}
        else:
            row[event.field] = _id(event.field, event.value, ids_as_text)
        if event.field == "tags":
            now, then = set(event.value or ()), set(previous or ())
            row |= {"added_tags": sorted(now - then), "removed_tags": sorted(then - now)}
        row["event_type"] = type(event).__name__
        if isinstance(event, Change):
            row["previous_value"] = _id(event.field, previous, ids_as_text)
        return row
    if isinstance(event, SatisfactionRating):
        return {**row, **_rated(event), "event_type": "SatisfactionRating"}
    return {**row, "subject": event.subject, "recipients": event.recipients, "event_type": "Notification"}


def _id(field: str, value: Any, as_string: bool) -> Any:
    if not as_string and field.endswith("_id") and isinstance(value, str) and value.isdigit():
        return int(value)
    return value


def ticket_event(audit: Audit, children: list[Json]) -> Json:
    """One row of the ticket_events export: an audit, flattened."""
    return {
        "child_events": children,
        "id": audit.id,
        "ticket_id": audit.ticket_id,
        "timestamp": audit.at,
        "created_at": iso(audit.at),
        "updater_id": audit.author_id,
        "via": audit.via.label,
        "system": {name: value for name, value in SYSTEM.items() if name != "ip_address"},
        "metadata": _metadata(audit),
        "event_type": "Audit",
    }
