"""Tickets that a policy wants to see again at a time at which nothing happens to them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import seconds
from connectors.store.database import Database, among, chunks, lock, upsert
from connectors.store.facts import raise_tickets

_WAKE, _END = "wake:", "wake;"
"""The keys of such notes lie between the two."""


class Wakes(Database):
    """Notes of when to look again."""

    def wake_at(self, tickets: Mapping[int, datetime]) -> None:
        """Have every policy look at these tickets again at a time; an earlier note stands."""
        meta = schema.meta
        keys = {f"{_WAKE}{id}": seconds(at) for id, at in tickets.items()}
        if not keys:
            return
        with self.reading() as conn:
            noted = {
                row.key: int(row.value)
                for some in chunks(list(keys))
                for row in conn.execute(sa.select(meta).where(among(conn, meta.c.key, some)))
            }
        new = [(key, str(at)) for key, at in sorted(keys.items()) if at < noted.get(key, at + 1)]
        if new:
            with self.writing("seq") as conn:
                upsert(conn, meta, new)

    def wake(self, now: datetime) -> int:
        """Have every policy look at those again whose time has come; gives how many there are."""
        meta, at = schema.meta, seconds(now)
        with self.reading() as conn:
            noted = conn.execute(sa.select(meta).where(meta.c.key > _WAKE, meta.c.key < _END)).all()
        due = [row.key for row in noted if int(row.value) <= at]
        if not due:
            return 0
        with self.writing("seq") as conn:
            for some in chunks(due):
                conn.execute(meta.delete().where(among(conn, meta.c.key, some)))
            return len(raise_tickets(conn, _ids(due), lock(conn, "seq")))


def _ids(keys: Iterable[str]) -> list[int]:
    return [int(key.removeprefix(_WAKE)) for key in keys]
