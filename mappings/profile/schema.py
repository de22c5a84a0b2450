"""JSON Schemas of the config files, for editors: generated from the models, kept fresh by a test."""

import json
from typing import Any

from pydantic import BaseModel

from mappings.profile.profile import Profile
from mappings.profile.tools import PagerDuty, Zendesk

MODELS: dict[str, type[BaseModel]] = {
    "profile.schema.json": Profile,
    "zendesk.schema.json": Zendesk,
    "pagerduty.schema.json": PagerDuty,
}
"""The files of config/schema."""


def schema_text(model: type[BaseModel]) -> str:
    """A model's JSON Schema as its file holds it."""
    schema = model.model_json_schema(by_alias=True)
    if model is Profile:
        _allow_parts(schema)
    text = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_plain(schema)}
    return json.dumps(text, indent=1, ensure_ascii=False) + "\n"


def _allow_parts(schema: dict[str, Any]) -> None:
    """A profile's file lays lines over the base: it may leave out anything, take an entry away, share a table."""
    for form in (schema, *schema["$defs"].values()):
        form.pop("required", None)
    for node in schema["properties"].values():
        below = node.get("additionalProperties")
        if isinstance(below, dict):
            node["additionalProperties"] = {"anyOf": [below, {"type": "null"}]}
    table = schema["$defs"]["Target"]["properties"]["table"]
    same = {"type": "string", "pattern": "^same as .+$", "description": "The figures of another target"}
    schema["$defs"]["Target"]["properties"]["table"] = {"anyOf": [table, same]}


def _plain(node: Any, *, names: bool = False) -> Any:
    """Without the titles and defaults that say nothing to a reader. `names`: the keys are names, not words."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _plain(value, names=key in ("properties", "$defs"))
        for key, value in node.items()
        if names or key not in ("title", "default")
    }
