"""What a check finds: a path in the profile, the problem and the fix. loading.py adds the file and line."""

from collections.abc import Iterable
from typing import NamedTuple

from mappings.profile.problems import suggest


class Finding(NamedTuple):
    """One thing wrong, or (`odd`) only worth a second look."""

    path: tuple[str | int, ...]
    problem: str
    fix: str
    odd: bool = False


def unknown(path: tuple[str | int, ...], what: str, word: object, known: Iterable[object]) -> list[Finding]:
    """A finding where a word is not among those known, else nothing."""
    names = [str(name) for name in known]
    if str(word) in names:
        return []
    return [Finding(path, f"no {what} {str(word)!r}", suggest(str(word), names))]
