"""The watchdog's wires: a pulse's word in over plain HTTP, a page out to PagerDuty, a small page about itself.

Standard library and httpx only, so that the process stays small and stands when what it watches has fallen.
"""

import hmac
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

import httpx
import msgspec

from connectors.base import Policy, Session
from connectors.errors import BadRequest, Conflict, ConnectorError, Forbidden, Unauthorized, Unavailable
from mappings.plan import Lane

BEAT = "/beat"
LARGEST = 64 * 1024
"""Bytes that a beat may have."""
PATIENCE = httpx.Timeout(3.0, connect=2.0)
"""A pulse waits no longer than that for its watchdog."""

_REFUSED: dict[int, tuple[type[ConnectorError], str]] = {
    401: (Unauthorized, "give the pulse and the watchdog the same HELPDESK_WATCHDOG_TOKEN"),
    409: (Conflict, "give each deployment a watchdog of its own, with the same HELPDESK_PROFILE"),
}


def tell(url: str, token: str | None, beat: Mapping[str, Any]) -> None:
    """Tell the watchdog at `url` that a pulse has finished. Raises ConnectorError."""
    place, headers = "watchdog POST /beat", {"Authorization": f"Bearer {token}"} if token else {}
    answer = _ask(url, place, lambda client: client.post(url.rstrip("/") + BEAT, content=_json(beat), headers=headers))
    if not answer.is_success:
        kind, fix = _REFUSED.get(answer.status_code, (BadRequest, "see whether HELPDESK_WATCHDOG_URL is a watchdog's"))
        raise kind(place, f"{answer.status_code} {_reason(answer)}", fix, status=answer.status_code)


def look(url: str) -> dict[str, Any]:
    """What the watchdog at `url` says of itself. Raises ConnectorError."""
    place = "watchdog GET /"
    answer = _ask(url, place, lambda client: client.get(url, headers={"Accept": "application/json"}))
    with suppress(msgspec.DecodeError):
        said = msgspec.json.decode(answer.content, type=dict[str, Any])
        if answer.is_success and {"profile", "alive"} <= said.keys():
            return said
    cause = f"{answer.status_code}: this is no watchdog's answer"
    raise BadRequest(place, cause, "see whether HELPDESK_WATCHDOG_URL is a watchdog's")


def _ask(url: str, place: str, send: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
    try:
        with httpx.Client(timeout=PATIENCE, trust_env=url.startswith("https://")) as client:
            return send(client)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fix = "start `helpdesk watchdog`, or mend HELPDESK_WATCHDOG_URL"
        raise Unavailable(place, f"not reached ({type(error).__name__})", fix) from error


def _reason(answer: httpx.Response) -> str:
    try:
        return str(msgspec.json.decode(answer.content, type=dict[str, str]).get("error", ""))[:200]
    except msgspec.DecodeError:
        return "an answer that is no watchdog's"


class Pager:
    """Sends events to PagerDuty. `key` gives the routing key, asked anew for each event."""

    def __init__(self, url: str, key: Callable[[], str], **policy: Any) -> None:
        self._key = key
        self._http = Session(Policy("pagerduty", **policy), url)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, event: Callable[[str], dict[str, Any]]) -> None:
        """Send the event that is made with the routing key; its dedup key makes sending it twice harmless.

        Raises ConnectorError, `Uncertain` where it may have been taken.
        """
        try:
            self._http.write("POST", "/v2/enqueue", event(self._key()), again=True, lane=Lane.PAGE)
        except (BadRequest, Forbidden, Unauthorized) as refused:
            fix = "check PAGERDUTY_EVENTS_KEY: the key of an Events API v2 integration, 32 letters and digits"
            raise BadRequest(refused.place, refused.cause, fix, status=refused.status) from refused


class Unheard(Exception):
    """A beat that is not taken: status and reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Door:
    """Listens for beats. `heard` takes a beat's body and may raise `Unheard`; `status` says how things are.

    GET / answers as a page or as JSON, whichever is asked for; GET /health is 503 once `status` says `"alive": false`.
    Raises OSError where host and port cannot be had; port 0 takes any free one.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        token: Callable[[], str | None],
        heard: Callable[[bytes], None],
        status: Callable[[], dict[str, Any]],
    ) -> None:
        self.token, self.heard, self.status = token, heard, status
        door = self

        class Handler(_Handler):
            at = door

        self._server = _Server((host, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="door", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

    def open(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind, without asking the network for this machine's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    at: Door
    timeout = 10.0
    server_version, sys_version = "helpdesk-watchdog", ""

    def do_GET(self) -> None:
        status, path = self.at.status(), self.path.partition("?")[0]
        if path == "/health":
            code = HTTPStatus.OK if status.get("alive") else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(code, {"alive": bool(status.get("alive"))})
        elif path != "/":
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is /, /health and POST /beat"})
        elif "text/html" in self.headers.get("Accept", ""):
            self._send(HTTPStatus.OK, _page(status), "text/html; charset=utf-8")
        else:
            self._answer(HTTPStatus.OK, status)

    def do_POST(self) -> None:
        try:
            self.at.heard(self._body())
        except Unheard as refused:
            self._answer(refused.status, {"error": str(refused)})
        else:
            self._send(HTTPStatus.NO_CONTENT, b"", "application/json")

    def _body(self) -> bytes:
        """The body of a beat that may come in; read first, since a close on unread bytes may lose the answer."""
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() else LARGEST + 1
        body = self.rfile.read(min(size, 16 * LARGEST)) if length.isdigit() else b""
        token, said = self.at.token(), self.headers.get("Authorization", "")
        if token is not None and not hmac.compare_digest(said.encode(), f"Bearer {token}".encode()):
            raise Unheard(HTTPStatus.UNAUTHORIZED, "another token, or none")
        if self.path != BEAT:
            raise Unheard(HTTPStatus.NOT_FOUND, f"beats go to {BEAT}")
        if size > LARGEST:
            raise Unheard(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a beat has a length of at most {LARGEST} bytes")
        return body

    def _answer(self, code: HTTPStatus, body: Mapping[str, Any]) -> None:
        self._send(code, _json(body), "application/json")

    def _send(self, code: HTTPStatus, body: bytes, kind: str) -> None:
        self.close_connection = True  # whatever was not read of the request goes with it
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: the watchdog logs what they come to."""


def _json(body: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(body)


def _page(status: Mapping[str, Any]) -> bytes:
    """The status as a page for people, which loads itself anew."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{_cell(value)}</td></tr>" for name, value in status.items())
    return (
        '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="30"><title>Watchdog</title>'
        "<style>body{font:15px sans-serif;margin:2em}th{text-align:left;vertical-align:top;padding-right:1em}</style>"
        f"<h1>Watchdog</h1><table>{rows}</table>"
    ).encode()


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "<br>".join(f"{escape(str(name))}: {_cell(inner)}" for name, inner in value.items()) or "–"
    return "–" if value is None else escape(str(value))
