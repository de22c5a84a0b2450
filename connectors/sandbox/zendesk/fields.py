"""Custom field values and tags: what a field accepts, and how dropdowns and tags mirror each other."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.records import Field, Ticket
from connectors.sandbox.zendesk.switches import ZendeskSwitches

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}$")


def read_tags(value: Any) -> tuple[str, ...]:
    """Tags as the tool keeps them: lower case, split at blanks and commas, sorted, each once."""
    words = [value] if isinstance(value, str) else list(value or [])
    return tuple(sorted({tag for word in words for tag in re.split(r"[\s,]+", str(word).lower()) if tag}))


def read_value(field: Field, value: Any, *, refuse_unknown: bool = True) -> tuple[Any, str | None]:
    """(value to keep, what is wrong with it or null) for one custom field."""
    if value is None or value == "":
        return (False if field.type == "checkbox" else None), None
    if field.type in ("tagger", "dropdown"):
        if str(value) in field.values:
            return str(value), None
        return None, f"{field.title}: {value} is invalid" if refuse_unknown else None
    if field.type == "checkbox":
        return value in (True, "true", "1", 1), None
    if field.type == "integer" and not re.fullmatch(r"-?\d+", str(value)):
        return None, f"{field.title}: {value} is not a number"
    if field.type == "date" and not _DAY.match(str(value)):
        return None, f"{field.title}: {value} is not a date"
    return str(value), None


def read_custom(account: Account, rows: Any, switches: ZendeskSwitches) -> tuple[dict[int, Any], list[str]]:
    """Values from a request's `custom_fields` rows ({id, value}); unknown ids are ignored, as the tool does."""
    values: dict[int, Any] = {}
    wrong: list[str] = []
    for row in rows or []:
        field = account.ticket_fields.get(int(row.get("id") or 0))
        if field is None:
            continue
        value, problem = read_value(field, row.get("value"), refuse_unknown=switches.unknown_option_refused)
        if problem:
            wrong.append(problem)
        else:
            values[field.id] = value
    return values, wrong


def read_keyed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Values of an organisation's or user's fields, which are keyed by name and typed in JSON (§1.17)."""
    kept: dict[str, Any] = {}
    wrong = []
    for key, value in values.items():
        if key in fields:
            read, problem = read_value(fields[key], value)
            kept[key] = int(read) if fields[key].type == "integer" and read is not None else read
            wrong += [problem] if problem else []
    return kept, wrong


def settle_tags(
    account: Account,
    ticket: Ticket,
    *,
    custom: Mapping[int, Any],
    tags: Iterable[str] | None = None,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    mirror: bool = True,
) -> tuple[tuple[str, ...], dict[int, Any]]:
    """(tags, custom fields to change) after an update that names any of these.

    With `mirror` a dropdown's value is a tag as well: setting the field adds and removes tags, and taking an option's
    tag away empties its field. So a PUT of `tags` that forgets one clears a field, as in the real tool.
    """
    before = set(ticket.tags)
    after = (before if tags is None else set(tags)) | set(add)
    after -= set(remove)
    changes = dict(custom)
    if not mirror:
        return tuple(sorted(after)), changes
    for tag in before - after:
        field_id = account.tag_fields.get(tag)
        if field_id is not None and ticket.custom.get(field_id) == tag:
            changes.setdefault(field_id, None)
    for tag in sorted(after - before):
        field_id = account.tag_fields.get(tag)
        if field_id is not None and ticket.custom.get(field_id) != tag:
            changes.setdefault(field_id, tag)
    for field_id, value in changes.items():
        field = account.ticket_fields[field_id]
        if field.options:
            after -= field.values
            after |= {value} if value else set()
    return tuple(sorted(after)), changes
