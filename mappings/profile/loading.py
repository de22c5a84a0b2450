"""Text → typed profile, or every problem at once: read, merge, type, check."""

import hashlib
import json
from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from mappings.profile.contradictions import check_contradictions
from mappings.profile.copies import Copies, copy_tables
from mappings.profile.errors import tell
from mappings.profile.findings import Finding
from mappings.profile.intake import check_intake
from mappings.profile.order import check_order
from mappings.profile.problems import Problem, ProfileError
from mappings.profile.profile import Profile
from mappings.profile.reading import Merged, Source, Tree, merge, read, spell
from mappings.profile.references import check_references
from mappings.profile.templates import check_replies, check_texts

Path = tuple[str | int, ...]
_DIGEST = 8
"""Hex digits of a version: enough that two contents do not meet by chance."""


def load(sources: Sequence[Source], templates: Iterable[Source] | None = None) -> Profile:
    """A profile from its files, base first. Maps merge by key, null removes a key, lists and scalars replace.

    `templates` are the reply texts (`…/templates/<language>/<name>.md`); where they are given, every `reply` must find
    its own. Raises `ProfileError` with all problems. What is odd but usable is in `Profile.warnings`.
    """
    texts = None if templates is None else list(templates)
    tree, base, problems = _read_all(sources)
    version = digest(tree)
    copies = copy_tables(tree)
    profile, more, gone = _typed(tree, base, copies)
    problems += copies.problems + more + ([] if texts is None else list(check_texts(texts)))
    found = [] if profile is None else _checked(profile, texts, gone)
    found = [one for one in found if not copies.hold(one.path)]
    if len(sources) > 1:
        found = _inherited(tree, found, base=sources[0].name)
    problems += [tree.problem(one.path, one.problem, one.fix) for one in found if not one.odd]
    if problems or profile is None:
        raise ProfileError(problems)
    profile._version = f"{profile.key}@{version}"
    warnings = {tree.problem(one.path, one.problem, one.fix) for one in found}
    profile._warnings = tuple(sorted(warnings))
    return profile


def digest(tree: Tree) -> str:
    """A digest of the content. Comments, layout and files do not count, nor does order, save where it has meaning."""
    plain = tree.plain()
    plain.pop("extends", None)
    ordered = [plain.get(section) for section in ("severities", "plans")]
    order = [list(section) if isinstance(section, dict | list) else [] for section in ordered]  # not typed yet
    text = json.dumps([plain, order], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def _read_all(sources: Sequence[Source]) -> tuple[Tree, Tree, list[Problem]]:
    """All files as one tree, the first file's own, and what was wrong."""
    trees: list[Tree] = []
    broken: list[Problem] = []
    for source in sources:
        try:
            trees.append(read(source))
        except ProfileError as wrong:
            broken += wrong.problems
    if broken or not trees:
        raise ProfileError(broken)
    merged = Merged(trees[0], [], [])
    for tree in trees[1:]:
        laid = merge(merged.tree, tree)
        merged = Merged(laid.tree, merged.problems + laid.problems, merged.removed + laid.removed)
    _forget_assumptions(merged)
    return merged.tree, trees[0], merged.problems


def _forget_assumptions(merged: Merged) -> None:
    """What was taken away is no longer assumed."""
    assumed = merged.tree.at(["assumed"])
    if assumed is None or not isinstance(assumed.value, dict):
        return
    gone = [spell(path) for path in merged.removed]
    for key in list(assumed.value):
        if any(key == path or key.startswith(f"{path}.") for path in gone):
            del assumed.value[key]


def _typed(tree: Tree, base: Tree, copies: Copies) -> tuple[Profile | None, list[Problem], set[Path]]:
    """Type the tree. What cannot be typed is taken out, so that the rest can be checked; its paths are given back.

    What the base has at the same place stands in for it.
    """
    problems: list[Problem] = []
    removed: set[Path] = set(copies.gone)
    while True:
        try:
            profile = Profile.model_validate(tree.plain())
        except ValidationError as invalid:
            told = tell(Profile, tree, invalid)
        else:
            return profile, problems, removed
        # What we took out ourselves is not missing, and the faults of a copy are those of its original.
        problems += [one for path, one in told if path not in removed and not copies.hold(path)]
        taken = [_take_out(tree, base, path) for path, _ in sorted(told, key=_position, reverse=True)]
        if not all(taken):
            return None, problems, set()
        removed |= set(taken) | {path for path, _ in told}


def _position(one: tuple[Path, Problem]) -> list[tuple[int, str]]:
    return [(step, "") if isinstance(step, int) else (0, step) for step in one[0]]


def _take_out(tree: Tree, base: Tree, path: Path) -> Path:
    """Put the base's value at a path, else remove what is there, else the entry around that lacks it.

    Gives the path of what went, empty where nothing could.
    """
    for size in range(len(path), 0, -1):
        parent, value = tree.at(path[: size - 1]), tree.at(path[:size])
        if parent is None or value is None:
            continue
        last = path[size - 1] if isinstance(parent.value, list) else str(path[size - 1])
        instead = base.at(path[:size])
        if instead is not None and instead is not value and size == len(path):
            parent.value[last] = instead
        else:
            del parent.value[last]
        return path[:size]
    return ()


def _checked(profile: Profile, texts: list[Source] | None, gone: set[Path]) -> list[Finding]:
    """What the checks find. Figures are compared only where all names are right: else one fault would tell many."""
    found = [*check_references(profile), *check_intake(profile)]
    if texts is not None:
        found += check_replies(profile, texts)
    if gone:
        return [one for one in found if not _follows(one, gone)]
    if all(one.odd for one in found):
        found += [*check_order(profile), *check_contradictions(profile)]
    return found


def _follows(finding: Finding, gone: set[Path]) -> bool:
    """Is it only there because something had to be taken out: around it, beside it, or what it names?"""
    path = finding.path
    for taken in gone:
        around = taken[: len(path)] == path
        beside = len(taken) > 2 and taken[:3] == path[:3]
        of_table = taken[:2] == path[:2] and taken[2:3] == ("by",)
        if around or beside or of_table or repr(str(taken[-1])) in finding.problem:
            return True
    return path[0] == "assumed"


def _inherited(tree: Tree, found: list[Finding], *, base: str) -> list[Finding]:
    """A rule of the base that asks for what this profile does not have never fires here: odd, but no error."""
    return [
        one._replace(odd=True, fix=f"remove it with rules: {{{one.path[1]}: null}}, if you like")
        if one.path[0] == "rules" and "when" in one.path and tree.place(one.path)[0] == base
        else one
        for one in found
    ]
