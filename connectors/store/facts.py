"""Saving what a page said, and what it changed: the only place where a ticket gets its `seq`.

An older `updated_at` never overwrites a newer one; the same content again changes nothing; whatever a policy has to
look at again gets the next number of one rising counter. The counter's row is locked first, so numbers commit in order
and a reader never sees a later one while an earlier one is still to come (design §4, "Reading").
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import Codec, seconds
from connectors.store.database import Database, Row, among, chunks, insert, listed, lock, of_these, upsert
from connectors.store.sources import park, save_source
from connectors.store.values import Facts, Saved, SourceState
from mappings.model import DONE, Actor, Company, Incident, Person, Status, Ticket, TicketEvent

COMPANY = Codec(Company)
PERSON = Codec(Person)
TICKET = Codec(Ticket)
EVENT = Codec(TicketEvent)
INCIDENT = Codec(Incident)

_OPEN = frozenset(status.value for status in Status if status not in DONE)
_STATUS = TICKET.columns.index("status")
_GENERATED = TICKET.columns.index("generated_at")
_COMPANY = TICKET.columns.index("company_id")
_PROBLEM = TICKET.columns.index("problem_id")
_BESIDE = 86_400
"""Seconds after a ticket within which others of its company may have been stored before it."""
_PLAN = COMPANY.columns.index("plan")
_DEDUP_KEY = INCIDENT.columns.index("dedup_key")
# What about a company or a requester can change a decision on their tickets; a new name or address cannot.
_OF_COMPANY = tuple(COMPANY.columns.index(name) for name in ("plan", "vip", "csm", "external_id", "deleted"))
_OF_PERSON = tuple(PERSON.columns.index(name) for name in ("agent", "role"))


class _Kind(msgspec.Struct, frozen=True):
    """One kind of record that the vendor dates with `updated_at`."""

    table: sa.Table
    codec: Codec[Any]
    updated_at: int
    generated_at: int | None = None


_COMPANIES = _Kind(schema.company, COMPANY, COMPANY.columns.index("updated_at"))
_PEOPLE = _Kind(schema.person, PERSON, PERSON.columns.index("updated_at"))
_TICKETS = _Kind(schema.ticket, TICKET, TICKET.columns.index("updated_at"), _GENERATED)
_INCIDENTS = _Kind(schema.incident, INCIDENT, INCIDENT.columns.index("updated_at"))


class _News(msgspec.Struct, frozen=True):
    """The rows of one kind that differ from what is stored, and what was stored, by id."""

    rows: dict[Any, list[Any]]
    before: dict[Any, Row]


class FactStore(Database):
    """Facts in."""

    def save(
        self,
        facts: Facts,
        *,
        source: SourceState | None = None,
        events_through: Mapping[int, datetime] | None = None,
    ) -> Saved:
        """Store a page in one transaction, and with it how far its source has been read.

        `events_through` says up to which `updated_at` a ticket's events are complete; it never goes back, and is
        ignored for tickets that are not stored. Gives what changed: records seen again, older ones and known events
        count for nothing.
        """
        with self.writing("seq") as conn:
            return _Page(conn, facts, events_through or {}).save(source)


class _Page:
    """One page on its way in, within its transaction."""

    def __init__(self, conn: sa.Connection, facts: Facts, events_through: Mapping[int, datetime]) -> None:
        self.conn = conn
        self.facts = facts
        self.through = {id: seconds(at) for id, at in events_through.items()}
        self.came: list[int] = []
        """Tickets that came to a company: new, or given another one."""
        self.moved: set[int] = set()
        """Problems that a ticket was put on or taken off."""

    def save(self, source: SourceState | None) -> Saved:
        """Everything about a ticket first, then the tickets, then those that only something about them changed."""
        seq = lock(self.conn, "seq")
        companies, of_companies = self._companies()
        people, of_people = self._people()
        incident_keys = self._incidents()
        events, of_events = self._events()
        tickets = self._tickets(seq)
        touched = of_events.union(_paged(self.conn, incident_keys), self._complete())
        touched.update(_open_of(self.conn, schema.ticket.c.company_id, of_companies))
        touched.update(_open_of(self.conn, schema.ticket.c.requester_id, of_people))
        touched.update(_later_of_company(self.conn, self.came), _on_problems(self.conn, self.moved))
        raised = raise_tickets(self.conn, touched - set(tickets), seq + len(tickets))
        park(self.conn, self.facts)
        if source is not None:
            save_source(self.conn, source)
        return Saved(
            ticket_ids=(*tickets, *raised),
            tickets=len(tickets),
            companies=companies,
            people=people,
            events=events,
            incident_keys=incident_keys,
            parked=len(self.facts.parked),
        )

    def _companies(self) -> tuple[int, list[int]]:
        """How many companies changed, and those whose tickets are to be looked at again; plans go into `plan_seen`."""
        news = _news(self.conn, _COMPANIES, self.facts.companies)
        _write(self.conn, schema.company, news, news.rows)
        plans = [
            (id, row[_COMPANIES.updated_at], row[_PLAN])
            for id, row in news.rows.items()
            if id not in news.before or news.before[id][_PLAN] != row[_PLAN]
        ]
        upsert(self.conn, schema.plan_seen, plans)
        return len(news.rows), [id for id in news.rows if _differs(news, id, _OF_COMPANY)]

    def _people(self) -> tuple[int, list[int]]:
        """How many people changed, and those whose tickets are to be looked at again."""
        news = _news(self.conn, _PEOPLE, self.facts.people)
        _write(self.conn, schema.person, news, news.rows)
        return len(news.rows), [id for id in news.rows if _differs(news, id, _OF_PERSON)]

    def _incidents(self) -> tuple[str, ...]:
        """The dedup keys whose incident changed."""
        news = _news(self.conn, _INCIDENTS, self.facts.incidents)
        _write(self.conn, schema.incident, news, news.rows)
        return tuple(row[_DEDUP_KEY] for row in news.rows.values())

    def _events(self) -> tuple[int, set[int]]:
        """Add the events not seen before, and say who was behind those of which it was not known.

        Gives how many, and their tickets.
        """
        events = {event.id: event for event in self.facts.events}
        known = self._actors(list(events))
        new = [event for id, event in events.items() if id not in known]
        told = [
            event for id, event in events.items() if known.get(id) == Actor.UNKNOWN.value and event.actor != known[id]
        ]
        insert(self.conn, schema.ticket_event, [EVENT.encode(event) for event in new])
        upsert(self.conn, schema.ticket_event, [EVENT.encode(event) for event in told])
        return len(new) + len(told), {event.ticket_id for event in [*new, *told]}

    def _actors(self, ids: Sequence[int]) -> dict[int, str]:
        """Who is behind those of these events that are stored."""
        query = _known_events(self.conn.dialect.name)
        return {row.id: row.actor for some in chunks(ids) for row in self.conn.execute(query, listed(self.conn, some))}

    def _tickets(self, seq: int) -> list[int]:
        """Write the tickets that changed, numbered after `seq`; gives their ids in that order."""
        news = _news(self.conn, _TICKETS, self.facts.tickets, (schema.ticket.c.events_through,))
        rows = {}
        for number, (id, row) in enumerate(news.rows.items(), start=seq + 1):
            before = news.before[id][-1] if id in news.before else None
            through = max((at for at in (before, self.through.get(id)) if at is not None), default=None)
            rows[id] = [*row, through, row[_STATUS] in _OPEN, number]
        _write(self.conn, schema.ticket, news, rows)
        self._note_moves(news)
        if rows:
            _set_seq(self.conn, seq + len(rows))
        return list(rows)

    def _note_moves(self, news: _News) -> None:
        """Whose facts may change by these tickets, besides their own."""
        for id, row in news.rows.items():
            before = news.before.get(id)
            company, problem = (None, None) if before is None else (before[_COMPANY], before[_PROBLEM])
            if row[_COMPANY] is not None and row[_COMPANY] != company:
                self.came.append(id)
            if row[_PROBLEM] != problem:
                self.moved |= {row[_PROBLEM], problem} - {None}

    def _complete(self) -> set[int]:
        """Move `events_through` on; gives the tickets whose history has become complete by it."""
        table, complete, moves = schema.ticket, set(), []
        for some in chunks(list(self.through)):
            query = sa.select(table.c.id, table.c.updated_at, table.c.events_through)
            for id, updated_at, before in self.conn.execute(query.where(among(self.conn, table.c.id, some))):
                at = self.through[id]
                if before is None or before < at:
                    moves.append({"ticket": id, "at": at})
                    if at >= updated_at and (before is None or before < updated_at):
                        complete.add(id)
        if moves:
            move = table.update().where(table.c.id == sa.bindparam("ticket"))
            self.conn.execute(move.values(events_through=sa.bindparam("at")), moves)
        return complete


def raise_tickets(conn: sa.Connection, ids: Iterable[int], seq: int) -> list[int]:
    """Give stored tickets the next numbers after `seq`, so that every policy looks at them again; gives their ids.

    The caller holds the lock `seq`.
    """
    raised = sorted(_stored(conn, schema.ticket.c.id, sorted(ids)))
    if raised:
        conn.execute(_RENUMBER, [{"ticket": id, "number": number} for number, id in enumerate(raised, start=seq + 1)])
        _set_seq(conn, seq + len(raised))
    return raised


def _news(conn: sa.Connection, kind: _Kind, values: Sequence[Any], more: tuple[sa.Column[Any], ...] = ()) -> _News:
    """Which values are news. `more` columns are read along with what is stored."""
    rows = [kind.codec.encode(value) for value in values]
    before: dict[Any, Row] = {}
    for some in chunks([row[0] for row in rows]):
        query = _known(conn.dialect.name, kind, more)
        before.update((row[0], tuple(row)) for row in conn.execute(query, listed(conn, some)).all())
    news: dict[Any, list[Any]] = {}
    for row in rows:
        stored = news.get(row[0]) or before.get(row[0])
        if stored is None or _is_news(kind, row, stored[: len(row)]):
            news[row[0]] = row
    return _News(news, before)


@cache
def _known(dialect: str, kind: _Kind, more: tuple[sa.Column[Any], ...]) -> sa.Select[Any]:
    columns = [kind.table.c[name] for name in kind.codec.columns]
    return sa.select(*columns, *more).where(of_these(dialect, kind.table.c.id))


@cache
def _known_events(dialect: str) -> sa.Select[Any]:
    table = schema.ticket_event
    return sa.select(table.c.id, table.c.actor).where(of_these(dialect, table.c.id))


def _is_news(kind: _Kind, row: list[Any], stored: Row) -> bool:
    """Later, or of the same second but with other content.

    A vendor's second is long: a record read, changed and read again within it has the same `updated_at`. Of two such
    rows the later export is believed; `generated_at` alone is no news (vendor-facts §1.6).
    """
    at, generated = kind.updated_at, kind.generated_at
    if row[at] != stored[at]:
        return bool(row[at] > stored[at])
    if generated is None:
        return row != list(stored)
    same = row[:generated] == list(stored[:generated]) and row[generated + 1 :] == list(stored[generated + 1 :])
    return not same and bool(row[generated] >= stored[generated])


def _differs(news: _News, id: int, columns: tuple[int, ...]) -> bool:
    """Whether any of these columns is new; for a record not seen before, whether any says something."""
    row, before = news.rows[id], news.before.get(id)
    return any(row[i] != before[i] if before is not None else bool(row[i]) for i in columns)


def _write(conn: sa.Connection, table: sa.Table, news: _News, rows: Mapping[Any, list[Any]]) -> None:
    insert(conn, table, [row for id, row in rows.items() if id not in news.before])
    upsert(conn, table, [row for id, row in rows.items() if id in news.before])


def _stored(conn: sa.Connection, column: sa.Column[Any], ids: Sequence[int]) -> list[int]:
    """Those of `ids` that the column's table holds."""
    query = _there(conn.dialect.name, column)
    return [id for some in chunks(ids) for id in conn.scalars(query, listed(conn, some))]


