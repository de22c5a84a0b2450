"""`helpdesk serve`: the flows for a Prefect server, in one process."""

import os
from typing import Annotated

import typer

POLL_SECONDS = "5"
"""How often the server is asked for runs: as late as that may a run that somebody starts begin."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    limit: Annotated[int, typer.Option(help="Runs at the same time.")] = 4,
) -> None:
    """Offer all flows to the Prefect server at PREFECT_API_URL and run them here: the pulse every minute.

    Looks first whether configuration, store and server are as they should be. Ends when interrupted, and pauses the
    schedule meanwhile.
    """
    os.environ.setdefault("PREFECT_RUNNER_POLL_FREQUENCY", POLL_SECONDS)
    from flows.context import open_context

    with open_context() as ctx:
        tools = {"zendesk": ctx.zendesk, "pagerduty": ctx.pagerduty, "slack": ctx.slack, "mail": ctx.mail}
        connected = ", ".join(name for name, tool in tools.items() if tool is not None) or "none"
        typer.echo(f"Profile {ctx.profile.version}, mode {ctx.settings.mode}, tools: {connected}.")
    server = _server()
    from flows.serve import deployments, serve_all

    for deployment in deployments():
        typer.echo(f"  {deployment.flow_name}/{deployment.name}")
    typer.echo(f"Serving to {server}, until interrupted.")
    serve_all(limit)


def _server() -> str:
    """The Prefect server's address; says what is missing, and ends with 2, where there is none."""
    import httpx
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        typer.echo("serve: PREFECT_API_URL: not set; start `prefect server start` and set what it prints", err=True)
        raise typer.Exit(2)
    try:
        httpx.get(f"{url}/health", timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        typer.echo(f"serve: PREFECT_API_URL: {url} does not answer ({error}); start the server, or mend it", err=True)
        raise typer.Exit(2) from error
    return str(url)
