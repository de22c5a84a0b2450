"""Tickets, users and organisations as the REST API prints them. Names and nulls are those of recorded real answers."""

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.objects import ObjectRenderer
from connectors.sandbox.zendesk.records import Json, Organization, Ticket, User
from connectors.sandbox.zendesk.texts import iso, via_json


def rating_json(ticket: Ticket) -> Json | None:
    """A ticket's rating as the ticket itself shows it."""
    rating = ticket.rating
    return None if rating is None else {"id": rating.id, "score": rating.score, "comment": rating.comment}


class Renderer(ObjectRenderer):
    """Turns records into JSON for one account, as seen under one base address."""

    def __init__(self, account: Account, base: str) -> None:
        super().__init__(f"{base}/api/v2", account.brand_id)
        self._field_ids = list(account.ticket_fields)
        self._account = account

    def ticket(self, ticket: Ticket, *, export: bool = False, listed: bool = False) -> Json:
        """A ticket; exports add generated_timestamp, and plain lists leave out the second copy of the fields."""
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
            "satisfaction_rating": rating_json(ticket),
            "sharing_agreement_ids": (),
            "custom_status_id": ticket.custom_status_id,
            "followup_ids": ticket.followups,
            "ticket_form_id": ticket.form_id,
            "brand_id": ticket.brand_id,
            "allow_channelback": False,
            "allow_attachments": True,
            "from_messaging_channel": False,
        }
        if not listed:
            row["fields"] = custom
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
            "user_fields": {
                key: user.fields.get(key, False if field.type == "checkbox" else None)
                for key, field in self._account.user_fields.items()
            },
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
