"""A ticket's past as people read it: what was said and done, in one row each."""

from typing import Any

from connectors.sandbox.console.desk import TicketPage


def tell(ticket: TicketPage) -> list[dict[str, Any]]:
    """What was said and done as one story: in order of time, what one person did at once in one row of `whats`."""
    rows: list[dict[str, Any]] = [{"kind": "comment", **row} for row in ticket["comments"]]
    rows += [{"kind": "happening", **row, "whats": [row["what"]]} for row in ticket["happenings"]]
    rows.sort(key=lambda row: (row["at"], row["update"]))  # of one update the comment stays first
    story: list[dict[str, Any]] = []
    for row in rows:
        last = story[-1] if story else {}
        together = [last.get(name) for name in ("kind", "at", "author")] == ["happening", row["at"], row["author"]]
        if row["kind"] == "happening" and together:
            last["whats"] += row["whats"]
        else:
            story.append(row)
    return story
