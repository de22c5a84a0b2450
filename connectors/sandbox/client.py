"""The people of the sandbox at arm's length: its clock moved and its people acting, over the console's HTTP.

For whoever plays with a running sandbox from another process: the demo and the scenario tests.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx


class People:
    """A running sandbox, by its console's address (`HELPDESK_SANDBOX_URL`)."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url.rstrip("/"), timeout=30.0)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def now(self) -> datetime:
        """What the sandbox's clock shows."""
        return datetime.fromisoformat(self._ask("GET", "/clock")["now"])

    def move_to(self, moment: datetime) -> None:
        """Set the clock forward to a moment; nothing happens where it is there already."""
        if moment > self.now():
            self._ask("POST", "/clock", {"set": moment.isoformat()})

    def tick(self) -> None:
        """Let the clock run by itself from here on."""
        self._ask("POST", "/clock", {"ticking": True})

    def act(self, action: str, **given: Any) -> Any:
        """Do as people do: file, reply, edit, acknowledge … (connectors/sandbox/console/people.py lists them)."""
        return self._ask("POST", f"/people/{action}", given)["result"]

    def switch(self, **switches: object) -> None:
        """Turn the sandbox's switches, such as webhooks that get lost."""
        self._ask("POST", "/switches", switches)

    def fail(self, faults: Sequence[dict[str, Any]]) -> None:
        """Load a script of faults."""
        self._ask("POST", "/faults", list(faults))

    def journal(self) -> list[dict[str, Any]]:
        """Every effect that anything had on the tools, oldest first."""
        return list(self._ask("GET", "/journal")["journal"])

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            raise RuntimeError(f"sandbox {method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()
