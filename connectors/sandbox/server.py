"""Runs the sandbox: every tool on its own port, one world, one clock, in a background thread."""

import asyncio
import socket
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from connectors.sandbox.clock import Clock, parse_time
from connectors.sandbox.console import Console
from connectors.sandbox.core import Core
from connectors.sandbox.exchange import Door, Vendor
from connectors.sandbox.mail import MailSim
from connectors.sandbox.pagerduty import PagerDutySim
from connectors.sandbox.recorder import Recorder
from connectors.sandbox.slack import SlackSim
from connectors.sandbox.world import Cast
from connectors.sandbox.zendesk import ZendeskSim

PORTS = ("console", "zendesk", "intercom", "discourse", "pagerduty", "jira", "slack", "statuspage", "mail")
"""Each tool's place after the base port; a tool that is missing keeps its number free."""


class Sandbox:
    """The simulated tools, built from a world (plain data) and a seed; the same two give the same world.

    `only` names the tools to build, where a test needs one of them; `beside` adds what the console shows and steers
    without being served.
    """

    def __init__(
        self,
        world: Mapping[str, Any],
        seed: int = 1,
        *,
        ticking: bool = False,
        record: Path | None = None,
        only: Collection[str] | None = None,
        beside: Mapping[str, object] | None = None,
    ) -> None:
        self.core = Core(Clock(parse_time(world["now"]), ticking=ticking), seed=seed, recorder=Recorder(record))
        self.vendors: dict[str, Vendor] = _build(self.core, dict(world), only)
        self.mail = MailSim(self.core, world) if only is None or "mail" in only else None
        shown = {"mail": self.mail} if self.mail is not None else {}
        self.console = Console(self.core, world, {**self.vendors, **shown, **(beside or {})})
        self.sockets: dict[str, socket.socket] = {}
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None

    @property
    def urls(self) -> dict[str, str]:
        """Each tool's address, once started."""
        return self.core.urls

    def start(self, port_base: int | None = None) -> "Sandbox":
        """Bind every tool's port on loopback (free ones without `port_base`) and serve; OSError if one is taken."""
        doors: dict[str, ASGIApp] = {"console": self.console.app}
        doors |= {name: Door(self.core, vendor) for name, vendor in self.vendors.items()}
        self.sockets = sockets = _bind([*doors, *(["mail"] if self.mail is not None else [])], port_base)
        for name, sock in sockets.items():
            scheme = "smtp" if name == "mail" else "http"
            self.core.urls[name] = f"{scheme}://127.0.0.1:{sock.getsockname()[1]}"
        servers = [(uvicorn.Server(_config(door)), sockets[name]) for name, door in doors.items()]
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(servers, ready), name="sandbox", daemon=True)
        self._thread.start()
        if not ready.wait(timeout=30):
            raise RuntimeError("the sandbox did not start within 30 seconds")
        return self

    def _run(self, servers: list[tuple[uvicorn.Server, socket.socket]], ready: threading.Event) -> None:
        async def serve() -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            for server, sock in servers:  # the steps of `Server.serve`, without its signals and its 0.1 s polling
                server.config.load()
                server.lifespan = server.config.lifespan_class(server.config)
                await server.startup(sockets=[sock])
            mail = (
                None
                if self.mail is None
                else await asyncio.start_server(self.mail.serve, sock=self.sockets["mail"], limit=2**20)
            )
            ready.set()
            while not self._over.is_set():  # a ticking clock brings due work also while nobody asks
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), 0.5)
                if self.core.clock.ticking:
                    self.core.settle()
            if mail is not None:
                mail.close()
            for server, _ in servers:
                for listener in server.servers:
                    listener.close()
                for connection in list(server.server_state.connections):
                    connection.transport.abort()

        asyncio.run(serve())

    def stop(self) -> None:
        """Stop serving at once and close the record."""
        if self._thread is not None and self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(timeout=10)
            self._thread = None
        self.core.courier.stop()
        self.core.recorder.close()

    def environment(self) -> dict[str, str]:
        """Every address and credential that a flow needs, as NAME: value."""
        console = self.urls["console"]
        found = {"HELPDESK_SANDBOX_URL": console, "HELPDESK_CLOCK_URL": f"{console}/clock"}
        for vendor in self.vendors.values():
            found |= vendor.environment()
        return found if self.mail is None else found | self.mail.environment()

    def send_webhooks(self, url: str) -> None:
        """Have every tool send its webhooks to `url`/webhooks/<tool>, signed with the secrets of `environment`."""
        for name, vendor in self.vendors.items():
            if isinstance(vendor, ZendeskSim | PagerDutySim):
                vendor.subscribe(f"{url.rstrip('/')}/webhooks/{name}")

    def advance(self, seconds: float) -> datetime:
        """Let simulated time pass, with all that it brings; says the new time."""
        return self.core.advance(seconds)

    def __enter__(self) -> "Sandbox":
        return self if self._thread else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _build(core: Core, world: dict[str, Any], only: Collection[str] | None) -> dict[str, Vendor]:
    built: dict[str, Vendor] = {}
    if only is None or "zendesk" in only:
        zendesk = ZendeskSim(core, world)
        built["zendesk"] = zendesk
        world = {"on_call": _on_call(zendesk.people_of_the_world, world), **world}
    if only is None or "pagerduty" in only:
        built["pagerduty"] = PagerDutySim(core, world)
    if only is None or "slack" in only:
        built["slack"] = SlackSim(core, world)
    return built


def _on_call(people: Cast, world: Mapping[str, Any]) -> list[dict[str, str]]:
    """Who takes turns on call, as PagerDuty wants it: the agents above the first tier, with the lead as backup."""
    upper = {tier["group"] for tier in world.get("tiers", []) if tier["level"] > 1}
    turns = [agent for agent in people.agents if agent.duty == "agent" and upper & set(agent.groups)]
    leads = [agent for agent in people.agents if agent.duty == "lead"] or list(people.agents[:1])
    return [{"name": agent.name, "email": agent.email} for agent in (*turns, *leads[:1])]


def _bind(names: list[str], base: int | None) -> dict[str, socket.socket]:
    bound: dict[str, socket.socket] = {}
    try:
        for name in names:
            # IPPROTO_TCP spelled out: asyncio turns Nagle off only where it sees it, else each answer costs 40 ms
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            bound[name] = sock
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", 0 if base is None else base + PORTS.index(name)))
    except OSError as error:
        for sock in bound.values():
            sock.close()
        raise OSError(f"cannot take the port of {name}: {error}; choose another --port-base") from error
    return bound


def _config(door: ASGIApp) -> uvicorn.Config:
    # no Date header of uvicorn's own: the tools' clock is the simulated one, and `Door` says so
    return uvicorn.Config(
        door, log_level="critical", access_log=False, lifespan="off", server_header=False, date_header=False
    )
