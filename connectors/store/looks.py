"""What a policy asks the store: what to look at again, what was done already, what would be new."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import seconds, time
from connectors.store.database import Database, among, chunks, listed, lock, of_these, upsert
from connectors.store.decisions import journalled as held_keys
from connectors.store.facts import raise_tickets, ticket_id
from connectors.store.journal import decode_row, select_rows
from connectors.store.values import Applied, Changed, OutboxRow, OutboxState
from mappings.model import Actor, ClockState, EventKind, PageStatus, Status
from mappings.plan import Action, NotConnected

_OUTBOX = schema.outbox
_VERSION = "profile_version"
_THROUGH = "known_through"
_IMPORTED = "imported:"

REPLY_MEASURES = ("first_reply", "handoff_reply", "update", "progress", "ack")
"""Measures that a comment stops."""
_LOOKED = 10_000
"""How many changed tickets one question looks at."""


class Looks(Database):
    """Questions of policies."""

    def look_again(self, version: str) -> int:
        """Have every policy look at all open tickets again when the profile's version is not the one of last time.

        Gives how many tickets that are; 0 where the version is the same or none was noted yet.
        """
        meta, ticket = schema.meta, schema.ticket
        noted = sa.select(meta.c.value).where(meta.c.key == _VERSION)
        with self.reading() as conn:
            if conn.scalar(noted) == version:
                return 0
        with self.writing("seq") as conn:
            before = conn.scalar(noted)
            upsert(conn, meta, [(_VERSION, version)])
            if before is None:
                return 0
            ids = set(conn.scalars(sa.select(ticket.c.id).where(ticket.c.open == sa.true())))
            raise_tickets(conn, ids, lock(conn, "seq"))
            return len(ids)

    def known_through(self) -> datetime | None:
        """Up to when everything had been read at the last decision; null before the first one."""
        with self.reading() as conn:
            at = conn.scalar(sa.select(schema.meta.c.value).where(schema.meta.c.key == _THROUGH))
        return None if at is None else time(int(at))

    def note_known_through(self, at: datetime) -> None:
        """Note that; it never goes back."""
        before = self.known_through()
        if before is None or before < at:
            with self.writing("seq") as conn:
                upsert(conn, schema.meta, [(_THROUGH, str(seconds(at)))])

    def note_imported(self, ticket_ids: Sequence[int], at: datetime) -> None:
        """Note that tickets came with a past of their own at a time: what was before is no cause of anything."""
        new = set(ticket_ids) - self.imported(ticket_ids).keys()
        if new:
            with self.writing("seq") as conn:
                upsert(conn, schema.meta, [(f"{_IMPORTED}{id}", str(seconds(at))) for id in sorted(new)])

    def imported(self, ticket_ids: Sequence[int]) -> dict[int, datetime]:
        """Those of these tickets that came with a past of their own, and when."""
        meta = schema.meta
        keys = [f"{_IMPORTED}{id}" for id in ticket_ids]
        with self.reading() as conn:
            return {
                int(row.key.removeprefix(_IMPORTED)): time(int(row.value))
                for some in chunks(keys)
                for row in conn.execute(sa.select(meta).where(among(conn, meta.c.key, some)))
            }

    def read_whole(self, after: datetime, through: datetime) -> int:
        """Have every policy look again at tickets last updated after `after` and up to `through`.

        For when the events up to `through` have been read: until then a ticket may not be fit to decide on, and nothing
        else about it changes when it becomes so. Gives how many there are; those read whole already are left out.
        """
        ticket = schema.ticket
        unread = sa.or_(ticket.c.events_through.is_(None), ticket.c.events_through < ticket.c.updated_at)
        lately = ticket.c.updated_at > seconds(after), ticket.c.updated_at <= seconds(through)
        half_read = sa.select(ticket.c.id).where(*lately, unread)
        with self.reading() as conn:
            if conn.scalar(half_read.limit(1)) is None:
                return 0
        with self.writing("seq") as conn:
            return len(raise_tickets(conn, conn.scalars(half_read).all(), lock(conn, "seq")))

    def again(self, policy: str) -> dict[str, set[str]]:
        """Keys of a policy's actions that were dropped because the ticket changed under them, by record.

        Those of tickets that are deleted or spam are left out until that is taken back.
        """
        found: dict[str, set[str]] = {}
        with self.reading() as conn:
            for row in conn.execute(_AGAIN, {"policy": policy}):
                found.setdefault(row.record, set()).add(row.key)
            away = _away(conn, [id for record in found if (id := ticket_id(record)) is not None])
        return {record: keys for record, keys in found.items() if ticket_id(record) not in away}

    def settle(self, records: Collection[str], policy: str, *, keys: Collection[str] | None = None) -> None:
        """A policy has decided anew on these records: what it did not plan again stays dropped for good.

        With `keys`, of those alone.
        """
        if not records:
            return
        why = "released by an operator; looked at again, it did not hold any more"
        said = sa.case((_OUTBOX.c.batch.is_not(None), why), else_=_OUTBOX.c.error)
        with self.writing("outbox") as conn:
            for some in chunks(sorted(records)):
                rows = _OUTBOX.update().where(_DROPPED, _OUTBOX.c.policy == policy, among(conn, _OUTBOX.c.record, some))
                for these in chunks(sorted(keys)) if keys is not None else (None,):
                    chosen = rows if these is None else rows.where(among(conn, _OUTBOX.c.key, these))
                    conn.execute(chosen.values(again=False, error=said))

    def released(self, policy: str) -> set[str]:
        """Of the keys of `again`, those that an operator has adopted or approved."""
        with self.reading() as conn:
            return set(conn.scalars(_RELEASED, {"policy": policy}))

    def acted(self, records: Iterable[str], verb: str, states: Sequence[OutboxState]) -> list[OutboxRow]:
        """Rows of one verb on these records in any of `states`, oldest first."""
        query = select_rows().where(_OUTBOX.c.verb == verb, _OUTBOX.c.state.in_([state.value for state in states]))
        with self.reading() as conn:
            return [
                decode_row(row)
                for some in chunks(list(records))
                for row in conn.execute(query.where(among(conn, _OUTBOX.c.record, some)).order_by(_OUTBOX.c.id))
            ]

    def open_pages(self, *, taken_since: datetime | None = None) -> list[OutboxRow]:
        """Pages that went out and whose incident is not known to be resolved, oldest first.

        With `taken_since` also those that somebody took before they were resolved, at that time or later.
        """
        incident = schema.incident
        over = [incident.c.dedup_key == _OUTBOX.c.dedup_key, incident.c.status == PageStatus.RESOLVED.value]
        if taken_since is not None:
            lately = sa.and_(incident.c.acknowledged_at.is_not(None), incident.c.resolved_at >= seconds(taken_since))
            over.append(sa.not_(sa.func.coalesce(lately, sa.false())))
        with self.reading() as conn:
            return [decode_row(row) for row in conn.execute(_PAGES.where(sa.not_(sa.exists().where(*over))))]

    def unread(self, *, after: int, limit: int, since: datetime, through: int | None = None) -> Changed:
        """Of the tickets changed after one `seq` and up to another (null: the newest), those whose audits are needed.

        That are open ones whose beginning nobody has read; open ones with a public comment whose author was not read,
        and a clock that it might have stopped; finished ones with such a comment at or after `since`, which may have
        ended the clock: an answer that also solved the ticket; and rated ones of whose rating no event tells.
        At most `limit`, in order of `seq`; `through_seq` is how far it looked, `more` says that there is more to look
        at.
        """
        table = schema.ticket
        with self.reading() as conn:
            newest = sa.select(schema.counter.c.value).where(schema.counter.c.name == "seq")
            last = int(conn.execute(newest).scalar_one()) if through is None else through
            if limit <= 0 or after >= last:
                return Changed(ticket_ids=(), through_seq=min(after, last), more=after < last)
            changed = sa.select(table.c.id, table.c.seq).where(table.c.seq > after, table.c.seq <= last)
            rows = conn.execute(changed.order_by(table.c.seq).limit(_LOOKED)).all()
            found: list[int] = []
            for some in chunks(rows):
                needed = _needed(conn, [row.id for row in some], since)
                for row in some:
                    if row.id in needed and len(found) == limit:
                        return Changed(ticket_ids=tuple(found), through_seq=row.seq - 1, more=True)
                    if row.id in needed:
                        found.append(row.id)
            more = len(rows) == _LOOKED
            return Changed(ticket_ids=tuple(found), through_seq=rows[-1].seq if more else last, more=more)

    def preview(self, *, policy: str, actions: Sequence[Action], now: datetime) -> Applied:
        """What `decide` would put into the journal in mode apply; writes nothing."""
        starts = self.starts(policy)
        wanted = {action.key: action for action in actions}
        with self.reading() as conn:
            held = held_keys(conn, list(wanted))
        new = [action for key, action in wanted.items() if held.get(key, True)]
        baseline = [a.key for a in new if seconds(a.cause_at) < seconds(starts.get(a.rule, now))]
        open_ = [action for action in new if action.key not in baseline]
        missing = [action.key for action in open_ if isinstance(action.change, NotConnected)]
        planned = [action.key for action in open_ if action.key not in missing]
        return Applied(
            planned=tuple(planned),
            baseline=tuple(baseline),
            not_connected=tuple(missing),
            known=len(wanted) - len(new),
        )

    def starts(self, policy: str) -> Mapping[str, datetime]:
        """Since when each rule of a policy acts; one that never began is left out."""
        table = schema.act_from
        with self.reading() as conn:
            return {row.rule: time(row.at) for row in conn.execute(sa.select(table).where(table.c.policy == policy))}


_PAGES = select_rows().where(
    _OUTBOX.c.dedup_key.is_not(None), _OUTBOX.c.verb == "page", _OUTBOX.c.state == OutboxState.DONE.value
)
_PAGES = _PAGES.order_by(_OUTBOX.c.id)
_DROPPED = sa.and_(_OUTBOX.c.state == OutboxState.DROPPED.value, _OUTBOX.c.again == sa.true())
_AGAIN = sa.select(_OUTBOX.c.record, _OUTBOX.c.key).where(_DROPPED, _OUTBOX.c.policy == sa.bindparam("policy"))
_RELEASED = sa.select(_OUTBOX.c.key).where(_DROPPED, _OUTBOX.c.policy == sa.bindparam("policy"))
_RELEASED = _RELEASED.where(_OUTBOX.c.batch.is_not(None))


def _away(conn: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Those of these tickets that lie in the bin."""
    if not ids:
        return set()
    ticket = schema.ticket
    binned = ticket.c.status.in_([Status.DELETED.value, Status.SPAM.value])
    query = sa.select(ticket.c.id).where(binned)
    return {id for some in chunks(ids) for id in conn.scalars(query.where(among(conn, ticket.c.id, some)))}


