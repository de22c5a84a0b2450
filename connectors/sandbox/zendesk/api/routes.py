"""Ties endpoints to paths: `.json` is optional, and an unknown path is answered as the tool answers it."""

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sandbox.zendesk.api import bulk, exports, people, ratings, search, settings, tickets, webhooks
from connectors.sandbox.zendesk.api.call import Endpoint, refused, serve
from connectors.sandbox.zendesk.errors import no_endpoint

if TYPE_CHECKING:
    from connectors.sandbox.zendesk.sim import ZendeskSim

ENDPOINTS: tuple[Endpoint, ...] = (
    *exports.ENDPOINTS,
    *tickets.ENDPOINTS,
    *ratings.ENDPOINTS,
    *bulk.ENDPOINTS,
    *people.ENDPOINTS,
    *settings.ENDPOINTS,
    *search.ENDPOINTS,
    *webhooks.ENDPOINTS,
)


class WithoutSuffix:
    """Takes an optional `.json` off the path before it is routed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith(".json"):
            scope = {**scope, "path": scope["path"].removesuffix(".json")}
        await self._app(scope, receive, send)


def build(sim: "ZendeskSim") -> Starlette:
    """The application of one simulated account."""
    routes = [Route(f"/api/v2{e.path}", _handler(sim, e), methods=[e.method]) for e in ENDPOINTS]
    routes.append(Route("/oauth/tokens", settings.token, methods=["POST"]))
    app = Starlette(
        routes=routes,
        middleware=[Middleware(WithoutSuffix)],
        exception_handlers={404: _unknown, 405: _unknown},
    )
    app.state.sim = sim
    return app


def _handler(sim: "ZendeskSim", endpoint: Endpoint):  # type: ignore[no-untyped-def]
    async def handle(request: Request) -> Response:
        return await serve(sim, endpoint, request)

    return handle


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused(no_endpoint())
