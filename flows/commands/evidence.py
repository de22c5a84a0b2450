"""`helpdesk evidence verify|show`: what is kept of flagged tickets, for disputes."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.terminal import AsJson, opened, say

Record = Annotated[str, typer.Argument(help="The ticket, for example zendesk:123.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    evidence = typer.Typer(help="What is kept of tickets that were flagged as abusive.", no_args_is_help=True)
    evidence.command("verify")(verify)
    evidence.command("show")(show)
    app.add_typer(evidence, name="evidence")


def verify(record: Record, as_json: AsJson = False) -> None:
    """Check that what is kept of a ticket is as it was written. Names who looked at it; shows nothing of it."""
    from flows import evidence

    with opened() as (store, _):
        say(evidence.verify(store, record), as_json)


def show(
    record: Record,
    email: Annotated[str, typer.Option("--as", help="Your address in Zendesk: a manager's, and it is put on record.")],
    as_json: AsJson = False,
) -> None:
    """Show what is kept of a ticket, to managers only. Each look, and each refusal, is on record."""
    from flows import evidence
    from flows.account import open_account
    from flows.context import open_context
    from flows.settings import MissingSetting

    with open_context() as ctx:
        if ctx.zendesk is None:
            raise MissingSetting("ZENDESK_URL")
        open_account(ctx)
        say(evidence.show(ctx, record, email), as_json)
