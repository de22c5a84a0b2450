"""`helpdesk check`: is the configuration right, what does it assume, and what can it not do yet?"""

import json
from typing import Annotated

import typer

from flows import profiles
from mappings.profile import Problem, Profile, ProfileError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)


def check(
    profile_file: Annotated[
        str | None, typer.Argument(metavar="[PROFILE-FILE]", help="A profile's file or key; without it, all profiles.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Validate the configuration.

    Exit code 0; or 2 with one line per error: file:line: field: what is wrong; what to write instead.
    """
    files = [profiles.profile_file(profile_file)] if profile_file else profiles.shipped()
    found: list[Profile] = []
    problems: list[Problem] = []
    for path in files:
        try:
            found.append(profiles.read_profile(path))
        except ProfileError as wrong:
            problems += [problem for problem in wrong.problems if problem not in problems]
    if as_json:
        typer.echo(json.dumps(_as_data(found, problems), indent=2))
    elif problems:
        typer.echo("\n".join(str(problem) for problem in problems))
    else:
        typer.echo("\n\n".join(_tell(profile) for profile in found))
    raise typer.Exit(2 if problems else 0)


def _tell(profile: Profile) -> str:
    lines = [f"{profile.version}: {profile.name}: no errors"]
    lines += [f"  assumed: {path}: {what}" for path, what in profile.assumed.items()]
    lines += [f"  warning: {warning}" for warning in profile.warnings]
    return "\n".join(lines)


def _as_data(found: list[Profile], problems: list[Problem]) -> dict[str, object]:
    return {
        "profiles": [
            {
                "profile": profile.version,
                "assumed": dict(profile.assumed),
                "warnings": [warning._asdict() for warning in profile.warnings],
            }
            for profile in found
        ],
        "errors": [problem._asdict() for problem in problems],
    }
