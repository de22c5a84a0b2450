"""How much each agent has to do, and which tickets are worth a look at all."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import seconds
from connectors.store.database import Database, among, chunks
from connectors.store.values import OutboxState
from mappings.plan import TicketChange

_CHANGE = msgspec.json.Decoder(TicketChange)
_UNDER_WAY = (OutboxState.PLANNED, OutboxState.SENDING, OutboxState.UNKNOWN)


class Loads(Database):
    """Questions of whoever shares out work."""

    def loads(self) -> dict[int, int]:
        """Open tickets by agent, with those that are on their way to one."""
        ticket, outbox = schema.ticket, schema.outbox
        held = sa.select(ticket.c.assignee_id, sa.func.count()).where(
            ticket.c.open == sa.true(), ticket.c.assignee_id.is_not(None)
        )
        given = sa.select(outbox.c.change).where(
            outbox.c.state.in_([state.value for state in _UNDER_WAY]),
            outbox.c.tool == "zendesk",
            outbox.c.policy == "triage",
            outbox.c.verb == "assign",
        )
        with self.reading() as conn:
            found = Counter({row[0]: row[1] for row in conn.execute(held.group_by(ticket.c.assignee_id))})
            for change in conn.scalars(given):
                agent = _CHANGE.decode(change).assignee_id
                if agent is not None:
                    found[agent] += 1
        return dict(found)

    def touched_since(self, ids: Sequence[int], since: datetime) -> list[int]:
        """Those of these tickets that are open and were updated at or after a time, in the order asked for."""
        ticket = schema.ticket
        query = sa.select(ticket.c.id).where(ticket.c.open == sa.true(), ticket.c.updated_at >= seconds(since))
        with self.reading() as conn:
            found = {id for some in chunks(ids) for id in conn.scalars(query.where(among(conn, ticket.c.id, some)))}
        return [id for id in ids if id in found]
