"""Blast limits at work: what a policy's verb planned lately, and the batch that waits for an operator (design §4).

A limit counts over a time and not over a call, so that deciding in pieces, or minute by minute, does not get around it.
When it is crossed, what was planned within that time and has not gone out is held back too: all of the burst, not its
rest. A held batch takes in what follows while the burst lasts. Its hash then goes on from the one before: each hash
stands for exactly the actions that there were when it was shown.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import seconds, time
from connectors.store.database import Database, among, chunks, lock, upsert
from connectors.store.errors import UnknownRow
from connectors.store.facts import raise_tickets, ticket_id
from connectors.store.values import Batch, OutboxState, Settled
from mappings.plan import Limits

ADOPTED = "adopted"
"""What stands for a batch on rows that an operator chose himself."""
APPROVED, REFUSED, HELD, ASIDE = "approved", "refused", "held", "aside"
_OUTBOX, _BATCH = schema.outbox, schema.batch
_HELD = _OUTBOX.c.state == OutboxState.HELD.value


class Batches(Database):
    """Batches that a blast limit held back, and what an operator says to them."""

    def batches(self, state: str = HELD) -> list[Batch]:
        """Batches by state, oldest first; a held one is told once, by its newest hash, with all that it holds."""
        columns = (_BATCH.c.hash, _BATCH.c.policy, _BATCH.c.verb, _BATCH.c.count, _BATCH.c.updated_at)
        query = sa.select(*columns).where(_BATCH.c.state == state)
        waiting = sa.select(_OUTBOX.c.policy, _OUTBOX.c.verb, sa.func.count()).where(_HELD)
        with self.reading() as conn:
            rows = conn.execute(query.order_by(_BATCH.c.updated_at, _BATCH.c.count)).all()
            held = {(p, v): n for p, v, n in conn.execute(waiting.group_by(_OUTBOX.c.policy, _OUTBOX.c.verb))}
        found = [Batch(hash=h, policy=p, verb=v, count=n, state=state, at=time(at)) for h, p, v, n, at in rows]
        if state != HELD:
            return found
        newest = {(batch.policy, batch.verb): batch for batch in sorted(found, key=lambda batch: batch.count)}
        return [msgspec.structs.replace(batch, count=held[key]) for key, batch in newest.items() if key in held]

    def approve(self, hash: str, now: datetime) -> Settled:
        """Release a held batch: its tickets are looked at again, and what still holds is planned without a limit.

        Raises `UnknownRow` where no batch of that hash is held.
        """
        why = "approved; its ticket is looked at again before it is sent"
        return self._settle(hash, APPROVED, {"again": True, "error": why}, now)

    def refuse(self, hash: str, now: datetime) -> Settled:
        """Drop a held batch for good. Raises `UnknownRow` where no batch of that hash is held."""
        return self._settle(hash, REFUSED, {"error": f"refused by an operator with batch {hash}"}, now)

    def _settle(self, hash: str, said: str, more: dict[str, object], now: datetime) -> Settled:
        with self.writing("outbox") as conn:
            batch = _to_settle(conn, hash)
            ours = (_BATCH.c.policy == batch.policy, _BATCH.c.verb == batch.verb, _BATCH.c.state == HELD)
            covered = list(conn.scalars(sa.select(_BATCH.c.hash).where(*ours, _BATCH.c.count <= batch.count)))
            rows = conn.execute(
                sa.select(_OUTBOX.c.id, _OUTBOX.c.record).where(_HELD, among(conn, _OUTBOX.c.batch, covered))
            ).all()
            let_go(conn, [row.id for row in rows], {"updated_at": seconds(now)} | more)
            conn.execute(
                _BATCH.update().where(among(conn, _BATCH.c.hash, covered)).values(state=said, updated_at=seconds(now))
            )
            _forget(conn, batch.policy, batch.verb)
            if said == APPROVED:
                decide_again(conn, [row.record for row in rows])
            same = _HELD, _OUTBOX.c.policy == batch.policy, _OUTBOX.c.verb == batch.verb
            left = conn.scalar(sa.select(sa.func.count()).where(*same)) or 0
            if not left:  # pieces that hold nothing any more
                conn.execute(_BATCH.update().where(*ours).values(state=said, updated_at=seconds(now)))
        return Settled(batch=batch, count=len(rows), left=left)


def _to_settle(conn: sa.Connection, hash: str) -> Batch:
    row = conn.execute(sa.select(_BATCH).where(_BATCH.c.hash == hash)).one_or_none()
    if row is None:
        raise UnknownRow(f"batch {hash}: there is none of that hash; `helpdesk approve` lists what is held back")
    if row.state != HELD:
        when = f"{time(row.updated_at):%Y-%m-%d %H:%M} UTC"
        done = {
            APPROVED: f"it was approved already, at {when}; `helpdesk outbox list` shows what became of it",
            REFUSED: f"it was refused at {when}, and its actions were dropped; nothing brings it back",
        }
        other = f"it was put aside at {when}, when the store was put back; `helpdesk adopt` lists what it held"
        raise UnknownRow(f"batch {hash}: {done.get(row.state, other)}")
    return Batch(hash=hash, policy=row.policy, verb=row.verb, count=row._mapping["count"], at=time(row.updated_at))


def let_go(conn: sa.Connection, ids: Sequence[int], values: dict[str, object]) -> None:
    """Drop rows of an operator's word: for good, or (`again`) until their policy has decided anew."""
    dropped = {"state": OutboxState.DROPPED.value, "owner": None, "deadline": None} | values
    for some in chunks(ids):
        conn.execute(_OUTBOX.update().where(among(conn, _OUTBOX.c.id, some)).values(dropped))


