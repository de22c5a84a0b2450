"""Text → typed profile, or every problem at once: read, merge, type, check."""

import hashlib
import json
from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from mappings.profile.errors import tell
from mappings.profile.problems import Problem, ProfileError, suggest
from mappings.profile.profile import Profile
from mappings.profile.reading import Source, Tree, merge, read

_SAME = "same as "
_DIGEST = 8
"""Hex digits of a version: enough that two contents do not meet by chance."""


def load(sources: Sequence[Source], templates: Iterable[Source] | None = None) -> Profile:
    """A profile from its files, base first. Maps merge by key, null removes a key, lists and scalars replace.

    `templates` are the reply texts (`…/templates/<language>/<name>.md`); where they are given, every `reply` must find
    its own. Raises `ProfileError` with all problems. What is odd but usable is in `Profile.warnings`.
    """
    tree, problems = _read_all(sources)
    problems += _copy_tables(tree)
    profile, wrong = _typed(tree)
    problems += wrong
    if problems or profile is None:
        raise ProfileError(problems)
    profile._version = f"{profile.key}@{digest(tree)}"
    return profile


def digest(tree: Tree) -> str:
    """A digest of the content. Comments, layout and files do not count, nor does order, save where it has meaning."""
    plain = tree.plain()
    plain.pop("extends", None)
    order = [list(plain.get(section) or ()) for section in ("severities", "plans")]
    text = json.dumps([plain, order], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def _read_all(sources: Sequence[Source]) -> tuple[Tree, list[Problem]]:
    trees: list[Tree] = []
    broken: list[Problem] = []
    for source in sources:
        try:
            trees.append(read(source))
        except ProfileError as wrong:
            broken += wrong.problems
    if broken or not trees:
        raise ProfileError(broken)
    merged, problems = trees[0], []
    for tree in trees[1:]:
        merged, more = merge(merged, tree)
        problems += more
    return merged, problems


def _copy_tables(tree: Tree) -> list[Problem]:
    """`table: same as First response` takes that target's `by` and `table`."""
    targets = tree.at(["targets"])
    problems = []
    for name, target in targets.value.items() if targets is not None and isinstance(targets.value, dict) else ():
        table = target.at(["table"])
        if table is None or not isinstance(table.value, str) or not table.value.startswith(_SAME):
            continue
        other = table.value.removeprefix(_SAME)
        source = targets.value.get(other) if targets is not None and other != name else None
        copied = source.at(["table"]) if source is not None else None
        if copied is None or (isinstance(copied.value, str) and copied.value.startswith(_SAME)):
            known = [key for key in targets.value if key != name] if targets is not None else []
            problems.append(
                tree.problem(["targets", name, "table"], f"no target {other!r} with a table", suggest(other, known))
            )
            del target.value["table"]
            continue
        target.value["table"] = copied
        if source is not None and "by" in source.value:
            target.value.setdefault("by", source.value["by"])
    return problems


def _typed(tree: Tree) -> tuple[Profile | None, list[Problem]]:
    try:
        return Profile.model_validate(tree.plain()), []
    except ValidationError as wrong:
        return None, [problem for _, problem in tell(Profile, tree, wrong)]
