"""The console page: the world as people would see it, rendered on the server, one part at a time."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from connectors.sandbox.clock import iso, parse_time
from connectors.sandbox.console.desk import Desk, Pager, TicketRow
from connectors.sandbox.console.office import is_open, next_opening
from connectors.sandbox.core import Core

HERE = Path(__file__).parent
SHOWN = 100
"""How many rows a list shows; the filters find the others."""
OPEN = ("new", "open", "pending", "hold")
OURS = ("SLA due", "Support tier", "Next escalation", "First response at", "Resolved at")
"""The ticket fields that our product writes, shown first."""
CHOICES = ("text", "status", "severity", "plan", "tag")
Given = Mapping[str, str]


class Page:
    """Renders the page and its parts; call it while holding the core's lock."""

    def __init__(self, core: Core, world: Mapping[str, Any], tools: Mapping[str, object]) -> None:
        self._core, self._world, self._tools = core, world, tools
        self._zone = ZoneInfo(world.get("zone", "UTC"))
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters.update(
            local=self.local, local_seconds=self.local_seconds, ago=self.ago, due=self.due, pretty=_pretty
        )
        self._static = {path.name: Markup(path.read_text("utf-8")) for path in (HERE / "static").iterdir()}

    def whole(self, given: Given) -> str:
        """The whole page; scripts and styles are written into it, so that it needs nothing else."""
        template = self._templates.get_template("page.html")
        names = ("clock", "tickets", "incidents", "requests", "effects")
        return template.render(
            world=self._world,
            css=self._static["console.css"],
            js=self._static["console.js"],
            parts={name: Markup(self.part(name, given)) for name in names},
            choices=self._choices(),
            given=given,
        )

    def part(self, name: str, given: Given) -> str | None:
        """One part by name; null for a name that is none. LookupError for a ticket that does not exist."""
        makers = {
            "clock": self._clock,
            "tickets": self._tickets,
            "ticket": self._ticket,
            "incidents": self._incidents,
            "requests": self._requests,
            "effects": self._effects,
        }
        if name not in makers:
            return None
        return self._templates.get_template(f"{name}.html").render(now=self._core.clock.now(), **makers[name](given))

    # parts ----------------------------------------------------------------------------------------------------

    def _clock(self, _: Given) -> dict[str, Any]:
        now, hours = self._core.clock.now(), self._world.get("hours", {})
        return {
            "local": now.astimezone(self._zone),
            "iso": iso(now),
            "zone": self._zone.key,
            "open": is_open(hours, self._zone, now),
            "opening": next_opening(hours, self._zone, now),
            "ticking": self._core.clock.ticking,
            "faults": len(self._core.faults.as_json()),
        }

    def _desk(self) -> Desk | None:
        return cast(Desk | None, self._tools.get("zendesk"))

    def _rows(self) -> list[TicketRow]:
        desk = self._desk()
        return list(desk.console_tickets()) if desk else []

    def _choices(self) -> dict[str, list[str]]:
        rows = self._rows()
        return {
            "severity": sorted({row["severity"] for row in rows if row["severity"]}),
            "plan": sorted({row["plan"] for row in rows if row["plan"]}),
        }

    def _tickets(self, given: Given) -> dict[str, Any]:
        rows = self._rows()
        found = [row for row in rows if _fits(row, given)]
        counts = {status: sum(1 for row in rows if row["status"] == status) for status in (*OPEN, "solved", "closed")}
        return {
            "rows": found[:SHOWN],
            "found": len(found),
            "total": len(rows),
            "counts": counts,
            "absent": not self._desk(),
        }

    def _ticket(self, given: Given) -> dict[str, Any]:
        desk = self._desk()
        if desk is None:
            raise LookupError("this sandbox has no Zendesk")
        ticket = desk.console_ticket(int(given.get("id", 0)))
        story = sorted(
            [{"kind": "comment", **row} for row in ticket["comments"]]
            + [{"kind": "happening", **row} for row in ticket["happenings"]],
            key=lambda row: cast(str, row["at"]),
        )
        fields = ticket["fields"]
        ours = [(title, fields.get(title)) for title in OURS]
        others = [(title, text) for title, text in fields.items() if title not in OURS]
        return {"ticket": ticket, "story": story, "ours": ours, "others": others}

    def _incidents(self, _: Given) -> dict[str, Any]:
        pager = cast(Pager | None, self._tools.get("pagerduty"))
        rows = pager.console_view() if pager else []
        live = [row for row in rows if row["status"] != "resolved"]
        return {"rows": rows[:SHOWN], "live": live, "duty": pager.on_duty_now() if pager else []}

    def _requests(self, given: Given) -> dict[str, Any]:
        rows = self._core.recorder.latest(SHOWN)
        return {"rows": rows, "count": self._core.recorder.count}

    def _effects(self, _: Given) -> dict[str, Any]:
        rows = self._core.journal.rows(after=max(0, len(self._core.journal) - SHOWN))
        return {"rows": [row.as_json() for row in reversed(rows)], "count": len(self._core.journal)}

    # words for times ------------------------------------------------------------------------------------------

    def local(self, text: str | datetime | None) -> str:
        """A time in the office's zone: `Tue 3 Mar 09:00`."""
        at = _time(text)
        if at is None:
            return ""
        there = at.astimezone(self._zone)
        return f"{there:%a} {there.day} {there:%b %H:%M}"

    def local_seconds(self, text: str) -> str:
        """The time of day in the office's zone, to the second."""
        at = _time(text)
        return f"{at.astimezone(self._zone):%H:%M:%S}" if at else ""

    def ago(self, text: str | datetime | None) -> str:
        """How long ago, or how soon: `4 min ago`, `in 2 h`."""
        at = _time(text)
        if at is None:
            return ""
        seconds = (at - self._core.clock.now()).total_seconds()
        words = span(abs(seconds))
        return f"in {words}" if seconds > 0 else "now" if seconds > -1 else f"{words} ago"

    def due(self, text: str | None) -> dict[str, str] | None:
        """An SLA due time: its words and whether it is `late`, `soon` (an hour) or `fine`."""
        at = _time(text)
        if at is None:
            return {"tone": "fine", "words": text} if text else None
        seconds = (at - self._core.clock.now()).total_seconds()
        if seconds < 0:
            return {"tone": "late", "words": f"{span(-seconds)} late"}
        return {"tone": "soon" if seconds < 3600 else "fine", "words": f"in {span(seconds)}"}


def span(seconds: float) -> str:
    """A length of time in its two largest units at most: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def _time(value: str | datetime | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    try:
        return parse_time(value)
    except ValueError:
        return None


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _fits(row: TicketRow, given: Given) -> bool:
    status, text = given.get("status", "live"), given.get("text", "").strip().lower()
    if status == "live" and row["status"] not in OPEN:
        return False
    if status not in ("live", "all") and row["status"] != status:
        return False
    if any(given.get(name) and given[name] != row[name] for name in ("severity", "plan")):
        return False
    if given.get("tag") and not any(given["tag"].lower() in tag for tag in row["tags"]):
        return False
    words = f"#{row['id']} {row['subject']} {row['requester']} {row['company']} {row['assignee']} {row['group']}"
    return text in words.lower()
