"""`helpdesk doctor`: is everything that a deployment stands on as it should be?"""

from typing import Annotated

import typer

_MARKS = {"ok": "✓", "warn": "!", "fail": "✗", "skip": "–"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For a machine to read.")] = False,
) -> None:
    """Look at configuration, environment, store, tools and watchdog; say what is wrong and what helps.

    Changes nothing. Exit code 0, also with warnings; 2 where something does not work.
    """
    import msgspec

    from flows.doctor import examine, healthy

    found = examine()
    if as_json:
        rows = [{"check": row.check, **msgspec.to_builtins(row.finding)} for row in found]
        typer.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    else:
        for row in found:
            typer.echo(f"{_MARKS[row.finding.state]} {row.check:<12}  {row.finding}")
    raise typer.Exit(0 if healthy(found) else 2)
