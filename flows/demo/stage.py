"""A stage: the sandbox's people, our pulses, and a clock that jumps from one interesting instant to the next.

A story says what people do and when; in between the stage runs a pulse whenever a clock has something to notice, and a
little later once more, when the tools show what that did. What happened is read from the journal, not from the pulse.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from connectors.sandbox.client import People
from connectors.store import OutboxRow, OutboxState, Store

SHOWN_AFTER = timedelta(seconds=90)
"""By then Zendesk's exports show what happened (they hide the newest minute)."""
AT_ONCE = timedelta(seconds=5)


class Check(msgspec.Struct, frozen=True):
    """One thing that a story promised, and whether it came true."""

    claim: str
    true: bool
    found: str = ""


class Stage:
    """Where stories are played. `pulse` runs one pulse; `tell` prints a line."""

    def __init__(
        self, people: People, store: Store, zone: ZoneInfo, *, pulse: Callable[[], object], tell: Callable[[str], None]
    ) -> None:
        self.people, self.store, self.zone = people, store, zone
        self._pulse, self.tell = pulse, tell
        self.checks: list[Check] = []
        self.pulses = 0
        self.cast: set[str] = set()
        """The records that the story is about: the clock jumps to their instants, and only they are told of."""
        self._seen = max((row.id for row in store.outbox(limit=1_000_000)), default=0)

    def moment(self, text: str) -> datetime:
        """`2026-03-03 10:00` on the office's clock."""
        return datetime.fromisoformat(text).replace(tzinfo=self.zone)

    def show(self, at: datetime) -> str:
        """A time as the office's clock shows it."""
        return f"{at.astimezone(self.zone):%a %H:%M}"

    def beat(self) -> list[OutboxRow]:
        """One pulse now; the journal's new rows about the cast that were meant to be done."""
        self._pulse()
        self.pulses += 1
        rows = [row for row in self.store.outbox(limit=1_000_000) if row.id > self._seen]
        self._seen = max((row.id for row in rows), default=self._seen)
        real = [row for row in rows if row.state is not OutboxState.BASELINE and row.action.record in self.cast]
        for row in real:
            if row.action.verb != "fields":
                self.tell(
                    f"{self.show(row.decided_at)}  {row.action.record}  {row.action.verb}: {row.action.reason.text}"
                )
        return real

    def settle(self) -> None:
        """Let the tools show what was done, and read it."""
        self.people.move_to(self.people.now() + SHOWN_AFTER)
        self.beat()

    def go(self, until: datetime, *, then: Callable[[OutboxRow], None] = lambda _: None) -> None:
        """Jump from instant to instant up to `until`; `then` is what people do about each new action."""
        while True:
            at = self.store.next_instant(self.people.now(), self.cast)
            if at is None or at > until:
                break
            self.people.move_to(at)
            rows = self.beat()
            following = self.store.next_instant(self.people.now(), self.cast)
            if following is None or following > self.people.now() + SHOWN_AFTER:
                self.settle()
            for row in rows:
                then(row)
        if self.people.now() < until:
            self.people.move_to(until)
        self.beat()

    def check(self, claim: str, true: bool, found: object = "") -> None:
        """Note whether a promise came true."""
        self.checks.append(Check(claim, true, str(found)))
        self.tell(f"   {'✓' if true else '✗'} {claim}" + ("" if true else f" (found: {found})"))

    def done(self, record: str, verb: str) -> list[OutboxRow]:
        """The actions of one verb that were done to a record."""
        return [row for row in self.store.journal(record) if row.action.verb == verb and row.state is OutboxState.DONE]
