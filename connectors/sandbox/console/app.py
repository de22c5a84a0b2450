"""The console's application: JSON for scripts and tests, HTML parts for people."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from connectors.sandbox.answers import answer, read_json
from connectors.sandbox.clock import iso, parse_time
from connectors.sandbox.console.office import next_opening
from connectors.sandbox.console.page import Page
from connectors.sandbox.console.people import Unknown, act
from connectors.sandbox.core import Core

Endpoint = Callable[[Request], Awaitable[Response]]


class Console:
    """Steers the sandbox and shows it; it is no tool, so faults and budgets do not touch it."""

    name = "console"

    def __init__(self, core: Core, world: Mapping[str, Any], tools: Mapping[str, object]) -> None:
        self._core, self._world, self._tools = core, world, tools
        self._page = Page(core, world, tools)
        self.app = Starlette(
            routes=[
                Route("/clock", self._kindly(self.show_clock)),
                Route("/clock", self._kindly(self.move_clock), methods=["POST"]),
                Route("/faults", self._kindly(self.show_faults)),
                Route("/faults", self._kindly(self.load_faults), methods=["POST"]),
                Route("/switches", self._kindly(self.show_switches)),
                Route("/switches", self._kindly(self.turn_switches), methods=["POST"]),
                Route("/journal", self._kindly(self.show_journal)),
                Route("/requests", self._kindly(self.show_requests)),
                Route("/people/{action}", self._kindly(self.act), methods=["POST"]),
                Route("/", self._kindly(self.page)),
                Route("/part/{name}", self._kindly(self.part)),
            ]
        )

    def _kindly(self, endpoint: Endpoint) -> Endpoint:
        """Settle first, and turn what the caller got wrong into a 400 or 404 that says so."""

        async def kind(request: Request) -> Response:
            self._core.settle()
            try:
                return await endpoint(request)
            except (ValueError, msgspec.DecodeError) as error:
                return answer({"error": str(error)}, 400)
            except LookupError as error:
                return answer({"error": str(error)}, 404)

        return kind

    # clock ----------------------------------------------------------------------------------------------------

    async def show_clock(self, _: Request) -> Response:
        """GET /clock: `now`, whether it ticks by itself, and when something is planned next."""
        due = self._core.next_due()
        clock = self._core.clock
        return answer({"now": iso(clock.now()), "ticking": clock.ticking, "next_due": iso(due) if due else None})

    async def move_clock(self, request: Request) -> Response:
        """POST /clock {"advance": seconds} | {"set": time} | {"to": "opening"}: answers once webhooks are delivered.

        {"ticking": true} lets it run by itself, {"ticking": false} makes it stand still.
        """
        body = await read_json(request)
        if not isinstance(body, dict) or len(body) != 1 or not body.keys() & {"advance", "set", "to", "ticking"}:
            raise ValueError(
                'say {"advance": seconds}, {"set": "2026-03-03T16:00:00Z"}, {"to": "opening"} or {"ticking": true}'
            )
        if "ticking" in body:
            now = self._core.clock.tick(bool(body["ticking"]))
        elif "advance" in body:
            now = await asyncio.to_thread(self._core.advance, float(body["advance"]))
        else:
            to = parse_time(str(body["set"])) if "set" in body else self._opening()
            now = await asyncio.to_thread(self._core.set_time, to)
        return answer({"now": iso(now)})

    def _opening(self) -> Any:
        zone = ZoneInfo(self._world.get("zone", "UTC"))
        opening = next_opening(self._world.get("hours", {}), zone, self._core.clock.now())
        if opening is None:
            raise ValueError("this world has no office hours")
        return opening

    # faults, switches, records --------------------------------------------------------------------------------

    async def show_faults(self, _: Request) -> Response:
        """GET /faults: the script in force, with how often each line was seen and used."""
        return answer({"faults": self._core.faults.as_json()})

    async def load_faults(self, request: Request) -> Response:
        """POST /faults: a list of lines, or {"faults": [...]}; replaces the script, [] ends all faults."""
        body = await read_json(request)
        rows = body.get("faults") if isinstance(body, dict) else body
        if not isinstance(rows, list):
            raise ValueError("a fault script is a list of faults")
        self._core.faults.load(rows)
        return answer({"faults": self._core.faults.as_json()})

    async def show_switches(self, _: Request) -> Response:
        """GET /switches: the shared ones, and under each tool's name its own."""
        return answer(self._switches())

    def _switches(self) -> dict[str, Any]:
        return {**asdict(self._core.switches), **{name: asdict(own) for name, own in self._own_switches().items()}}

    def _own_switches(self) -> dict[str, Any]:
        return {name: tool.switches for name, tool in self._tools.items() if hasattr(tool, "switches")}

    async def turn_switches(self, request: Request) -> Response:
        """POST /switches {name: value, …}; a tool's own under its name: {"zendesk": {name: value}}."""
        body = await read_json(request)
        if not isinstance(body, dict):
            raise ValueError('say {name: value} or {"zendesk": {name: value}}')
        own = self._own_switches()
        self._core.switches.turn({name: value for name, value in body.items() if name not in own})
        for name, switches in own.items():
            switches.turn(body.get(name, {}))
        return answer(self._switches())

    async def show_journal(self, request: Request) -> Response:
        """GET /journal?vendor=&kind=&record=&after=: what really happened, oldest first."""
        given = request.query_params
        rows = self._core.journal.rows(
            vendor=given.get("vendor"),
            kind=given.get("kind"),
            record=given.get("record"),
            after=int(given.get("after", 0)),
        )
        return answer({"journal": [row.as_json() for row in rows]})

    async def show_requests(self, request: Request) -> Response:
        """GET /requests?limit=: the latest exchanges, newest first, secrets masked."""
        limit = int(request.query_params.get("limit", 50))
        return answer({"requests": self._core.recorder.latest(limit), "count": self._core.recorder.count})

    # people ---------------------------------------------------------------------------------------------------

    async def act(self, request: Request) -> Response:
        """POST /people/<action> with the call's arguments as JSON; 404 for an action that this sandbox lacks."""
        given = await read_json(request)
        if not isinstance(given, dict):
            raise ValueError("give the arguments by name, as an object")
        with self._core.lock:
            result = act(self._tools, request.path_params["action"], given)
        self._core.settle()
        return answer({"result": json.loads(json.dumps(result, default=str))}, 201)

    # page -----------------------------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """GET /: the page for people."""
        with self._core.lock:
            return HTMLResponse(self._page.whole(request.query_params))

    async def part(self, request: Request) -> Response:
        """GET /part/<name>: one part of the page, for its refreshing."""
        with self._core.lock:
            html = self._page.part(request.path_params["name"], request.query_params)
        if html is None:
            raise Unknown(f"no such part: {request.path_params['name']}")
        return HTMLResponse(html)
