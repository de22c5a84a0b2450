"""`table: same as First response`: a target that takes the figures of another."""

from copy import deepcopy
from dataclasses import dataclass, field

from mappings.profile.problems import Problem, suggest
from mappings.profile.reading import Tree

Path = tuple[str | int, ...]
SAME = "same as "


@dataclass(slots=True)
class Copies:
    """Which targets took another's figures, what could not be copied, and the paths that went for it."""

    names: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    gone: set[Path] = field(default_factory=set)

    def hold(self, path: Path) -> bool:
        """Does a path lead into a copy? Whatever is wrong there is told of the original."""
        return len(path) > 2 and path[0] == "targets" and path[1] in self.names and path[2] in ("by", "table")


def copy_tables(tree: Tree) -> Copies:
    """Give each such target the `by` and `table` of the one it names, in place."""
    copies = Copies()
    targets = tree.at(["targets"])
    entries: dict[str, Tree] = targets.value if targets is not None and isinstance(targets.value, dict) else {}
    wanted = {name: other for name, target in entries.items() if (other := _other(target)) is not None}
    tables = {name: table for name, target in entries.items() if name not in wanted and (table := target.at(["table"]))}
    for name, other in wanted.items():
        path: Path = ("targets", name, "table")
        if other not in tables:
            fix = suggest(other, tables)
            copies.problems.append(tree.problem(path, f"no target {other!r} with a table", fix))
            copies.gone.add(path)
            del entries[name].value["table"]
            continue
        copies.names.add(name)
        by = entries[other].at(["by"])
        entries[name].value["table"] = deepcopy(tables[other])
        entries[name].value |= {"by": deepcopy(by)} if by is not None else {}
    return copies


def _other(target: Tree) -> str | None:
    table = target.at(["table"])
    text = table.value if table is not None else None
    return text.removeprefix(SAME) if isinstance(text, str) and text.startswith(SAME) else None
