"""Records as the REST API prints them. Field names and nulls are those of recorded real answers."""

import html
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.draft import as_text
from connectors.sandbox.zendesk.records import (
    Audit,
    Change,
    Comment,
    Create,
    Event,
    Field,
    Form,
    Group,
    Json,
    Membership,
    Organization,
    Suspended,
    Ticket,
    User,
    Via,
)

SYSTEM = {
    "client": "Sandbox/1.0",
    "ip_address": "192.0.2.10",
    "location": "Austin, TX, United States",
    "latitude": 30.2672,
    "longitude": -97.7431,
}
"""Where every update came from: an address of the documentation range."""


@lru_cache(maxsize=1 << 17)
def iso(epoch: int) -> str:
    """Epoch seconds as the tool writes times."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=4096)
def via_json(via: Via) -> Json:
    """The `via` object of tickets, audits, comments and (for rules) events. Shared: never change what this returns."""
    origin = {name: list(value) if isinstance(value, tuple) else value for name, value in via.origin}
    return {"channel": via.channel, "source": {"from": origin, "to": {}, "rel": via.rel}}


class Renderer:
    """Turns records into JSON for one account, as seen under one base address."""

    def __init__(self, account: Account, base: str) -> None:
        self._account = account
        self._url = f"{base}/api/v2"
        self._field_ids = list(account.ticket_fields)

    def ticket(self, ticket: Ticket, *, export: bool = False) -> Json:
        """A ticket; `export` adds generated_timestamp, as the incremental exports do."""
        get = ticket.custom.get
        custom = [{"id": id, "value": get(id)} for id in self._field_ids]
        row: Json = {
            "url": f"{self._url}/tickets/{ticket.id}.json",
            "id": ticket.id,
            "external_id": ticket.external_id,
            "via": via_json(ticket.via),
            "created_at": iso(ticket.created_at),
            "updated_at": iso(ticket.updated_at),
            "type": ticket.type,
            "subject": ticket.subject,
            "raw_subject": ticket.subject,
            "description": ticket.description,
            "priority": ticket.priority,
            "status": ticket.status,
            "recipient": ticket.recipient,
            "requester_id": ticket.requester_id,
            "submitter_id": ticket.submitter_id,
            "assignee_id": ticket.assignee_id,
            "organization_id": ticket.organization_id,
            "group_id": ticket.group_id,
            "collaborator_ids": ticket.collaborators,
            "follower_ids": ticket.followers,
            "email_cc_ids": ticket.email_ccs,
            "forum_topic_id": None,
            "problem_id": ticket.problem_id,
            "has_incidents": ticket.has_incidents,
            "is_public": ticket.is_public,
            "due_at": ticket.due_at,
            "tags": ticket.tags,
            "custom_fields": custom,
            "satisfaction_rating": None,
            "sharing_agreement_ids": (),
            "custom_status_id": self._account.status_ids.get(ticket.status),
            "fields": custom,
            "followup_ids": ticket.followups,
            "ticket_form_id": ticket.form_id,
            "brand_id": ticket.brand_id,
            "allow_channelback": False,
            "allow_attachments": True,
            "from_messaging_channel": False,
        }
        if export:
            row["generated_timestamp"] = ticket.generated_at
        return row

    def user(self, user: User) -> Json:
        """A user."""
        agent = user.staff
        return {
            "id": user.id,
            "url": f"{self._url}/users/{user.id}.json",
            "name": user.name,
            "email": user.email,
            "created_at": iso(user.created_at),
            "updated_at": iso(user.updated_at),
            "time_zone": user.time_zone,
            "iana_time_zone": user.time_zone,
            "phone": user.phone,
            "shared_phone_number": None,
            "photo": None,
            "locale_id": 1,
            "locale": "en-US",
            "organization_id": user.organization_id,
            "role": user.role,
            "verified": user.verified,
            "external_id": user.external_id,
            "tags": user.tags,
            "alias": None,
            "active": user.active,
            "shared": False,
            "shared_agent": False,
            "last_login_at": None,
            "two_factor_auth_enabled": False,
            "signature": None,
            "details": user.details,
            "notes": user.notes,
            "role_type": {"admin": 4, "agent": 0}.get(user.role),
            "custom_role_id": None,
            "moderator": agent,
            "ticket_restriction": None if agent else "requested",
            "only_private_comments": False,
            "restricted_agent": user.role != "admin",
            "suspended": user.suspended,
            "default_group_id": user.default_group_id,
            "report_csv": user.role == "admin",
            "user_fields": {key: user.fields.get(key) for key in self._account.user_fields},
        }

    def organization(self, organization: Organization) -> Json:
        """An organisation."""
        row: Json = {
            "url": f"{self._url}/organizations/{organization.id}.json",
            "id": organization.id,
            "name": organization.name,
            "shared_tickets": False,
            "shared_comments": False,
            "external_id": organization.external_id,
            "created_at": iso(organization.created_at),
            "updated_at": iso(organization.updated_at),
            "domain_names": organization.domain_names,
            "details": organization.details,
            "notes": organization.notes,
            "group_id": organization.group_id,
            "tags": organization.tags,
            "organization_fields": {
                key: organization.fields.get(key, False if field.type == "checkbox" else None)
                for key, field in self._account.organization_fields.items()
            },
        }
        if organization.deleted_at is not None:
            row["deleted_at"] = iso(organization.deleted_at)
        return row

    def group(self, group: Group) -> Json:
        """A group."""
        at = iso(group.created_at)
        return {
            "url": f"{self._url}/groups/{group.id}.json",
            "id": group.id,
            "is_public": True,
            "name": group.name,
            "description": "",
            "default": group.default,
            "deleted": False,
            "created_at": at,
            "updated_at": at,
        }

    def membership(self, membership: Membership) -> Json:
        """An agent's place in a group."""
        at = iso(membership.created_at)
        return {
            "url": f"{self._url}/group_memberships/{membership.id}.json",
            "id": membership.id,
            "user_id": membership.user_id,
            "group_id": membership.group_id,
            "default": membership.default,
            "created_at": at,
            "updated_at": at,
        }

    def ticket_field(self, field: Field) -> Json:
        """A ticket field with its options."""
        at, title = iso(field.created_at), field.title
        row: Json = {
            "url": f"{self._url}/ticket_fields/{field.id}.json",
            "id": field.id,
            "type": field.type,
            "title": title,
            "raw_title": title,
            "description": title,
            "raw_description": title,
            "position": field.position,
            "active": True,
            "required": False,
            "collapsed_for_agents": False,
            "regexp_for_validation": None,
            "title_in_portal": title,
            "raw_title_in_portal": title,
            "visible_in_portal": False,
            "editable_in_portal": False,
            "required_in_portal": False,
            "tag": None,
            "created_at": at,
            "updated_at": at,
            "removable": field.key not in SYSTEM_FIELDS,
            "key": None,
            "agent_description": None,
        }
        if field.type in ("tagger", "dropdown"):
            row["custom_field_options"] = _options(field)
        return row

    def keyed_field(self, field: Field, kind: str) -> Json:
        """An organisation or user field; `kind` is the endpoint's name."""
        at = iso(field.created_at)
        row: Json = {
            "url": f"{self._url}/{kind}/{field.id}.json",
            "id": field.id,
            "type": field.type,
            "key": field.key,
            "title": field.title,
            "description": "",
            "raw_title": field.title,
            "raw_description": "",
            "position": field.position,
            "active": True,
            "system": False,
            "regexp_for_validation": None,
            "created_at": at,
            "updated_at": at,
        }
        if field.options:
            row["custom_field_options"] = _options(field)
        return row

    def form(self, form: Form) -> Json:
        """A ticket form."""
        at = iso(form.created_at)
        return {
            "url": f"{self._url}/ticket_forms/{form.id}.json",
            "id": form.id,
            "name": form.name,
            "raw_name": form.name,
            "display_name": form.name,
            "raw_display_name": form.name,
            "end_user_visible": True,
            "position": form.position,
            "ticket_field_ids": self._field_ids,
            "active": True,
            "default": form.default,
            "in_all_brands": True,
            "restricted_brand_ids": [],
            "end_user_conditions": [],
            "agent_conditions": [],
            "created_at": at,
            "updated_at": at,
        }

    def suspended(self, held: Suspended) -> Json:
        """A mail that was held back."""
        at = iso(held.created_at)
        return {
            "url": f"{self._url}/suspended_tickets/{held.id}.json",
            "id": held.id,
            "author": {"id": None, "name": held.author_name, "email": held.author_email},
            "subject": held.subject,
            "content": held.content,
            "cause": held.cause,
            "cause_id": held.cause_id,
            "error_messages": None,
            "message_id": f"<{held.id}@mail.example>",
            "ticket_id": held.ticket_id,
            "recipient": held.recipient,
            "created_at": at,
            "updated_at": at,
            "via": via_json(Via("email", "Mail")),
            "attachments": [],
            "brand_id": self._account.brand_id,
        }

    def comment(self, audit: Audit, place: int, comment: Comment) -> Json:
        """A comment as `/tickets/{id}/comments` lists it."""
        return {
            **_comment(audit, place, comment),
            "via": via_json(audit.via),
            "created_at": iso(audit.at),
            "metadata": _metadata(audit),
        }

    def audit(self, audit: Audit) -> Json:
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


SYSTEM_FIELDS = ("subject", "description", "status", "type", "priority", "group", "assignee")


def _options(field: Field) -> list[Json]:
    return [
        {"id": id, "name": name, "raw_name": name, "value": tag, "default": False} for id, name, tag in field.options
    ]


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
        "attachments": [],
        "audit_id": audit.id,
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
    return {
        **row,
        "subject": event.subject,
        "body": event.body,
        "recipients": event.recipients,
        "via": via_json(event.rule),
    }


def child_events(audit: Audit, *, comments: bool, notifications: bool, ids_as_text: bool) -> list[Json]:
    """An audit's events as the ticket_events export lists them: keyed by the field, `event_type` instead of `type`.

    Without the `comment_events` side-load a comment is only two booleans, and nobody says who wrote it. (The vendor's
    API description gives this endpoint the rows of another one; this is what connectors have seen.)
    """
    rows = []
    for place, event in enumerate(audit.events):
        row = _child(audit, place, event, comments=comments, ids_as_text=ids_as_text)
        if row is not None and (notifications or row["event_type"] != "Notification"):
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


__all__ = ["Renderer", "as_text", "child_events", "iso", "ticket_event", "via_json"]
