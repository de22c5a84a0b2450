"""`helpdesk check`: is the configuration right, what does it assume, and what can it not do yet?"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from flows import profiles
from mappings.profile import Problem, Profile, ProfileError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(check)
    app.command()(schema)


def check(
    profile_file: Annotated[
        str | None, typer.Argument(metavar="[PROFILE-FILE]", help="A profile's file or key; without it, all profiles.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine to read.")] = False,
) -> None:
    """Validate the configuration.

    Exit code 0; or 2 with one line per error: file:line: field: what is wrong; what to write instead.
    """
    config = profiles.config_dir()
    files = [profiles.profile_file(profile_file, config)] if profile_file else profiles.shipped(config)
    if not files:
        raise profiles.NoProfile(f"{config / 'profiles'}: no profile is there; write one, or mend HELPDESK_CONFIG_DIR")
    found, problems = _read(files, config)
    if as_json:
        typer.echo(json.dumps(_as_data(found, problems), indent=2, ensure_ascii=False))
    elif problems:
        typer.echo("\n".join(str(problem) for problem in problems))
    else:
        typer.echo("\n\n".join(_tell(profile) for profile in found))
    raise typer.Exit(2 if problems else 0)


def schema() -> None:
    """Write the JSON Schemas of config/schema anew, by which editors check and complete what is typed."""
    from mappings.profile.schema import MODELS, schema_text

    for name, model in MODELS.items():
        (profiles.config_dir() / "schema" / name).write_text(schema_text(model), encoding="utf-8")


def _read(files: Iterable[Path], config: Path) -> tuple[list[Profile], list[Problem]]:
    """The profiles that are right, and everything that is wrong with the others and the tools' tables."""
    found: dict[str, Profile] = {}
    problems: set[Problem] = set()
    for path in files:
        try:
            profile = profiles.read_profile(path, config)
        except ProfileError as wrong:
            problems.update(wrong.problems)
            continue
        if profile.key in found:
            said = f"{profile.key!r} is another file's key, too"
            problems.add(Problem(str(path), 1, "profile", said, "give each organisation a key of its own"))
        found[profile.key] = profile
    try:
        profiles.read_tools(config)
    except ProfileError as wrong:
        problems.update(wrong.problems)
    return list(found.values()), sorted(problems)


def _tell(profile: Profile) -> str:
    lines = [f"{profile.version}: {profile.name}: no errors"]
    lines += [f"  assumed: {path}: {what}" for path, what in profile.assumed.items()]
    lines += [f"  not yet: {path}: {what}" for path, what in _not_yet(profile)]
    lines += [f"  warning: {warning}" for warning in profile.warnings]
    return "\n".join(lines)


def _as_data(found: Iterable[Profile], problems: Iterable[Problem]) -> dict[str, object]:
    return {
        "profiles": [
            {
                "profile": profile.version,
                "assumed": dict(profile.assumed),
                "not_yet": dict(_not_yet(profile)),
                "warnings": [warning._asdict() for warning in profile.warnings],
            }
            for profile in found
        ],
        "errors": [problem._asdict() for problem in problems],
    }


def _not_yet(profile: Profile) -> list[tuple[str, str]]:
    """The lines of a profile that are right, and that nothing here can carry out so far."""
    from mappings.policies.rules import FACTS
    from mappings.policies.sla.measures import WATCHES
    from mappings.profile.reach import not_yet

    return not_yet(profile, facts=FACTS, measures=WATCHES)
