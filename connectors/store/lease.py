"""One pulse at a time: a lease that expires, and a fence that rises with every holder (design §3).

The lease says who may begin; the fence stops a holder who slept through its expiry: every write that matters carries
the fence, and an old one is refused. Time is the database's, so that clocks of several machines do not matter.
"""

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.database import Database, database_time
from connectors.store.errors import StaleLease

PULSE = "pulse"
"""The lease of whoever decides and delivers."""


class Leases(Database):
    """Who may decide and deliver."""

    def lease(self, name: str, owner: str, ttl: int) -> int | None:
        """Take the lease for `ttl` seconds: its fence, or null while somebody else holds it.

        `owner` has to be unique to a run: the same owner asking again gets a new fence, which ends its old one.
        """
        table = schema.lease
        with self.writing() as conn:
            conn.execute(
                sa.text("INSERT INTO lease (name, fence, expires_at) VALUES (:name, 0, 0) ON CONFLICT DO NOTHING"),
                {"name": name},
            )
            row = conn.execute(sa.select(table).where(table.c.name == name).with_for_update()).one()
            now = database_time(conn)
            if row.owner not in (None, owner) and now < row.expires_at:
                return None
            taken = {"owner": owner, "fence": row.fence + 1, "expires_at": now + ttl}
            conn.execute(table.update().where(table.c.name == name).values(taken))
            return int(taken["fence"])

    def renew(self, name: str, fence: int, ttl: int) -> bool:
        """Hold on for `ttl` seconds more; false when another run took over, so this one has to stop."""
        with self.writing() as conn:
            held = self._held(name, fence).values(expires_at=database_time(conn) + ttl)
            return bool(conn.execute(held).rowcount)

    def release(self, name: str, fence: int) -> bool:
        """Let go; false when the lease was no longer ours."""
        with self.writing() as conn:
            return bool(conn.execute(self._held(name, fence).values(owner=None, expires_at=0)).rowcount)

    @staticmethod
    def _held(name: str, fence: int) -> sa.Update:
        table = schema.lease
        return table.update().where(table.c.name == name, table.c.fence == fence, table.c.owner.is_not(None))


def check_fence(conn: sa.Connection, name: str, fence: int | None) -> None:
    """Raise `StaleLease` unless `fence` is the newest of a lease still held; nobody can take it until we commit."""
    if fence is None:
        return
    row = conn.execute(_HOLDER, {"name": name}).one_or_none()
    if row is None or row.fence != fence or row.owner is None:
        raise StaleLease(name, fence, None if row is None else row.fence)


_HOLDER = (
    sa.select(schema.lease.c.fence, schema.lease.c.owner)
    .where(schema.lease.c.name == sa.bindparam("name"))
    .with_for_update()
)