def decide_again(conn: sa.Connection, records: Iterable[str]) -> None:
    """Have every policy look at these records' tickets again."""
    tickets = {id for record in records if (id := ticket_id(record)) is not None}
    if tickets:
        raise_tickets(conn, tickets, lock(conn, "seq"))


def allowed(conn: sa.Connection, labels: Iterable[str | None]) -> set[str]:
    """Of the labels that rows bear, those by which an operator said yes: adopted, or an approved batch's hash."""
    known = sorted({label for label in labels if label is not None})
    if not known:
        return set()
    query = sa.select(_BATCH.c.hash).where(_BATCH.c.state == APPROVED)
    yes = {hash for some in chunks(known) for hash in conn.scalars(query.where(among(conn, _BATCH.c.hash, some)))}
    return yes | ({ADOPTED} & set(known))


def hold(
    conn: sa.Connection, limits: Limits, policy: str, verb: str, keys: Sequence[str], now: datetime
) -> tuple[str, list[str]] | None:
    """The batch that newly wanted actions of a policy's verb belong to; null where they are within the limit.

    Counts them. With the hash come the keys of what was planned within the limit's time and waits from now on too.
    """
    if limits.most_of(policy, verb) is None:
        return None
    if not limits.over(policy, verb, _count(conn, limits.within, policy, verb, len(keys), now)):
        return None
    lately = _OUTBOX.c.decided_at > seconds(now - limits.within), _OUTBOX.c.batch.is_(None)
    planned = _OUTBOX.c.state == OutboxState.PLANNED.value, _OUTBOX.c.policy == policy, _OUTBOX.c.verb == verb
    caught = {row.id: row.key for row in conn.execute(sa.select(_OUTBOX.c.id, _OUTBOX.c.key).where(*planned, *lately))}
    hash = _grow(conn, policy, verb, [*keys, *caught.values()], now)
    held = {"state": OutboxState.HELD.value, "batch": hash, "updated_at": seconds(now)}
    for some in chunks(list(caught)):
        conn.execute(_OUTBOX.update().where(among(conn, _OUTBOX.c.id, some)).values(held))
    return hash, list(caught.values())


def _grow(conn: sa.Connection, policy: str, verb: str, keys: Sequence[str], now: datetime) -> str:
    """Begin a batch, or let the held one take these in; its hash from now on."""
    ours = _BATCH.c.policy == policy, _BATCH.c.verb == verb, _BATCH.c.state == HELD
    query = sa.select(_BATCH.c.hash, _BATCH.c.count).where(*ours).order_by(_BATCH.c.count.desc()).limit(1)
    before, count = conn.execute(query).one_or_none() or ("", 0)
    said = [before, policy, verb, *sorted(keys)]
    hash = hashlib.sha256("\n".join(said).encode()).hexdigest()[:12]
    upsert(conn, _BATCH, [(hash, policy, verb, count + len(keys), HELD, seconds(now))])
    return hash


def _count(conn: sa.Connection, within: timedelta, policy: str, verb: str, more: int, now: datetime) -> int:
    """How many actions of a policy's verb were wanted within the time, `more` of them now. Kept by the minute."""
    meta, key, at = schema.meta, _name(policy, verb), seconds(now)
    said = conn.scalar(sa.select(meta.c.value).where(meta.c.key == key))
    since = at - int(within.total_seconds())
    counts = {} if said is None else msgspec.json.decode(said, type=dict[int, int])
    counts = {when: count for when, count in counts.items() if since < when <= at}
    minute = at - at % 60
    minute = minute if minute > since else at
    counts[minute] = counts.get(minute, 0) + more
    upsert(conn, meta, [(key, msgspec.json.encode(counts).decode())])
    return sum(counts.values())


def _forget(conn: sa.Connection, policy: str, verb: str) -> None:
    """Count anew: an operator has seen the burst and said what becomes of it."""
    conn.execute(schema.meta.delete().where(schema.meta.c.key == _name(policy, verb)))


def _name(policy: str, verb: str) -> str:
    return f"lately:{policy}:{verb}"
