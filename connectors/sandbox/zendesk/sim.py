"""One simulated Zendesk account: its records, its rules, its API, and the people who work in it."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.sandbox.console.desk import TicketPage, TicketRow
from connectors.sandbox.core import Core
from connectors.sandbox.world import OfficeHours, cast, history
from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.api import routes
from connectors.sandbox.zendesk.auth import Auth
from connectors.sandbox.zendesk.budgets import Budgets, limit_body
from connectors.sandbox.zendesk.chronicle import Chronicle
from connectors.sandbox.zendesk.desk import DAY, Desk
from connectors.sandbox.zendesk.jobs import Jobs
from connectors.sandbox.zendesk.opening import furnish, hold_back, populate
from connectors.sandbox.zendesk.past import Past, nothing_to_collect, play
from connectors.sandbox.zendesk.people import People
from connectors.sandbox.zendesk.render import Renderer
from connectors.sandbox.zendesk.rules import standard
from connectors.sandbox.zendesk.switches import ZendeskSwitches
from connectors.sandbox.zendesk.views import Views
from connectors.sandbox.zendesk.webhooks import Webhooks

HINTS = (
    "ticket.created",
    "ticket.comment_added",
    "ticket.status_changed",
    "ticket.priority_changed",
    "ticket.custom_field_changed",
    "ticket.group_assignment_changed",
    "ticket.soft_deleted",
    "ticket.merged",
)
"""Events that a subscriber is sent unless they choose."""


class ZendeskSim(People):
    """A Zendesk as stubborn as the real one. `world` is the plain data that the command line makes from a profile."""

    name = "zendesk"

    def __init__(self, core: Core, world: Mapping[str, Any]) -> None:
        self.core = core
        self.switches = ZendeskSwitches()
        self._chance = random.Random(core.random.getrandbits(64))
        now = int(core.clock.now().timestamp())
        start = now - int(world.get("size", {}).get("weeks", 6)) * 7 * DAY
        self._past: Past | None = Past(start)
        self.account = Account("Sandbox", self._now)
        self.people_of_the_world = cast(world, self._chance)
        self.system_fields = furnish(self.account, world)
        owner = populate(self.account, self.people_of_the_world)
        self.default_form = next(iter(self.account.forms))
        self.answers = _answers(self.account)
        self._assemble(owner.id, [row["key"] for row in world.get("severities", [])])
        self._play(self._past, world, start, now)
        self.app = routes.build(self)

    def renderer(self, base: str) -> Renderer:
        """Prints records as seen under an address."""
        found = self._renderers.get(base)
        if found is None:
            found = self._renderers[base] = Renderer(self.account, base)
        return found

    def label(self, path: str) -> str:
        """Under which vendor name an exchange is recorded."""
        return "help_center" if "/help_center/" in path else "zendesk"

    def refuse(self, status: int) -> tuple[Mapping[str, str], bytes]:
        """How this tool answers a status that it gives on its own account."""
        if status == 401:
            return _json({"error": "Couldn't authenticate you"})
        if status == 429:
            body = limit_body(self.switches)
            headers = {"retry-after": "37"} if self.switches.retry_after else {}
            if isinstance(body, str):
                return {"content-type": "text/plain; charset=utf-8", **headers}, body.encode()
            return {**_json(body)[0], **headers}, _json(body)[1]
        if status == 409:
            return _json({"error": "Conflict", "description": "Please try again"})
        page = b"<!DOCTYPE html><html><body><h1>We're sorry, but something went wrong.</h1></body></html>"
        return {"content-type": "text/html; charset=utf-8"}, page

    def schedule(self, at: int, do: Callable[[], None]) -> None:
        """Plan work at an epoch second of the account's time."""
        if self._past is not None:
            self._past.schedule(at, do)
        else:
            self.core.at(datetime.fromtimestamp(at, UTC), do)

    def environment(self) -> dict[str, str]:
        """The credentials that a flow needs, by the names of its environment."""
        return {
            "ZENDESK_URL": self.core.urls.get("zendesk", ""),
            "ZENDESK_CLIENT_ID": self.auth.client_id,
            "ZENDESK_CLIENT_SECRET": self.auth.client_secret,
            "ZENDESK_TOKEN": self.auth.api_token or "",
            "ZENDESK_EMAIL": self.service_email,
            "ZENDESK_WEBHOOK_SECRET": self.webhook_secret,
        }

    def subscribe(self, url: str, events: Sequence[str] = HINTS) -> str:
        """Send events (signed with the environment's webhook secret) to an address; the webhook's id."""
        with self.core.lock:
            return self.webhooks.subscribe(url, tuple(events), secret=self.webhook_secret).id

    def reindex(self, ticket_ids: Iterable[int]) -> None:
        """A change of the tool's own: the tickets come again in the export, their updated_at stays (§1.6)."""
        with self.core.lock:
            for id in ticket_ids:
                self.account.touch_ticket(self.account.tickets[id], system=True)

    def console_tickets(self) -> list[TicketRow]:
        """All tickets for the console's list, the newest change first."""
        return self._views.tickets()

    def console_ticket(self, ticket_id: int) -> TicketPage:
        """One ticket for the console, also a deleted one; LookupError where there is none."""
        return self._views.page(self._filed(ticket_id))

    def _now(self) -> int:
        return self._past.now if self._past is not None else int(self.core.clock.now().timestamp())

    def _assemble(self, owner_id: int, severities: Iterable[str]) -> None:
        core, account, switches = self.core, self.account, self.switches
        owner = account.users[owner_id]
        self._views = Views(account, owner_id, severities)
        self.service_email = owner.email or ""
        self.auth = Auth(account, switches, owner, self._chance, core.recorder.hide)
        self.budgets = Budgets(switches, lambda: core.switches.rate_limits)
        self.desk = Desk(account, switches, self.schedule, lambda: core.switches.triggers, standard(account, switches))
        self.jobs = Jobs(
            account,
            switches,
            self._chance,
            self.schedule,
            lambda: core.switches.job_seconds,
            lambda: core.switches.rate_limits,
        )
        self.webhooks = Webhooks(account, switches, core.courier, self._chance, core.recorder.hide)
        self.webhook_secret = f"{self._chance.getrandbits(192):048x}"
        core.recorder.hide(self.webhook_secret)
        self.idempotent: dict[str, tuple[str, bytes, int]] = {}
        self._renderers: dict[str, Renderer] = {}

    def _play(self, past: Past, world: Mapping[str, Any], start: int, now: int) -> None:
        hours = OfficeHours(world.get("hours") or {}, str(world.get("zone") or "UTC"), start, now)
        with nothing_to_collect():
            play(self, past, history(world, self.people_of_the_world, hours, self._chance, start, now))
        past.advance(now)
        hold_back(self.account, now - DAY)
        self._past = None
        for at, do in past.left():
            self.schedule(at, do)
        self.desk.observers = [Chronicle(self.account, self.core.journal).observe, self.webhooks.observe]


def _answers(account: Account) -> frozenset[tuple[str, str]]:
    """(field key, option key) pairs that the account's dropdowns know, as a person would say them."""
    return frozenset(
        (field.key, said)
        for field in account.ticket_fields.values()
        for _, _, tag in field.options
        for said in (tag, tag.removeprefix(f"{field.key}_"), tag.removeprefix(f"{field.key}_").upper())
    )


def _json(body: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
    return {"content-type": "application/json; charset=utf-8"}, msgspec.json.encode(body)
