"""The shipped profiles, loaded once, and ways to bend one for a test."""

from functools import cache
from pathlib import Path

from mappings.profile import Profile, Source, load

CONFIG = Path(__file__).resolve().parent.parent / "config"


def sources(name: str) -> list[Source]:
    """base.yaml and one profile, as the loader takes them."""
    files = (CONFIG / "base.yaml", CONFIG / "profiles" / f"{name}.yaml")
    return [Source(str(path.relative_to(CONFIG.parent)), path.read_text()) for path in files]


@cache
def profile(name: str) -> Profile:
    """A shipped profile."""
    return load(sources(name))


def edited(name: str, yaml: str) -> Profile:
    """A shipped profile with a few lines of YAML laid over it."""
    return load([*sources(name), Source("edit.yaml", yaml)])
