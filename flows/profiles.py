"""Where profiles are read from disk; mappings.profile does the rest."""

import os
from pathlib import Path

from flows.settings import ROOT
from mappings.faults import Explained
from mappings.profile import Problem, Profile, ProfileError, Source, ToolTable, load, load_tools

CONFIG = ROOT / "config"


class NoProfile(Explained, FileNotFoundError):
    """No file is where a profile, or the folder of all profiles, was looked for."""


def config_dir() -> Path:
    """The folder that HELPDESK_CONFIG_DIR names, else the one beside the code. Raises NoProfile where there is none."""
    named = os.environ.get("HELPDESK_CONFIG_DIR")
    if named and not (Path(named) / "profiles").is_dir():
        raise NoProfile(f"environment: HELPDESK_CONFIG_DIR: {named} holds no profiles/; name a folder like config/")
    return Path(named) if named else CONFIG


def shipped(config: Path = CONFIG) -> list[Path]:
    """The profiles of a config directory, by name."""
    return sorted((config / "profiles").glob("*.yaml"))


def profile_file(name: str | Path, config: Path = CONFIG) -> Path:
    """The file that a profile's key or path means. Raises NoProfile, which says what there is."""
    path, keys = Path(name), ", ".join(file.stem for file in shipped(config)) or "there are none"
    if path.suffix in (".yaml", ".yml") or path.is_file():
        if not path.is_file():
            raise NoProfile(f"{path}: no such file; check the path, or write a profile's key: {keys}")
        return path
    found = config / "profiles" / f"{name}.yaml"
    if not found.is_file():
        raise NoProfile(f"profile {str(name)!r}: no such profile in {config / 'profiles'}; write one of: {keys}")
    return found


def read_profile(name: str | Path, config: Path = CONFIG) -> Profile:
    """A profile by its key (`builder`) or path, checked together with its reply templates. Raises `ProfileError`."""
    path = profile_file(name, config)
    return load([_source(_base(path, config)), _source(path)], read_templates(config))


def typed_profile(text: str, config: Path = CONFIG, name: str = "pasted text") -> Profile:
    """A profile from its text, laid over the config directory's base. Raises `ProfileError`; lines are of the text."""
    return load([_source(config / "base.yaml"), Source(name, text)], read_templates(config))


def read_templates(config: Path = CONFIG) -> list[Source]:
    """Every reply text, `templates/<language>/<name>.md`."""
    return [_source(path) for path in sorted((config / "templates").glob("*/*.md"))]


def read_tools(config: Path = CONFIG) -> ToolTable:
    """Where our facts live in the tools, `tools/*.yaml`. Raises `ProfileError`."""
    return load_tools([_source(path) for path in sorted((config / "tools").glob("*.yaml"))])


def _base(path: Path, config: Path) -> Path:
    """The base beside a profile's directory, else the one of the config directory."""
    beside = path.resolve().parent.parent / "base.yaml"
    return beside if beside.is_file() else config / "base.yaml"


def _source(path: Path) -> Source:
    try:
        return Source(_shown(path), path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as wrong:
        line = path.read_bytes()[: wrong.start].count(b"\n") + 1
        problem = Problem(_shown(path), line, "file", "not UTF-8 text", "save it as UTF-8")
        raise ProfileError([problem]) from None


def _shown(path: Path) -> str:
    """A path as messages give it: relative to where we stand, where it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
