"""Request budgets: the account's, the endpoints' own, the headers that tell what is left (vendor-facts §1.3)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from connectors.sandbox.limits import FixedWindow, SlidingWindow, Taken
from connectors.sandbox.zendesk.errors import Refusal
from connectors.sandbox.zendesk.switches import ZendeskSwitches

TEXT = "Number of allowed API requests per minute exceeded"


@dataclass(frozen=True)
class Budget:
    """An endpoint's own budget: the header that tells of it, which requests it counts, and how many it allows."""

    name: str
    method: str
    path: re.Pattern[str]
    limit: Callable[[ZendeskSwitches], int]
    header: str = "zendesk-ratelimit"
    seconds: int = 60
    per_ticket: bool = False


def _budget(name: str, method: str, path: str, limit: Callable[[ZendeskSwitches], int], **more: object) -> Budget:
    return Budget(name, method, re.compile(path), limit, **more)  # type: ignore[arg-type]


BUDGETS = (
    _budget("incremental-exports-cursor", "GET", r"/incremental/users/cursor$", lambda s: s.user_exports_per_minute),
    _budget("incremental-exports", "GET", r"/incremental/(?!users/cursor)", lambda s: s.exports_per_minute),
    _budget("tickets-index", "GET", r"/tickets$", lambda s: 100, header="zendesk-rate-limit"),
    _budget("per-ticket-updates", "PUT", r"/tickets/\d+$", lambda s: s.ticket_updates, seconds=600, per_ticket=True),
    _budget("tickets-update", "PUT", r"/tickets/\d+$", lambda s: s.updates_per_minute, header="zendesk-rate-limit"),
    _budget("search-index", "GET", r"/search$", lambda s: 2500),
    _budget("search-export", "GET", r"/search/export$", lambda s: 100),
    _budget("tickets-destroy", "DELETE", r"/tickets/\d+$", lambda s: 400, header="zendesk-rate-limit"),
    _budget("deleted-tickets-index", "GET", r"/deleted_tickets$", lambda s: 10, header="zendesk-rate-limit"),
    _budget("deleted-tickets-destroy", "DELETE", r"/deleted_tickets/\d+$", lambda s: 1000, header="zendesk-rate-limit"),
)


@dataclass
class Budgets:
    """The account's budgets, counted on simulated time."""

    switches: ZendeskSwitches
    on: Callable[[], bool]
    _windows: dict[str, FixedWindow | SlidingWindow] = field(default_factory=dict)

    def take(self, method: str, path: str, user_id: int | None, now: datetime) -> dict[str, str]:
        """Count a request and say what its answer's headers tell; Refusal (429) where a budget is used up."""
        if not self.on():
            return {}
        limit = self.switches.requests_per_minute
        taken = self._window("account", limit, 60, sliding=False).take("account", now)
        headers = {
            "x-rate-limit": str(limit),
            "x-rate-limit-remaining": str(taken.remaining),
        }
        prefix, total = (
            ("rate-limit", "rate-limit") if self.switches.older_limit_headers else ("ratelimit", "ratelimit-limit")
        )
        headers |= {total: str(limit), f"{prefix}-remaining": str(taken.remaining), f"{prefix}-reset": str(taken.reset)}
        if not taken.allowed:
            raise self._spent(taken, headers)
        for budget in BUDGETS:
            if budget.method == method and budget.path.search(path):
                key = f"{user_id}:{path}" if budget.per_ticket else "account"
                window = self._window(budget.name, budget.limit(self.switches), budget.seconds, budget.per_ticket)
                own = window.take(key, now)
                headers[f"{budget.header}-{budget.name}"] = told(own)
                if not own.allowed:
                    raise self._spent(own, headers)
        return headers

    def _window(self, name: str, limit: int, seconds: int, sliding: bool) -> FixedWindow | SlidingWindow:
        make = SlidingWindow if sliding else FixedWindow
        window = self._windows.setdefault(name, make(limit, seconds))
        window.limit = limit
        return window

    def _spent(self, taken: Taken, headers: dict[str, str]) -> Refusal:
        hint = {"retry-after": str(taken.reset)} if self.switches.retry_after else {}
        return Refusal(429, limit_body(self.switches), {**headers, **hint})


def told(taken: Taken) -> str:
    """A budget's header value."""
    return f"total={taken.limit}; remaining={taken.remaining}; resets={taken.reset}"


def limit_body(switches: ZendeskSwitches) -> str | dict[str, str]:
    """A 429's body: plain text or JSON, as the switch says."""
    if switches.limit_body == "text":
        return TEXT
    return {"error": "APIRateLimitExceeded", "description": TEXT}
