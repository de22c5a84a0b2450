"""`helpdesk sandbox`: the tools and a console on this machine, made from a profile and a seed."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mappings.faults import Explained

if TYPE_CHECKING:
    from connectors.sandbox.server import Sandbox


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sandbox)


def sandbox(
    profile: Annotated[str, typer.Option(help="A profile's key or file.", envvar="HELPDESK_PROFILE")] = "builder",
    seed: Annotated[int, typer.Option(help="The same seed and profile give the same world.")] = 1,
    record: Annotated[
        Path | None, typer.Option(help="Append every exchange to this file.", envvar="HELPDESK_SANDBOX_RECORD")
    ] = None,
    faults: Annotated[Path | None, typer.Option(help="A fault script, YAML or JSON: a list of faults.")] = None,
    port_base: Annotated[
        int, typer.Option(help="The console's port; the tools follow. 0 takes any free ports.")
    ] = 8700,
    now: Annotated[
        str | None, typer.Option(metavar="TIME", help="Where the clock starts; in the office's zone without an offset.")
    ] = None,
    still: Annotated[bool, typer.Option("--still", help="The clock moves only when it is told to.")] = False,
    webhooks: Annotated[
        str | None, typer.Option(metavar="URL", help="Send webhooks to the `helpdesk receive` at this address.")
    ] = None,
) -> None:
    """Run the tools as a sandbox, until interrupted.

    Prints NAME=value, a line for each address and credential, once they answer. Open HELPDESK_SANDBOX_URL to look at
    the world, move its clock and act as the people in it.
    """
    over = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        running = _start(profile, seed, record, faults, port_base, now, still=still)
    except Explained:
        raise
    except (ValueError, OSError) as wrong:
        typer.echo("\n".join(f"sandbox: {line}" for line in str(wrong).splitlines()), err=True)
        raise typer.Exit(2) from wrong
    with running:
        if webhooks:
            running.send_webhooks(webhooks)
        typer.echo("\n".join(f"{name}={value}" for name, value in running.environment().items()))
        over.wait()


def _start(
    profile: str, seed: int, record: Path | None, faults: Path | None, port_base: int, now: str | None, *, still: bool
) -> "Sandbox":
    from connectors.sandbox.faults import read_script
    from connectors.sandbox.server import Sandbox
    from flows.profiles import config_dir, read_profile, read_tools
    from flows.sandbox_world import build_world, moment, office_hours

    config = config_dir()
    chosen = read_profile(profile, config)
    try:
        start = moment(now, office_hours(chosen)[0]) if now else None
    except ValueError as wrong:
        raise ValueError(f"--now: {now!r} is no time; write 2026-03-03T09:00") from wrong
    script = _script(faults, read_script) if faults else []
    world = build_world(chosen, read_tools(config), now=start)
    made = Sandbox(world, seed, ticking=not still, record=record)
    made.core.faults.load(script)
    return made.start(port_base or None)


def _script(path: Path, read: Callable[[Path], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The faults in a file. ValueError where it cannot be read as such."""
    try:
        return read(path)
    except OSError as error:
        raise ValueError(f"--faults: {path}: {error.strerror}; check the path") from error
    except ValueError as wrong:
        raise ValueError(f"--faults: {wrong}; write a YAML or JSON list of faults") from wrong
