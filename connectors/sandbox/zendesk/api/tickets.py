"""Tickets one at a time: list, show, create, update, delete, comments, audits, tags."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial

import msgspec
from starlette.responses import Response

from connectors.sandbox.answers import answer
from connectors.sandbox.zendesk import endings
from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.api.call import Call, Endpoint
from connectors.sandbox.zendesk.errors import bad_paging, bad_request, invalid, not_found
from connectors.sandbox.zendesk.fields import read_tags
from connectors.sandbox.zendesk.lifecycle import may_see
from connectors.sandbox.zendesk.paging import Key, Listing, cursor_page, listed, offset_page
from connectors.sandbox.zendesk.problems import incidents as linked
from connectors.sandbox.zendesk.records import API, STATUSES, Audit, Comment, Json, Ticket, User, Via
from connectors.sandbox.zendesk.texts import iso
from connectors.sandbox.zendesk.transcript import audit_json, comment_json
from connectors.sandbox.zendesk.wishes import KNOWN, Asking, read

IDEMPOTENT_FOR = 7200
FOLLOW_UP = Via("closed_ticket", "Closed ticket", "follow_up")
CREATE_ONLY = frozenset({"description"})


def ticket_of(call: Call) -> Ticket:
    """The ticket in the path; 404 where it is unknown or deleted."""
    ticket = call.sim.account.live(call.id())
    if ticket is None or not _seen(call, ticket):
        raise not_found()
    return ticket


def _seen(call: Call, ticket: Ticket) -> bool:
    return may_see(call.sim.account, call.sim.switches, call.user, ticket)


def index(call: Call) -> Json:
    """GET /tickets: by cursor (sort=id, updated_at, status, or - for descending) or by offset. No archived ones."""
    account = call.sim.account
    if external := call.query.get("external_id"):
        found = [account.live(id) for id in account.ticket_externals.get(external, ())]
        rows = [ticket for ticket in found if ticket is not None]
        return listed(call.asked, "tickets", rows, lambda ticket: (ticket.id,), call.render.ticket)
    if call.asked.by_cursor or "sort" in call.query:
        sort = call.query.get("sort", "id")
        page = cursor_page(call.asked, "tickets", _listing(account, sort), lambda r: _rows(call, r), sort)
    else:
        page = offset_page(call.asked, "tickets", _sorted(call), len(account.updated), lambda r: _rows(call, r))
    side_load(call, page)
    return page


def side_load(call: Call, page: Json) -> None:
    """Add the users, organisations and groups that a page's tickets name, where `include` asks for them."""
    account, rows = call.sim.account, page["tickets"]
    if call.includes("users"):
        ids = {row[key] for row in rows for key in ("requester_id", "submitter_id", "assignee_id")}
        page["users"] = [call.render.user(account.users[id]) for id in sorted(ids - {None}) if id in account.users]
    if call.includes("organizations"):
        ids = {row["organization_id"] for row in rows} - {None}
        found = [account.organizations[id] for id in sorted(ids) if id in account.organizations]
        page["organizations"] = [call.render.organization(one) for one in found]
    if call.includes("groups"):
        ids = {row["group_id"] for row in rows} - {None}
        page["groups"] = [call.render.group(account.groups[id]) for id in sorted(ids) if id in account.groups]


def _rows(call: Call, tickets: list[Ticket]) -> list[Json]:
    render = call.render.ticket
    return [render(ticket, listed=True) for ticket in tickets if _seen(call, ticket)]


class _Sorted(Listing[Ticket]):
    """Tickets in one order; `walk(key, down)` yields them after a key (from an end for null), downwards or upwards."""

    def __init__(self, walk: Callable[[Key | None, bool], Iterator[tuple[Key, Ticket]]], down: bool) -> None:
        self._walk, self._down = walk, down

    def after(self, key: Key | None) -> Iterator[tuple[Key, Ticket]]:
        return self._walk(key, self._down)

    def before(self, key: Key) -> Iterator[tuple[Key, Ticket]]:
        return self._walk(key, not self._down)


def _by_id(account: Account, key: Key | None, down: bool) -> Iterator[tuple[Key, Ticket]]:
    rows = account.live_before(key[0] if key else None) if down else account.live_after(key[0] if key else 0)
    return (((ticket.id,), ticket) for ticket in rows)


def _by_change(account: Account, key: Key | None, down: bool) -> Iterator[tuple[Key, Ticket]]:
    line, tickets = account.updated, account.tickets
    if down:
        rows = line.before(key[0], key[1]) if key else line.before()
    else:
        rows = line.after(key[0], key[1]) if key else line.after(0)
    return ((row, tickets[row[1]]) for row in rows)


