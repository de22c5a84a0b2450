"""The tickets that a ticket is judged beside: those of its company within some time, and those on its problem.

A few statements for many tickets. What is given back carries its times, so that a moment of the past can be judged as
it was: who had joined by then, and who had gone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import seconds, time
from connectors.store.database import Database, Row, among, chunks
from mappings.model import EventKind, Neighbour, Status

_TICKET, _EVENT = schema.ticket, schema.ticket_event
_AT_ONCE = 100
"""Windows of time that one statement asks for."""
_GONE = (Status.MERGED.value, Status.DELETED.value, Status.SPAM.value)
_TOLD = ("company_id", "problem_id", "status")
_ROWS = sa.select(
    *(_TICKET.c[name] for name in ("id", "created_at", "company_id", "requester_id", "problem_id", "status")),
    _TICKET.c.updated_at,
)


class Neighbours(Database):
    """Tickets beside tickets."""

    def of_companies(self, asked: Iterable[tuple[int, datetime]], within: timedelta) -> dict[int, list[Neighbour]]:
        """By company: its tickets created less than `within` before each of the times asked for, and up to them."""
        windows = sorted({(company, seconds(at)) for company, at in asked})
        span = int(within.total_seconds())
        rows: dict[int, Row] = {}
        with self.reading() as conn:
            for place in range(0, len(windows), _AT_ONCE):
                meant = [_window(company, at - span, at) for company, at in windows[place : place + _AT_ONCE]]
                rows |= {row.id: tuple(row) for row in conn.execute(_ROWS.where(sa.or_(*meant)))}
            known = _neighbours(conn, rows)
        found: dict[int, list[Neighbour]] = defaultdict(list)
        for one in known:
            if one.company_id is not None:
                found[one.company_id].append(one)
        return found

    def on_problems(self, ticket_ids: Collection[int]) -> dict[int, list[Neighbour]]:
        """By ticket: all that are or were on a problem with it, or on the problem that it is, the problem included.

        Tickets without any are left out.
        """
        with self.reading() as conn:
            problems = _problems(conn, sorted(ticket_ids))
            members = _members(conn, sorted({problem for found in problems.values() for problem in found}))
            ids = {id for problem, found in members.items() if found for id in (problem, *found)}
            rows = {
                row.id: tuple(row)
                for some in chunks(sorted(ids))
                for row in conn.execute(_ROWS.where(among(conn, _TICKET.c.id, some)))
            }
            known = {one.id: one for one in _neighbours(conn, rows)}
        found: dict[int, list[Neighbour]] = {}
        for id, of_it in problems.items():
            beside = {other for problem in of_it if members[problem] for other in (problem, *members[problem])}
            if beside:
                found[id] = [known[other] for other in sorted(beside) if other in known]
        return found


def _window(company: int, after: int, through: int) -> sa.ColumnElement[bool]:
    created = _TICKET.c.created_at
    return sa.and_(_TICKET.c.company_id == company, created > after, created <= through)


def _problems(conn: sa.Connection, ids: Sequence[int]) -> dict[int, set[int]]:
    """The problems that these tickets are or were on; each may be one itself."""
    found: dict[int, set[int]] = {id: {id} for id in ids}
    for some in chunks(ids):
        now = sa.select(_TICKET.c.id, _TICKET.c.problem_id)
        for row in conn.execute(now.where(_TICKET.c.problem_id.is_not(None), among(conn, _TICKET.c.id, some))):
            found[row.id].add(row.problem_id)
        told = sa.select(_EVENT.c.ticket_id, _EVENT.c.new).where(_EVENT.c.field == "problem_id")
        for row in conn.execute(told.where(_EVENT.c.new.is_not(None), among(conn, _EVENT.c.ticket_id, some))):
            found[row.ticket_id].add(int(row.new))
    return found


def _members(conn: sa.Connection, problems: Sequence[int]) -> dict[int, set[int]]:
    """The tickets that are or were on each problem."""
    found: dict[int, set[int]] = {problem: set() for problem in problems}
    for some in chunks(problems):
        known = _TICKET.c.problem_id.is_not(None), among(conn, _TICKET.c.problem_id, some)
        for row in conn.execute(sa.select(_TICKET.c.id, _TICKET.c.problem_id).where(*known)):
            found[row.problem_id].add(row.id)
    for names in chunks([str(problem) for problem in problems]):
        told = sa.text("field = 'problem_id'"), among(conn, _EVENT.c.new, names)
        for row in conn.execute(sa.select(_EVENT.c.ticket_id, _EVENT.c.new).where(*told)):
            found[int(row.new)].add(row.ticket_id)
    return found


def _neighbours(conn: sa.Connection, rows: Mapping[int, Row]) -> list[Neighbour]:
    """Rows of tickets with the times at which they came, moved and went."""
    told: dict[int, list[sa.Row[Any]]] = defaultdict(list)
    query = sa.select(_EVENT.c.ticket_id, _EVENT.c.at, _EVENT.c.kind, _EVENT.c.field, _EVENT.c.old, _EVENT.c.new)
    for some in chunks(sorted(rows)):
        asked = _EVENT.c.field.in_(_TOLD), among(conn, _EVENT.c.ticket_id, some)
        for row in conn.execute(query.where(*asked).order_by(_EVENT.c.at, _EVENT.c.audit_id, _EVENT.c.id)):
            told[row.ticket_id].append(row)
    return [_neighbour(row, told.get(id, [])) for id, row in sorted(rows.items())]


def _neighbour(row: Row, told: Sequence[sa.Row[Any]]) -> Neighbour:
    id, created_at, company_id, requester_id, problem_id, status, updated_at = row
    changes = [one for one in told if one.kind == EventKind.CHANGE.value]
    given = [one.at for one in changes if one.field == "company_id" and one.new == str(company_id)]
    went = [one.at for one in changes if one.field == "status" and one.new in _GONE]
    return Neighbour(
        id=id,
        created_at=time(created_at),
        company_id=company_id,
        company_since=time(max([created_at, *given])),
        requester_id=requester_id,
        problems=tuple(_problem_stays(created_at, problem_id, [one for one in told if one.field == "problem_id"])),
        ended=time(max(went, default=updated_at)) if status in _GONE else None,
    )


def _problem_stays(
    created_at: int, problem_id: int | None, told: Sequence[sa.Row[Any]]
) -> list[tuple[datetime, int | None]]:
    """On which problem a ticket was from when on; where no event tells, from its creation. Empty: never on any."""
    changes = [one for one in told if one.kind == EventKind.CHANGE.value]
    created = [one.new for one in told if one.kind == EventKind.CREATE.value]
    first = changes[0].old if changes else created[-1] if created else problem_id
    stays = [(created_at, first), *((one.at, one.new) for one in changes)]
    if all(problem is None for _, problem in stays):
        return []
    return [(time(at), None if problem is None else int(problem)) for at, problem in stays]
