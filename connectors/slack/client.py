"""Slack: post a message, and look whether it is there (library `slack-sdk` over our own policy).

Slack knows no idempotency: a message without an answer may stand there, so nothing is posted a second time before the
channel was looked into (vendor-facts §6). Almost every failure is an answer 200 with `ok: false`; here it is our error.
"""

import json
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from connectors.base import Answer, Ask, Broken, NotReached, Policy, retry_after
from connectors.budget import READING, Budget
from connectors.errors import BadRequest, ConnectorError, NotFound, Unavailable, Uncertain
from connectors.slack.refusals import REFUSALS, UNSURE, Refusal
from mappings.plan import Lane

EVENT = "helpdesk_message"
"""The type under which a message of ours carries its mark."""
_PAGE = 200
_POST = "chat.postMessage"
_NEVER_SENT = (ConnectionRefusedError, socket.gaierror, ssl.SSLError)
_QUIET = logging.getLogger("helpdesk.connectors.slack")
_QUIET.setLevel(logging.CRITICAL)  # the library's log has whole requests and answers, with addresses and texts
_LOOK = "its outcome is looked up in Slack before anything is sent again"


class Slack:
    """One workspace, as the app of a bot token. `token` gives it, and is asked again after a refusal of the old one.

    `clock` (seconds) times waits that Slack asked for: where the workspace is a simulated one, pass its clock.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Callable[[], str],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token, self._key = token, token()
        self.policy = Policy("slack", renew=self._renew, budget=Budget(clock), sleep=sleep)
        # no retries of its own: those are the policy's
        self._web = WebClient(self._key, base_url=f"{url.rstrip('/')}/api/", retry_handlers=[], logger=_QUIET)
        if url.startswith("http://"):
            self._web.proxy = None  # the machine's proxy is for the real tool: the sandbox is next door
        self._channels: dict[str, str] | None = None

    def close(self) -> None:
        """Nothing is kept open: each call is a connection of its own."""

    def who(self) -> dict[str, Any]:
        """The workspace and the app's user in it, as `auth.test` says."""
        return self._call("auth.test")

    def place(self, to: str) -> str:
        """The id of where to post: of `#general`, or of the conversation with people, `direct a@example.com, b@…`.

        Raises NotFound for a channel or person that the app does not see.
        """
        kind, _, people = to.partition(" ")
        if kind == "direct":
            users = [self._user(address) for address in people.replace(",", " ").split()]
            return str(self._call("conversations.open", again=True, users=",".join(users))["channel"]["id"])
        name = to.removeprefix("#")
        found = self._known_channels().get(name)
        if found is None:
            cause = f"the app sees no channel {to!r}"
            fix = "create it, invite the app to it (/invite), or mend the profile's routes"
            raise NotFound("slack POST /conversations.list", cause, fix, code="channel_not_found")
        return found

    def post(self, channel: str, text: str, ref: str, *, before: Callable[[], object] | None = None) -> str:
        """Post a message marked with `ref`; its `ts`. Raises Uncertain where it may stand there.

        `before` is called right before each try, for Slack takes the same twice; what it raises, stops the post.
        """
        mark = {"event_type": EVENT, "event_payload": {"ref": ref}}
        told: dict[str, Any] = {
            "channel": channel,
            "text": text,
            "metadata": mark,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        return str(self._call(_POST, write=True, before=before, **told)["ts"])

    def find(self, channel: str, ref: str, since: datetime) -> str | None:
        """The `ts` of the message marked with `ref` that was posted at `since` or later, null where there is none.

        The mark is its metadata, or a line of its text: either will do.
        """
        for row in self._messages(channel, since):
            payload = (row.get("metadata") or {}).get("event_payload") or {}
            if payload.get("ref") == ref or ref in str(row.get("text", "")):
                return str(row["ts"])
        return None

    # the way there

    def _messages(self, channel: str, since: datetime) -> Iterator[dict[str, Any]]:
        about = {"channel": channel, "oldest": f"{since.timestamp():.6f}", "include_all_metadata": True}
        yield from self._all("conversations.history", "messages", about)

    def _known_channels(self) -> dict[str, str]:
        """Channel ids by name; asked once a run."""
        if self._channels is None:
            about = {"types": "public_channel,private_channel", "exclude_archived": True}
            self._channels = {
                str(row["name"]): str(row["id"]) for row in self._all("conversations.list", "channels", about)
            }
        return self._channels

    def _user(self, address: str) -> str:
        return str(self._call("users.lookupByEmail", email=address)["user"]["id"])

    def _all(self, method: str, rows: str, about: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            told: dict[str, Any] = {"limit": _PAGE, **about} | ({"cursor": cursor} if cursor else {})
            page = self._call(method, **told)
            yield from page.get(rows) or ()
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _call(
        self,
        method: str,
        *,
        write: bool = False,
        again: bool = False,
        before: Callable[[], object] | None = None,
        **told: Any,
    ) -> dict[str, Any]:
        """One method under the policy; the answer's body. A post is never sent twice by itself."""
        lane = Lane.ESCALATION if write else READING
        ask = Ask(method="POST", path=f"/{method}", write=write, again=again or not write, lane=lane)

        def send(seconds: float) -> Answer:
            if before is not None:
                before()
            return self._once(ask, method, told, seconds)

        answer = self.policy.run(ask, send)
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def _once(self, ask: Ask, method: str, told: Mapping[str, Any], seconds: float) -> Answer:
        self._web.token, self._web.timeout = self._key, max(1, int(seconds))
        form, body = (None, dict(told)) if ask.write else (dict(told), None)
        try:
            response = self._web.api_call(method, params=form, json=body)
        except SlackApiError as error:
            return self._refused(ask, error)
        except URLError as error:
            kind = NotReached if isinstance(error.reason, _NEVER_SENT) else Broken
            raise kind(type(error.reason).__name__) from error
        except (OSError, HTTPException, ValueError, SlackClientError) as error:
            raise Broken(type(error).__name__) from error
        return Answer(response.status_code, _lower(response.headers), json.dumps(response.data).encode())

    def _refused(self, ask: Ask, error: SlackApiError) -> Answer:
        """What Slack says instead of doing it: an answer for the policy to judge, or the error that it is."""
        response = error.response
        headers, body = _lower(response.headers), response.data if isinstance(response.data, dict) else {}
        code = str(body.get("error", ""))
        if response.status_code == 429 or code in ("ratelimited", "rate_limited"):
            return Answer(429, _closed(headers), json.dumps(body).encode())
        if response.status_code != 200:
            return Answer(response.status_code, headers, json.dumps(body).encode()[:300])
        if " " in code:  # the library's words for a body that is no JSON
            raise Broken("a body that is no JSON object")
        refusal = REFUSALS.get(code)
        if refusal is not None and refusal.kind is None:
            return Answer(401, headers, json.dumps(body).encode())
        raise _said(ask, code, refusal, body)

    def _renew(self) -> bool:
        """Read the token anew; True where it is another one by now."""
        old, self._key = self._key, self._token()
        return self._key != old


def _said(ask: Ask, code: str, refusal: Refusal | None, body: Mapping[str, Any]) -> ConnectorError:
    place = f"slack {ask.method} {ask.path}"
    if code in UNSURE:
        kind = Uncertain if ask.write else Unavailable
        return kind(
            place, code, _LOOK if ask.write else "nothing to do: it is tried again with the next pulse", code=code
        )
    if refusal is None or refusal.kind is None:
        return BadRequest(place, code or "no reason given", "this is a fault of ours: report it", code=code)
    needed = f": {body['needed']}" if body.get("needed") else ""
    return refusal.kind(place, f"{code}{needed}", refusal.fix, code=code)


def _lower(headers: Mapping[str, Any]) -> dict[str, str]:
    """Header names in lower case; of several values the first."""
    return {name.lower(): str(value[0] if isinstance(value, list) else value) for name, value in headers.items()}


def _closed(headers: dict[str, str]) -> dict[str, str]:
    """A 429 in the budget's words: nothing is left until Slack said that there is again."""
    wait = retry_after(headers)
    told = {
        "ratelimit-limit": "1",
        "ratelimit-remaining": "0",
        "ratelimit-reset": str(int(5 if wait is None else wait)),
    }
    return headers | told
