"""PagerDuty: events to page and to close, REST to see what became of it (library `pagerduty` over our own policy).

Sending an event again is harmless while its page is open, since its dedup key is the same; a 202 only says that it is
queued (vendor-facts §4.7). Errors of the library become ours.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import httpx2
import msgspec
import pagerduty

from connectors.base import Policy
from connectors.budget import Budget
from connectors.errors import BadRequest, NotFound, Unavailable, Uncertain
from connectors.pagerduty.transport import ENQUEUE, PolicyTransport

_ANY_AGE = {"date_range": "all", "sort_by": "created_at:asc", "limit": 100}
_BY_KEY = {"date_range": "all", "sort_by": "created_at:desc", "limit": 1}


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
    """One account. `token` gives the REST key, and is asked again after a 401.

    `sender` is the e-mail of the From header that writes need. `clock` (seconds) times request windows: where the
    account is a simulated one, pass its clock.
    """

    def __init__(
        self,
        url: str,
        *,
        events_url: str,
        token: Callable[[], str],
        sender: str | None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token, self._key = token, token()
        self.policy = Policy("pagerduty", renew=self._renew, budget=Budget(clock), sleep=sleep)
        way = PolicyTransport(self.policy, transport, authorization=lambda: f"Token token={self._key}")
        rest = _SandboxRest if url.startswith("http://") else pagerduty.RestApiV2Client
        self._rest = rest(self._key, default_from=sender, base_url=url, transport=way)
        # events have windows of their own, and nobody tells how full they are
        self._events_way = PolicyTransport(Policy("pagerduty", budget=Budget(clock), sleep=sleep), transport)
        events = _SandboxEvents if events_url.startswith("http://") else pagerduty.EventsApiV2Client
        self._events = partial(events, base_url=events_url, transport=self._events_way)
        self._services: list[tuple[str, str, str]] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._rest.close()
        self._events_way.close()

    # what there is

    def services(self) -> dict[str, str]:
        """The routing key of each service's Events v2 integration, by the service's name; asked once a run."""
        return {name: key for name, key, _ in self._known_services()}

    def on_calls(self) -> list[dict[str, Any]]:
        """Who is on call now, an entry per escalation policy and level."""
        return self._all("oncalls", {"earliest": "true"})

    def knows(self, address: str) -> bool:
        """Is there a user with this e-mail address?"""
        rows = self._all("users", {"query": address})
        return any(str(row.get("email", "")).casefold() == address.casefold() for row in rows)

    def may_write(self) -> None:
        """Try the right to write on an incident that never is: Forbidden for a read-only key, BadRequest for a From
        that is nobody.
        """
        with suppress(NotFound), _told("PUT", "/incidents/P000000"):
            self._rest.rput("incidents/P000000", json={"type": "incident_reference", "status": "acknowledged"})

    # pages

    def send(self, event: dict[str, Any]) -> str:
        """Queue an event (`mappings.pagerduty.event`); its dedup key.

        Raises Uncertain where it may or may not have been queued, TooMany where it was not.
        """
        properties = dict(event)
        client = self._events(properties.pop("routing_key"))
        action, dedup_key = properties.pop("event_action"), properties.pop("dedup_key")
        with _told("POST", ENQUEUE, write=True):
            return str(client.send_event(action, dedup_key, **properties))

    def incident_by_key(self, dedup_key: str) -> bytes | None:
        """The newest incident of a dedup key, whatever its age and state, as a JSON body; None where there is none."""
        with _told("GET", "/incidents"):
            rows = self._rest.rget("incidents", params={"incident_key": dedup_key, **_BY_KEY})
        return msgspec.json.encode(rows[0]) if rows else None

    def open_incidents(self, services: Collection[str]) -> list[bytes]:
        """All incidents at these services (by name) that are not resolved, of any age, oldest first; JSON bodies.

        A call for every hundred, however many pages there are.
        """
        ids = [id for name, _, id in self._known_services() if name in services]
        if not ids:
            return []
        wanted = {"statuses[]": ["triggered", "acknowledged"], "service_ids[]": ids}
        return [msgspec.json.encode(row) for row in self._all("incidents", {**_ANY_AGE, **wanted})]

    def incident_log(self, id: str) -> bytes:
        """All that happened to one incident, newest first, as a JSON body `{"log_entries": […]}`."""
        return msgspec.json.encode({"log_entries": self._all(f"incidents/{id}/log_entries", {"is_overview": "true"})})

    def incidents(self, ids: Sequence[str]) -> list[bytes]:
        """Incidents as they are now, one call each; the JSON bodies. NotFound for an id that there is not."""
        found = []
        for id in ids:
            with _told("GET", f"/incidents/{id}"):
                found.append(msgspec.json.encode(self._rest.rget(f"incidents/{id}")))
        return found

    def log_entries(self, since: str, until: str | None = None) -> list[dict[str, Any]]:
        """What happened to incidents since a time (ISO 8601), newest first, each with its incident."""
        span = {"since": since} | ({"until": until} if until else {})
        return self._all("log_entries", {**span, "is_overview": "false", "include[]": "incidents"})

    def add_note(self, incident_id: str, text: str) -> None:
        """Add a note to an incident: it cannot be taken back, and sending it twice shows twice."""
        path = f"/incidents/{incident_id}/notes"
        with _told("POST", path, write=True):
            self._rest.rpost(path, json={"content": text})

    # the way there

    def _known_services(self) -> list[tuple[str, str, str]]:
        """(name, routing key, id) of each service with an Events v2 integration; asked once a run."""
        if self._services is None:
            self._services = [
                (row["name"], integration["integration_key"], row["id"])
                for row in self._all("services", {"include[]": "integrations"})
                for integration in row.get("integrations") or ()
                if integration.get("integration_key")
            ]
        return self._services

    def _all(self, what: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        with _told("GET", f"/{what}"):
            return list(self._rest.iter_all(what, params=params))

    def _renew(self) -> bool:
        """Read the key anew; True where it is another one by now."""
        old, self._key = self._key, self._token()
        return self._key != old


@contextmanager
def _told(method: str, path: str, *, write: bool = False) -> Iterator[None]:
    """What the library itself complains about, as our error: an answer of another shape than its documentation's."""
    place = f"pagerduty {method} {path}"
    try:
        yield
    except pagerduty.HttpError as error:
        cause = str(error.msg)[:200]
        if write:
            raise Uncertain(place, cause, "its outcome is looked up before anything is sent again") from error
        raise Unavailable(place, cause, "it is tried again with the next pulse") from error
    except pagerduty.Error as error:
        raise BadRequest(place, str(error.msg)[:200], "this is a fault of ours: report it") from error
