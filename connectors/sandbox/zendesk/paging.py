"""Lists page by page: cursors by key, and offsets that shift while records change (vendor-facts §1.4)."""

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from connectors.sandbox.zendesk.errors import bad_paging
from connectors.sandbox.zendesk.records import Json

Key = tuple[int, ...]
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MOST_PER_PAGE = 100
DEEPEST = 10_000


class Listing(Protocol[T_co]):
    """Something that can be paged through from any key, both ways."""

    def after(self, key: Key | None) -> Iterator[tuple[Key, T_co]]:
        """(key, record) after a key, in the list's order; from the start for null."""
        ...

    def before(self, key: Key) -> Iterator[tuple[Key, T_co]]:
        """(key, record) before a key, nearest first."""
        ...


class Rows(Listing[T]):
    """A listing over a short sequence that is already in its order."""

    def __init__(self, rows: Sequence[T], key: Callable[[T], Key]) -> None:
        self._rows, self._keys = rows, [key(row) for row in rows]

    def after(self, key: Key | None) -> Iterator[tuple[Key, T]]:
        """See Listing."""
        start = 0 if key is None else bisect_right(self._keys, key)
        return ((self._keys[at], self._rows[at]) for at in range(start, len(self._rows)))

    def before(self, key: Key) -> Iterator[tuple[Key, T]]:
        """See Listing."""
        return ((self._keys[at], self._rows[at]) for at in range(bisect_left(self._keys, key) - 1, -1, -1))


@dataclass(frozen=True)
class Asked:
    """Where a list is asked for: its address and the query's parameters."""

    url: str
    query: Mapping[str, str]

    def link(self, changes: Mapping[str, Any]) -> str:
        """This address with some parameters changed (null takes one away)."""
        query = {**self.query, **changes}
        return f"{self.url}?{urlencode({k: v for k, v in sorted(query.items()) if v is not None})}"

    @property
    def by_cursor(self) -> bool:
        """Whether the caller speaks cursors."""
        return any(name.startswith("page[") for name in self.query)


def cursor_page(
    asked: Asked, name: str, listing: Listing[T], render: Callable[[list[T]], Any], order: str = "id"
) -> Json:
    """One page of a cursor list."""
    size = _size(asked.query.get("page[size]"))
    backwards = "page[before]" in asked.query
    mark = asked.query.get("page[before]") or asked.query.get("page[after]")
    key = read_cursor(mark, order) if mark else None
    rows = list(islice(listing.before(key) if backwards and key else listing.after(key), size + 1))
    more, rows = len(rows) > size, rows[:size]
    rows = rows[::-1] if backwards else rows
    first, last = (rows[0][0], rows[-1][0]) if rows else (None, None)
    after = write_cursor(order, last) if last else None
    before = write_cursor(order, first) if first else None
    onward = more or backwards
    back = bool(mark) and (more if backwards else True)
    return {
        name: render([row for _, row in rows]),
        "meta": {"has_more": more, "after_cursor": after, "before_cursor": before},
        "links": {
            "prev": asked.link({"page[before]": before, "page[after]": None}) if back and before else None,
            "next": asked.link({"page[after]": after, "page[before]": None}) if onward and after else None,
        },
    }


def offset_page(asked: Asked, name: str, rows: Iterable[T], count: int, render: Callable[[list[T]], Any]) -> Json:
    """One page of an offset list; 400 beyond 10,000 records."""
    page = _number(asked.query.get("page", "1"), "page")
    size = min(MOST_PER_PAGE, _number(asked.query.get("per_page", str(MOST_PER_PAGE)), "per_page"))
    if page * size > DEEPEST:
        raise bad_paging("InvalidPaginationDepth", f"Cannot access resources beyond page {DEEPEST // size}")
    found = list(islice(rows, (page - 1) * size, page * size))
    return {
        name: render(found),
        "next_page": asked.link({"page": page + 1}) if page * size < count else None,
        "previous_page": asked.link({"page": page - 1}) if page > 1 else None,
        "count": count,
    }


def listed(asked: Asked, name: str, rows: Sequence[T], key: Callable[[T], Key], render: Callable[[T], Json]) -> Json:
    """A page of a short list, by cursor or offset as asked."""

    def all_of(found: list[T]) -> list[Json]:
        return [render(row) for row in found]

    if asked.by_cursor:
        return cursor_page(asked, name, Rows(rows, key), all_of)
    return offset_page(asked, name, rows, len(rows), all_of)


def write_cursor(order: str, key: Key) -> str:
    """A cursor that names its order, as recorded ones do."""
    return base64.b64encode(json.dumps({"o": order, "v": key}, separators=(",", ":")).encode()).decode()


def read_cursor(text: str, order: str) -> Key:
    """The key in a cursor; 400 for one that is none, or belongs to another order."""
    try:
        found = json.loads(base64.b64decode(text, validate=True))
        if found["o"] == order:
            return tuple(int(part) for part in found["v"])
    except (ValueError, KeyError, TypeError):
        pass
    raise bad_paging("InvalidPaginationParameter", "The cursor is invalid")


def _size(text: str | None) -> int:
    size = _number(text, "page[size]") if text else MOST_PER_PAGE
    if size > MOST_PER_PAGE:
        raise bad_paging("InvalidPaginationParameter", f"page[size] must be between 1 and {MOST_PER_PAGE}")
    return size


def _number(text: str | None, name: str) -> int:
    if text is None or not text.isdigit() or int(text) < 1:
        raise bad_paging("InvalidPaginationParameter", f"{name} must be an integer")
    return int(text)
