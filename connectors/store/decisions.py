"""A decision enters the store: clocks, `decided_seq` and the plan in one transaction (design §3, §4).

What the journal already holds is not planned again: a policy that runs twice, or again after a crash, changes nothing.
"""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.batches import ADOPTED, allowed, hold
from connectors.store.clocks import save_clocks
from connectors.store.codec import Codec, seconds
from connectors.store.database import Database, among, chunks, listed, of_these
from connectors.store.lease import PULSE, check_fence
from connectors.store.policy import Starts, begin, note_mode
from connectors.store.values import Applied, OutboxState
from mappings.model import Clock
from mappings.plan import Action, Limits, Mode, NotConnected, PageResolve, PageTrigger

ACTION = Codec(Action, names={"after": "after_key"})
_MANY = 1000


class Decisions(Database):
    """Decisions in."""

    def decide(
        self,
        *,
        policy: str,
        decided_seq: int | None,
        now: datetime,
        mode: Mode,
        clocks: Sequence[Clock] = (),
        actions: Sequence[Action] = (),
        fence: int | None = None,
        act_from: Starts | None = None,
        limits: Limits | None = None,
    ) -> Applied:
        """Store one decision of a policy, all of it or nothing; gives what was new, by state.

        `decided_seq` is `Changed.through_seq` (null: not from there) and never goes back. Of several actions with one
        key the first counts; a key that the journal holds is left alone, unless its row was dropped with `again`.
        An action becomes baseline when its cause lies before its rule's start (`act_from`, by default as stored; a rule
        seen for the first time starts now), then not connected, shadow, held (it is over `limits`), or planned. What an
        operator has adopted or approved has no start any more, and what he approved no limit.
        In mode off no action is kept. When the policy applies after it did not, it starts anew from `now`.
        Raises `StaleLease` when `fence` is not the newest of the lease "pulse".
        """
        mode = Mode(mode)  # a look-alike enum must not pass for "not off"
        with self.writing("outbox") as conn:
            check_fence(conn, PULSE, fence)
            note_mode(conn, policy, mode, now)
            save_clocks(conn, clocks)
            _decided(conn, policy, decided_seq)
            if mode is Mode.OFF:
                return Applied()
            starts = begin(conn, {(a.policy, a.rule) for a in actions}, now) | dict(act_from or {})
            return _Journal(conn, mode, starts, limits, now).add(actions)

    def decided_seq(self, policy: str) -> int:
        """Up to where a policy has decided; 0 before its first time."""
        table = schema.policy
        with self.reading() as conn:
            return conn.scalar(sa.select(table.c.decided_seq).where(table.c.name == policy)) or 0


