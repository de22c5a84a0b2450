"""Search: an index that lags behind, offsets only, at most a thousand results (vendor-facts §1.5)."""

import re
from collections.abc import Callable
from datetime import datetime

from connectors.sandbox.zendesk.api.call import Call, Endpoint
from connectors.sandbox.zendesk.errors import Refusal, bad_paging
from connectors.sandbox.zendesk.paging import Rows, cursor_page, offset_page
from connectors.sandbox.zendesk.records import PRIORITIES, STATUSES, Change, Comment, Json, Ticket

MOST_RESULTS = 1000
_TERM = re.compile(r'(-?)(\w+)([:<>]=?)("[^"]*"|\S+)|("[^"]*"|\S+)')

Test = Callable[["Seen"], bool]


class Seen:
    """A ticket as the index has it: as it was when the index last looked."""

    def __init__(self, ticket: Ticket, until: int) -> None:
        self.ticket = ticket
        self.status, self.priority, self.tags = ticket.status, ticket.priority, ticket.tags
        self.updated_at = ticket.created_at
        for audit in ticket.audits:
            if audit.at <= until:
                self.updated_at = audit.at
        for audit in reversed(ticket.audits):
            if audit.at <= until:
                break
            for event in reversed(audit.events):
                if isinstance(event, Change) and event.field in ("status", "priority", "tags"):
                    value = tuple(event.previous or ()) if event.field == "tags" else event.previous
                    setattr(self, event.field, value)


def search(call: Call) -> Json:
    """GET /search: 422 beyond the thousandth result, though `count` tells the true total."""
    if call.asked.by_cursor:
        raise bad_paging("InvalidPaginationParameter", "page must be an integer")
    found = _found(call)
    page = int(call.query.get("page", "1") or 1)
    size = min(100, int(call.query.get("per_page", "100") or 100))
    if page * size > MOST_RESULTS:
        text = "Invalid search: Requested response size was greater than Search Response Limits"
        raise Refusal(422, {"error": "invalid", "description": text})
    reach = found[:MOST_RESULTS]
    return offset_page(call.asked, "results", reach, len(reach), lambda rows: _rows(call, rows)) | {
        "count": len(found),
        "facets": None,
    }


def export(call: Call) -> Json:
    """GET /search/export?filter[type]=ticket: by cursor, no limit, no duplicates."""
    found = sorted(_found(call), key=lambda ticket: ticket.id)
    return cursor_page(call.asked, "results", Rows(found, lambda t: (t.id,)), lambda rows: _rows(call, rows))


def _rows(call: Call, tickets: list[Ticket]) -> list[Json]:
    return [{**call.render.ticket(ticket), "result_type": "ticket"} for ticket in tickets]


def _found(call: Call) -> list[Ticket]:
    account = call.sim.account
    until = account.now() - int(call.sim.core.switches.search_lag)
    tests = _tests(call)
    tickets = (t for t in account.live_after(0) if t.created_at <= until)
    found = [seen for seen in (Seen(ticket, until) for ticket in tickets) if all(test(seen) for test in tests)]
    by_creation = call.query.get("sort_by") == "created_at"
    down = call.query.get("sort_order", "desc") == "desc"
    found.sort(key=lambda s: s.ticket.created_at if by_creation else s.updated_at, reverse=down)
    return [seen.ticket for seen in found]


def _tests(call: Call) -> list[Test]:
    tests = []
    for minus, field, operator, value, word in _TERM.findall(call.query.get("query", "")):
        test = _word(word.strip('"')) if word else _term(call, field, operator, value.strip('"'))
        tests.append((lambda seen, test=test: not test(seen)) if minus else test)
    return tests


def _word(word: str) -> Test:
    text = word.lower()
    return lambda seen: text in seen.ticket.subject.lower() or text in seen.ticket.description.lower()


def _term(call: Call, field: str, operator: str, value: str) -> Test:
    account = call.sim.account
    if field == "type":
        return lambda seen: value in ("ticket", seen.ticket.type)
    if field in ("status", "priority"):
        order = STATUSES if field == "status" else PRIORITIES
        return lambda seen: _compare(_place(order, getattr(seen, field)), operator, _place(order, value))
    if field in ("updated", "created"):
        at = int(datetime.fromisoformat(value if "T" in value else f"{value}T00:00:00+00:00").timestamp())
        return lambda seen: _compare(seen.updated_at if field == "updated" else seen.ticket.created_at, operator, at)
    if field == "tags":
        return lambda seen: value.lower() in seen.tags
    if field in ("requester", "assignee"):
        user = account.user_by_email(value)
        wanted = user.id if user else (None if value == "none" else -1)
        return lambda seen: getattr(seen.ticket, f"{field}_id") == wanted
    if field == "commenter":  # memory: "the person who commented on the ticket"
        writer = account.user_by_email(value)
        return lambda seen: writer is not None and _wrote(seen.ticket, writer.id)
    if field == "organization":
        organization = account.names.get(value.lower(), int(value) if value.isdigit() else -1)
        return lambda seen: seen.ticket.organization_id == organization
    if field == "group":
        group = account.group_named(value)
        wanted = group.id if group else (int(value) if value.isdigit() else None)
        return lambda seen: seen.ticket.group_id == wanted
    if field == "external_id":
        return lambda seen: seen.ticket.external_id == value
    if field.startswith("custom_field_"):
        id = int(field.removeprefix("custom_field_"))
        return lambda seen: str(seen.ticket.custom.get(id)) == value
    return lambda seen: False


def _wrote(ticket: Ticket, user_id: int) -> bool:
    events = (event for audit in ticket.audits for event in audit.events)
    return any(isinstance(event, Comment) and event.author_id == user_id for event in events)


def _place(order: tuple[str, ...], value: str | None) -> int:
    return order.index(value) if value in order else -1


def _compare(found: int, operator: str, wanted: int) -> bool:
    return {
        ":": found == wanted,
        "<": found < wanted,
        ">": found > wanted,
        "<=": found <= wanted,
        ">=": found >= wanted,
    }.get(operator, False)


ENDPOINTS = (Endpoint("GET", "/search", search), Endpoint("GET", "/search/export", export))
