"""Text → typed profile, or every problem at once: read, merge, type, check."""

import hashlib
import json
from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from mappings.profile.errors import tell
from mappings.profile.findings import Finding
from mappings.profile.order import check_order
from mappings.profile.problems import Problem, ProfileError, suggest
from mappings.profile.profile import Profile
from mappings.profile.reading import Merged, Source, Tree, merge, read, spell
from mappings.profile.references import check_references
from mappings.profile.templates import check_replies, check_texts

Path = tuple[str | int, ...]
_SAME = "same as "
_DIGEST = 8
"""Hex digits of a version: enough that two contents do not meet by chance."""


def load(sources: Sequence[Source], templates: Iterable[Source] | None = None) -> Profile:
    """A profile from its files, base first. Maps merge by key, null removes a key, lists and scalars replace.

    `templates` are the reply texts (`…/templates/<language>/<name>.md`); where they are given, every `reply` must find
    its own. Raises `ProfileError` with all problems. What is odd but usable is in `Profile.warnings`.
    """
    texts = None if templates is None else list(templates)
    tree, problems = _read_all(sources)
    version = digest(tree)
    problems += _copy_tables(tree)
    profile, more, gone = _typed(tree)
    problems += more
    warnings: list[Problem] = []
    if profile is not None:
        found = _inherited(tree, _checked(profile, texts, gone))
        problems += [tree.problem(one.path, one.problem, one.fix) for one in found if not one.odd]
        warnings = [tree.problem(one.path, one.problem, one.fix) for one in found if one.odd]
    if texts is not None:
        problems += check_texts(texts)
    if problems or profile is None:
        raise ProfileError(problems)
    profile._version = f"{profile.key}@{version}"
    profile._warnings = tuple(sorted(set(warnings)))
    return profile


def digest(tree: Tree) -> str:
    """A digest of the content. Comments, layout and files do not count, nor does order, save where it has meaning."""
    plain = tree.plain()
    plain.pop("extends", None)
    order = [list(plain.get(section) or ()) for section in ("severities", "plans")]
    text = json.dumps([plain, order], sort_keys=True, separators=(",", ":"))
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
    merged = Merged(trees[0], [], [])
    for tree in trees[1:]:
        laid = merge(merged.tree, tree)
        merged = Merged(laid.tree, merged.problems + laid.problems, merged.removed + laid.removed)
    _forget_assumptions(merged)
    return merged.tree, merged.problems


def _forget_assumptions(merged: Merged) -> None:
    """What was taken away is no longer assumed."""
    assumed = merged.tree.at(["assumed"])
    if assumed is None or not isinstance(assumed.value, dict):
        return
    gone = [spell(path) for path in merged.removed]
    for key in list(assumed.value):
        if any(key == path or key.startswith(f"{path}.") for path in gone):
            del assumed.value[key]


def _copy_tables(tree: Tree) -> list[Problem]:
    """`table: same as First response` takes that target's `by` and `table`."""
    targets = tree.at(["targets"])
    entries: dict[str, Tree] = targets.value if targets is not None and isinstance(targets.value, dict) else {}
    problems = []
    for name, target in entries.items():
        table = target.at(["table"])
        if table is None or not isinstance(table.value, str) or not table.value.startswith(_SAME):
            continue
        other = table.value.removeprefix(_SAME)
        own = {key: entry.at(["table"]) for key, entry in entries.items() if key != name}
        tables = {key: found for key, found in own.items() if found is not None and not _refers(found)}
        if other not in tables:
            fix = suggest(other, tables)
            problems.append(tree.problem(["targets", name, "table"], f"no target {other!r} with a table", fix))
            del target.value["table"]
            continue
        by = entries[other].at(["by"])
        target.value |= {"table": tables[other]} | ({"by": by} if by is not None else {})
    return problems


def _refers(table: Tree) -> bool:
    return isinstance(table.value, str) and table.value.startswith(_SAME)


def _typed(tree: Tree) -> tuple[Profile | None, list[Problem], set[Path]]:
    """Type the tree. What cannot be typed is taken out, so that the rest can be checked; its paths are given back."""
    problems: list[Problem] = []
    removed: set[Path] = set()
    while True:
        try:
            profile = Profile.model_validate(tree.plain())
        except ValidationError as invalid:
            told = tell(Profile, tree, invalid)
        else:
            return profile, problems, removed
        # Two targets may share one table, and what we took out ourselves is not missing.
        seen = {(problem.file, problem.line, problem.problem) for problem in problems}
        fresh = {(one.file, one.line, one.problem): one for path, one in told if path not in removed}
        problems += [one for key, one in fresh.items() if key not in seen]
        taken = [_take_out(tree, path) for path, _ in sorted(told, key=_position, reverse=True)]
        if not all(taken):
            return None, problems, set()
        removed |= set(taken) | {path for path, _ in told}


def _position(one: tuple[Path, Problem]) -> list[tuple[int, str]]:
    return [(step, "") if isinstance(step, int) else (0, step) for step in one[0]]


def _take_out(tree: Tree, path: Path) -> Path:
    """Remove the value at a path, or the entry that lacks it; gives the path of what went, empty where nothing did."""
    for size in range(len(path), 0, -1):
        parent = tree.at(path[: size - 1])
        if parent is None or tree.at(path[:size]) is None:
            continue
        last = path[size - 1]
        del parent.value[last if isinstance(parent.value, list) else str(last)]
        return path[:size]
    return ()


def _checked(profile: Profile, texts: list[Source] | None, gone: set[Path]) -> list[Finding]:
    """What the checks find. Figures are compared only where all names are right: else one fault would tell many."""
    found = list(check_references(profile))
    if texts is not None:
        found += check_replies(profile, texts)
    if gone:
        return [one for one in found if not _follows(one, gone)]
    if all(one.odd for one in found):
        found += check_order(profile)
    return found


def _follows(finding: Finding, gone: set[Path]) -> bool:
    """Is it only there because something had to be taken out?"""
    around = any(path[: len(finding.path)] == finding.path for path in gone)
    return around or finding.path[0] == "assumed" or any(repr(str(path[-1])) in finding.problem for path in gone)


def _inherited(tree: Tree, found: list[Finding]) -> list[Finding]:
    """A rule of the base that asks for what this profile does not have never fires here: odd, but no error."""
    own, _ = tree.place(["profile"])
    return [
        one._replace(odd=True, fix=f"remove it with rules: {{{one.path[1]}: null}}, if you like")
        if one.path[0] == "rules" and "when" in one.path and tree.place(one.path)[0] != own
        else one
        for one in found
    ]
