"""`helpdesk simulate`: what a new profile would have made of the tickets that have been."""

from datetime import timedelta

import typer
from rich.console import Console

from flows.terminal import AsJson, refuse


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(simulate)


def simulate(
    profile_file: str = typer.Option(..., "--profile-file", metavar="FILE", help="The new profile's file."),
    since: str = typer.Option("30d", "--since", help="How far back: 12h, 7d, 30d. Tickets changed since, or open."),
    as_json: AsJson = False,
) -> None:
    """Show what a new profile would have made of the stored tickets, beside today's. Sends and writes nothing."""
    from connectors.store import StoreError
    from flows import preview
    from flows.profiles import read_profile
    from flows.settings import read_settings
    from flows.simulate import live_both, looking
    from mappings.profile.durations import DurationError, parse_span

    try:
        length = parse_span(since)
    except DurationError as wrong:
        refuse(f"simulate: --since: {wrong}; {wrong.fix}")
    settings = read_settings()
    new = read_profile(profile_file, settings.config_dir)
    try:
        with looking(settings) as ctx, Console(stderr=True).status("reading tickets …") as status:
            begin = ctx.now() - timedelta(seconds=length)
            found = live_both(ctx, new, begin, lambda done, of: status.update(f"{done:,} of {of:,} tickets"))
            link = ctx.ticket_link
    except StoreError as refusal:
        refuse(str(refusal))
    if as_json:
        typer.echo(preview.as_json(found, new, link))
    else:
        preview.tell(Console(), found, new, link)