class _Journal:
    """The actions of one decision on their way into the outbox, within its transaction."""

    def __init__(self, conn: sa.Connection, mode: Mode, starts: Starts, limits: Limits | None, now: datetime) -> None:
        self.conn = conn
        self.mode = mode
        self.starts = starts
        self.limits = limits
        self.now = now

    def add(self, actions: Sequence[Action]) -> Applied:
        """Write down what is new; gives the keys by state."""
        wanted: dict[str, Action] = {}
        for action in actions:
            wanted.setdefault(action.key, action)
        held = journalled(self.conn, list(wanted))
        fresh = {key: action for key, action in wanted.items() if held.get(key, True)}
        said = _labels(self.conn, [key for key in fresh if key in held])
        states = {key: self._state(action, said.get(key)) for key, action in fresh.items()}
        labels, caught = self._hold(fresh, states, held.keys(), said)
        new = [self._row(a, states[key], labels.get(key)) for key, a in fresh.items() if key not in held]
        again = [self._row(a, states[key], labels.get(key)) for key, a in fresh.items() if key in held]
        self._write(new, again)
        told: dict[str, list[str]] = defaultdict(list)
        for key, state in states.items():
            told[state.value].append(key)
        told[OutboxState.HELD.value] += caught
        return msgspec.convert({**told, "known": len(wanted) - len(fresh)}, Applied)

    def _state(self, action: Action, label: str | None) -> OutboxState:
        """The first that holds. `label` is an operator's yes."""
        start = self.starts.get((action.policy, action.rule), self.now)
        if label is None and seconds(action.cause_at) < seconds(start):
            return OutboxState.BASELINE
        if isinstance(action.change, NotConnected):
            return OutboxState.NOT_CONNECTED
        return OutboxState.SHADOW if self.mode is Mode.SHADOW else OutboxState.PLANNED

    def _hold(
        self, fresh: Mapping[str, Action], states: dict[str, OutboxState], held: Container[str], said: Mapping[str, str]
    ) -> tuple[dict[str, str], list[str]]:
        """Hold back what is over a limit: the labels that rows bear, and the keys of earlier ones that wait with them.

        What was planned before and only comes again was counted then; what was adopted is counted when it comes.
        """
        labels = {key: label for key, label in said.items() if states[key] is OutboxState.PLANNED}
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for key, action in fresh.items():
            if states[key] is OutboxState.PLANNED and (key not in held or labels.get(key) == ADOPTED):
                groups[action.policy, action.verb].append(key)
        caught: list[str] = []
        for (policy, verb), keys in groups.items() if self.limits else ():
            over = hold(self.conn, self.limits, policy, verb, keys, self.now) if self.limits else None
            if over is not None:
                hash, earlier = over
                caught += earlier
                labels |= dict.fromkeys(keys, hash)
                states |= dict.fromkeys(keys, OutboxState.HELD)
        return labels, caught

    def _write(self, new: Sequence[dict[str, Any]], again: Sequence[dict[str, Any]]) -> None:
        if new:
            self.conn.execute(schema.outbox.insert(), new)
        if len(new) >= _MANY and self.conn.dialect.name == "postgresql":
            # Without it the planner believes in a single planned row until autovacuum comes by: 70 x slower takes.
            self.conn.exec_driver_sql("ANALYZE outbox")
        for row in again:
            values = {name: value for name, value in row.items() if name != "created_at"}
            self.conn.execute(schema.outbox.update().where(schema.outbox.c.key == row["key"]).values(values))

    def _row(self, action: Action, state: OutboxState, label: str | None) -> dict[str, Any]:
        change, at = action.change, seconds(self.now)
        return dict(zip(ACTION.columns, ACTION.encode(action), strict=True)) | {
            "state": state.value,
            "attempts": 0,
            "owner": None,
            "deadline": None,
            "vendor_ref": None,
            "error": None,
            "again": False,
            "batch": label,
            "dedup_key": change.dedup_key if isinstance(change, PageTrigger | PageResolve) else None,
            "profile_version": action.reason.profile,
            "created_at": at,
            "updated_at": at,
            "decided_at": at,
        }


def _labels(conn: sa.Connection, keys: Sequence[str]) -> dict[str, str]:
    """Of rows that may be planned once more: what an operator's yes to them is called."""
    if not keys:
        return {}
    table = schema.outbox
    query = sa.select(table.c.key, table.c.batch).where(table.c.batch.is_not(None))
    found = {
        key: label for some in chunks(keys) for key, label in conn.execute(query.where(among(conn, table.c.key, some)))
    }
    yes = allowed(conn, found.values())
    return {key: label for key, label in found.items() if label in yes}


def journalled(conn: sa.Connection, keys: Sequence[str]) -> dict[str, bool]:
    """The keys that the journal holds, and whether each may be planned once more."""
    found: dict[str, bool] = {}
    for some in chunks(keys):
        for row in conn.execute(_journalled(conn.dialect.name), listed(conn, some)):
            found[row.key] = row.again and row.state == OutboxState.DROPPED.value
    return found


@cache
def _journalled(dialect: str) -> sa.Select[Any]:
    table = schema.outbox
    return sa.select(table.c.key, table.c.state, table.c.again).where(of_these(dialect, table.c.key))


def _decided(conn: sa.Connection, policy: str, seq: int | None) -> None:
    if seq is not None:
        conn.execute(_MOVE_ON, {"policy": policy, "through": seq})


_MOVE_ON = schema.policy.update().where(
    schema.policy.c.name == sa.bindparam("policy"), schema.policy.c.decided_seq < sa.bindparam("through")
)
_MOVE_ON = _MOVE_ON.values(decided_seq=sa.bindparam("through"))
