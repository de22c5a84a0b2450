"""Faults on command: a script says which request fails, how, and on which side of its effect."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.sandbox.clock import iso, parse_time

KINDS = {
    "status": "answer with `status` and `headers` instead (with `after: true` once the effect has been applied)",
    "slow": "wait `seconds` of real time first (with `after: true`: after the effect, before the answer)",
    "cut_before": "cut the connection before the effect",
    "cut_after": "apply the effect, then cut the connection before the answer",
    "truncate": "apply the effect, then send half of the answer's body and cut",
    "token_expired": "answer as the tool does to a token that has run out",
    "away": "the tool cannot be reached: every connection is cut",
    "drift": "apply the effect, then put a field that nobody knows into every object of the answer",
    "html": "answer with an HTML page where JSON is due (`status`, default 502)",
}


@dataclass
class Fault:
    """One line of a fault script. All of vendor, method, path, nth, every, between, count that are given must fit."""

    vendor: str
    kind: str
    method: str | None = None
    path: str | None = None
    """A regular expression, searched in the path."""
    nth: int | None = None
    """Only the n-th fitting request, from 1."""
    every: int | None = None
    """Every n-th fitting request."""
    between: tuple[datetime, datetime] | None = None
    """Simulated times: from the first, up to and without the second."""
    count: int | None = None
    """At most this many times."""
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float = 0.0
    after: bool = False
    seen: int = 0
    used: int = 0

    def fits(self, vendor: str, method: str, path: str, now: datetime) -> bool:
        """Whether this fault strikes a request; counts it as seen where all but nth, every and count fit."""
        if self.vendor not in ("*", vendor) or (self.method and self.method.upper() != method):
            return False
        if self.path and not re.search(self.path, path):
            return False
        if self.between and not self.between[0] <= now < self.between[1]:
            return False
        self.seen += 1
        if (self.nth and self.seen != self.nth) or (self.every and self.seen % self.every):
            return False
        if self.count is not None and self.used >= self.count:
            return False
        self.used += 1
        return True

    def as_json(self) -> dict[str, Any]:
        """The line as it would be written in a script, plus how often it was seen and used."""
        row = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, {}, 0, False)}
        if self.between:
            row["between"] = [iso(at) for at in self.between]
        return row


class Faults:
    """The script in force; an empty one by default."""

    def __init__(self) -> None:
        self._script: list[Fault] = []

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace the script; ValueError lists every line that cannot be read, and then nothing is replaced."""
        script, wrong = [], []
        for number, row in enumerate(rows, 1):
            problem = _problem(row)
            if problem:
                wrong.append(f"faults[{number}]: {problem}")
                continue
            between = row.get("between")
            times = (parse_time(str(between[0])), parse_time(str(between[1]))) if between else None
            script.append(Fault(**{**row, "between": times}))
        if wrong:
            raise ValueError("\n".join(wrong))
        self._script = script

    def add(self, **row: Any) -> None:
        """Append one line to the script."""
        problem = _problem(row)
        if problem:
            raise ValueError(problem)
        self._script.append(Fault(**row))

    def clear(self) -> None:
        """No more faults."""
        self._script = []

    def strike(self, vendor: str, method: str, path: str, now: datetime) -> Fault | None:
        """The first fault that strikes this request, or null."""
        for fault in self._script:
            if fault.fits(vendor, method, path, now):
                return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """The script with its counts."""
        return [fault.as_json() for fault in self._script]


_KEYS = {f.name for f in fields(Fault)} - {"seen", "used"}


def _problem(row: Mapping[str, Any]) -> str | None:
    if unknown := sorted(set(row) - _KEYS):
        return f"unknown key {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}"
    if row.get("kind") not in KINDS:
        return f"kind: {row.get('kind')!r} is unknown; write one of {', '.join(KINDS)}"
    if not isinstance(row.get("vendor"), str):
        return "vendor: missing; name a tool, or * for all"
    if row["kind"] == "status" and not isinstance(row.get("status"), int):
        return "status: missing; the number to answer with"
    return None


def read_script(path: Path) -> list[dict[str, Any]]:
    """Read a fault script from a JSON or YAML file: a list of lines."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        rows = json.loads(text)
    else:
        from ruamel.yaml import YAML

        rows = YAML(typ="safe", pure=True).load(text)
    if not isinstance(rows, list):
        raise ValueError(f"{path}: a fault script is a list of faults")
    return rows
