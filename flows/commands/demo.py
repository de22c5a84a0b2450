"""`helpdesk demo`: the stories, through Prefect, against the sandbox; then the pages stay up."""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="End after the stories instead of leaving the pages up.")
    ] = False,
    home: Annotated[Path, typer.Option(help="Where the demo keeps its databases and logs.")] = Path(".demo"),
) -> None:
    """Play the stories of a week through Prefect against the sandbox, with a moved clock, and check them."""
    from flows.demo.processes import Processes

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # whoever is ended ends what it started
    shutil.rmtree(home, ignore_errors=True)
    with Processes(home.resolve()) as processes:
        typer.echo("Starting the sandbox and a Prefect server …")
        found = processes.sandbox("builder", "2026-03-03T09:50")
        pages = processes.prefect()
        os.environ.update(found)
        os.environ["HELPDESK_PROFILE"] = "builder"
        os.environ["HELPDESK_DATABASE_URL"] = f"sqlite:///{home.resolve()}/store.sqlite"
        typer.echo(f"Prefect:  {pages}\nSandbox:  {found['HELPDESK_SANDBOX_URL']}\n")
        failed = _play(found["HELPDESK_SANDBOX_URL"])
        if failed:
            raise typer.Exit(1)
        if leave:
            return
        processes.serve()
        typer.echo(
            "\nThe pages stay up, and a pulse runs every minute. File a ticket in the sandbox, move its clock:\n"
            f"  Prefect  {pages}\n  Sandbox  {found['HELPDESK_SANDBOX_URL']}\n"
            f"  helpdesk explain zendesk:604 needs this environment: source {_exports(home, found)}\n"
            "Ctrl-C ends everything."
        )
        processes.wait()


def _play(console: str) -> int:
    """Play all stories; gives how many of their promises did not come true."""
    from prefect.logging.handlers import APILogWorker

    from connectors.sandbox.client import People
    from connectors.store import Store
    from flows.demo.stage import Stage
    from flows.demo.stories import all_stories
    from flows.profiles import read_profile
    from flows.pulse import run_now

    profile = read_profile(os.environ["HELPDESK_PROFILE"])
    store = Store.open(os.environ["HELPDESK_DATABASE_URL"], profile=profile.key, migrate=True)
    people = People(console)
    stage = Stage(people, store, profile.zone, pulse=run_now, tell=typer.echo)
    try:
        all_stories(stage)
        people.tick()
    finally:
        people.close()
        store.close()
        APILogWorker.drain_all(timeout=10)
    failed = [check for check in stage.checks if not check.true]
    kept = len(stage.checks) - len(failed)
    typer.echo(f"\n{kept} of {len(stage.checks)} promises kept, in {stage.pulses} pulses.")
    for check in failed:
        typer.echo(f"  ✗ {check.claim} (found: {check.found})", err=True)
    return len(failed)


def _exports(home: Path, found: dict[str, str]) -> Path:
    """A file that sets the demo's environment in a shell."""
    path = home / "environment"
    names = ("HELPDESK_PROFILE", "HELPDESK_DATABASE_URL", "PREFECT_API_URL", "PREFECT_HOME")
    values = found | {name: os.environ[name] for name in names}
    path.write_text("".join(f"export {name}='{value}'\n" for name, value in values.items()))
    return path
