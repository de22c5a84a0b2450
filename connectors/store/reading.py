"""Facts out: which tickets changed since a policy last decided, and all that is known of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import Codec, optional_time, seconds, time
from connectors.store.database import Database, among, chunks, listed, of_these
from connectors.store.facts import COMPANY, EVENT, INCIDENT, PERSON, TICKET
from connectors.store.values import Changed
from mappings.model import Company, History, Incident, Person, Ticket, TicketEvent

T = TypeVar("T", bound=msgspec.Struct)
PlanHistory = tuple[tuple[datetime, str | None], ...]


class FactReader(Database):
    """Facts out."""

    def changed(self, policy: str, limit: int = 1000) -> Changed:
        """The tickets to look at again since `policy` last decided, oldest change first.

        A change of their company's plan or of their requester's role counts for open tickets. Decide on them and give
        `through_seq` to `decide`; with `more`, ask again.
        """
        with self.reading() as conn:
            since = conn.scalar(_DECIDED, {"policy": policy}) or 0
            rows = conn.execute(_CHANGED, {"since": since, "most": limit}).all()
            more = len(rows) == limit
            through = rows[-1].seq if more else conn.execute(_NEWEST).scalar_one()
        return Changed(ticket_ids=tuple(row.id for row in rows), through_seq=through, more=more)

    def histories(self, ids: Iterable[int]) -> list[History]:
        """All that is known of these tickets, in the order asked for; unknown ids are left out. Few queries for many.

        `plan_history` begins with the plan that the company had when it was first read, dated by its `updated_at`.
        """
        wanted = list(dict.fromkeys(ids))
        with self.reading() as conn:
            found = {history.ticket.id: history for some in chunks(wanted) for history in _histories(conn, some)}
        return [found[id] for id in wanted if id in found]

    def open_tickets(self, *, after: int = 0, limit: int = 1000) -> list[int]:
        """Ids of tickets that are not solved, closed, merged, deleted or spam; rising, those greater than `after`."""
        table = schema.ticket
        query = sa.select(table.c.id).where(table.c.open == sa.true(), table.c.id > after)
        with self.reading() as conn:
            return list(conn.scalars(query.order_by(table.c.id).limit(limit)))

    def tickets_since(self, since: datetime, *, after: int = 0, limit: int = 1000) -> list[int]:
        """Tickets that are open, or were last updated at `since` or later; rising ids, those greater than `after`."""
        table = schema.ticket
        lately = sa.or_(table.c.open == sa.true(), table.c.updated_at >= seconds(since))
        query = sa.select(table.c.id).where(table.c.id > after, lately)
        with self.reading() as conn:
            return list(conn.scalars(query.order_by(table.c.id).limit(limit)))

    def count_since(self, since: datetime) -> int:
        """How many `tickets_since` there are."""
        table = schema.ticket
        lately = sa.or_(table.c.open == sa.true(), table.c.updated_at >= seconds(since))
        with self.reading() as conn:
            return conn.execute(sa.select(sa.func.count()).select_from(table).where(lately)).scalar_one()

    def decided_tickets(
        self, policy: str, *, after: int, limit: int, since: datetime | None = None, through: int | None = None
    ) -> list[int]:
        """Tickets on which a policy has decided as they are now; rising ids after `after`, up to `through`.

        `since` leaves out finished ones that were last updated before.
        """
        table = schema.ticket
        decided = sa.select(schema.policy.c.decided_seq).where(schema.policy.c.name == policy).scalar_subquery()
        query = sa.select(table.c.id).where(table.c.id > after, table.c.seq <= decided)
        if through is not None:
            query = query.where(table.c.id <= through)
        if since is not None:
            query = query.where(sa.or_(table.c.open == sa.true(), table.c.updated_at >= seconds(since)))
        with self.reading() as conn:
            return list(conn.scalars(query.order_by(table.c.id).limit(limit)))

    def incomplete(self, *, after: int = 0, limit: int = 1000) -> list[int]:
        """Open tickets of which something has happened that was not read yet (`History.complete` is false)."""
        table = schema.ticket
        unread = sa.or_(table.c.events_through.is_(None), table.c.events_through < table.c.updated_at)
        query = sa.select(table.c.id).where(table.c.open == sa.true(), table.c.id > after, unread)
        with self.reading() as conn:
            return list(conn.scalars(query.order_by(table.c.id).limit(limit)))

    def flagged(self, ids: Sequence[int]) -> list[int]:
        """Those of these tickets that are, or ever were, flagged as abusive or decided on; rising."""
        ticket, event = schema.ticket, schema.ticket_event
        now = sa.or_(
            ticket.c.tags.like('%"abusive"%'),
            ticket.c.fields.like('%"abuse":"%'),
            ticket.c.fields.like('%"abuse_decision":"%'),
        )
        tagged = sa.and_(event.c.field == "tags", event.c.new.like("%abusive%"))
        then = sa.or_(event.c.field.in_(["abuse", "abuse_decision"]), tagged)
        found: set[int] = set()
        with self.reading() as conn:
            for some in chunks(ids):
                found.update(conn.scalars(sa.select(ticket.c.id).where(among(conn, ticket.c.id, some), now)))
                found.update(
                    conn.scalars(sa.select(event.c.ticket_id).where(among(conn, event.c.ticket_id, some), then))
                )
        return sorted(found)

    def restricted_before(self, day: str) -> list[Company]:
        """Companies whose restriction ended before a day (`2026-03-18`)."""
        table = schema.company
        query = sa.select(*_columns(table, COMPANY)).where(
            table.c.restricted_until.is_not(None), table.c.restricted_until < day, table.c.deleted == sa.false()
        )
        with self.reading() as conn:
            return [COMPANY.decode(row) for row in conn.execute(query.order_by(table.c.id))]

    def known(self, ids: Iterable[int]) -> dict[int, datetime]:
        """The `updated_at` of those tickets that are stored."""
        table = schema.ticket
        with self.reading() as conn:
            return {
                row.id: time(row.updated_at)
                for some in chunks(list(ids))
                for row in conn.execute(sa.select(table.c.id, table.c.updated_at).where(among(conn, table.c.id, some)))
            }

    def incidents(self, dedup_keys: Iterable[str]) -> dict[str, Incident]:
        """The newest incident of each key that has one."""
        table = schema.incident
        query = sa.select(*_columns(table, INCIDENT)).order_by(table.c.created_at, table.c.updated_at)
        with self.reading() as conn:
            rows = [
                INCIDENT.decode(row)
                for some in chunks(list(dedup_keys))
                for row in conn.execute(query.where(among(conn, table.c.dedup_key, some)))
            ]
        return {incident.dedup_key: incident for incident in rows}


_DECIDED = sa.select(schema.policy.c.decided_seq).where(schema.policy.c.name == sa.bindparam("policy"))
_CHANGED = sa.select(schema.ticket.c.id, schema.ticket.c.seq).where(schema.ticket.c.seq > sa.bindparam("since"))
_CHANGED = _CHANGED.order_by(schema.ticket.c.seq).limit(sa.bindparam("most"))
_NEWEST = sa.select(schema.counter.c.value).where(schema.counter.c.name == "seq")


def _columns(table: sa.Table, codec: Codec[Any]) -> list[sa.Column[Any]]:
    return [table.c[name] for name in codec.columns]


def _histories(conn: sa.Connection, ids: Sequence[int]) -> list[History]:
    rows = conn.execute(_tickets(conn.dialect.name), listed(conn, ids)).all()
    tickets = [(TICKET.decode(row), optional_time(row[-1])) for row in rows]
    company_ids = {ticket.company_id for ticket, _ in tickets if ticket.company_id is not None}
    person_ids = {ticket.requester_id for ticket, _ in tickets if ticket.requester_id is not None}
    companies: dict[int, Company] = _by_id(conn, schema.company, COMPANY, company_ids)
    people: dict[int, Person] = _by_id(conn, schema.person, PERSON, person_ids)
    events = _events(conn, ids)
    plans = _plans(conn, company_ids)
    return [_history(ticket, through, events, companies, people, plans) for ticket, through in tickets]


def _history(
    ticket: Ticket,
    through: datetime | None,
    events: dict[int, list[TicketEvent]],
    companies: dict[int, Company],
    people: dict[int, Person],
    plans: dict[int, PlanHistory],
) -> History:
    company_id, requester_id = ticket.company_id, ticket.requester_id
    return History(
        ticket=ticket,
        events=tuple(events.get(ticket.id, ())),
        company=None if company_id is None else companies.get(company_id),
        requester=None if requester_id is None else people.get(requester_id),
        events_through=through,
        plan_history=() if company_id is None else plans.get(company_id, ()),
    )


@cache
def _tickets(dialect: str) -> sa.Select[Any]:
    table = schema.ticket
    return sa.select(*_columns(table, TICKET), table.c.events_through).where(of_these(dialect, table.c.id))


def _by_id(conn: sa.Connection, table: sa.Table, codec: Codec[T], ids: Collection[int]) -> dict[int, T]:
    if not ids:
        return {}
    rows = conn.execute(_records(conn.dialect.name, table, codec), listed(conn, sorted(ids))).all()
    return {row[0]: codec.decode(row) for row in rows}


@cache
def _records(dialect: str, table: sa.Table, codec: Codec[Any]) -> sa.Select[Any]:
    return sa.select(*_columns(table, codec)).where(of_these(dialect, table.c.id))


def _events(conn: sa.Connection, ids: Sequence[int]) -> dict[int, list[TicketEvent]]:
    """Events by ticket, in order of (at, audit_id, id)."""
    found: dict[int, list[TicketEvent]] = defaultdict(list)
    for row in conn.execute(_happened(conn.dialect.name), listed(conn, ids)):  # not kept: there are many
        event = EVENT.decode(row)
        found[event.ticket_id].append(event)
    return found


@cache
def _happened(dialect: str) -> sa.Select[Any]:
    table = schema.ticket_event
    query = sa.select(*_columns(table, EVENT)).where(of_these(dialect, table.c.ticket_id))
    return query.order_by(table.c.at, table.c.audit_id, table.c.id)


def _plans(conn: sa.Connection, company_ids: Collection[int]) -> dict[int, PlanHistory]:
    """Each company's plans as they were seen to change, oldest first."""
    found: dict[int, PlanHistory] = defaultdict(tuple)
    for row in conn.execute(_plans_seen(conn.dialect.name), listed(conn, sorted(company_ids))) if company_ids else ():
        found[row.company_id] += ((time(row.at), row.plan),)
    return found


@cache
def _plans_seen(dialect: str) -> sa.Select[Any]:
    table = schema.plan_seen
    return sa.select(table).where(of_these(dialect, table.c.company_id)).order_by(table.c.at)
