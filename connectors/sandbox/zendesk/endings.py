"""How tickets end otherwise than by being solved: merged, deleted, restored, scrubbed, marked as spam, followed up."""

from connectors.sandbox.zendesk.desk import DAY, Desk
from connectors.sandbox.zendesk.draft import Draft
from connectors.sandbox.zendesk.errors import invalid, not_found
from connectors.sandbox.zendesk.lifecycle import closed_refusal
from connectors.sandbox.zendesk.records import WEB, Comment, Ticket, User, Via

SCRUBBED = "SCRUBBED"
BLACK = "▇"
"""What stands for each letter of a redacted text (memory)."""


def delete(desk: Desk, author: User, ticket: Ticket, *, via: Via = WEB) -> None:
    """Put a ticket into the bin; after 30 days it is scrubbed. Only the export still shows it, as `deleted`."""
    draft = Draft(desk.account, ticket, author, via)
    ticket.before, ticket.deleted_at, ticket.deleted_by = ticket.status, desk.account.now(), author.id
    draft.set("status", "deleted")
    desk.save(draft)
    deleted_at = ticket.deleted_at
    desk.schedule(deleted_at + int(desk.switches.deleted_days * DAY), lambda: _scrub_old(desk, ticket, deleted_at))


def restore(desk: Desk, author: User, ticket: Ticket, *, via: Via = WEB) -> None:
    """Take a ticket out of the bin, with the status it had; 404 where it is not there."""
    if ticket.deleted_at is None or ticket.gone:
        raise not_found()
    draft = Draft(desk.account, ticket, author, via)
    before = ticket.before or "open"
    ticket.deleted_at, ticket.deleted_by, ticket.before, ticket.spam = None, None, None, False
    draft.set("status", before)
    desk.save(draft)


def scrub(desk: Desk, ticket: Ticket) -> None:
    """Erase a deleted ticket's content for good."""
    ticket.gone = True
    ticket.subject = ticket.description = SCRUBBED
    ticket.custom, ticket.tags = {}, ()
    for audit in ticket.audits:
        audit.events = tuple(
            event._replace(body=SCRUBBED) if isinstance(event, Comment) else event for event in audit.events
        )
    desk.account.touch_ticket(ticket, system=True)


def redact(desk: Desk, ticket: Ticket, text: str) -> None:
    """Black out a text wherever a comment has it; what the audits hold of it is gone too, and the ticket is touched."""
    for audit in ticket.audits:
        audit.events = tuple(
            event._replace(body=event.body.replace(text, BLACK * len(text))) if isinstance(event, Comment) else event
            for event in audit.events
        )
    ticket.description = ticket.description.replace(text, BLACK * len(text))
    desk.account.touch_ticket(ticket)


def _scrub_old(desk: Desk, ticket: Ticket, deleted_at: int) -> None:
    if ticket.deleted_at == deleted_at and not ticket.gone:
        scrub(desk, ticket)


def mark_spam(desk: Desk, author: User, ticket: Ticket, *, via: Via = WEB) -> None:
    """Delete a ticket and suspend its requester; 422 where an agent asked for it."""
    requester = desk.account.users[ticket.requester_id]
    if requester.staff:
        raise invalid({"base": "Requester: an agent's ticket cannot be marked as spam"})
    requester.suspended = True
    desk.account.touch_user(requester)
    ticket.spam = True
    delete(desk, author, ticket, via=via)


def merge(
    desk: Desk,
    author: User,
    target: Ticket,
    sources: list[Ticket],
    *,
    target_comment: str | None = None,
    source_comment: str | None = None,
    target_public: bool = False,
    source_public: bool = False,
) -> None:
    """Close the sources into the target, with a comment on each side; 422 on a closed one.

    Comments are private unless said, and always where one of the tickets is.
    """
    if any(ticket.status == "closed" for ticket in (target, *sources)):
        raise closed_refusal()
    if target in sources:
        raise invalid({"base": "Ticket: cannot be merged into itself"})
    if not all(ticket.is_public for ticket in (target, *sources)):
        target_public = source_public = False
    for source in sources:
        _close_into(desk, author, source, target, source_comment, source_public)
    into = _merging(desk, ticket_ids=tuple(source.id for source in sources))
    names = "\n".join(f'Request #{source.id} "{source.subject}" was merged into this request.' for source in sources)
    comment = Comment(author.id, target_comment or names, target_public)
    desk.save(Draft(desk.account, target, author, into, comment=comment))


def _close_into(desk: Desk, author: User, source: Ticket, target: Ticket, text: str | None, public: bool) -> None:
    via = _merging(desk, ticket_id=target.id, subject=target.subject)
    body = text or f'This request was closed and merged into request #{target.id} "{target.subject}".'
    draft = Draft(desk.account, source, author, via, comment=Comment(author.id, body, public))
    draft.set("status", "closed")
    draft.set("tags", tuple(sorted({*source.tags, "closed_by_merge"})))
    desk.save(draft)


def _merging(desk: Desk, **origin: object) -> Via:
    return Via(desk.switches.merge_channel, desk.switches.merge_label, "merge", tuple(origin.items()))
