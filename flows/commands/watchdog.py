"""`helpdesk watchdog`: pages when pulses stop finishing, or a tool is not read any more."""

import logging
import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer

LOOPBACK = ("127.0.0.1", "localhost")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watchdog)


def watchdog(
    host: Annotated[str, typer.Option(help="Where to listen; anything but this machine needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any free one.")] = 8720,
    silence: Annotated[int, typer.Option(min=1, help="Seconds without a finished pulse before it pages.")] = 300,
    stale: Annotated[int, typer.Option(min=1, help="Seconds that a tool may be behind before it pages.")] = 600,
    grace: Annotated[int, typer.Option(min=1, help="Seconds to wait for the first pulse after the start.")] = 300,
) -> None:
    """Watch this deployment from a process of its own, until interrupted; page by PAGERDUTY_EVENTS_KEY.

    Pulses tell it that they finished, at HELPDESK_WATCHDOG_URL with HELPDESK_WATCHDOG_TOKEN. GET / says how things are.
    """
    from connectors.watchdog import Door, Pager
    from flows.settings import MissingSetting, PortTaken, needed, profile_key, read_settings, secret
    from flows.watchdog import Watchdog
    from mappings.policies.watchdog import Limits

    settings, over = read_settings(), threading.Event()
    needed("PAGERDUTY_EVENTS_KEY")
    token = secret("HELPDESK_WATCHDOG_TOKEN")
    if token is None and host not in LOOPBACK:
        raise MissingSetting("HELPDESK_WATCHDOG_TOKEN")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    def end(_: int, __: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    pager = Pager(settings.pagerduty_events_url, lambda: needed("PAGERDUTY_EVENTS_KEY"))
    limits = Limits(silence=silence, stale=stale, grace=grace)
    dog = Watchdog(profile_key(settings), pager, limits)
    said = None if token is None else token.get_secret_value()
    try:
        door = Door(host, port, token=lambda: said, heard=dog.heard, status=dog.status)
    except OSError as error:
        raise PortTaken("watchdog", host, port, error) from error
    door.open()
    typer.echo(f"Watching {dog.profile!r} at {door.url}, until interrupted.")
    try:
        dog.watch(over)
    finally:
        door.close()
        pager.close()
