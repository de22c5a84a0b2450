"""PagerDuty's library speaks through this: its connections, our policy.

The library's own retries never see a failure: a 429 is waited for as told, and what stays wrong leaves here as our
error (the library would wait without end and ignore `ratelimit-reset`; docs: clients §3).
"""

from collections.abc import Callable

import httpx2

from connectors.base import CONNECT, Answer, Ask, Broken, NotReached, Policy
from connectors.budget import READING
from connectors.trust import certificates
from mappings.plan import Lane

_UNREACHED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_CODING = frozenset({"content-encoding", "content-length", "transfer-encoding"})
ENQUEUE = "/v2/enqueue"


class PolicyTransport(httpx2.BaseTransport):
    """Sends each request under a policy. `authorization` is asked before each try, so that a renewed key counts."""

    def __init__(
        self,
        policy: Policy,
        inner: httpx2.BaseTransport | None = None,
        *,
        authorization: Callable[[], str] | None = None,
    ) -> None:
        self._policy, self._authorization = policy, authorization
        self._inner = inner or httpx2.HTTPTransport(verify=certificates(), retries=0)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; a success only. Raises ConnectorError."""
        path = request.url.path
        # an event may be sent twice: its dedup key makes one of the two (vendor-facts §4.7)
        again = request.method == "GET" or path == ENQUEUE
        lane = Lane.PAGE if path == ENQUEUE else READING
        ask = Ask(method=request.method, path=path, write=request.method != "GET", again=again, lane=lane)
        answer = self._policy.run(ask, lambda seconds: self._send(request, seconds))
        headers = {name: value for name, value in answer.headers.items() if name not in _CODING}
        return httpx2.Response(answer.status, headers=headers, stream=httpx2.ByteStream(answer.body))

    def _send(self, request: httpx2.Request, seconds: float) -> Answer:
        patience = {"connect": min(CONNECT, seconds), "read": seconds, "write": seconds, "pool": seconds}
        request.extensions = {**request.extensions, "timeout": patience}
        if self._authorization is not None:
            request.headers["Authorization"] = self._authorization()
        try:
            response = self._inner.handle_request(request)
            try:
                body = response.read()
            finally:
                response.close()
        except _UNREACHED as error:
            raise NotReached(type(error).__name__) from error
        except httpx2.RequestError as error:
            raise Broken(type(error).__name__) from error
        return Answer(response.status_code, dict(response.headers.items()), body)
