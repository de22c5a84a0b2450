"""`helpdesk migrate|outbox|pause|resume|mode|approve|adopt`: what an operator says to the store.

Nothing here calls a tool: it changes what the next pulse may do. Every command prints what it changed; exit code 2 and
one line where it refuses.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import msgspec
import typer

if TYPE_CHECKING:
    from connectors.store import OutboxRow, Store

POLICIES = ("sla", "rules", "paging")
TOOLS = ("zendesk", "intercom", "discourse", "pagerduty", "jira")
"""What may be named. Said here, and not taken from flows.context, so that `pause` works when nothing else does."""

AsJson = Annotated[bool, typer.Option("--json", help="For a machine to read.")]
Rows = Annotated[list[int], typer.Argument(metavar="ID...", help="Rows, as `helpdesk outbox list` numbers them.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    outbox = typer.Typer(help="What was decided and what became of it.", no_args_is_help=True)
    outbox.command("list")(list_rows)
    outbox.command("retry")(retry)
    outbox.command("drop")(drop)
    app.add_typer(outbox, name="outbox")
    for command in (migrate, pause, resume, mode, approve, adopt):
        app.command(command.__name__)(command)


def migrate(as_json: AsJson = False) -> None:
    """Bring the database in HELPDESK_DATABASE_URL to this version's schema. Harmless where it is there already."""
    with opened(migrating=True) as (store, _):
        shown = store.engine.url.render_as_string()
        _tell({"database": shown, "profile": store.profile}, f"{shown}: up to date, profile {store.profile}", as_json)


