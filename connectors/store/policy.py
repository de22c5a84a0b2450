"""What an operator may say about policies: mode, pause and resume; and since when a rule acts (`act_from`)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import seconds, time
from connectors.store.database import Database, listed, of_these, upsert
from connectors.store.values import OutboxState
from mappings.plan import Mode

ALL = "all"
Starts = Mapping[tuple[str, str], datetime]


class Policies(Database):
    """Modes, pauses and starts."""

    def mode(self, policy: str) -> Mode | None:
        """The mode that an operator set; null when nobody has."""
        with self.reading() as conn:
            found = conn.scalar(_MODE, {"policy": policy})
        return None if found is None else Mode(found)

    def modes(self) -> dict[str, Mode | None]:
        """All policies that decided or were set, with the mode that was set."""
        table = schema.policy
        with self.reading() as conn:
            rows = conn.execute(sa.select(table.c.name, table.c.mode).order_by(table.c.name))
            return {row.name: None if row.mode is None else Mode(row.mode) for row in rows}

    def set_mode(self, policy: str, mode: Mode, now: datetime) -> int:
        """Set a policy's mode; gives how many planned actions were put aside.

        A policy that applies after it did not starts anew: only causes from `now` on count.
        """
        table = schema.policy
        with self.writing("outbox") as conn:
            aside = note_mode(conn, policy, mode, now)
            conn.execute(table.update().where(table.c.name == policy).values(mode=mode.value))
            return aside

    def begin(self, rules: Iterable[tuple[str, str]], now: datetime) -> dict[tuple[str, str], datetime]:
        """Since when each (policy, rule) acts: as stored, and from `now` on for one that is seen for the first time."""
        wanted = set(rules)
        with self.reading() as conn:
            stored = _stored(conn, wanted)
        if wanted <= stored.keys():
            return {key: stored[key] for key in wanted}
        with self.writing("outbox") as conn:
            return begin(conn, wanted, now)

    def pause(self, scope: str, now: datetime) -> bool:
        """Stop deliveries of `all`, a policy, a tool or a record (`zendesk:123`); false when it was paused already."""
        with self.writing("outbox") as conn:
            into = sa.text("INSERT INTO pause (scope, since) VALUES (:scope, :since) ON CONFLICT DO NOTHING")
            return bool(conn.execute(into, {"scope": scope, "since": seconds(now)}).rowcount)

    def resume(self, scope: str, now: datetime, *, keep: bool = False) -> int | None:
        """End a pause: null when there was none, else how many planned actions were put aside.

        What was planned before `now` is journalled as baseline, and rules of the scope act on causes from `now` on
        (design §4, `act_from`). `keep` leaves the planned actions to be delivered after all.
        """
        with self.writing("outbox") as conn:
            if not conn.execute(schema.pause.delete().where(schema.pause.c.scope == scope)).rowcount:
                return None
            restart(conn, scope, now)
            return 0 if keep else put_aside(conn, scope, now)

    def paused(self, scopes: Iterable[str] | None = None) -> dict[str, datetime]:
        """Since when each of these scopes (default: any) is paused; `all` is listed as itself."""
        with self.reading() as conn:
            found = {row.scope: time(row.since) for row in conn.execute(sa.select(schema.pause))}
        wanted = found if scopes is None else set(scopes)
        return {scope: since for scope, since in found.items() if scope in wanted}


def note_mode(conn: sa.Connection, policy: str, mode: Mode, now: datetime) -> int:
    """Note in which mode a policy decides. One that applies after it did not acts on causes from now on; gives how
    many actions, planned before, were put aside.
    """
    table = schema.policy
    before = conn.scalar(_DECIDED_MODE, {"policy": policy})
    if before == mode.value:
        return 0
    into = sa.text("INSERT INTO policy (name, decided_seq) VALUES (:name, 0) ON CONFLICT DO NOTHING")
    conn.execute(into, {"name": policy})
    conn.execute(table.update().where(table.c.name == policy).values(decided_mode=mode.value))
    if mode is not Mode.APPLY or before is None:
        return 0
    restart(conn, policy, now)
    return put_aside(conn, policy, now)


_MODE = sa.select(schema.policy.c.mode).where(schema.policy.c.name == sa.bindparam("policy"))
_DECIDED_MODE = sa.select(schema.policy.c.decided_mode).where(schema.policy.c.name == sa.bindparam("policy"))


def begin(conn: sa.Connection, rules: Iterable[tuple[str, str]], now: datetime) -> dict[tuple[str, str], datetime]:
    """As `Policies.begin`, within a transaction."""
    wanted = set(rules)
    stored = _stored(conn, wanted)
    new = sorted(wanted - stored.keys())
    upsert(conn, schema.act_from, [(policy, rule, seconds(now)) for policy, rule in new])
    return {key: stored.get(key, time(seconds(now))) for key in wanted}


def _stored(conn: sa.Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """The starts of all rules of these policies."""
    policies = sorted({policy for policy, _ in wanted})
    rows = conn.execute(_starts(conn.dialect.name), listed(conn, policies)) if policies else ()
    return {(row.policy, row.rule): time(row.at) for row in rows}


@cache
def _starts(dialect: str) -> sa.Select[Any]:
    return sa.select(schema.act_from).where(of_these(dialect, schema.act_from.c.policy))


def restart(conn: sa.Connection, scope: str, now: datetime) -> None:
    """Rules of a policy (or of `all`) act on causes from `now` on."""
    table = schema.act_from
    ours = table.update() if scope == ALL else table.update().where(table.c.policy == scope)
    conn.execute(ours.values(at=seconds(now)))


def put_aside(conn: sa.Connection, scope: str, now: datetime) -> int:
    """Journal what a scope had planned as baseline; gives how many."""
    table = schema.outbox
    ours = table.update().where(table.c.state == OutboxState.PLANNED.value)
    if scope != ALL:
        ours = ours.where(sa.or_(table.c.policy == scope, table.c.tool == scope, table.c.record == scope))
    aside = {"state": OutboxState.BASELINE.value, "batch": None, "updated_at": seconds(now)}
    return conn.execute(ours.values(aside)).rowcount