@cache
def _there(dialect: str, column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(column).where(of_these(dialect, column))


def _later_of_company(conn: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Tickets that came to a company soon after one of these, and may have been decided on without it."""
    query = _soon_after(conn.dialect.name)
    return {id for some in chunks(ids) for id in conn.scalars(query, listed(conn, some))}


@cache
def _soon_after(dialect: str) -> sa.Select[Any]:
    mine, later = schema.ticket.alias("mine"), schema.ticket
    soon = later.c.created_at > mine.c.created_at, later.c.created_at <= mine.c.created_at + _BESIDE
    query = sa.select(later.c.id).join_from(mine, later, sa.and_(later.c.company_id == mine.c.company_id, *soon))
    return query.where(later.c.company_id.is_not(None), of_these(dialect, mine.c.id))


def _on_problems(conn: sa.Connection, problems: Iterable[int]) -> set[int]:
    """These problems and the tickets on them, among whom one has come or gone."""
    wanted, query = sorted(problems), _on_problem(conn.dialect.name)
    return {id for some in chunks(wanted) for id in conn.scalars(query, listed(conn, some))}.union(wanted)


@cache
def _on_problem(dialect: str) -> sa.Select[Any]:
    table = schema.ticket
    return sa.select(table.c.id).where(table.c.problem_id.is_not(None), of_these(dialect, table.c.problem_id))


def _open_of(conn: sa.Connection, column: sa.Column[Any], ids: Sequence[int]) -> list[int]:
    """The open tickets of companies or requesters."""
    query = _open_by(conn.dialect.name, column)
    return [id for some in chunks(ids) for id in conn.scalars(query, listed(conn, some))]


@cache
def _open_by(dialect: str, column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(schema.ticket.c.id).where(schema.ticket.c.open == sa.true(), of_these(dialect, column))


def _paged(conn: sa.Connection, dedup_keys: Sequence[str]) -> set[int]:
    """The tickets that pages of these keys were about."""
    query = _paged_records(conn.dialect.name)
    return {
        id
        for some in chunks(dedup_keys)
        for record in conn.scalars(query, listed(conn, some))
        if (id := ticket_id(record)) is not None
    }


@cache
def _paged_records(dialect: str) -> sa.Select[Any]:
    column = schema.outbox.c.dedup_key
    return sa.select(schema.outbox.c.record).where(column.is_not(None), of_these(dialect, column))


def ticket_id(record: str) -> int | None:
    """The ticket that a record name means: `zendesk:123` is 123, another tool's record is none."""
    tool, _, id = record.partition(":")
    return int(id) if tool == "zendesk" and id.isdecimal() else None


def _set_seq(conn: sa.Connection, value: int) -> None:
    conn.execute(_SET_SEQ, {"number": value})


_SET_SEQ = schema.counter.update().where(schema.counter.c.name == "seq").values(value=sa.bindparam("number"))
_RENUMBER = schema.ticket.update().where(schema.ticket.c.id == sa.bindparam("ticket"))
_RENUMBER = _RENUMBER.values(seq=sa.bindparam("number"))
