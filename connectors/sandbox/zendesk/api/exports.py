"""Incremental exports: keyset over (generated_timestamp, id), the newest minute hidden, boundary rows repeat (§1.6)."""

import base64
from collections.abc import Callable
from itertools import islice

from connectors.sandbox.zendesk.api.call import Call, Endpoint
from connectors.sandbox.zendesk.api.tickets import side_load
from connectors.sandbox.zendesk.errors import Refusal, bad_paging
from connectors.sandbox.zendesk.records import Json, Ticket
from connectors.sandbox.zendesk.timeline import Timeline
from connectors.sandbox.zendesk.transcript import child_events, ticket_event

LARGEST = 1000

Print = Callable[[int], Json | None]
"""A record's row by its id; null leaves it out."""


def tickets_by_cursor(call: Call) -> Json:
    """GET /incremental/tickets/cursor."""
    page = _by_cursor(call, "tickets", call.sim.account.generated, _ticket(call))
    side_load(call, page)
    return page


def tickets_by_time(call: Call) -> Json:
    """GET /incremental/tickets."""
    page = _by_time(call, "tickets", call.sim.account.generated, _ticket(call))
    side_load(call, page)
    return page


def users_by_cursor(call: Call) -> Json:
    """GET /incremental/users/cursor."""
    account, render = call.sim.account, call.render
    return _by_cursor(call, "users", account.users_changed, lambda id: render.user(account.users[id]))


def organizations(call: Call) -> Json:
    """GET /incremental/organizations: by time only; deleted ones carry deleted_at."""
    account, render = call.sim.account, call.render
    line = account.organizations_changed
    return _by_time(call, "organizations", line, lambda id: render.organization(account.organizations[id]))


def ticket_events(call: Call) -> Json:
    """GET /incremental/ticket_events: every audit flattened; include=comment_events adds the comments' text."""
    sim, comments = call.sim, call.includes("comment_events")

    def row(id: int) -> Json:
        audit = sim.account.audits[id]
        children = child_events(
            audit,
            comments=comments,
            notifications=sim.switches.export_notifications,
            ratings=sim.switches.export_ratings,
            ids_as_text=sim.switches.export_ids_as_text,
        )
        return ticket_event(audit, children)

    return _by_time(call, "ticket_events", sim.account.audited, row)


def _ticket(call: Call) -> Print:
    tickets, render = call.sim.account.tickets, call.render
    without_deleted = call.query.get("exclude_deleted") == "true"

    def row(id: int) -> Json | None:
        ticket: Ticket = tickets[id]
        if without_deleted and ticket.deleted_at is not None:
            return None
        return render.ticket(ticket, export=True)

    return row


def _by_cursor(call: Call, name: str, line: Timeline, show: Print) -> Json:
    size = _per_page(call)
    if mark := call.query.get("cursor"):
        stamp, id = _read(mark)
    else:
        stamp, id = _start(call), -1
    found = list(islice(line.after(stamp, id, until=_horizon(call)), size + 1))
    more, found = len(found) > size, found[:size]
    last = found[-1] if found else (stamp, max(id, 0))
    after = base64.b64encode(f"{last[0]}.0||{last[1]}|".encode()).decode()
    rows = [row for _, id in found if (row := show(id)) is not None]
    return {
        name: rows,
        "after_url": call.asked.link({"cursor": after, "start_time": None}),
        "before_url": None,
        "after_cursor": after,
        "before_cursor": None,
        "end_of_stream": not more,
    }


def _by_time(call: Call, name: str, line: Timeline, show: Print) -> Json:
    """All rows that share the page's last second come with it; at the end of the stream that second comes again."""
    start, size = _start(call), _per_page(call)
    found: list[tuple[int, int]] = []
    more = False
    for row in line.after(start, until=_horizon(call)):
        if len(found) >= size and row[0] != found[-1][0]:
            more = True
            break
        found.append(row)
    last = found[-1][0] if found else start
    end: int | None = last + 1 if more else last
    if not found and call.sim.switches.empty_export_is_null:
        end = None
    return {
        name: [shown for _, id in found if (shown := show(id)) is not None],
        "count": len(found),
        "end_of_stream": not more,
        "end_time": end,
        "next_page": None if end is None else call.asked.link({"start_time": end}),
    }


def _horizon(call: Call) -> int:
    """The newest second that exports show."""
    return call.sim.account.now() - int(call.sim.core.switches.export_hold)


def _start(call: Call) -> int:
    text = call.query.get("start_time", "")
    if not text.isdigit():
        raise bad_paging("InvalidStartTime", "start_time must be a Unix time in seconds")
    start, switches = int(text), call.sim.switches
    if start <= call.sim.account.now() - switches.start_time_age:
        return start
    if switches.start_time_error == "invalid_value":
        text = "Too recent start_time. Use a start_time older than 5 minutes"
        raise Refusal(422, {"error": "InvalidValue", "description": text})
    raise Refusal(
        400,
        {"error": "StartTimeTooRecent", "description": "Too recent start_time. Use a start_time older than 1 minute"},
    )


def _per_page(call: Call) -> int:
    text = call.query.get("per_page", str(LARGEST))
    return min(LARGEST, int(text)) if text.isdigit() and int(text) > 0 else LARGEST


def _read(cursor: str) -> tuple[int, int]:
    try:
        stamp, _, id, _ = base64.b64decode(cursor, validate=True).decode().split("|")
        return int(float(stamp)), int(id)
    except ValueError as error:
        raise bad_paging("InvalidPaginationParameter", "The cursor is invalid") from error


ENDPOINTS = (
    Endpoint("GET", "/incremental/tickets/cursor", tickets_by_cursor, "admin"),
    Endpoint("GET", "/incremental/tickets", tickets_by_time, "admin"),
    Endpoint("GET", "/incremental/ticket_events", ticket_events, "admin"),
    Endpoint("GET", "/incremental/users/cursor", users_by_cursor, "admin", "users"),
    Endpoint("GET", "/incremental/organizations", organizations, "admin", "organizations"),
)
