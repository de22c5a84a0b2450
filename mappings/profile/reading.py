"""YAML text → a tree that remembers the file and line of every value; trees merge, the later one wins."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mappings.profile.problems import Problem, ProfileError, suggest

Path = tuple[str, ...]


class Source(NamedTuple):
    """A file's text under the name that messages give it."""

    name: str
    text: str


@dataclass(slots=True)
class Tree:
    """A value with its place. `value` is a dict of trees, a list of trees or a scalar. Lines count from 1."""

    value: Any
    file: str
    line: int
    keys: dict[str, int] = field(default_factory=dict)
    """The line of each key of a map, which is what a message about the key or its value points to."""

    def plain(self) -> Any:
        """The bare value: dicts (keys are text), lists, text, numbers, true, false and null."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def at(self, path: Sequence[str | int]) -> "Tree | None":
        """What lies at a path, or None."""
        tree: Tree | None = self
        for step in path:
            if tree is None:
                return None
            if isinstance(tree.value, dict):
                tree = tree.value.get(str(step))
            elif isinstance(tree.value, list) and isinstance(step, int) and step < len(tree.value):
                tree = tree.value[step]
            else:
                return None
        return tree

    def place(self, path: Sequence[str | int]) -> tuple[str, int]:
        """File and line of the deepest part of a path that is there."""
        for size in range(len(path), -1, -1):
            found = self.at(path[:size])
            if found is not None:
                return found.file, found.line
        return self.file, self.line

    def problem(self, path: Sequence[str | int], problem: str, fix: str) -> Problem:
        """A problem at the place that a path names."""
        return Problem(*self.place(path), spell(path), problem, fix)

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, "Tree"]]:
        """Every map entry below, with its path."""
        if isinstance(self.value, dict):
            for key, child in self.value.items():
                yield (*path, key), child
                yield from child.walk((*path, key))


def spell(path: Sequence[str | int]) -> str:
    """A path as people read it: `targets.First response.late[0]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text or "file"


def read(source: Source) -> Tree:
    """Read one file. Raises `ProfileError` for broken YAML, for each key that is there twice, and for an empty file."""
    problems: list[Problem] = []
    try:
        root = _composed(source.text)
    except MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line = mark.line + 1 if mark else 1
        told = " ".join(part for part in (wrong.context, wrong.problem) if part)
        raise ProfileError([Problem(source.name, line, "file", f"not YAML: {told}", _yaml_fix(told))]) from None
    except YAMLError as wrong:
        fix = "save it as plain UTF-8 text"
        raise ProfileError([Problem(source.name, 1, "file", f"not YAML: {wrong}", fix)]) from None
    if not isinstance(root, MappingNode):
        fix = "begin with `profile: name` and `extends: base`"
        raise ProfileError([Problem(source.name, 1, "file", "not a map of keys and values", fix)])
    tree = _tree(root, source.name, root.start_mark.line + 1, (), problems)
    if problems:
        raise ProfileError(problems)
    return tree


def _composed(text: str) -> Node | None:
    """The text's nodes: by the parser in C, which is ten times as fast; what it refuses, by the one that explains."""
    try:
        return cast(Node | None, YAML(typ="safe").compose(text))
    except YAMLError:
        return cast(Node | None, YAML(typ="safe", pure=True).compose(text))


def _yaml_fix(told: str) -> str:
    if "'\\t'" in told:
        return "indent with spaces, not with tabs"
    if "found character" in told or "alias" in told or "cannot start" in told:
        return 'put the text in "quotes"'
    if "mapping values are not allowed" in told:
        return 'indent with two spaces a level, and put text that holds ": " in "quotes"'
    return "compare the indentation, brackets and quotes with the lines around it"


def _tree(node: Node, file: str, line: int, path: Path, problems: list[Problem]) -> Tree:
    if isinstance(node, MappingNode):
        entries: dict[str, Tree] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, at = str(key_node.value), key_node.start_mark.line + 1
            if key in entries:
                problem = f"is there twice, first in line {lines[key]}"
                problems.append(Problem(file, at, spell((*path, key)), problem, "remove or rename one of the two"))
                continue
            lines[key] = at
            entries[key] = _tree(value_node, file, at, (*path, key), problems)
        return Tree(entries, file, line, lines)
    if isinstance(node, SequenceNode):
        items = [_tree(item, file, item.start_mark.line + 1, (*path, str(i)), problems) for i, item in
                 enumerate(node.value)]  # fmt: skip
        return Tree(items, file, line)
    return Tree(_scalar(node) if isinstance(node, ScalarNode) else None, file, line)


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    """Text stays text (dates too: their field types them); YAML 1.2 decides what is a number, true or null."""
    text = str(node.value)
    match str(node.tag).rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text) if re.fullmatch(r"[+-]?(0|[1-9]\d*)", text) else text
        case "float" if re.fullmatch(r"[+-]?\d+\.\d+", text):
            return float(text)
    return text


_NOT_DAYS = frozenset({"zone", "holidays"})


class Merged(NamedTuple):
    """One file laid over another: the tree, what was wrong, and the paths that null took away."""

    tree: Tree
    problems: list[Problem]
    removed: list[Path]


def merge(base: Tree, over: Tree) -> Merged:
    """Lay one file over another: maps merge by key, null removes a key, lists and scalars replace.

    The days of a calendar are one value: who names some names them all, so `mon-sat` leaves no `mon-fri` behind.
    """
    problems: list[Problem] = []
    removed: list[Path] = []

    def lay(under: Tree, upper: Tree, path: Path) -> Tree:
        if not (isinstance(under.value, dict) and isinstance(upper.value, dict)):
            return upper
        merged, lines = dict(under.value), dict(under.keys)
        if path[:1] == ("calendars",) and len(path) == 2 and set(upper.value) - _NOT_DAYS:
            merged = {key: child for key, child in merged.items() if key in _NOT_DAYS}
        for key, child in upper.value.items():
            below = (*path, key)
            lines[key] = upper.keys[key]
            if child.value is not None:
                merged[key] = lay(merged[key], child, below) if key in merged else child
            elif merged.pop(key, None) is None:
                problem = "null removes what the base has, and it has no such key"
                problems.append(Problem(child.file, child.line, spell(below), problem, suggest(key, under.value)))
            else:
                removed.append(below)
        return Tree(merged, upper.file, upper.line, lines)

    return Merged(lay(base, over, ()), problems, removed)
