"""What people do in the tools by hand, as one table: action → the tool that does it and the call it is."""

import inspect
from collections.abc import Mapping
from typing import Any

ACTIONS: dict[str, tuple[str, str]] = {
    "file": ("zendesk", "file_ticket"),
    "reply": ("zendesk", "reply"),
    "edit": ("zendesk", "edit"),
    "rate": ("zendesk", "rate"),
    "merge": ("zendesk", "merge"),
    "delete": ("zendesk", "delete"),
    "restore": ("zendesk", "restore"),
    "spam": ("zendesk", "mark_spam"),
    "plan": ("zendesk", "change_plan"),
    "companies": ("zendesk", "companies"),
    "customers": ("zendesk", "people"),
    "agents": ("zendesk", "agents"),
    "incidents": ("pagerduty", "console_view"),
    "acknowledge": ("pagerduty", "acknowledge"),
    "resolve": ("pagerduty", "resolve"),
    "note": ("pagerduty", "note"),
    "subscribe": ("pagerduty", "subscribe"),
}


class Unknown(LookupError):
    """No such action, or its tool is not part of this sandbox."""


def act(tools: Mapping[str, object], action: str, given: dict[str, Any]) -> Any:
    """Do `action` with the arguments given by name; ValueError says which argument is missing or unknown."""
    if action not in ACTIONS:
        raise Unknown(f"no such action: {action}; known are {', '.join(ACTIONS)}")
    tool, name = ACTIONS[action]
    call = getattr(tools.get(tool), name, None)
    if call is None:
        raise Unknown(f"{action}: this sandbox has no {tool} that can {name}")
    try:
        bound = inspect.signature(call).bind(**given)
    except TypeError as error:
        raise ValueError(f"{action}: {error}; it takes {inspect.signature(call)}") from error
    return call(*bound.args, **bound.kwargs)
