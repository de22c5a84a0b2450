"""The receiver beside a simulated deployment: really listening, on a store connection of its own."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn

from connectors.store import Store
from flows.receiver import receiver
from tests.flows.desk import Desk


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@contextmanager
def listening(store: Store, now: Callable[[], datetime], *, answer: float = 4.0) -> Iterator[str]:
    """Run the receiver on a free port for the length of a block; its address."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        config = uvicorn.Config(receiver(store, now, answer=answer), log_level="critical", lifespan="off")
        server = _Server(config)
        thread = threading.Thread(target=server.run, args=([door],), daemon=True)
        thread.start()
        assert server.up.wait(30)
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


@contextmanager
def hooked(desk: Desk, **switches: float) -> Iterator[str]:
    """Both tools send their webhooks to a receiver of the deployment, as `switches` say; its address."""
    desk.core.switches.turn(switches)
    store = Store.open(desk.database_url)
    try:
        with listening(store, lambda: desk.now) as url:
            desk.sandbox.send_webhooks(url)
            yield url
    finally:
        store.close()