def _by_status(account: Account, key: Key | None, down: bool) -> Iterator[tuple[Key, Ticket]]:
    """Rarely asked for, so not indexed: sorts all tickets."""
    rows = sorted((((STATUSES.index(t.status), t.id), t) for t in account.live_after(0)), reverse=down)
    return (row for row in rows if key is None or (row[0] < key if down else row[0] > key))


def _listing(account: Account, sort: str) -> Listing[Ticket]:
    walks = {"id": _by_id, "updated_at": _by_change, "status": _by_status}
    walk = walks.get(sort.removeprefix("-"))
    if walk is None:
        raise bad_paging("InvalidPaginationParameter", f"sort is not valid: {sort}")
    return _Sorted(partial(walk, account), sort.startswith("-"))


def _sorted(call: Call) -> Iterator[Ticket]:
    sort = call.query.get("sort_by", "id")
    down = call.query.get("sort_order") == "desc"
    name = {"updated_at": "updated_at", "status": "status"}.get(sort, "id")
    return (ticket for _, ticket in _listing(call.sim.account, f"-{name}" if down else name).after(None))


def count(call: Call) -> Json:
    """GET /tickets/count."""
    account = call.sim.account
    return {"count": {"value": len(account.updated), "refreshed_at": iso(account.now())}}


def show(call: Call) -> Json:
    """GET /tickets/{id}."""
    page = {"tickets": [call.render.ticket(ticket_of(call))]}
    side_load(call, page)
    return {"ticket": page.pop("tickets")[0], **page}


def show_many(call: Call) -> Json:
    """GET /tickets/show_many?ids=: at most 100; unknown and deleted ids are left out without a word."""
    account = call.sim.account
    found = [account.live(id) for id in call.ids()]
    rows = [call.render.ticket(ticket) for ticket in found if ticket is not None and _seen(call, ticket)]
    page = {"tickets": rows, "next_page": None, "previous_page": None, "count": len(rows)}
    side_load(call, page)
    return page


def create(call: Call) -> Response:
    """POST /tickets: 201; an Idempotency-Key replays the first answer for two hours."""
    key = call.headers.get("idempotency-key")
    if key is None:
        return _create(call)
    if len(key) > 255:
        raise bad_request("IdempotentRequestError", "Idempotency key is too long")
    store, now = call.sim.idempotent, call.sim.account.now()
    digest = hashlib.sha256(msgspec.json.encode(call.body)).hexdigest()
    known = store.get(key)
    if known is not None and known[2] > now:
        if known[0] != digest:
            raise bad_request("IdempotentRequestError", "Request parameters don't match the given idempotency key")
        call.told["x-idempotency-lookup"] = "hit"
        return Response(known[1], 201, media_type="application/json")
    made = _create(call)
    call.told["x-idempotency-lookup"] = "miss"
    store[key] = (digest, bytes(made.body), now + IDEMPOTENT_FOR)
    return made


def _create(call: Call) -> Response:
    row = call.within("ticket")
    call.warn(row, KNOWN)
    ticket, audit = create_from(call, row)
    call.told["location"] = f"{call.base}/api/v2/tickets/{ticket.id}.json"
    return answer({"ticket": call.render.ticket(ticket), "audit": audit_json(audit)}, 201)


def create_from(call: Call, row: Json) -> tuple[Ticket, Audit]:
    """Open the ticket that a request's ticket object describes."""
    sim, author = call.sim, call.user
    asking = read(sim.account, sim.switches, row, author, None)
    wish = asking.wish
    parent = row.get("via_followup_source_id")
    source = sim.account.live(int(parent)) if parent else None
    if parent and (source is None or source.status != "closed"):
        raise invalid({"via_followup_source_id": "Follow-up: the source ticket is not closed"})
    if "requester_id" not in wish:
        wish["requester_id"] = _requester(call, row, author)
    comment = asking.comment
    if comment is None:
        raise invalid({"base": "Description: cannot be blank"})
    if not (isinstance(row.get("comment"), dict) and row["comment"].get("author_id")):
        comment = comment._replace(author_id=wish["requester_id"])
    wish.setdefault("form_id", sim.default_form)
    wish["subject"] = wish.get("subject") or comment.body[:80]
    via = FOLLOW_UP if source else API
    return sim.desk.create(
        author, wish, comment, via=via, metadata=asking.metadata, followup_of=source.id if source else None
    )


def _requester(call: Call, row: Json, author: User) -> int:
    named = row.get("requester")
    if not isinstance(named, dict) or not named.get("email"):
        return author.id
    return call.sim.writer(str(named["email"]), name=named.get("name")).id


