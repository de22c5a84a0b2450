"""A store that was put back from a backup knows nothing of what was done since, and must not do it again (design §4).

Here is kept when a pulse last came to its end, and asked whether the tools show more of us than the journal holds.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.batches import ASIDE, HELD
from connectors.store.codec import seconds, time
from connectors.store.database import Database, among, database_time, upsert
from connectors.store.policy import ALL, restart
from connectors.store.values import OutboxState, Pulsed
from mappings.model import Actor

_PULSED = "pulsed"
_JOB = timedelta(hours=1)
"""How long after we sent a change it may still come to pass."""
_OUTBOX, _BATCH = schema.outbox, schema.batch


class Restores(Database):
    """The last pulse, and a store that was put back."""

    def pulsed(self) -> Pulsed | None:
        """When a pulse last came to its end, and what is still to be looked at since; null before the first one."""
        with self.reading() as conn:
            said = conn.scalar(sa.select(schema.meta.c.value).where(schema.meta.c.key == _PULSED))
        return None if said is None else msgspec.json.decode(said, type=Pulsed)

    def note_pulse(self, pulsed: Pulsed) -> None:
        """Note that a pulse came to its end."""
        with self.writing() as conn:
            upsert(conn, schema.meta, [(_PULSED, msgspec.json.encode(pulsed).decode())])

    def unexplained(
        self, since: datetime, us: Collection[int], *, apart: timedelta = timedelta(), limit: int = 1000
    ) -> dict[str, datetime]:
        """Tickets that we (service users `us`) changed after `since` by no row of the journal; when that was last.

        `apart` is how far our clock and the tool's differ.
        """
        ticket, event = schema.ticket, schema.ticket_event
        record = sa.literal("zendesk:") + sa.cast(ticket.c.id, sa.Text)
        sent = sa.exists().where(
            _OUTBOX.c.record == record,
            _OUTBOX.c.tool == "zendesk",
            _OUTBOX.c.attempts > 0,
            _OUTBOX.c.updated_at >= event.c.at - int((_JOB + apart).total_seconds()),
        )
        with self.reading() as conn:
            ours = sa.or_(event.c.actor == Actor.US.value, among(conn, event.c.actor_id, sorted(us)))
            query = sa.select(ticket.c.id, sa.func.max(event.c.at)).join(event, event.c.ticket_id == ticket.c.id)
            query = query.where(ticket.c.updated_at > seconds(since), event.c.at > seconds(since), ours, sa.not_(sent))
            rows = conn.execute(query.group_by(ticket.c.id).order_by(ticket.c.id).limit(limit))
            return {f"zendesk:{id}": time(at) for id, at in rows}

    def start_anew(self, now: datetime) -> int:
        """After the store was put back: all rules act on causes from `now` on, and whatever was on its way is baseline.

        What was planned, held back, or sent without a known result may have been done by what the backup does not
        know. A call that is in flight now is left alone. Gives how many actions were put aside.
        """
        with self.writing("outbox") as conn:
            restart(conn, ALL, now)
            state = _OUTBOX.c.state
            waiting = state.in_([s.value for s in (OutboxState.PLANNED, OutboxState.HELD, OutboxState.UNKNOWN)])
            stuck = sa.and_(state == OutboxState.SENDING.value, _OUTBOX.c.deadline < database_time(conn))
            again = sa.and_(state == OutboxState.DROPPED.value, _OUTBOX.c.again == sa.true())
            aside = {
                "state": OutboxState.BASELINE.value,
                "again": False,
                "batch": None,
                "owner": None,
                "deadline": None,
            }
            why = "the store was put back: this may have been done since its backup"
            rows = _OUTBOX.update().where(sa.or_(waiting, stuck, again))
            count = conn.execute(rows.values(aside | {"error": why, "updated_at": seconds(now)})).rowcount
            held = _BATCH.update().where(_BATCH.c.state == HELD)
            conn.execute(held.values(state=ASIDE, updated_at=seconds(now)))
            return count
