"""The account's objects as the REST API prints them: groups, fields, forms, held mails."""

from connectors.sandbox.zendesk.records import Field, Form, Group, Json, Membership, Suspended, Via
from connectors.sandbox.zendesk.texts import iso, via_json

SYSTEM_FIELDS = ("subject", "description", "status", "type", "priority", "group", "assignee")
"""Keys of the ticket fields that every account has, and nobody can remove."""


class ObjectRenderer:
    """Prints an account's objects under one base address."""

    def __init__(self, url: str, brand_id: int) -> None:
        self._url, self._brand_id = url, brand_id

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

    def form(self, form: Form, field_ids: list[int]) -> Json:
        """A ticket form, with the ids of the fields that it shows."""
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
            "ticket_field_ids": field_ids,
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
            "brand_id": self._brand_id,
        }


def _options(field: Field) -> list[Json]:
    return [
        {"id": id, "name": name, "raw_name": name, "value": tag, "default": False} for id, name, tag in field.options
    ]
