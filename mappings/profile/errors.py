"""What pydantic found wrong, told as problems: the path as written, its line, and what to write instead."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from mappings.profile.problems import Problem, suggest
from mappings.profile.reading import Tree, spell

_WANTED = {
    "string_type": ("text", "write a word, or text in quotes"),
    "bool_type": ("true or false", "write true or false"),
    "bool_parsing": ("true or false", "write true or false"),
    "int_type": ("a whole number", "write a number, for example 3"),
    "int_parsing": ("a whole number", "write a number, for example 3"),
    "tuple_type": ("a list", "write [one, two]"),
    "dict_type": ("a map", "write {key: value}, or keys indented below"),
    "mapping_type": ("a map", "write {key: value}, or keys indented below"),
    "model_type": ("a map", "write {key: value}, or keys indented below"),
    "date_from_datetime_parsing": ("a date", "write for example 2026-12-24"),
    "date_parsing": ("a date", "write for example 2026-12-24"),
    "date_type": ("a date", "write for example 2026-12-24"),
}

_FORMS = {"text": ("text", "text in quotes"), "list": ("a list", "[one, two]"), "map": ("a map", "keys indented below")}


def tell(model: type[BaseModel], tree: Tree, found: ValidationError) -> list[tuple[tuple[str | int, ...], Problem]]:
    """Every error as (path in the tree, problem); several readings of one value are one problem."""
    told: dict[tuple[str | int, ...], Problem] = {}
    for error in found.errors(include_url=False):
        path = _path(tree, error["loc"], error["type"])
        problem, fix = _words(model, path, dict(error))
        at = path[:-1] if error["type"] == "missing" else path
        if path in told and told[path].problem != problem:
            problem, fix = "cannot be read as any of the forms allowed here", "compare it with the other profiles"
        file, line = tree.place(at)
        told[path] = Problem(file, line, spell(path), problem, fix)
    return list(told.items())


def _path(tree: Tree, loc: Iterable[str | int], kind: str) -> tuple[str | int, ...]:
    """A location without what pydantic adds (union members, `[key]`): only steps that the file has."""
    path: list[str | int] = []
    here: Tree | None = tree
    steps = list(loc)
    for index, step in enumerate(steps):
        if here is not None and isinstance(here.value, dict) and str(step) in here.value:
            path.append(str(step))
            here = here.value[str(step)]
        elif here is not None and isinstance(here.value, list) and isinstance(step, int):
            path.append(step)
            here = here.at([step])
        elif kind == "missing" and index == len(steps) - 1:
            path.append(step)
    return tuple(path)


def _words(model: type[BaseModel], path: tuple[str | int, ...], error: Mapping[str, Any]) -> tuple[str, str]:
    kind, value, context = error["type"], error.get("input"), error.get("ctx") or {}
    if kind == "profile":
        return str(context["problem"]), str(context["fix"])
    if kind == "missing":
        return "missing", f"add {path[-1]}: …"
    if kind == "extra_forbidden":
        return f"unknown key {path[-1]!r}", suggest(str(path[-1]), known_keys(model, path[:-1]))
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return f"unknown value {_show(value)}", suggest(str(value), words)
    if "[key]" in error["loc"]:
        wanted = _WANTED.get(kind, ("a known key", "see the other profiles"))
        return f"{path[-1] if path else value!r} is not {wanted[0]}", wanted[1]
    if kind == "union_tag_invalid":
        forms = [_FORMS[form] for form in _FORMS if f"'{form}'" in str(context["expected_tags"])]
        names, fixes = zip(*forms, strict=True)
        return f"{_show(value)} is not {' or '.join(names)}", f"write {' or '.join(fixes)}"
    if kind == "tuple_type" and isinstance(value, str):
        return f"{value!r} is not a list", f"write [{value}]"
    if kind in _WANTED:
        wanted = _WANTED[kind]
        return f"{_show(value)} is not {wanted[0]}", wanted[1]
    return str(error["msg"]), "compare it with the other profiles"


def _show(value: object) -> str:
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else "a map" if isinstance(value, dict) else repr(value)


def known_keys(model: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """The keys that may stand at a path, from the model's JSON Schema; none where any key may."""
    schema = _schema(model)
    nodes = [schema]
    for step in path:
        nodes = [below for node in nodes for below in _below(schema, node, step)]
    return [key for node in nodes for form in _forms(schema, node) for key in form.get("properties", {})]


@lru_cache(maxsize=8)
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def _forms(root: dict[str, Any], node: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema node as what it may be: references followed, alternatives listed."""
    if "$ref" in node:
        return _forms(root, root["$defs"][node["$ref"].rpartition("/")[2]])
    options = node.get("anyOf") or node.get("oneOf")
    return [form for option in options for form in _forms(root, option)] if options else [node]


def _below(root: dict[str, Any], node: dict[str, Any], step: str | int) -> list[dict[str, Any]]:
    found = []
    for form in _forms(root, node):
        below = form.get("properties", {}).get(str(step)) or form.get("additionalProperties") or form.get("items")
        if isinstance(below, dict):
            found.append(below)
    return found
