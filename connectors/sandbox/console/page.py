"""The console page: the world as people would see it, rendered on the server, one part at a time."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from connectors.sandbox.clock import iso
from connectors.sandbox.console.desk import Desk, Pager, Post, TicketRow
from connectors.sandbox.console.letters import mail, slack
from connectors.sandbox.console.office import is_open, next_opening
from connectors.sandbox.console.story import tell
from connectors.sandbox.console.words import Words
from connectors.sandbox.core import Core

HERE = Path(__file__).parent
SHOWN = 100
"""How many rows a list shows; the filters find the others."""
OPEN = ("new", "open", "pending", "hold")
OURS = ("SLA due", "Support tier", "Next escalation", "First response at", "Resolved at")
"""The ticket fields that our product writes, shown first."""
ASKED = ("severity", "kind", "module", "working")
"""The fields that the form for a new ticket asks for."""
Given = Mapping[str, str]


class Page:
    """Renders the page and its parts; call it while holding the core's lock."""

    def __init__(self, core: Core, world: Mapping[str, Any], tools: Mapping[str, object]) -> None:
        self._core, self._world, self._tools = core, world, tools
        self._zone = ZoneInfo(world.get("zone", "UTC"))
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        words = Words(self._zone, core.clock.now)
        names = ("local", "local_seconds", "ago", "words", "due")
        self._templates.filters.update({name: getattr(words, name) for name in names})
        self._templates.filters.update(pretty=_pretty, slack=slack, mail=mail, rank=self._rank)

        self._static = {path.name: Markup(path.read_text("utf-8")) for path in (HERE / "static").iterdir()}

    def whole(self, given: Given) -> str:
        """The whole page; scripts and styles are written into it, so that it needs nothing else."""
        template = self._templates.get_template("page.html")
        names = ("clock", "tickets", "incidents", "messages", "requests", "effects")
        return template.render(
            world=self._world,
            css=self._static["console.css"],
            js=self._static["console.js"],
            parts={name: Markup(self.part(name, given)) for name in names},
            choices=self._choices(),
            people=sorted(desk.people()) if (desk := self._desk()) else [],
            questions=[field for field in self._world.get("ticket_fields", []) if field["key"] in ASKED],
            given=given,
        )

    def part(self, name: str, given: Given) -> str | None:
        """One part by name; null for a name that is none. LookupError for a ticket that does not exist."""
        makers = {
            "clock": self._clock,
            "tickets": self._tickets,
            "ticket": self._ticket,
            "incidents": self._incidents,
            "messages": self._messages,
            "requests": self._requests,
            "exchange": lambda given: {"r": self._core.recorder.find(int(given.get("seq", 0)))},
            "effects": self._effects,
        }
        if name not in makers:
            return None
        return self._templates.get_template(f"{name}.html").render(now=self._core.clock.now(), **makers[name](given))

    def _rank(self, severity: str) -> int:
        """Where a severity stands among the world's, the worst 1; 0 for one that is not among them."""
        known = [row["key"] for row in self._world.get("severities", ())]
        return known.index(severity) + 1 if severity in known else 0

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
        story = tell(ticket)
        authors = list(dict.fromkeys([row["email"] for row in ticket["comments"] if row["email"]] + [*desk.agents()]))
        fields = ticket["fields"]
        ours = [(title, fields.get(title)) for title in OURS]
        others = [(title, text) for title, text in fields.items() if title not in OURS]
        return {"ticket": ticket, "story": story, "ours": ours, "others": others, "authors": authors}

    def _incidents(self, _: Given) -> dict[str, Any]:
        pager = cast(Pager | None, self._tools.get("pagerduty"))
        rows = pager.console_view() if pager else []
        live = [row for row in rows if row["status"] != "resolved"]
        return {"rows": rows[:SHOWN], "live": live, "duty": pager.on_duty_now() if pager else []}

    def _messages(self, _: Given) -> dict[str, Any]:
        workspace, mailbox = (cast(Post | None, self._tools.get(name)) for name in ("slack", "mail"))
        mails = mailbox.console_view()[:SHOWN] if mailbox else []
        return {"channels": workspace.console_view() if workspace else [], "mails": mails}

    def _requests(self, given: Given) -> dict[str, Any]:
        rows = self._core.recorder.latest(SHOWN, bodies=False)
        return {"rows": rows, "count": self._core.recorder.count}

    def _effects(self, _: Given) -> dict[str, Any]:
        rows = self._core.journal.rows(after=max(0, len(self._core.journal) - SHOWN))
        return {"rows": [row.as_json() for row in reversed(rows)], "count": len(self._core.journal)}


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
