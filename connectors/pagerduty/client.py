"""PagerDuty: events to page and to close, REST to see what became of it (library `pagerduty`, retries bounded).

Sending an event again is harmless while its page is open, since its dedup key is the same; a 202 only says that it is
queued (vendor-facts §4.7). Errors of the library become ours.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import msgspec
import pagerduty

from connectors.base import retry_after
from connectors.errors import (
    BadRequest,
    ConnectorError,
    Forbidden,
    NotFound,
    TooMany,
    Unauthorized,
    Unavailable,
    Uncertain,
)

_RETRIES = {429: 2, 500: 1, 502: 2, 503: 2, 504: 1}
_KINDS: dict[int, type[ConnectorError]] = {401: Unauthorized, 402: Forbidden, 403: Forbidden, 404: NotFound}


class _AnyScheme:
    """Shadows the library's https-only address, for the sandbox alone (docs: clients, §2)."""

    _url = ""

    @property
    def url(self) -> str:
        """The API's base address."""
        return self._url

    @url.setter
    def url(self, value: str) -> None:
        self._url = value.rstrip("/")


class _SandboxRest(_AnyScheme, pagerduty.RestApiV2Client):  # type: ignore[misc]
    pass


class _SandboxEvents(_AnyScheme, pagerduty.EventsApiV2Client):  # type: ignore[misc]
    pass


class PagerDuty:
    """One account. `token` gives the REST key anew; `sender` is the e-mail of the From header that writes need."""

    def __init__(
        self, url: str, *, events_url: str, token: Callable[[], str], sender: str | None, patience: float = 1.0
    ) -> None:
        self._events_url, self._patience = events_url, patience
        kind = _SandboxRest if url.startswith("http://") else pagerduty.RestApiV2Client
        self._rest = self._bounded(kind(token(), default_from=sender, base_url=url))
        self._events: dict[str, Any] = {}
        self._keys: dict[str, str] | None = None

    def close(self) -> None:
        """Close the connections."""
        for client in (self._rest, *self._events.values()):
            client.close()

    def services(self) -> dict[str, str]:
        """The routing key of each service's Events v2 integration, by the service's name; asked once a run."""
        if self._keys is None:
            with _told("GET /services"):
                rows = list(self._rest.iter_all("services", params={"include[]": "integrations"}))
            self._keys = {
                row["name"]: integration["integration_key"]
                for row in rows
                for integration in row.get("integrations") or ()
                if integration.get("integration_key")
            }
        return self._keys

    def send(self, event: dict[str, Any]) -> str:
        """Queue an event; its dedup key. Raises Uncertain where it may or may not have been queued."""
        properties = dict(event)
        key = properties.pop("routing_key")
        action, dedup_key = properties.pop("event_action"), properties.pop("dedup_key")
        with _told("POST /v2/enqueue", write=True):
            return str(self._client(key).send_event(action, dedup_key, **properties))

    def incident_by_key(self, dedup_key: str) -> bytes | None:
        """The newest incident of a dedup key, whatever its age and state, as a JSON body; None where there is none."""
        params = {"incident_key": dedup_key, "date_range": "all", "sort_by": "created_at:desc", "limit": 1}
        with _told("GET /incidents"):
            rows = self._rest.rget("incidents", params=params)
        return msgspec.json.encode(rows[0]) if rows else None

    def log_entries(self, since: str) -> list[dict[str, Any]]:
        """What happened to incidents since a time (ISO 8601), newest first."""
        with _told("GET /log_entries"):
            return list(self._rest.iter_all("log_entries", params={"since": since, "include[]": "incidents"}))

    def _client(self, routing_key: str) -> Any:
        if routing_key not in self._events:
            plain = self._events_url.startswith("http://")
            kind = _SandboxEvents if plain else pagerduty.EventsApiV2Client
            self._events[routing_key] = self._bounded(kind(routing_key, base_url=self._events_url))
        return self._events[routing_key]

    def _bounded(self, client: Any) -> Any:
        client.retry.update(_RETRIES)
        client.max_network_attempts = 2
        client.timeout = 15
        client.sleep_timer = self._patience
        client.stagger_cooldown = 1.0
        return client


@contextmanager
def _told(what: str, *, write: bool = False) -> Iterator[None]:
    """The library's errors as ours: place, cause, fix."""
    place = f"pagerduty {what}"
    try:
        yield
    except pagerduty.Error as error:
        raise _failure(place, error, write=write) from error
    except httpx2.TransportError as error:
        kind = Uncertain if write else Unavailable
        raise kind(place, f"no answer ({type(error).__name__})", "it is tried again with the next pulse") from error


def _failure(place: str, error: pagerduty.Error, *, write: bool) -> ConnectorError:
    answer = error.response
    if answer is None:
        kind = Uncertain if write else Unavailable
        return kind(place, str(error.msg)[:200], "it is tried again with the next pulse")
    status, said = answer.status_code, answer.text[:200]
    if status == 429:
        wait = retry_after(answer.headers)
        return TooMany(place, said, "it is tried again later", retry_after=30.0 if wait is None else wait)
    if status >= 500:
        kind = Uncertain if write else Unavailable
        return kind(place, f"{status} {said}", "it is tried again with the next pulse", status=status)
    fix = "check PAGERDUTY_TOKEN" if status == 401 else "check PAGERDUTY_FROM, the key's rights and the service"
    return _KINDS.get(status, BadRequest)(place, f"{status} {said}", fix, status=status)
