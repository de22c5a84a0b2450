"""`helpdesk pause|resume|mode|approve|adopt|restored`: what an operator says about what the next pulse may do.

Every command prints what it changed; exit code 2 and its reason where it refuses. Prefect has the same as forms
(flows/forms.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from flows.terminal import AsJson, opened, say, tell

Policy = Annotated[str | None, typer.Option(help="For example sla.")]
Rule = Annotated[str | None, typer.Option(help='A rule or target by its name, for example "First response".')]
Verb = Annotated[str | None, typer.Option(help="For example escalate.")]
Record = Annotated[str | None, typer.Option(help="For example zendesk:123.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (pause, resume, mode, approve, adopt, restored):
        app.command(command.__name__)(command)


def pause(
    scope: Annotated[str | None, typer.Argument(help="all, a policy, a tool or a record (zendesk:123).")] = None,
    as_json: AsJson = False,
) -> None:
    """Stop deliveries before the next batch; reading goes on. Without a scope: list what is paused."""
    from flows import operations

    with opened() as (store, now):
        told = operations.paused(store) if scope is None else operations.pause(store, now(), scope)
    say(told, as_json)


def resume(
    scope: Annotated[str, typer.Argument(help="all, a policy, a tool or a record, as it was paused.")],
    keep: Annotated[bool, typer.Option("--keep", help="Send what was planned before, after all.")] = False,
    as_json: AsJson = False,
) -> None:
    """End a pause. What was planned until now is put aside as baseline (`helpdesk adopt` releases it)."""
    from flows import operations

    with opened() as (store, now):
        told = operations.resume(store, now(), scope, keep=keep)
    say(told, as_json)


def mode(
    policy: Annotated[str | None, typer.Argument(help="For example sla.")] = None,
    to: Annotated[str | None, typer.Argument(metavar="[off|shadow|apply]", help="The new mode.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show policies' modes, or set one; HELPDESK_MODE caps them all. A policy that applies again starts anew."""
    from connectors.store import Mode
    from flows import operations
    from flows.settings import read_settings
    from mappings.plan import POLICIES

    aside = 0
    with opened() as (store, now):
        if policy is not None:
            operations.one_of("mode", policy, POLICIES)
        if policy is not None and to is not None:
            aside = store.set_mode(policy, Mode(operations.one_of("mode", to, [*Mode])), now())
        modes = dict.fromkeys(POLICIES) | store.modes()
    shown = {name: mode for name, mode in modes.items() if policy in (None, name)}
    cap = read_settings().mode
    lines = [f"{name}: {mode or 'apply (not set)'}{_capped(mode or Mode.APPLY, cap)}" for name, mode in shown.items()]
    tell(shown, "\n".join([*lines, *([operations.put_aside(aside)] if aside else [])]), as_json)


def _capped(own: str, cap: str) -> str:
    """What HELPDESK_MODE makes of a policy's own mode, where that is less."""
    order = ("off", "shadow", "apply")
    return f", but HELPDESK_MODE={cap}: {cap}" if order.index(cap) < order.index(own) else ""


def approve(
    batch: Annotated[str | None, typer.Argument(metavar="[HASH]", help="The batch to release.")] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Drop it instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Release a batch that a limit held back. Without a hash: list what is held, for which tickets, and why."""
    from flows import operations

    with opened() as (store, now):
        waiting = batch is None
        told = operations.waiting(store) if waiting else operations.settle(store, now(), str(batch), refuse=refuse)
    say(told, as_json)


def adopt(
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID...]", help="Baseline rows to release.")] = None,
    policy: Policy = None,
    rule: Rule = None,
    verb: Verb = None,
    record: Record = None,
    since: Annotated[datetime | None, typer.Option(help="Only causes from this time (UTC) on.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Release all that the options name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Release actions whose cause came before their rule acted: by ids, or all that the options name.

    Without ids and --all: say what there is. What was released is decided on anew by the next pulse: what does not hold
    any more, an answered ticket or a message whose hour is over, stays undone.
    """
    from connectors.store import OutboxState
    from flows import operations

    at = None if since is None else since.replace(tzinfo=since.tzinfo or UTC)
    given: dict[str, Any] = {"policy": policy, "rule": rule, "verb": verb, "record": record, "since": at}
    with opened() as (store, now):
        if ids or everything:
            told = operations.adopt(store, now(), ids or (), **given)
        else:
            told = operations.summary(store, OutboxState.BASELINE, **given)
    if not (ids or everything) and told.value:
        hint = "release: helpdesk adopt --policy … --rule … --verb … --all, or helpdesk adopt ID…"
        listed = "ids: helpdesk outbox list --state baseline, with the same options"
        told = told._replace(text=f"{told.text}\n{hint}\n{listed}")
    say(told, as_json)


def restored(as_json: AsJson = False) -> None:
    """Say that the database was put back from a backup, before the worker starts again: nothing is to go out twice.

    All rules act on causes from now on, and what was on its way is put aside. A pulse notices it by itself where
    Zendesk shows what we did since the backup.
    """
    from flows import restore

    with opened() as (store, now):
        told = restore.start_anew(store, now())
    say(told, as_json)
