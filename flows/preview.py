"""How a preview is told: a sentence, a table on a terminal, a page of markdown with links, JSON for a machine."""

from collections.abc import Callable, Iterator

import msgspec
from rich.console import Console
from rich.table import Table

from flows.report import cell
from mappings.policies.simulate import Preview, Row
from mappings.policies.simulate.difference import MISSED
from mappings.profile import Profile

HONEST = (
    "People's doings stay as they were, ours are taken out and the profile's put in. Every rule acts on the whole "
    "window, without limits, shadow or a start of its own; today's profile holds for all of it, whatever held then. "
    "New tickets go to groups: who was free then is not known. Of a company, each ticket's own warnings are counted. "
    "Warnings to a ticket's owner are not counted."
)
"""What a reader has to know of the figures."""

Link = Callable[[int], str]


def sentence(found: Preview) -> str:
    """`builder@3f2a90c1 → builder@77d01b2e over 412 tickets since 1 Feb: 17 come to something else`."""
    since = f"{found.since.day} {found.since:%b}"
    begin = f"{found.before} → {found.after} over {found.tickets:,} tickets since {since}"
    if found.same:
        return f"{begin}: no difference"
    moved = sum(found.moved.values())
    parts = [f"{found.differing:,} come to something else"] if found.differing else []
    parts += [f"{moved:,} steps at another time"] if moved else []
    return f"{begin}: {', '.join(parts)}"


def notes(found: Preview) -> Iterator[str]:
    """What stands below the table."""
    for what, count in sorted(found.moved.items()):
        yield f"{what}: as often as before, but at another time, on {count:,} tickets."
    if found.unknown:
        yield f"{found.unknown:,} tickets were left out: their beginning was never read."
    yield HONEST


def page(found: Preview, profile: Profile, link: Link) -> tuple[str, str]:
    """The sentence, and all that goes below it as markdown. `profile` is the new one."""
    lines = [f"# {profile.name}: today's profile and a new one", ""]
    rows = found.shown(profile)
    if rows:
        lines += ["| what | today | new | tickets |", "|---|---|---|---|"]
        lines += [_line(row.name, *_sides(row), f"{row.tickets:,}") for row in found.in_all(profile)]
        lines += ["", "## By severity and plan", ""]
        lines += ["| what | severity | plan | today | new | tickets |", "|---|---|---|---|---|---|"]
        lines += [_line(row.name, row.severity, _plan(row, profile), *_sides(row), f"{row.tickets:,}") for row in rows]
        lines += ["", "## Examples"]
    for row in rows:
        lines += ["", f"**{_title(row, profile)}**", ""]
        for example in row.examples:
            name = f"zendesk:{example.ticket_id}"
            lines.append(f"- {cell(example.says).replace(name, f'[{name}]({link(example.ticket_id)})', 1)}")
    return sentence(found), "\n".join([*lines, "", *notes(found)])


def tell(console: Console, found: Preview, profile: Profile, link: Link) -> None:
    """The same on a terminal."""
    console.print(f"[bold]{sentence(found)}[/bold]", highlight=False)
    rows = found.shown(profile)
    if rows:
        whole = Table("in all", "today", "new", "tickets", box=None, padding=(0, 2, 0, 0))
        for row in found.in_all(profile):
            whole.add_row(row.name, *_sides(row), f"{row.tickets:,}")
        table = Table("by severity and plan", "", "", "today", "new", "tickets", box=None, padding=(0, 2, 0, 0))
        for row in rows:
            table.add_row(row.name, row.severity, _plan(row, profile), *_sides(row), f"{row.tickets:,}")
        console.print("", whole, "", table)
    for row in rows:
        console.print(f"\n[bold]{_title(row, profile)}[/bold]", highlight=False)
        for example in row.examples:
            console.print(f"  {example.says}", markup=False, highlight=False)
            console.print(f"    [dim]{link(example.ticket_id)}[/dim]", highlight=False, soft_wrap=True)
    console.print("")
    for line in notes(found):
        console.print(line, markup=False, highlight=False)


def as_json(found: Preview, profile: Profile, link: Link) -> str:
    """The same for a machine: counts by row, examples with their addresses."""
    rows = [
        {
            "kind": row.kind,
            "name": row.name,
            "plan": row.plan or None,
            "severity": row.severity or None,
            "before": dict(row.before),
            "after": dict(row.after),
            "tickets": row.tickets,
            "examples": [
                {"ticket": f"zendesk:{each.ticket_id}", "link": link(each.ticket_id), "says": each.says}
                for each in row.examples
            ],
        }
        for row in found.shown(profile)
    ]
    told = {"before": found.before, "after": found.after, "since": found.since, "until": found.until}
    told |= {"tickets": found.tickets, "unknown": found.unknown, "differing": found.differing}
    told |= {"same": found.same, "moved": found.moved, "rows": rows}
    return msgspec.json.format(msgspec.json.encode(told)).decode()


def _line(*cells: str) -> str:
    return f"| {' | '.join(cell(text) for text in cells)} |"


def _sides(row: Row) -> list[str]:
    """A row's counts under today's profile and the new one: `12 met, 3 missed` or `4`."""
    if row.kind == "action":
        return [str(side["times"]) for side in (row.before, row.after)]
    return [f"{side['met']:,} met, {side[MISSED]:,} missed" for side in (row.before, row.after)]


def _title(row: Row, profile: Profile) -> str:
    more = f", {row.tickets:,} tickets" if row.tickets > len(row.examples) else ""
    return " ".join(word for word in (row.name, row.severity, _plan(row, profile)) if word) + more


def _plan(row: Row, profile: Profile) -> str:
    return profile.plans[row.plan].name if row.plan in profile.plans else row.plan