def update(call: Call) -> Json:
    """PUT /tickets/{id}."""
    row = call.within("ticket")
    call.warn(row, KNOWN - CREATE_ONLY)
    ticket = ticket_of(call)
    audit = update_from(call, ticket, row)
    return {"ticket": call.render.ticket(ticket), "audit": audit_json(audit)}


def update_from(call: Call, ticket: Ticket, row: Json, *, metadata: bool = True, stamp: int | None = None) -> Audit:
    """Apply a request's ticket object to a ticket; `stamp` overrides the row's own safe update."""
    sim, author = call.sim, call.user
    asking: Asking = read(sim.account, sim.switches, row, author, ticket)
    return sim.desk.update(
        author,
        ticket,
        asking.wish,
        asking.comment,
        via=API,
        metadata=asking.metadata if metadata else None,
        stamp=asking.stamp if stamp is None else stamp,
        add_tags=asking.add_tags,
        remove_tags=asking.remove_tags,
    )


def destroy(call: Call) -> Response:
    """DELETE /tickets/{id}: into the bin, 204."""
    endings.delete(call.sim.desk, call.user, ticket_of(call), via=API)
    return answer(None, 204)


def mark_as_spam(call: Call) -> Json:
    """PUT /tickets/{id}/mark_as_spam: deletes it and suspends the requester."""
    endings.mark_spam(call.sim.desk, call.user, ticket_of(call), via=API)
    return {}


def comments(call: Call) -> Json:
    """GET /tickets/{id}/comments: oldest first, or newest first for sort=-created_at."""
    ticket = ticket_of(call)
    rows = [
        (audit, place, event)
        for audit in ticket.audits
        for place, event in enumerate(audit.events)
        if isinstance(event, Comment)
    ]
    sign = -1 if call.query.get("sort") == "-created_at" or call.query.get("sort_order") == "desc" else 1
    rows = rows[::sign]
    render = call.render
    page = listed(
        call.asked, "comments", rows, lambda row: (sign * row[0].at, sign * row[0].id), lambda row: comment_json(*row)
    )
    if call.includes("users"):
        users = call.sim.account.users
        ids = {row["author_id"] for row in page["comments"]}
        page["users"] = [render.user(users[id]) for id in sorted(ids) if id in users]
    return page


def audits(call: Call) -> Json:
    """GET /tickets/{id}/audits: oldest first. Needs the global read scope."""
    call.caller.needs("read", "-")
    ticket = ticket_of(call)
    return listed(call.asked, "audits", ticket.audits, lambda audit: (audit.at, audit.id), audit_json)


def tags(call: Call) -> Json:
    """GET /tickets/{id}/tags."""
    return {"tags": ticket_of(call).tags}


def set_tags(call: Call) -> Response:
    """POST sets all tags (201), PUT adds, DELETE removes; all can be safe updates."""
    ticket = ticket_of(call)
    named = read_tags(call.body.get("tags") or call.query.get("tags"))
    row: Json = {name: call.body[name] for name in ("safe_update", "updated_stamp") if name in call.body}
    row[{"POST": "tags", "PUT": "additional_tags", "DELETE": "remove_tags"}[call.method]] = list(named)
    update_from(call, ticket, row)
    return answer({"tags": ticket.tags}, 201 if call.method == "POST" else 200)


def incidents(call: Call) -> Json:
    """GET /tickets/{id}/incidents: those linked to a problem."""
    rows = linked(call.sim.account, ticket_of(call))
    return listed(call.asked, "tickets", rows, lambda ticket: (ticket.id,), call.render.ticket)


ENDPOINTS = (
    Endpoint("GET", "/tickets", index),
    Endpoint("POST", "/tickets", create),
    Endpoint("GET", "/tickets/count", count),
    Endpoint("GET", "/tickets/show_many", show_many),
    Endpoint("GET", "/tickets/{id:int}", show),
    Endpoint("PUT", "/tickets/{id:int}", update),
    Endpoint("DELETE", "/tickets/{id:int}", destroy),
    Endpoint("PUT", "/tickets/{id:int}/mark_as_spam", mark_as_spam),
    Endpoint("GET", "/tickets/{id:int}/comments", comments),
    Endpoint("GET", "/tickets/{id:int}/audits", audits),
    Endpoint("GET", "/tickets/{id:int}/tags", tags),
    Endpoint("POST", "/tickets/{id:int}/tags", set_tags),
    Endpoint("PUT", "/tickets/{id:int}/tags", set_tags),
    Endpoint("DELETE", "/tickets/{id:int}/tags", set_tags),
    Endpoint("GET", "/tickets/{id:int}/incidents", incidents),
)
