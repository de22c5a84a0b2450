"""One request on its way through: who calls, what is left of the budgets, and what the endpoint is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connectors.sandbox.answers import answer
from connectors.sandbox.zendesk.auth import Caller
from connectors.sandbox.zendesk.errors import Refusal, bad_request, forbidden, too_many_values, unauthorized
from connectors.sandbox.zendesk.paging import Asked
from connectors.sandbox.zendesk.records import Json, User
from connectors.sandbox.zendesk.render import Renderer

if TYPE_CHECKING:
    from connectors.sandbox.zendesk.sim import ZendeskSim

ROLES = ("anyone", "end-user", "agent", "admin")


@dataclass
class Call:
    """A request as an endpoint sees it. `told` collects headers for the answer."""

    sim: "ZendeskSim"
    method: str
    path: str
    base: str
    params: Mapping[str, Any]
    pairs: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Json
    caller: Caller
    told: dict[str, str]

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; the last one counts where a name comes twice."""
        return dict(self.pairs)

    @property
    def render(self) -> Renderer:
        """Prints records under the address that was called."""
        return self.sim.renderer(self.base)

    @property
    def asked(self) -> Asked:
        """The address for links to further pages."""
        return Asked(f"{self.base}{self.path}.json", self.query)

    @property
    def user(self) -> User:
        """The caller, where the endpoint needs one."""
        if self.caller.user is None:
            raise unauthorized()
        return self.caller.user

    def id(self) -> int:
        """The record's id in the path."""
        return int(self.params["id"])

    def ids(self, *, limit: int = 100) -> list[int]:
        """The query's `ids`; 400 for too many."""
        found = [int(text) for text in self.query.get("ids", "").split(",") if text.strip().isdigit()]
        if len(found) > limit:
            raise too_many_values(limit)
        return found

    def includes(self, name: str) -> bool:
        """Whether a side-load is asked for."""
        return name in self.query.get("include", "").split(",")

    def within(self, key: str) -> Json:
        """The record under its key in the body; 400 where it is missing."""
        found = self.body.get(key)
        if not isinstance(found, dict):
            raise bad_request("Parameter Missing", f"Parameter {key} is required")
        return found

    def rows(self, key: str, *, limit: int = 100) -> list[Json]:
        """The records of a bulk body; 400 for none and for too many."""
        found = self.body.get(key)
        if not isinstance(found, list) or not found:
            raise bad_request("BadRequest", f"{key}: must be a list of records")
        if len(found) > limit:
            raise too_many_values(limit)
        return [row for row in found if isinstance(row, dict)]

    def warn(self, row: Mapping[str, Any], known: frozenset[str]) -> None:
        """Tell in a header which keys were ignored; the tool does nothing else about them."""
        unknown = sorted(set(row) - known)
        if unknown:
            text = msgspec.json.encode({"unpermitted_keys": unknown, "param_location": "body"})
            self.told["x-zendesk-api-warn"] = text.decode()


Handler = Callable[[Call], Json | Response]


@dataclass(frozen=True)
class Endpoint:
    """A path's handler, the role it needs and the scope's resource."""

    method: str
    path: str
    handle: Handler
    role: str = "agent"
    resource: str = "tickets"


async def serve(sim: "ZendeskSim", endpoint: Endpoint, request: Request) -> Response:
    """Answer a request: credentials, budgets, role, then the endpoint; refusals in the tool's own shapes."""
    headers: dict[str, str] = {"x-zendesk-api-version": "v2", "cache-control": "max-age=0, private, must-revalidate"}
    path = request.url.path
    try:
        caller = _switched(sim, sim.auth.identify(request.headers.get("authorization")))
        user_id = None if caller.user is None else caller.user.id
        headers |= sim.budgets.take(request.method, path, user_id, sim.core.clock.now())
        _admit(endpoint, caller)
        call = Call(
            sim=sim,
            method=request.method,
            path=path,
            base=f"{request.url.scheme}://{request.url.netloc}",
            params=request.path_params,
            pairs=parse_qsl(request.url.query, keep_blank_values=True),
            headers=request.headers,
            body=read_body(await request.body()),
            caller=caller,
            told=headers,
        )
        given = endpoint.handle(call)
    except Refusal as refusal:
        return refused(refusal, headers)
    if isinstance(given, Response):
        given.headers.update(headers)
        return given
    return answer(given, 200, headers)


def _switched(sim: "ZendeskSim", caller: Caller) -> Caller:
    """The service user with the role and the scopes that the switches leave it."""
    role, left = sim.switches.service_role, sim.switches.service_scopes
    if caller.user is None or caller.user.email != sim.service_email or (role == "admin" and not left):
        return caller
    scopes = caller.scopes & frozenset(left.split()) if left else caller.scopes
    return Caller(replace(caller.user, role=role), scopes)


def refused(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as an answer."""
    told = {**(headers or {}), **refusal.headers}
    if isinstance(refusal.body, str):
        return Response(refusal.body, refusal.status, told, media_type="text/plain")
    return answer(refusal.body, refusal.status, told)


def _admit(endpoint: Endpoint, caller: Caller) -> None:
    if endpoint.role == "anyone":
        return
    if caller.user is None or not caller.user.active:
        raise unauthorized()
    caller.needs("read" if endpoint.method == "GET" else "write", endpoint.resource)
    if ROLES.index(caller.user.role) < ROLES.index(endpoint.role):
        raise forbidden()


def read_body(raw: bytes) -> Json:
    """A request's JSON object; an empty body and any other JSON are {}, 400 for what is no JSON."""
    if not raw:
        return {}
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise bad_request("Unprocessable", f"Server could not parse JSON: {error}") from error
    return body if isinstance(body, dict) else {}