def _needed(conn: sa.Connection, ids: Sequence[int], since: datetime) -> set[int]:
    """Those of these tickets whose audits are needed; see `unread`."""
    found = conn.scalars(_with_audits_needed(conn.dialect.name), {**listed(conn, ids), "since": seconds(since)})
    return set(found) | _rated(conn, ids)


@cache
def _with_audits_needed(dialect: str) -> sa.Select[Any]:
    event, ticket, clock = schema.ticket_event, schema.ticket, schema.clock
    record = sa.literal("zendesk:") + sa.cast(ticket.c.id, sa.Text)
    its_clock = clock.c.record == record, clock.c.measure.in_(REPLY_MEASURES)
    unheard = sa.exists().where(
        event.c.ticket_id == ticket.c.id,
        event.c.actor == Actor.UNKNOWN.value,
        event.c.kind == EventKind.COMMENT.value,
        event.c.public == sa.true(),
        sa.or_(ticket.c.events_through.is_(None), ticket.c.events_through <= event.c.at),
    )
    begun = sa.exists().where(
        event.c.ticket_id == ticket.c.id,
        sa.or_(event.c.kind == EventKind.CREATE.value, event.c.at <= ticket.c.created_at),
    )
    waits = sa.exists().where(*its_clock, clock.c.state == ClockState.RUNNING.value)
    ended = sa.exists().where(*its_clock, clock.c.stopped_at >= event.c.at).correlate(ticket, event)
    headless = (
        ticket.c.events_through.is_(None),
        ticket.c.updated_at > ticket.c.created_at,
        ~begun,
        ~sa.exists().where(clock.c.record == record),
    )
    of_open = sa.and_(ticket.c.open == sa.true(), sa.or_(sa.and_(waits, unheard), sa.and_(*headless)))
    of_done = sa.and_(
        ticket.c.open == sa.false(), unheard.where(event.c.at >= sa.bindparam("since", type_=sa.BigInteger()), ended)
    )
    return sa.select(ticket.c.id).where(of_these(dialect, ticket.c.id), sa.or_(of_open, of_done))


def _rated(conn: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Those of these tickets that show a rating of which no event tells.

    Two questions, since few tickets are rated: as one, PostgreSQL would look through all events there are.
    """
    event, ticket = schema.ticket_event, schema.ticket
    shown = sa.select(ticket.c.id).where(
        among(conn, ticket.c.id, ids),
        ticket.c.fields.like('%"rating":%'),
        sa.or_(ticket.c.events_through.is_(None), ticket.c.events_through < ticket.c.updated_at),
    )
    rated = set(conn.scalars(shown))
    if not rated:
        return rated
    told = sa.select(event.c.ticket_id).where(among(conn, event.c.ticket_id, sorted(rated)), event.c.field == "rating")
    return rated - set(conn.scalars(told))
