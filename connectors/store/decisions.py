"""A decision enters the store: clocks, `decided_seq` and the plan in one transaction (design §3, §4).

What the journal already holds is not planned again: a policy that runs twice, or again after a crash, changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.clocks import save_clocks
from connectors.store.codec import Codec, seconds
from connectors.store.database import Database, among, chunks, upsert
from connectors.store.errors import UnknownRow
from connectors.store.lease import PULSE, check_fence
from connectors.store.policy import Starts, begin, note_mode
from connectors.store.values import Applied, Batch, OutboxState
from mappings.model import Clock
from mappings.plan import Action, Mode, NotConnected, PageResolve, PageTrigger

ACTION = Codec(Action, names={"after": "after_key"})
_MANY = 1000


class Decisions(Database):
    """Decisions in, and the batches that wait for an operator."""

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
        hold: Sequence[Batch] = (),
    ) -> Applied:
        """Store one decision of a policy, all of it or nothing; gives what was new, by state.

        `decided_seq` is `Changed.through_seq` (null: not from there) and never goes back. Of several actions with one
        key the first counts; a key that the journal holds is left alone, unless its row was dropped with `again`.
        An action becomes baseline when its cause lies before its rule's start (`act_from`, by default as stored; a rule
        seen for the first time starts now), then not connected, shadow, held (its key is in a batch of `hold`), or
        planned. In mode off no action is kept. When the policy applies after it did not, it starts anew from `now`.
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
            return _Journal(conn, mode, starts, hold, now).add(actions)

    def decided_seq(self, policy: str) -> int:
        """Up to where a policy has decided; 0 before its first time."""
        table = schema.policy
        with self.reading() as conn:
            return conn.scalar(sa.select(table.c.decided_seq).where(table.c.name == policy)) or 0

    def batches(self, state: str = "held") -> list[Batch]:
        """Batches that a blast limit held back: held, approved or refused ones."""
        table = schema.batch
        query = sa.select(table.c.hash, table.c.policy, table.c.verb, table.c.count).where(table.c.state == state)
        with self.reading() as conn:
            rows = conn.execute(query.order_by(table.c.updated_at, table.c.hash))
            return [Batch(hash=h, policy=policy, verb=verb, count=n, state=state) for h, policy, verb, n in rows]

    def approve(self, hash: str, now: datetime) -> int:
        """Release a held batch into the outbox; gives how many actions."""
        return self._settle(hash, "approved", OutboxState.PLANNED, now)

    def refuse(self, hash: str, now: datetime) -> int:
        """Drop a held batch; gives how many actions."""
        return self._settle(hash, "refused", OutboxState.DROPPED, now)

    def _settle(self, hash: str, said: str, state: OutboxState, now: datetime) -> int:
        table, at = schema.batch, seconds(now)
        with self.writing("outbox") as conn:
            waiting = table.update().where(table.c.hash == hash, table.c.state == "held")
            if not conn.execute(waiting.values(state=said, updated_at=at)).rowcount:
                raise UnknownRow(f"batch {hash}: no batch of that hash is held; `helpdesk approve` lists them")
            rows = schema.outbox.update().where(
                schema.outbox.c.batch == hash, schema.outbox.c.state == OutboxState.HELD.value
            )
            return conn.execute(rows.values(state=state.value, updated_at=at)).rowcount


class _Journal:
    """The actions of one decision on their way into the outbox, within its transaction."""

    def __init__(self, conn: sa.Connection, mode: Mode, starts: Starts, hold: Sequence[Batch], now: datetime) -> None:
        self.conn = conn
        self.mode = mode
        self.starts = starts
        self.hold = {key: batch for batch in hold for key in batch.keys}
        self.now = now

    def add(self, actions: Sequence[Action]) -> Applied:
        wanted: dict[str, Action] = {}
        for action in actions:
            wanted.setdefault(action.key, action)
        held = journalled(self.conn, list(wanted))
        states: dict[str, list[str]] = defaultdict(list)
        new: list[dict[str, Any]] = []
        again: list[dict[str, Any]] = []
        for key, action in wanted.items():
            if held.get(key, True):
                state = self._state(action)
                states[state.value].append(key)
                (again if key in held else new).append(self._row(action, state))
        if new:
            self.conn.execute(schema.outbox.insert(), new)
        if len(new) >= _MANY and self.conn.dialect.name == "postgresql":
            # Without it the planner believes in a single planned row until autovacuum comes by: 70 x slower takes.
            self.conn.exec_driver_sql("ANALYZE outbox")
        for row in again:
            values = {name: value for name, value in row.items() if name != "created_at"}
            self.conn.execute(schema.outbox.update().where(schema.outbox.c.key == row["key"]).values(values))
        self._batches(states[OutboxState.HELD.value])
        told = {state: tuple(keys) for state, keys in states.items()}
        return msgspec.convert({**told, "known": len(wanted) - len(new) - len(again)}, Applied)

    def _state(self, action: Action) -> OutboxState:
        """The first that holds."""
        start = self.starts.get((action.policy, action.rule), self.now)
        if seconds(action.cause_at) < seconds(start):
            return OutboxState.BASELINE
        if isinstance(action.change, NotConnected):
            return OutboxState.NOT_CONNECTED
        if self.mode is Mode.SHADOW:
            return OutboxState.SHADOW
        return OutboxState.HELD if action.key in self.hold else OutboxState.PLANNED

    def _row(self, action: Action, state: OutboxState) -> dict[str, Any]:
        change, at = action.change, seconds(self.now)
        return dict(zip(ACTION.columns, ACTION.encode(action), strict=True)) | {
            "state": state.value,
            "attempts": 0,
            "owner": None,
            "deadline": None,
            "vendor_ref": None,
            "error": None,
            "again": False,
            "batch": self.hold[action.key].hash if state is OutboxState.HELD else None,
            "dedup_key": change.dedup_key if isinstance(change, PageTrigger | PageResolve) else None,
            "profile_version": action.reason.profile,
            "created_at": at,
            "updated_at": at,
            "decided_at": at,
        }

    def _batches(self, held: Sequence[str]) -> None:
        """A row for each batch of which something is newly held."""
        batches = {self.hold[key].hash: self.hold[key] for key in held}
        counts = Counter(self.hold[key].hash for key in held)
        rows = [(b.hash, b.policy, b.verb, counts[b.hash], "held", seconds(self.now)) for b in batches.values()]
        upsert(self.conn, schema.batch, rows)


def journalled(conn: sa.Connection, keys: Sequence[str]) -> dict[str, bool]:
    """The keys that the journal holds, and whether each may be planned once more."""
    table = schema.outbox
    found: dict[str, bool] = {}
    for some in chunks(keys):
        query = sa.select(table.c.key, table.c.state, table.c.again).where(among(conn, table.c.key, some))
        for row in conn.execute(query):
            found[row.key] = row.again and row.state == OutboxState.DROPPED.value
    return found


def _decided(conn: sa.Connection, policy: str, seq: int | None) -> None:
    table = schema.policy
    if seq is not None:
        behind = table.update().where(table.c.name == policy, table.c.decided_seq < seq)
        conn.execute(behind.values(decided_seq=seq))
