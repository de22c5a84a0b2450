"""`helpdesk demo`: the stories, through Prefect, against the sandbox; then the pages stay up."""

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.demo.stage import Check

ORGANISATIONS = ("pmerit", "archbuilder", "roofing", "lasercalc")
"""Who is played after the builder platform, each with a sandbox and a store of its own."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="End after the stories instead of leaving the pages up.")
    ] = False,
    home: Annotated[Path, typer.Option(help="Where the demo keeps its databases and logs.")] = Path(".demo"),
) -> None:
    """Play five organisations' stories through Prefect against the sandbox, with a moved clock, and check them."""
    from flows.demo.processes import Processes

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # whoever is ended ends what it started
    shutil.rmtree(home, ignore_errors=True)
    with Processes(home.resolve()) as processes:
        typer.echo("Starting the sandbox and a Prefect server …")
        found = processes.sandbox("builder", "2026-03-03T09:50")
        pages = processes.prefect()
        typer.echo(f"Prefect:  {pages}\nSandbox:  {found['HELPDESK_SANDBOX_URL']}\n")
        checks = _play(found, "builder", home)
        for profile in ORGANISATIONS:
            checks += _play(processes.sandbox(profile, "2026-03-03T09:50"), profile, home)
            processes.end_sandbox(profile)
        if _told(checks):
            raise typer.Exit(1)
        _at(found, "builder", home)
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


def _at(found: Mapping[str, str], profile: str, home: Path) -> None:
    """Work with an organisation's sandbox and store from here on."""
    os.environ.update(found)
    os.environ["HELPDESK_PROFILE"] = profile
    os.environ["HELPDESK_DATABASE_URL"] = f"sqlite:///{home.resolve()}/{profile}.sqlite"


def _play(found: Mapping[str, str], key: str, home: Path) -> list["Check"]:
    """Play what there is of an organisation; gives its promises, kept or not."""
    from prefect.logging.handlers import APILogWorker

    from connectors.sandbox.client import People
    from connectors.store import Store
    from flows.demo.conduct import abusive_customer, third_ticket
    from flows.demo.organisations import ORGANISATIONS
    from flows.demo.stage import Stage
    from flows.demo.stories import all_stories, nothing_new
    from flows.profiles import read_profile
    from flows.pulse import run_now

    _at(found, key, home)
    profile = read_profile(key)
    store = Store.open(os.environ["HELPDESK_DATABASE_URL"], profile=profile.key, migrate=True)
    people = People(found["HELPDESK_SANDBOX_URL"])
    stage = Stage(people, store, profile.zone, pulse=run_now, tell=typer.echo)
    try:
        if key in ORGANISATIONS:
            ORGANISATIONS[key](stage)
        else:
            all_stories(stage)
            third_ticket(stage)
            abusive_customer(stage)
        nothing_new(stage)
        people.tick()
    finally:
        people.close()
        store.close()
        APILogWorker.drain_all(timeout=10)
    return stage.checks


def _told(checks: Sequence["Check"]) -> int:
    """Say how many promises came true, and which did not; gives how many those are."""
    failed = [check for check in checks if not check.true]
    typer.echo(f"\n{len(checks) - len(failed)} of {len(checks)} promises kept.")
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
