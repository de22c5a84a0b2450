"""Who may call the REST API: keys, the From rule, budgets, and PagerDuty's error shape.

Sources: vendor-facts §4.1 to §4.3.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connectors.sandbox.answers import answer
from connectors.sandbox.core import Core
from connectors.sandbox.limits import FixedWindow, Taken
from connectors.sandbox.pagerduty.account import Account
from connectors.sandbox.pagerduty.records import Record, User

CODES = {
    1001: "Incident Already Resolved",
    1008: "Requester User Not Found",
    2001: "Invalid Input Provided",
    2002: "Arguments Caused Error",
    2003: "Missing Arguments",
    2005: "Invalid Date Range",
    2006: "Authentication failed",
    2010: "Access Denied",
    2014: "Account does not have the abilities to perform the action",
    2020: "Rate Limit Exceeded",
    2100: "Not Found",
    5001: "Internal Server Error",
}
Endpoint = Callable[[Request], Awaitable[Response]]
Signed = Callable[[Request, User], Awaitable[Response]]
"""An endpoint that acts in somebody's name: the From header's, or the user key's own."""


class Refusal(Exception):
    """Ends a request with an error answer."""

    def __init__(self, status: int, code: int, *errors: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, error(code, *errors), headers or {}


def error(code: int, *errors: str) -> Record:
    """PagerDuty's error body."""
    body: Record = {"message": CODES[code], "code": code}
    return {"error": {**body, "errors": list(errors)} if errors else body}


def not_found() -> Refusal:
    """404, as for every unknown id."""
    return Refusal(404, 2100)


def invalid(*errors: str) -> Refusal:
    """400: the input is wrong in these ways."""
    return Refusal(400, 2001, *errors)


class Gate:
    """Stands before every REST endpoint; `guard` and `guard_signed` wrap one."""

    def __init__(self, core: Core, account: Account) -> None:
        self._core, self._account = core, account
        self.limit = FixedWindow(960, 60)

    def guard(self, endpoint: Endpoint, *, ability: str | None = None) -> Endpoint:
        """Check key, budget, rights and ability before an endpoint."""

        async def guarded(request: Request) -> Response:
            headers: Mapping[str, str] = {}
            try:
                key = self._key(request)
                headers = self._count(key)
                if ability and ability in self._core.switches.missing_abilities:
                    raise Refusal(402, 2014)
                if request.method != "GET" and key == self._account.read_only_token:
                    raise Refusal(403, 2010)
                given = await endpoint(request)
            except Refusal as refusal:
                given = answer(refusal.body, refusal.status, refusal.headers)
            except msgspec.DecodeError:
                given = answer(error(2001, "The body is not valid JSON"), 400)
            given.headers.update(headers)
            return given

        return guarded

    def guard_signed(self, endpoint: Signed) -> Endpoint:
        """As `guard`, and hand on in whose name the request acts; 400 with code 1008 where that is nobody."""

        async def signed(request: Request) -> Response:
            return await endpoint(request, self._requester(request))

        return self.guard(signed)

    def _key(self, request: Request) -> str:
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        key = rest.strip().removeprefix("token=") if scheme in ("Token", "Bearer") else ""
        known = (self._account.token, self._account.read_only_token, self._account.user_token)
        if key not in known:
            raise Refusal(401, 2006)
        return key

    def _count(self, key: str) -> dict[str, str]:
        if not self._core.switches.rate_limits:
            return {}
        taken = self.limit.take(key, self._core.clock.now())
        if not taken.allowed:
            raise Refusal(429, 2020, headers=_budget(taken))  # and no Retry-After, which PagerDuty never sends
        return _budget(taken)

    def _requester(self, request: Request) -> User:
        if self._key(request) == self._account.user_token:
            return self._account.users[0]
        address = request.headers.get("from", "")
        user = self._account.user_by_email(address)
        if user is None:
            raise Refusal(400, 1008, f"no user has the address of the From header ({address or 'missing'})")
        return user


def _budget(taken: Taken) -> dict[str, str]:
    return {
        "ratelimit-limit": str(taken.limit),
        "ratelimit-remaining": str(taken.remaining),
        "ratelimit-reset": str(taken.reset),
    }
