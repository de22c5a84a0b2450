"""`helpdesk migrate|outbox`: the database, and what was decided and became of it.

Nothing here calls a tool: it changes what the next pulse may do. Every command prints what it changed; exit code 2 and
one line where it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.terminal import AsJson, opened, refuse, say, tell

if TYPE_CHECKING:
    from connectors.store import OutboxRow

Rows = Annotated[list[int], typer.Argument(metavar="ID...", help="Rows, as `helpdesk outbox list` numbers them.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    outbox = typer.Typer(help="What was decided and what became of it.", no_args_is_help=True)
    outbox.command("list")(list_rows)
    outbox.command("summary")(summary)
    outbox.command("retry")(retry)
    outbox.command("drop")(drop)
    app.add_typer(outbox, name="outbox")
    app.command("migrate")(migrate)


def migrate(as_json: AsJson = False) -> None:
    """Bring the database in HELPDESK_DATABASE_URL to this version's schema. Harmless where it is there already."""
    with opened(migrating=True) as (store, _):
        shown = store.engine.url.render_as_string()
        tell({"database": shown, "profile": store.profile}, f"{shown}: up to date, profile {store.profile}", as_json)


def list_rows(
    state: Annotated[str | None, typer.Option(help="planned, unknown, failed, held, baseline, …")] = None,
    tool: Annotated[str | None, typer.Option(help="For example zendesk.")] = None,
    record: Annotated[str | None, typer.Option(help="For example zendesk:123.")] = None,
    policy: Annotated[str | None, typer.Option(help="For example sla.")] = None,
    rule: Annotated[str | None, typer.Option(help='For example "First response".')] = None,
    verb: Annotated[str | None, typer.Option(help="For example escalate.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, oldest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List outbox rows, oldest first, narrowed down by whatever is given."""
    from connectors.store import OutboxState
    from flows.operations import one_of

    given: dict[str, Any] = {"tool": tool, "record": record, "policy": policy, "rule": rule, "verb": verb}
    with opened() as (store, _):
        wanted = None if state is None else OutboxState(one_of("outbox list --state", state, [*OutboxState]))
        rows = store.outbox(state=wanted, limit=limit + 1, **given)
        behind = store.behind(row.id for row in rows[:limit])
    more = "\n… and more: narrow it down (--state, --record), or raise --limit" if len(rows) > limit else ""
    tell(rows[:limit], _table(rows[:limit], behind) + more, as_json)


def summary(
    state: Annotated[str, typer.Option(help="shadow, baseline, held, failed, …")] = "shadow",
    tool: Annotated[str | None, typer.Option(help="For example zendesk.")] = None,
    policy: Annotated[str | None, typer.Option(help="For example sla.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say by policy and rule how much there is, from when, with examples: in shadow mode, what would have been done."""
    from connectors.store import OutboxState
    from flows import operations
    from flows.settings import read_settings

    with opened() as (store, _):
        wanted = OutboxState(operations.one_of("outbox summary --state", state, [*OutboxState]))
        link = operations.linked(read_settings().zendesk_url)
        told = operations.summary(store, wanted, link=link, tool=tool, policy=policy)
    say(told, as_json)


def retry(ids: Rows, as_json: AsJson = False) -> None:
    """Send failed rows again. An unknown row may have been sent: look into the tool first."""
    with opened() as (store, now):
        _move(ids, lambda id: store.retry(id, now()), "planned again", as_json)


def drop(
    ids: Rows,
    why: Annotated[str, typer.Option(help="Kept in the journal.")] = "dropped by an operator",
    as_json: AsJson = False,
) -> None:
    """Give rows up, so that their records go on. They will not be planned again."""
    with opened() as (store, now):
        _move(ids, lambda id: store.drop(id, now(), why), "dropped", as_json)


def _move(ids: Sequence[int], change: Callable[[int], OutboxRow], said: str, as_json: bool) -> None:
    """Change each row; one that cannot be changed does not stop the others, and is told at the end."""
    from connectors.store import UnknownRow

    rows, refused = [], []
    for id in ids:
        try:
            rows.append(change(id))
        except UnknownRow as refusal:
            refused.append(str(refusal))
    tell(rows, "\n".join(f"outbox {row.id}: {said}: {row.action.reason.text}" for row in rows), as_json)
    if refused:
        refuse("\n".join(refused))


def _table(rows: Sequence[OutboxRow], behind: Mapping[int, Sequence[int]] | None = None) -> str:
    """Rows as text: what, why, what became of it, and for one that does not move what it holds up and what to do."""
    from flows.dead_letters import words

    lines = []
    for row in rows:
        action = row.action
        lines.append(f"{row.id}  {row.state}  {action.record}  {action.verb}  ({action.policy}, {action.tool})")
        lines.append(f"    {action.reason.text}")
        lines += [f"    {line}" for line in ([row.error] if row.error else []) + words(row, behind or {})]
    return "\n".join(lines) or "no rows"
