"""What is wrong with a config file: the place, the field, the problem and the fix, all of them at once."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from mappings.faults import Explained


class Problem(NamedTuple):
    """One thing wrong. `line` counts from 1; `field` is the path of keys, for example `targets.Response.measure`."""

    file: str
    line: int
    field: str
    problem: str
    fix: str

    def __str__(self) -> str:
        told = f"{self.problem}; {self.fix}" if self.fix else self.problem
        return f"{self.file}:{self.line}: {self.field}: {told}"


class ProfileError(Explained):
    """A profile (or a tool's table) that cannot be used. `problems` holds all that was found, by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody probably meant, in any case; None where none is near."""
    by_case = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_case, n=1, cutoff=0.6)
    return by_case[found[0]] if found else None


def suggest(word: str, known: Iterable[str], *, many: int = 12) -> str:
    """A fix for an unknown word: `did you mean 'first_reply'?`, else the words there are."""
    names = [str(name) for name in known]
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {near!r}?"
    if not names:
        return "there are none to choose from: remove it"
    more = ", …" if len(names) > many else ""
    return f"write one of: {', '.join(names[:many])}{more}"
