"""What really happened in the tools: one row per applied effect, so that a judge need not trust our own records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.sandbox.clock import iso


@dataclass(frozen=True)
class Effect:
    """One thing that a tool did: a comment made, a field changed, somebody paged.

    `kind` is a short word such as `public_comment`, `note`, `field`, `page`; `record` is `tool:id`;
    `actor` is an e-mail address, `rule:<title>` or `system`.
    """

    seq: int
    vendor: str
    kind: str
    record: str
    at: datetime
    actor: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The row as the console prints it."""
        return {
            "seq": self.seq,
            "vendor": self.vendor,
            "kind": self.kind,
            "record": self.record,
            "at": iso(self.at),
            "actor": self.actor,
            "detail": dict(self.detail),
        }


class Journal:
    """All effects, in the order in which they were applied."""

    def __init__(self) -> None:
        self._rows: list[Effect] = []

    def add(self, vendor: str, kind: str, record: str, *, at: datetime, actor: str, **detail: Any) -> Effect:
        """Append an effect; `detail` is whatever helps a judge (text, field, old, new, dedup key)."""
        row = Effect(len(self._rows) + 1, vendor, kind, record, at, actor, detail)
        self._rows.append(row)
        return row

    def rows(
        self, *, vendor: str | None = None, kind: str | None = None, record: str | None = None, after: int = 0
    ) -> list[Effect]:
        """Effects that match all that is given, oldest first; `after` leaves out rows up to that `seq`."""
        return [
            row
            for row in self._rows[after:]
            if (vendor is None or row.vendor == vendor)
            and (kind is None or row.kind == kind)
            and (record is None or row.record == record)
        ]

    def __len__(self) -> int:
        return len(self._rows)
