"""An index by (time, id) over records whose time moves forward: what lists and exports page through."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

_LAST = 1 << 63


class Timeline:
    """Ids ordered by (stamp, id). Time moves forward, so new rows go to the end or near it; a page costs its length.

    The place that an id leaves stays behind as a stale row; rows are swept once stale ones are the majority.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[int, int]] = []
        self._at: dict[int, int] = {}

    def move(self, id: int, stamp: int) -> None:
        """Put an id at a time, wherever it was before."""
        if self._at.get(id) == stamp:
            return
        self._at[id] = stamp
        insort(self._rows, (stamp, id))
        if len(self._rows) > 2 * len(self._at) + 1000:
            self._rows = [row for row in self._rows if self._at.get(row[1]) == row[0]]

    def drop(self, id: int) -> None:
        """Forget an id."""
        self._at.pop(id, None)

    def __len__(self) -> int:
        return len(self._at)

    def after(self, stamp: int, id: int = -1, *, until: int | None = None) -> Iterator[tuple[int, int]]:
        """Rows with (stamp, id) greater than the given, oldest first, up to and with the time `until`."""
        rows = self._rows
        end = len(rows) if until is None else bisect_right(rows, (until, _LAST))
        for place in range(bisect_right(rows, (stamp, id)), end):
            row = rows[place]
            if self._at.get(row[1]) == row[0]:
                yield row

    def before(self, stamp: int | None = None, id: int = 0) -> Iterator[tuple[int, int]]:
        """Rows with (stamp, id) less than the given, newest first; from the newest one where nothing is given."""
        rows = self._rows
        end = len(rows) if stamp is None else bisect_left(rows, (stamp, id))
        for place in range(end - 1, -1, -1):
            row = rows[place]
            if self._at.get(row[1]) == row[0]:
                yield row
