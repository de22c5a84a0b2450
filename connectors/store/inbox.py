"""Webhooks as they arrived: hints of what to read next, each kept once until it has been followed."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import Codec, seconds
from connectors.store.database import Database, among
from connectors.store.errors import Unreachable
from connectors.store.values import Delivery

DELIVERY = Codec(Delivery)


class Inbox(Database):
    """Deliveries in and out."""

    def receive(self, delivery: Delivery) -> bool:
        """Keep a delivery; false when the vendor had sent it before. `Unreachable` where the database takes nothing."""
        row = dict(zip(DELIVERY.columns, DELIVERY.encode(delivery), strict=True))
        into = "INSERT INTO inbox (tool, id, about, received_at) VALUES (:tool, :id, :about, :received_at)"
        try:
            with self.writing() as conn:
                return bool(conn.execute(sa.text(f"{into} ON CONFLICT DO NOTHING"), row).rowcount)
        except sa.exc.DBAPIError as error:
            why, _, _ = str(error.orig).strip().partition("\n")  # what follows quotes the statement
            raise Unreachable(self.engine.url.render_as_string(), why) from error

    def deliveries(self, tool: str, limit: int = 1000) -> list[Delivery]:
        """Deliveries of a tool that have not been followed yet, oldest first."""
        table = schema.inbox
        query = sa.select(*(table.c[name] for name in DELIVERY.columns))
        waiting = query.where(table.c.tool == tool, table.c.done_at.is_(None))
        with self.reading() as conn:
            rows = conn.execute(waiting.order_by(table.c.received_at, table.c.id).limit(limit))
            return [DELIVERY.decode(row) for row in rows]

    def follow(self, tool: str, ids: Iterable[str], now: datetime) -> None:
        """Mark deliveries as followed: what they were about has been read."""
        table = schema.inbox
        with self.writing() as conn:
            ours = table.update().where(table.c.tool == tool, among(conn, table.c.id, ids))
            conn.execute(ours.values(done_at=seconds(now)))

    def forget(self, before: datetime) -> int:
        """Delete what arrived before a time, followed or not, and say how many; sent again, it would be new."""
        table = schema.inbox
        with self.writing() as conn:
            return conn.execute(table.delete().where(table.c.received_at < seconds(before))).rowcount
