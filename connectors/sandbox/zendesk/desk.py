"""Where tickets are opened and updated: imply, check, write, run triggers, save. Every way in comes through here."""

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.sandbox.zendesk import problems
from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.draft import Draft
from connectors.sandbox.zendesk.errors import conflict, forbidden, invalid
from connectors.sandbox.zendesk.fields import settle_tags
from connectors.sandbox.zendesk.lifecycle import Wish, check, implied
from connectors.sandbox.zendesk.records import (
    WEB,
    Audit,
    Change,
    Comment,
    Create,
    Json,
    Rating,
    SatisfactionRating,
    Ticket,
    User,
    Via,
)
from connectors.sandbox.zendesk.switches import ZendeskSwitches
from connectors.sandbox.zendesk.triggers import Trigger, run

DAY = 86_400
LONGEST_BODY = 65_536
"""A comment's body is cut here without a word (§1.13)."""


@dataclass
class Desk:
    """The account at work. `schedule(epoch, do)` plans work; each of `observers` sees every saved update."""

    account: Account
    switches: ZendeskSwitches
    schedule: Callable[[int, Callable[[], None]], None]
    triggers_on: Callable[[], bool] = lambda: True
    triggers: list[Trigger] = field(default_factory=list)
    observers: list[Callable[[Draft, Audit], None]] = field(default_factory=list)

    def create(
        self,
        author: User,
        wish: Wish,
        comment: Comment,
        *,
        via: Via = WEB,
        metadata: Json | None = None,
        followup_of: int | None = None,
    ) -> tuple[Ticket, Audit]:
        """Open a ticket. `wish` needs requester_id, subject and form_id. Raises Refusal, and then nothing is stored."""
        account = self.account
        requester = account.users.get(wish["requester_id"])
        ticket = Ticket(
            id=0,
            requester_id=wish["requester_id"],
            submitter_id=author.id,
            via=via,
            created_at=account.now(),
            subject=wish["subject"],
            description=comment.body,
            form_id=wish["form_id"],
            brand_id=account.brand_id,
            organization_id=requester.organization_id if requester else None,
            recipient=wish.get("recipient"),
            is_public=comment.public,
        )
        wish = implied(account, self.switches, ticket, wish, None, author)
        check(account, self.switches, ticket, wish, None, new=True)
        _fill(account, ticket, wish, mirror=self.switches.tags_mirror_fields)
        if not account.in_category(ticket.custom_status_id, ticket.status):
            ticket.custom_status_id = account.default_status(ticket.status)
        ticket.id = account.new_ticket_id()
        account.add_ticket(ticket)
        draft = Draft(account, ticket, author, via, creating=True, comment=_cut(comment), metadata=metadata)
        draft.first_values()
        if followup_of is not None:
            parent = account.tickets[followup_of]
            parent.followups = (*parent.followups, ticket.id)
            account.touch_ticket(parent, system=True)
        return ticket, self._save(draft)

    def update(
        self,
        author: User | None,
        ticket: Ticket,
        wish: Wish,
        comment: Comment | None = None,
        *,
        via: Via = WEB,
        metadata: Json | None = None,
        stamp: int | None = None,
        add_tags: tuple[str, ...] = (),
        remove_tags: tuple[str, ...] = (),
    ) -> Audit:
        """Change a ticket, all or nothing. `stamp` makes it safe: 409 unless the ticket still has that updated_at.

        An update that changes nothing is answered with an audit without events that is not stored.
        """
        if stamp is not None and stamp != ticket.updated_at:
            raise conflict()
        wish = implied(self.account, self.switches, ticket, wish, comment, author)
        asked = {**wish, "tags": True} if add_tags or remove_tags else wish
        check(self.account, self.switches, ticket, asked, comment)
        if comment is not None and _comments(ticket) >= 5000:
            raise invalid({"base": "Ticket: has too many comments"})
        draft = Draft(self.account, ticket, author, via, comment=_cut(comment), metadata=metadata)
        self._write(draft, wish, add_tags, remove_tags)
        return self._save(draft)

    def rate(self, author: User, ticket: Ticket, score: str, comment: str | None, *, via: Via = WEB) -> Rating:
        """The requester rates a ticket that is solved, or was: good or bad. Raises Refusal for anybody and anything
        else; a second word takes the place of the first (vendor-facts §1.18).
        """
        account, now = self.account, self.account.now()
        if author.id != ticket.requester_id:
            raise forbidden()
        if score not in ("good", "bad"):
            raise invalid({"score": f"Score: {score} is not valid"})
        solved = any(isinstance(e, Create | Change) and e.value == "solved" for a in ticket.audits for e in a.events)
        if not solved or ticket.status == "closed":
            raise invalid({"base": "Ticket: is not solved"})
        before, id = ticket.rating, ticket.rating.id if ticket.rating else account.new_id()
        began = before.created_at if before else now
        ticket.rating = Rating(id, score, comment, ticket.assignee_id, ticket.group_id, began, now)
        draft = Draft(account, ticket, author, via)
        draft.events.append(SatisfactionRating(score, comment, ticket.assignee_id))
        if self.switches.ratings_as_changes:
            draft.events.append(Change("satisfaction_score", score, before.score if before else "offered"))
        self._save(draft)
        return ticket.rating

    def by_system(self, ticket: Ticket, wish: Wish, via: Via) -> Audit:
        """A change that the account makes by itself (automation, deletion): unchecked, and no trigger runs."""
        draft = Draft(self.account, ticket, None, via)
        for name, value in wish.items():
            draft.set(name, value)
        return self._save(draft, triggers=False)

    def save(self, draft: Draft) -> Audit:
        """Store a draft that somebody else has written (merging, deleting) without running triggers."""
        return self._save(draft, triggers=False)

    def _write(self, draft: Draft, wish: Wish, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
        ticket = draft.ticket
        if draft.comment is not None and draft.comment.public:
            draft.set("is_public", True)
        for name, value in wish.items():
            if name not in ("custom", "tags"):
                draft.set(name, value)
        custom, tags = wish.get("custom") or {}, wish.get("tags")
        if not (custom or add or remove or tags is not None):
            return
        found, changes = settle_tags(
            self.account,
            ticket,
            custom=custom,
            tags=tags,
            add=add,
            remove=remove,
            mirror=self.switches.tags_mirror_fields,
        )
        draft.set("tags", found)
        for field_id, value in changes.items():
            draft.set_custom(field_id, value)

    def _save(self, draft: Draft, *, triggers: bool = True) -> Audit:
        account, ticket = self.account, draft.ticket
        if triggers and self.triggers_on() and (draft.events or draft.creating):
            run(self.triggers, draft, mirror=self.switches.tags_mirror_fields)
        now = account.now()
        audit = Audit(
            account.new_id(len(draft.events) + 1),
            ticket.id,
            now,
            draft.author_id,
            draft.via,
            tuple(draft.events),
            draft.metadata or None,
        )
        if not draft.events:
            if self.switches.noop_touches:
                account.touch_ticket(ticket)
            return audit
        self._follow_status(draft, now)
        account.add_audit(ticket, audit)
        account.touch_ticket(ticket)
        for observe in self.observers:
            observe(draft, audit)
        return audit

    def _follow_status(self, draft: Draft, now: int) -> None:
        ticket = draft.ticket
        problems.link(draft)
        if ticket.status == draft.started_as and not draft.creating:
            return
        ticket.solved_at = now if ticket.status == "solved" else None
        if ticket.status == "solved":
            due = now + int(self.switches.close_after_days * DAY)
            self.schedule(due, lambda: self._close(ticket, now))
            problems.plan_cascade(self, draft, now)

    def _close(self, ticket: Ticket, solved_at: int) -> None:
        """The standard automation: a ticket that stayed solved for the set time is closed for good."""
        if ticket.status == "solved" and ticket.solved_at == solved_at and ticket.deleted_at is None:
            self.by_system(ticket, {"status": "closed"}, CLOSING)


CLOSING = Via(
    "rule",
    "Rule",
    "automation",
    (("deleted", False), ("title", "Close ticket 4 days after status is set to solved"), ("id", 6_130_800_000_001)),
    6_130_800_000_001,
)
"""How the standard automation marks its changes."""


def _fill(account: Account, ticket: Ticket, wish: Wish, *, mirror: bool) -> None:
    for name, value in wish.items():
        if name not in ("custom", "tags"):
            setattr(ticket, name, value)
    custom = {id: value for id, value in (wish.get("custom") or {}).items() if value is not None}
    tags, changes = settle_tags(account, ticket, custom=custom, tags=wish.get("tags"), mirror=mirror)
    ticket.tags = tags
    ticket.custom = {id: value for id, value in changes.items() if value is not None}


def _cut(comment: Comment | None) -> Comment | None:
    if comment is None or len(comment.body) <= LONGEST_BODY:
        return comment
    return comment._replace(body=comment.body[:LONGEST_BODY])


def _comments(ticket: Ticket) -> int:
    return sum(1 for audit in ticket.audits if audit.events and isinstance(audit.events[0], Comment))
