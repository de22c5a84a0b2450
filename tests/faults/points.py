"""Named points of a process of ours: before and after each call that it makes to the store or to a tool.

Between two such calls nothing outlives the process, so a process killed at one of these points stands for one killed
anywhere. A point is called `store.take:after` or `zendesk.update_many:before`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flows.context import Context

SEAMS = ("store", "zendesk", "pagerduty", "slack", "mail")


class Killed(BaseException):
    """The process died here: nothing of ours may catch this."""


def watch(ctx: Context, reached: Callable[[str], None]) -> None:
    """Have `reached` told of every point that this process comes to; it may raise `Killed`, or end the process."""
    for seam in SEAMS:
        tool = getattr(ctx, seam)
        for name in dir(type(tool)) if tool is not None else ():
            method = getattr(type(tool), name)
            if callable(method) and not name.startswith("_") and not isinstance(method, type):
                setattr(tool, name, _told(getattr(tool, name), f"{seam}.{name}", reached))


def _told(call: Callable[..., Any], name: str, reached: Callable[[str], None]) -> Callable[..., Any]:
    @wraps(call)
    def wrapped(*args: Any, **given: Any) -> Any:
        reached(f"{name}:before")
        result = call(*args, **given)
        reached(f"{name}:after")
        return result

    return wrapped
