"""`helpdesk receive`: the webhooks' way in, a process of its own beside the pulse."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(receive)


def receive(
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 in a container.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.")] = 8730,
) -> None:
    """Take the webhooks of Zendesk and PagerDuty at /webhooks/zendesk and /webhooks/pagerduty, until interrupted.

    Keeps what each is about for the next pulse. Everything works without it, a little later. It speaks plain HTTP: put
    a proxy with a certificate before it.
    """
    import logging

    import uvicorn

    from connectors.clock import domain_clock
    from connectors.store import Store
    from flows.profiles import read_profile
    from flows.receiver import INLETS, receiver, secrets_of
    from flows.settings import MissingSetting, read_settings

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("helpdesk").setLevel(logging.INFO)
    settings = read_settings()
    ready = [inlet for inlet in INLETS if secrets_of(inlet)]
    if not ready:
        raise MissingSetting(*(inlet.secrets for inlet in INLETS))
    profile = read_profile(settings.profile, settings.config_dir)
    url = settings.database_url
    store = Store.open(url, profile=profile.key, migrate=url.startswith("sqlite"))
    for inlet in INLETS:
        state = "" if inlet in ready else f"  ({inlet.secrets} is not set: it is told to come again)"
        typer.echo(f"http://{host}:{port}/webhooks/{inlet.tool}{state}")
    try:
        app = receiver(store, domain_clock(settings.clock_url))
        uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, lifespan="off")
    finally:
        store.close()
