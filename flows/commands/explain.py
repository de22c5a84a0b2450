"""`helpdesk explain zendesk:123`: the life of a ticket's clocks, and every action with its reason."""

import typer
from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    record: str = typer.Argument(help="The ticket, for example zendesk:123."),
    as_json: bool = typer.Option(False, "--json", help="For a machine to read."),
) -> None:
    """Tell the life of a ticket: what happened, what its clocks did, and every action with its reason."""
    from flows import explain as explaining
    from flows.account import know_account
    from flows.cases import cases
    from flows.context import open_context

    tool, _, number = record.partition(":")
    if tool != "zendesk" or not number.isdigit():
        typer.echo(f"explain: {record!r}: this is no ticket; write for example zendesk:123", err=True)
        raise typer.Exit(2)
    with open_context() as ctx:
        know_account(ctx)
        found = cases(ctx, [int(number)])
        if not found:
            fix = "check the number, or read it first: `helpdesk sync zendesk`"
            typer.echo(f"explain: {record}: the store knows no such ticket; {fix}", err=True)
            raise typer.Exit(2)
        journal = ctx.store.journal(record)
        if as_json:
            typer.echo(explaining.as_json(found[0], journal))
        else:
            explaining.tell(Console(), ctx, found[0], journal)
