"""Satisfaction ratings of tickets: list, show, and rate as the requester (vendor-facts §1.18)."""

from collections.abc import Callable

from connectors.sandbox.zendesk.api.call import Call, Endpoint
from connectors.sandbox.zendesk.api.tickets import ticket_of
from connectors.sandbox.zendesk.errors import not_found
from connectors.sandbox.zendesk.paging import listed
from connectors.sandbox.zendesk.records import API, Json, Rating, Ticket
from connectors.sandbox.zendesk.texts import iso

_SCORES: dict[str, Callable[[Rating], bool]] = {
    "good": lambda rating: rating.score == "good",
    "bad": lambda rating: rating.score == "bad",
    "good_with_comment": lambda rating: rating.score == "good" and bool(rating.comment),
    "bad_with_comment": lambda rating: rating.score == "bad" and bool(rating.comment),
    "good_without_comment": lambda rating: rating.score == "good" and not rating.comment,
    "bad_without_comment": lambda rating: rating.score == "bad" and not rating.comment,
    "received": lambda rating: True,
    "received_with_comment": lambda rating: bool(rating.comment),
    "received_without_comment": lambda rating: not rating.comment,
}


def _none(rating: Rating) -> bool:
    """A filter that the tool does not know: no rating passes."""
    return False


def _row(call: Call, ticket: Ticket) -> Json:
    rating = ticket.rating
    assert rating is not None
    return {
        "url": f"{call.base}/api/v2/satisfaction_ratings/{rating.id}.json",
        "id": rating.id,
        "assignee_id": rating.assignee_id,
        "group_id": rating.group_id,
        "requester_id": ticket.requester_id,
        "ticket_id": ticket.id,
        "score": rating.score,
        "comment": rating.comment,
        "reason": "No reason provided",
        "reason_id": None,
        "created_at": iso(rating.created_at),
        "updated_at": iso(rating.updated_at),
    }


def _rated(call: Call) -> list[Ticket]:
    tickets = call.sim.account.tickets
    return [ticket for ticket in tickets.values() if ticket.rating is not None and ticket.deleted_at is None]


def ratings(call: Call) -> Json:
    """GET /satisfaction_ratings: filtered by score, and by start_time and end_time (epoch seconds)."""
    fits = _SCORES.get(call.query.get("score", "received"), _none)
    begin, end = int(call.query.get("start_time", 0)), int(call.query.get("end_time", 1 << 40))
    rows = [t for t in _rated(call) if t.rating and fits(t.rating) and begin <= t.rating.created_at <= end]
    rows.sort(key=_id)
    return listed(call.asked, "satisfaction_ratings", rows, lambda ticket: (_id(ticket),), lambda t: _row(call, t))


def _id(ticket: Ticket) -> int:
    return ticket.rating.id if ticket.rating is not None else 0


def rating(call: Call) -> Json:
    """GET /satisfaction_ratings/{id}."""
    found = next((ticket for ticket in _rated(call) if ticket.rating and ticket.rating.id == call.id()), None)
    if found is None:
        raise not_found()
    return {"satisfaction_rating": _row(call, found)}


def rate(call: Call) -> Json:
    """POST /tickets/{id}/satisfaction_rating: by the end user who asked."""
    told, ticket = call.within("satisfaction_rating"), ticket_of(call)
    call.sim.desk.rate(call.user, ticket, str(told.get("score")), told.get("comment") or None, via=API)
    return {"satisfaction_rating": _row(call, ticket)}


ENDPOINTS = (
    Endpoint("GET", "/satisfaction_ratings", ratings, role="admin", resource="satisfaction_ratings"),
    Endpoint("GET", "/satisfaction_ratings/{id:int}", rating, role="admin", resource="satisfaction_ratings"),
    Endpoint("POST", "/tickets/{id:int}/satisfaction_rating", rate, role="end-user"),
)
