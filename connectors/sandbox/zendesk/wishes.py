"""Reads what a request's ticket object asks for into our own words; what it cannot read is refused at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.errors import invalid
from connectors.sandbox.zendesk.fields import read_custom, read_tags
from connectors.sandbox.zendesk.lifecycle import Wish
from connectors.sandbox.zendesk.records import Comment, Json, Ticket, User
from connectors.sandbox.zendesk.switches import ZendeskSwitches

_PLAIN = ("subject", "status", "priority", "type", "external_id", "due_at", "recipient")
_IDS = {
    "assignee_id": "assignee_id",
    "group_id": "group_id",
    "requester_id": "requester_id",
    "organization_id": "organization_id",
    "problem_id": "problem_id",
    "ticket_form_id": "form_id",
    "brand_id": "brand_id",
}
_LISTS = {"collaborator_ids": "collaborators", "follower_ids": "followers", "email_cc_ids": "email_ccs"}

KNOWN = frozenset(
    {
        *_PLAIN,
        *_IDS,
        *_LISTS,
        *("id", "comment", "description", "tags", "additional_tags", "remove_tags", "custom_fields", "fields"),
        *("metadata", "safe_update", "updated_stamp", "assignee_email", "requester", "submitter_id", "macro_ids"),
        *("custom_status_id", "via_followup_source_id", "raw_subject", "via", "created_at", "updated_at", "url"),
        *("is_public", "has_incidents", "satisfaction_rating", "sharing_agreement_ids", "followup_ids"),
        *("collaborators", "additional_collaborators", "email_ccs", "followers", "attribute_value_ids"),
        *("allow_channelback", "allow_attachments", "from_messaging_channel", "forum_topic_id", "voice_comment"),
    }
)
"""Keys that a ticket object may have; others are ignored with a warning header."""


@dataclass(frozen=True)
class Asking:
    """A ticket object, read: the wish, the comment, and how to apply them."""

    wish: Wish
    comment: Comment | None
    metadata: Json | None
    stamp: int | None
    add_tags: tuple[str, ...]
    remove_tags: tuple[str, ...]


def read(account: Account, switches: ZendeskSwitches, row: Json, author: User, ticket: Ticket | None) -> Asking:
    """Read a ticket object of a request by `author`; `ticket` is the one to update, null on create. 422 on nonsense."""
    wish: Wish = {name: _text(row[name]) for name in _PLAIN if name in row}
    wish |= {name: _id(row[key], key) for key, name in _IDS.items() if key in row}
    wish |= {name: tuple(int(id) for id in row[key] or ()) for key, name in _LISTS.items() if key in row}
    if "followers" in row:
        wish["followers"] = _followers(account, switches, row["followers"], ticket)
    if "assignee_email" in row:
        agent = account.user_by_email(str(row["assignee_email"]))
        wish["assignee_id"] = agent.id if agent else 0
    chosen = account.statuses.get(row.get("custom_status_id") or 0)
    if chosen is not None and wish.setdefault("status", chosen.category) == chosen.category:
        wish = {"custom_status_id": chosen.id, **wish}
    custom, wrong = read_custom(account, row.get("custom_fields") or row.get("fields"), switches)
    if wrong:
        raise invalid({"base": "; ".join(wrong)})
    if custom:
        wish["custom"] = custom
    if "tags" in row:
        wish["tags"] = read_tags(row["tags"])
    metadata = row.get("metadata")
    return Asking(
        wish=wish,
        comment=_comment(account, row, author, ticket),
        metadata=dict(metadata) if isinstance(metadata, dict) else None,
        stamp=_stamp(row, ticket, switches),
        add_tags=read_tags(row.get("additional_tags")),
        remove_tags=read_tags(row.get("remove_tags")),
    )


def _followers(account: Account, switches: ZendeskSwitches, rows: Any, ticket: Ticket | None) -> tuple[int, ...]:
    """The followers after `followers` rows ({user_email or user_id, action: put or delete}): agents only."""
    found = list(ticket.followers) if ticket is not None else []
    for row in rows or ():
        email = row.get("user_email")
        user = account.user_by_email(str(email)) if email else account.users.get(int(row.get("user_id") or 0))
        if user is None or not user.staff:
            if switches.other_follower_refused:
                raise invalid({"base": f"Followers: {email or row.get('user_id')} is not an agent"})
        elif row.get("action") == "delete":
            found = [id for id in found if id != user.id]
        elif user.id not in found:
            found.append(user.id)
    return tuple(found)


def _comment(account: Account, row: Json, author: User, ticket: Ticket | None) -> Comment | None:
    said = row.get("comment")
    if said is None and ticket is None:
        said = row.get("description")
    if isinstance(said, str):
        said = {"body": said}
    if not isinstance(said, dict):
        return None
    body = said.get("body") or said.get("html_body")
    if not body:
        return None
    public = said.get("public")
    if public is None:  # as the ticket was created: a private one stays private (§1.13)
        public = ticket.is_public if ticket is not None else True
    writer = said.get("author_id") or author.id
    if writer not in account.users:
        raise invalid({"comment": "Comment: author is not valid"})
    return Comment(int(writer), str(body), public in (True, "true"))


def _stamp(row: Json, ticket: Ticket | None, switches: ZendeskSwitches) -> int | None:
    """The updated_at that a safe update expects, or null for one that is not safe."""
    if ticket is None or "safe_update" not in row:
        return None
    if not switches.safe_update_by_presence and row["safe_update"] in (False, "false"):
        return None
    try:
        return int(datetime.fromisoformat(str(row.get("updated_stamp"))).timestamp())
    except ValueError:
        return -1  # no readable stamp: never equal, so always a conflict


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _id(value: Any, key: str) -> int | None:
    if value is None or value == "":
        return None
    if not str(value).lstrip("-").isdigit():
        raise invalid({key: f"{key}: {value} is not a number"})
    return int(value)
