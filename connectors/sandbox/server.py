"""Runs the sandbox: every tool on its own port, one world, one clock, in a background thread."""

import asyncio
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn

from connectors.sandbox.clock import Clock, parse_time
from connectors.sandbox.core import Core
from connectors.sandbox.exchange import Door, Vendor
from connectors.sandbox.pagerduty import PagerDutySim
from connectors.sandbox.recorder import Recorder

PORTS = ("console", "zendesk", "intercom", "discourse", "pagerduty", "jira", "slack", "statuspage", "mail")
"""Each tool's place after the base port; a tool that is missing keeps its number free."""


class Sandbox:
    """The simulated tools, built from a world (plain data) and a seed; the same two give the same world."""

    def __init__(
        self, world: Mapping[str, Any], seed: int = 1, *, ticking: bool = False, record: Path | None = None
    ) -> None:
        self.core = Core(Clock(parse_time(world["now"]), ticking=ticking), seed=seed, recorder=Recorder(record))
        self.vendors: dict[str, Vendor] = _build(self.core, dict(world))
        self._servers: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None

    @property
    def urls(self) -> dict[str, str]:
        """Each tool's address, once started."""
        return self.core.urls

    def start(self, port_base: int | None = None) -> "Sandbox":
        """Bind every tool's port on loopback (free ones without `port_base`) and serve; OSError if one is taken."""
        doors = {name: Door(self.core, vendor) for name, vendor in self.vendors.items()}
        sockets = _bind(list(doors), port_base)
        self.core.urls.update({name: f"http://127.0.0.1:{s.getsockname()[1]}" for name, s in sockets.items()})
        self._servers = [uvicorn.Server(_config(door)) for door in doors.values()]
        ready = threading.Barrier(2)

        async def serve() -> None:
            pairs = zip(self._servers, sockets.values(), strict=True)
            runs = [asyncio.ensure_future(server.serve([sock])) for server, sock in pairs]
            while not all(server.started for server in self._servers):
                await asyncio.sleep(0.005)
            await asyncio.to_thread(ready.wait)
            await asyncio.gather(*runs)

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), name="sandbox", daemon=True)
        self._thread.start()
        ready.wait(timeout=30)
        return self

    def stop(self) -> None:
        """Stop serving and close the record."""
        for server in self._servers:
            server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None
        self.core.courier.stop()
        self.core.recorder.close()

    def __enter__(self) -> "Sandbox":
        return self if self._thread else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _build(core: Core, world: dict[str, Any]) -> dict[str, Vendor]:
    return {"pagerduty": PagerDutySim(core, world)}


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


def _config(door: Door) -> uvicorn.Config:
    return uvicorn.Config(
        door, log_level="critical", access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=1
    )
