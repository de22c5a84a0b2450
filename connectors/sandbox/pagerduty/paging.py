"""PagerDuty's classic pages: limit, offset, more; and the query parameters that many lists share."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from connectors.sandbox.answers import answer
from connectors.sandbox.clock import parse_time
from connectors.sandbox.pagerduty.gate import Refusal, invalid

Row = TypeVar("Row")
LONGEST_RANGE = timedelta(days=186)
DEFAULT_RANGE = timedelta(days=30)


def page(request: Request, name: str, rows: Sequence[Row], shape: Callable[[Row], Any]) -> Response:
    """Answer with one page of rows: 25 by default, 100 at most, never beyond the 10,000th (400)."""
    limit, offset = min(_number(request, "limit", 25), 100), _number(request, "offset", 0)
    if offset + limit > 10_000:
        raise invalid("Offset + limit must not exceed 10000")
    shown = [shape(row) for row in rows[offset : offset + limit]]
    total = len(rows) if request.query_params.get("total") == "true" else None
    more = offset + limit < len(rows)
    return answer({name: shown, "limit": limit, "offset": offset, "more": more, "total": total})


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise invalid(f"{name} must be a non-negative integer")
    return int(text)


def several(request: Request, name: str) -> list[str]:
    """The values of `name[]`, however often it is given."""
    return request.query_params.getlist(f"{name}[]")


def time_of(request: Request, name: str) -> datetime | None:
    """A time from the query, read as UTC where it names no offset."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return parse_time(
            text if len(text) > 10 and _has_offset(text) else f"{text}+00:00" if "T" in text else f"{text}T00:00:00Z"
        )
    except ValueError as error:
        raise invalid(f"{name} is not a time: {error}") from error


def _has_offset(text: str) -> bool:
    return text.endswith("Z") or "+" in text[10:] or "-" in text[10:]


def range_of(request: Request, now: datetime) -> tuple[datetime, datetime] | None:
    """`since` and `until`: the last month by default, six months at most (400, 2005); null for `date_range=all`."""
    if request.query_params.get("date_range") == "all":
        return None
    until = time_of(request, "until") or now + timedelta(seconds=1)
    since = time_of(request, "since") or min(until, now) - DEFAULT_RANGE
    if since > until or until - since > LONGEST_RANGE:
        raise Refusal(400, 2005, "since must lie before until, by six months at most")
    return since, until
