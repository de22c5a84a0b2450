"""What a run tells people: one page of markdown per pulse, with links into the tools and no names or subjects.

Design §4, "Privacy": artifacts and logs get id, severity and link only.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from flows.cases import Decided
from flows.context import Context
from mappings.plan import Action

SHOWN = 200
"""Rows of a table before it says how many more there are."""

_STATE = {
    "planned": "will be done",
    "shadow": "shadow: not done",
    "baseline": "before our start: not done",
    "held": "held back",
    "not_connected": "tool not connected",
}


class Delivered(msgspec.Struct):
    """What one delivery came to: rows by outcome, and what went wrong in words."""

    done: int = 0
    failed: int = 0
    unknown: int = 0
    dropped: int = 0
    waiting: int = 0
    calls: int = 0
    problems: list[str] = []


class Pulse(msgspec.Struct):
    """What one pulse did, start to end."""

    at: datetime
    synced: dict[str, str] = {}
    decided: list[Decided] = []
    delivered: Delivered = msgspec.field(default_factory=Delivered)
    skipped: str | None = None

    @property
    def actions(self) -> int:
        """How many actions were new."""
        return sum(len(decided.actions) for decided in self.decided)

    @property
    def failed(self) -> list[str]:
        """The sources that did not answer."""
        return [name for name, said in self.synced.items() if said.startswith("failed")]

    def sentence(self) -> str:
        """The run's last log line and its result in the UI."""
        if self.skipped:
            return self.skipped
        looked = sum(decided.looked for decided in self.decided)
        parts = [f"looked at {looked} tickets", f"{self.actions} new actions", f"{self.delivered.done} delivered"]
        if self.failed:
            parts.insert(0, f"could not read {', '.join(self.failed)}")
        for name in ("failed", "unknown", "dropped", "waiting"):
            count = getattr(self.delivered, name)
            if count:
                parts.append(f"{count} {name}")
        return ", ".join(parts)


def pulse_page(ctx: Context, pulse: Pulse) -> str:
    """The pulse as markdown."""
    local = pulse.at.astimezone(ctx.profile.zone)
    lines = [f"# {local:%a} {local.day} {local:%b %H:%M} · {ctx.profile.name}", "", pulse.sentence() + ".", ""]
    rows = [(decided, action) for decided in pulse.decided for action in decided.actions]
    if rows:
        lines += _action_table(ctx, rows)
    lines += ["", "## What was read", "", "| source | result |", "|---|---|"]
    lines += [f"| {name} | {_cell(said)} |" for name, said in pulse.synced.items()]
    if pulse.delivered.problems:
        lines += ["", "## Not delivered", ""] + [f"- {problem}" for problem in pulse.delivered.problems]
    return "\n".join(lines)


def _action_table(ctx: Context, rows: Sequence[tuple[Decided, Action]]) -> list[str]:
    lines = ["## What was decided, and why", "", "| ticket | what | reason | |", "|---|---|---|---|"]
    for decided, action in rows[:SHOWN]:
        state = _STATE.get(decided.states[action.key], "")
        link = record_link(ctx, action.record)
        lines.append(f"| {link} | {action.verb} | {_cell(action.reason.text)} | {state} |")
    if len(rows) > SHOWN:
        lines.append(f"| … | {len(rows) - SHOWN} more | `helpdesk outbox list` | |")
    return lines


def record_link(ctx: Context, record: str) -> str:
    """A record as a link into its tool."""
    tool, _, id = record.partition(":")
    return f"[{record}]({ctx.ticket_link(int(id))})" if tool == "zendesk" else record


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
