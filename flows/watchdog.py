"""The watchdog: hears each finished pulse, and pages by a key of its own when none comes (design §4).

A process apart, without Prefect and without the store, since it speaks up when those do not. It remembers nothing over
a restart: what it does not know of, it tells PagerDuty again, whose keys make one page of it.
"""

import logging
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

from connectors.errors import Uncertain
from connectors.watchdog import Unheard
from mappings.faults import Explained
from mappings.pagerduty import event
from mappings.plan import PageTrigger
from mappings.policies.watchdog import SILENT, Beat, Judged, Limits, behind, judge, minutes, notices

log = logging.getLogger("helpdesk.watchdog")

EVERY = 5.0
"""Seconds between two looks."""
HUNG = 300.0
"""Seconds without a look after which the watchdog calls itself dead: a page that waits for PagerDuty takes less."""


class Sends(Protocol):
    """Who takes a page to PagerDuty (connectors/watchdog.py)."""

    def send(self, event: Callable[[str], dict[str, Any]]) -> None:
        """Send the event made with the routing key. Raises ConnectorError."""
        ...


class Watchdog:
    """Watches one deployment, by its profile's key. `clock` is real seconds."""

    def __init__(
        self, profile: str, pager: Sends, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.profile, self._pager, self._clock = profile, pager, clock
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._began = self._looked = clock()
        self._last: tuple[Beat, float] | None = None
        self._judged: Judged = {}
        self._told: dict[str, bool | None] = {}
        self._problem: str | None = None

    def heard(self, body: bytes) -> None:
        """A pulse has finished. Raises `Unheard` for what is no beat of this deployment."""
        try:
            beat = msgspec.json.decode(body, type=Beat)
        except msgspec.DecodeError as wrong:
            raise Unheard(HTTPStatus.BAD_REQUEST, f"this is no beat: {wrong}") from None
        if beat.at.tzinfo is None or any(
            at is not None and at.tzinfo is None
            for source in beat.sources.values()
            for at in (source.fresh_through, source.down_since)
        ):
            raise Unheard(HTTPStatus.BAD_REQUEST, "this is no beat: a time without its offset")
        if beat.profile != self.profile:
            raise Unheard(HTTPStatus.CONFLICT, f"this watchdog watches {self.profile!r}, not {beat.profile!r}")
        with self._lock:
            self._last = (beat, self._clock())

    def look(self) -> None:
        """Judge how things are, and tell PagerDuty what it does not know yet. What cannot be told is tried again."""
        with self._lock:
            now, last = self._clock(), self._last
        ago = None if last is None else now - last[1]
        judged = judge(
            self.profile, self._limits, waited=now - self._began, last=None if last is None else last[0], ago=ago
        )
        self._judged = {**self._judged, **judged}
        for key, page in notices(self.profile, judged, self._told).items():
            try:
                self._pager.send(lambda routing_key, page=page: event(page, routing_key))  # type: ignore[misc]
            except Explained as error:
                self._told[key] = None if isinstance(error, Uncertain) else self._told.get(key)
                self._problem = f"cannot page: {error}"
                log.error(self._problem)
            else:
                self._problem = None
                self._note(key, page.summary if isinstance(page, PageTrigger) else None)
        self._looked = self._clock()

    def _note(self, key: str, paged: str | None) -> None:
        known, self._told[key] = self._told.get(key), paged is not None
        if paged is not None:
            log.error("paged: %s", paged)
        elif known:
            log.info("%s: well again", key)

    def status(self) -> dict[str, Any]:
        """How things are, for the status page: no names, subjects or addresses."""
        with self._lock:
            now, last = self._clock(), self._last
        wrong = {key: trouble.summary for key, trouble in self._judged.items() if trouble is not None}
        beat = None if last is None else last[0]
        return {
            "profile": self.profile,
            "state": "trouble" if wrong else "well" if SILENT in self._judged else "waiting for a first pulse",
            "trouble": wrong,
            "heard": None if last is None else f"{minutes(now - last[1])} ago",
            "pulse": None if beat is None else beat.at.isoformat(),
            "sources": {} if beat is None else {n: _behind(behind(s, beat.at)) for n, s in beat.sources.items()},
            "paged": sorted(key for key, paged in self._told.items() if paged),
            "problem": self._problem,
            "alive": now - self._looked < HUNG,
        }

    def watch(self, over: threading.Event) -> None:
        """Look every few seconds until told that it is over."""
        while not over.wait(EVERY):
            try:
                self.look()
            except Exception:  # nobody watches the watchdog but its own next look
                log.exception("this look failed; the next one follows")


def _behind(seconds: float) -> str:
    return "up to date" if seconds < 120 else f"{minutes(seconds)} behind"
