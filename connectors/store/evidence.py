"""Evidence: copies of flagged tickets and who read them, appended only, each entry chained to the one before.

An entry's hash covers the hash before it, so that none can be changed, left out or put in between without it showing.
A record's entries are erased after their time and not before; the database's own triggers refuse anything else.
"""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import Codec, plain, seconds
from connectors.store.database import Database, database_time

_EVIDENCE = schema.evidence
START = "0" * 64
"""What the first entry of a record stands on."""


class Entry(StrEnum):
    """What an entry tells."""

    COPY = "copy"
    READ = "read"
    REFUSED = "refused"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `content` is JSON text; `previous` and `sha256` are the chain."""

    record: str
    sequence: int
    kind: Entry
    cause_key: str
    taken_at: datetime
    kept_until: datetime
    content: str
    previous: str
    sha256: str

    @property
    def holds(self) -> bool:
        """Is the entry as it was written?"""
        return self.sha256 == digest(self)


EVIDENCE = Codec(Evidence)


def digest(entry: Evidence) -> str:
    """The hash of an entry, over everything that it says and the hash before it."""
    said = [
        entry.previous,
        entry.record,
        str(entry.sequence),
        entry.kind.value,
        entry.cause_key,
        str(seconds(entry.taken_at)),
        str(seconds(entry.kept_until)),
        entry.content,
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def broken(entries: list[Evidence]) -> Evidence | None:
    """The first entry of a record that is not as it was written, or does not follow the one before; null for none.

    A record is erased whole, so its first entry is there as long as any is.
    """
    before, number = START, 1
    for entry in entries:
        if not entry.holds or (entry.previous, entry.sequence) != (before, number):
            return entry
        before, number = entry.sha256, number + 1
    return None


class EvidenceStore(Database):
    """Evidence in and out."""

    def keep_evidence(
        self, record: str, cause_key: str, content: str, *, at: datetime, keep: timedelta, kind: Entry = Entry.COPY
    ) -> Evidence:
        """Append an entry, once for its `cause_key`: the entry that is there, where there is one."""
        with self.writing("outbox") as conn:
            known = self._of(conn, _EVIDENCE.c.cause_key == cause_key)
            if known:
                return known[0]
            chain = self._of(conn, _EVIDENCE.c.record == record)
            last = chain[-1] if chain else None
            entry = Evidence(
                record=record,
                sequence=last.sequence + 1 if last else 1,
                kind=kind,
                cause_key=cause_key,
                taken_at=at.replace(microsecond=0),
                kept_until=(at + keep).replace(microsecond=0),
                content=plain(content),
                previous=last.sha256 if last else START,
                sha256="",
            )
            entry = msgspec.structs.replace(entry, sha256=digest(entry))
            conn.execute(_EVIDENCE.insert().values(dict(zip(EVIDENCE.columns, EVIDENCE.encode(entry), strict=True))))
            return entry

    def evidence(self, record: str) -> list[Evidence]:
        """A record's entries, oldest first."""
        with self.reading() as conn:
            return self._of(conn, _EVIDENCE.c.record == record)

    def proof(self, record: str) -> str | None:
        """The hash of a record's newest entry; null where there is none."""
        query = sa.select(_EVIDENCE.c.sha256).where(_EVIDENCE.c.record == record)
        with self.reading() as conn:
            return conn.scalar(query.order_by(_EVIDENCE.c.sequence.desc()).limit(1))

    def has_evidence(self, cause_key: str) -> bool:
        """Is there an entry for this cause?"""
        with self.reading() as conn:
            return conn.scalar(sa.select(_EVIDENCE.c.record).where(_EVIDENCE.c.cause_key == cause_key)) is not None

    def erase_evidence(self, now: datetime) -> int:
        """Erase the records whose last entry's time is over, by `now` and by the database's clock; how many entries."""
        with self.reading() as conn:
            at = min(seconds(now), database_time(conn))
            over = _EVIDENCE.c.kept_until < at
            if conn.scalar(sa.select(_EVIDENCE.c.record).where(over).limit(1)) is None:
                return 0
        later = _EVIDENCE.alias("later")
        kept = sa.exists().where(later.c.record == _EVIDENCE.c.record, later.c.kept_until >= at)
        with self.writing("outbox") as conn:
            return conn.execute(_EVIDENCE.delete().where(over, sa.not_(kept))).rowcount

    @staticmethod
    def _of(conn: sa.Connection, which: sa.ColumnElement[bool]) -> list[Evidence]:
        query = sa.select(*(_EVIDENCE.c[name] for name in EVIDENCE.columns)).where(which)
        return [EVIDENCE.decode(row) for row in conn.execute(query.order_by(_EVIDENCE.c.sequence))]