def list_rows(
    state: Annotated[str | None, typer.Option(help="planned, unknown, failed, held, baseline, …")] = None,
    tool: Annotated[str | None, typer.Option(help="For example zendesk.")] = None,
    record: Annotated[str | None, typer.Option(help="For example zendesk:123.")] = None,
    policy: Annotated[str | None, typer.Option(help="For example sla.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, oldest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List outbox rows, oldest first, narrowed down by whatever is given."""
    from connectors.store import OutboxState

    wanted = None if state is None else OutboxState(_one_of("outbox list --state", state, [*OutboxState]))
    with opened() as (store, _):
        rows = store.outbox(state=wanted, tool=tool, record=record, policy=policy, limit=limit + 1)
    more = "\n… and more: narrow it down (--state, --record), or raise --limit" if len(rows) > limit else ""
    _tell(rows[:limit], _table(rows[:limit]) + more, as_json)


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


def pause(
    scope: Annotated[str | None, typer.Argument(help="all, a policy, a tool or a record (zendesk:123).")] = None,
    as_json: AsJson = False,
) -> None:
    """Stop deliveries before the next batch; reading goes on. Without a scope: list what is paused."""
    with opened() as (store, now):
        if scope is not None:
            store.pause(_scope("pause", scope), now())
        paused = store.paused()
    lines = [f"{scope}: paused since {at:%Y-%m-%d %H:%M} UTC" for scope, at in sorted(paused.items())]
    _tell(paused, "\n".join(lines) or "nothing is paused", as_json)


def resume(
    scope: Annotated[str, typer.Argument(help="all, a policy, a tool or a record, as it was paused.")],
    keep: Annotated[bool, typer.Option("--keep", help="Send what was planned before, after all.")] = False,
    as_json: AsJson = False,
) -> None:
    """End a pause. What was planned until now is put aside as baseline (`helpdesk adopt` releases it)."""
    with opened() as (store, now):
        aside = store.resume(scope, now(), keep=keep)
        if aside is None:
            _refuse(f"resume: {scope!r} is not paused; paused: {', '.join(sorted(store.paused())) or 'nothing'}")
    _tell({"scope": scope, "put_aside": aside}, f"{scope}: resumed; {_aside(aside)}", as_json)


def mode(
    policy: Annotated[str | None, typer.Argument(help="For example sla.")] = None,
    to: Annotated[str | None, typer.Argument(metavar="[off|shadow|apply]", help="The new mode.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show policies' modes, or set one; HELPDESK_MODE caps them all. A policy that applies again starts anew."""
    from connectors.store import Mode
    from flows.settings import read_settings

    aside = 0
    with opened() as (store, now):
        if policy is not None:
            _one_of("mode", policy, POLICIES)
        if policy is not None and to is not None:
            aside = store.set_mode(policy, Mode(_one_of("mode", to, [*Mode])), now())
        modes = dict.fromkeys(POLICIES) | store.modes()
    shown = {name: mode for name, mode in modes.items() if policy in (None, name)}
    cap = read_settings().mode
    lines = [f"{name}: {mode or 'apply (not set)'}{_capped(mode or Mode.APPLY, cap)}" for name, mode in shown.items()]
    _tell(shown, "\n".join([*lines, *([_aside(aside)] if aside else [])]), as_json)


def _capped(own: str, cap: str) -> str:
    """What HELPDESK_MODE makes of a policy's own mode, where that is less."""
    order = ("off", "shadow", "apply")
    return f", but HELPDESK_MODE={cap}: {cap}" if order.index(cap) < order.index(own) else ""


def approve(
    batch: Annotated[str | None, typer.Argument(metavar="[HASH]", help="The batch to release.")] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Drop it instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Release a batch that a limit held back. Without a hash: list what is held."""
    with opened() as (store, now):
        if batch is None:
            held = store.batches()
            lines = [f"{b.hash}  {b.policy}  {b.verb}  {b.count} actions" for b in held]
            _tell(held, "\n".join(lines) or "nothing is held back", as_json)
            return
        count = store.refuse(batch, now()) if refuse else store.approve(batch, now())
    said = "dropped" if refuse else "planned"
    _tell({"batch": batch, said: count}, f"{batch}: {count} actions {said}", as_json)


def adopt(
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID...]", help="Baseline rows to release.")] = None,
    as_json: AsJson = False,
) -> None:
    """Release actions whose cause came before their rule acted. Without ids: list them."""
    from connectors.store import OutboxState

    with opened() as (store, now):
        if not ids:
            rows = store.outbox(state=OutboxState.BASELINE, limit=1_000_000)
            _tell(rows, _table(rows), as_json)
            return
        count = store.adopt(ids, now())
    if not count:
        _refuse(f"adopt: none of {', '.join(map(str, ids))} is a baseline row; `helpdesk adopt` lists them")
    _tell({"adopted": count}, f"{count} of {len(ids)} released; the next pulse sends them", as_json)


@contextmanager
def opened(*, migrating: bool = False) -> Iterator[tuple[Store, Callable[[], datetime]]]:
    """The store of this deployment and domain time; a refusal of the store becomes one line and exit code 2."""
    from connectors.clock import domain_clock
    from connectors.store import Store, StoreError
    from flows.settings import read_settings

    settings = read_settings()
    try:
        key = settings.profile if re.fullmatch(r"[\w-]+", settings.profile) else None
        store = Store.open(settings.database_url, profile=key, migrate=migrating)
        try:
            yield store, domain_clock(settings.clock_url)
        finally:
            store.close()
    except StoreError as refusal:
        _refuse(str(refusal))


def _move(ids: Sequence[int], change: Callable[[int], OutboxRow], said: str, as_json: bool) -> None:
    """Change each row; one that cannot be changed does not stop the others, and is told at the end."""
    from connectors.store import UnknownRow

    rows, refused = [], []
    for id in ids:
        try:
            rows.append(change(id))
        except UnknownRow as refusal:
            refused.append(str(refusal))
    _tell(rows, "\n".join(f"outbox {row.id}: {said}: {row.action.reason.text}" for row in rows), as_json)
    if refused:
        _refuse("\n".join(refused))


def _scope(command: str, scope: str) -> str:
    """A scope that means something, so that a slip of the pen does not pause nothing."""
    if re.fullmatch(r"[a-z]+:\S+", scope) and scope.partition(":")[0] in TOOLS:
        return scope
    return _one_of(command, scope, ["all", *POLICIES, *TOOLS], "a record such as zendesk:123")


def _one_of(command: str, word: str, known: Sequence[str], other: str = "") -> str:
    if word not in known:
        near = difflib.get_close_matches(word, known, 1)
        hint = f"; did you mean {str(near[0])!r}?" if near else ""
        _refuse(f"{command}: {word!r}: write {', '.join(known)}{f', or {other}' if other else ''}{hint}")
    return word


def _aside(count: int) -> str:
    if not count:
        return "nothing had been planned before"
    return f"{count} actions planned before are put aside as baseline (`helpdesk adopt` lists them)"


def _table(rows: Sequence[OutboxRow]) -> str:
    """Rows as text, three lines each: what, why, and what became of it."""
    lines = []
    for row in rows:
        action = row.action
        lines.append(f"{row.id}  {row.state}  {action.record}  {action.verb}  ({action.policy}, {action.tool})")
        lines.append(f"    {action.reason.text}")
        lines += [f"    {row.error}"] if row.error else []
    return "\n".join(lines) or "no rows"


def _tell(value: Any, text: str, as_json: bool) -> None:
    typer.echo(msgspec.json.encode(value).decode() if as_json else text)


def _refuse(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(2)
