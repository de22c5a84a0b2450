"""The methods of Slack's Web API: arguments as a form or as JSON, an answer 200 that says whether it went well.

Sources: vendor-facts §6; Slack's own description of its Web API for parameters and names of errors.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connectors.sandbox.answers import answer
from connectors.sandbox.core import Core
from connectors.sandbox.limits import SlidingWindow
from connectors.sandbox.slack.workspace import TEAM, Channel, Member, Workspace

Given = Mapping[str, Any]
Body = dict[str, Any]
_LONGEST = 40_000
_MOST = 1000
_PAGE = 100
TIERS = {"conversations.list": 20, "conversations.history": 50, "conversations.open": 50, "users.lookupByEmail": 50}
"""Calls a minute of a method; others are not counted (docs: tiers 2 and 3)."""


class Said(Exception):
    """Ends a call with `ok: false`."""

    def __init__(self, error: str, **more: Any) -> None:
        self.body: Body = {"ok": False, "error": error, **more}


class Throttled(Exception):
    """Ends a call with 429; `seconds` until the next one passes."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds


class Api:
    """The methods, by name."""

    def __init__(self, core: Core, workspace: Workspace) -> None:
        self._core, self._space = core, workspace
        self._tiers = {name: SlidingWindow(limit) for name, limit in TIERS.items()}
        self.posts = SlidingWindow(10, 10)
        """Messages of one channel: about one a second, with short bursts (vendor-facts §6)."""
        self.methods: dict[str, Callable[[Given], Body]] = {
            "auth.test": self.auth_test,
            "chat.postMessage": self.post,
            "conversations.list": self.list_channels,
            "conversations.history": self.history,
            "conversations.open": self.open,
            "users.lookupByEmail": self.lookup,
        }

    async def call(self, request: Request) -> Response:
        """POST or GET /api/<method>."""
        name = request.path_params["method"]
        try:
            given = await _arguments(request)
            self._admit(request, given)
            method = self.methods.get(name)
            if method is None:
                raise Said("unknown_method", req_method=name)
            self._throttle(name)
            return answer({"ok": True, **method(given)})
        except Said as said:
            return answer(said.body)
        except msgspec.DecodeError:
            return answer({"ok": False, "error": "invalid_json"})
        except Throttled as slow:
            body = {"ok": False, "error": "ratelimited"}
            return answer(body, 429, {"retry-after": str(slow.seconds)})

    def auth_test(self, _: Given) -> Body:
        """Whose token it is."""
        space = self._space
        url = self._core.urls.get("slack", "")
        return {"url": f"{url}/", "team": TEAM, "user": space.bot.name, "team_id": "T0SANDBOX", "user_id": space.bot.id}

    def post(self, given: Given) -> Body:
        """A message, into a channel by id or name, or to a member by id."""
        channel = self._writable(str(given.get("channel", "")))
        text = str(given.get("text", ""))
        if not text and not given.get("blocks"):
            raise Said("no_text")
        if len(text) > _LONGEST:
            raise Said("msg_too_long")
        if self._core.switches.rate_limits:
            taken = self.posts.take(channel.id, self._core.clock.now())
            if not taken.allowed:
                raise Throttled(taken.reset)
        kept = given.get("metadata") if self._core.switches.slack_keeps_metadata else None
        made = self._space.add(channel, self._core.clock.now(), text, kept)
        where = "direct" if channel.people else f"#{channel.name}"
        people = [one.email for one in self._space.members if one.id in channel.people]
        self._core.journal.add(
            "slack",
            "message",
            f"slack:{channel.id}",
            at=made.at,
            actor="helpdesk",
            where=where,
            people=people,
            text=text,
        )
        told = {"type": "message", "user": self._space.bot.id, "ts": made.ts, "text": text}
        return {"channel": channel.id, "ts": made.ts, "message": told | ({"metadata": kept} if kept else {})}

    def list_channels(self, given: Given) -> Body:
        """Channels of the asked `types`; private ones only where our app is a member."""
        types = str(given.get("types") or "public_channel").split(",")
        rows = [
            one
            for one in self._space.channels.values()
            if not one.people
            and ("private_channel" if one.private else "public_channel") in types
            and (one.joined or not one.private)
            and not (_true(given.get("exclude_archived")) and one.archived)
        ]
        page, cursor = _paged(rows, given)
        return {"channels": [_channel(one) for one in page], "response_metadata": {"next_cursor": cursor}}

    def history(self, given: Given) -> Body:
        """A channel's messages, the newest first; `oldest` is left out unless `inclusive`."""
        channel = self._readable(str(given.get("channel", "")))
        oldest, inclusive = float(given.get("oldest") or 0), _true(given.get("inclusive"))
        rows = [one for one in channel.messages if float(one.ts) > oldest or (inclusive and float(one.ts) == oldest)]
        page, cursor = _paged(list(reversed(rows)), given)
        told = [{"type": "message", "user": self._space.bot.id, "text": one.text, "ts": one.ts} for one in page]
        if _true(given.get("include_all_metadata")):
            told = [
                row | ({"metadata": one.metadata} if one.metadata else {}) for row, one in zip(told, page, strict=True)
            ]
        return {"messages": told, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}

    def open(self, given: Given) -> Body:
        """The conversation with one member, or with several."""
        ids = [id for id in str(given.get("users", "")).split(",") if id]
        if not ids:
            raise Said("users_list_not_supplied")
        known = {one.id: one for one in self._space.members}
        if [id for id in ids if id not in known]:
            raise Said("user_not_found")
        if any(known[id].disabled for id in ids):
            raise Said("user_disabled")
        return {"channel": {"id": self._space.talk(tuple(sorted(ids))).id}}

    def lookup(self, given: Given) -> Body:
        """A member by e-mail address."""
        found = self._space.by_email(str(given.get("email", "")))
        if found is None or found.disabled:
            raise Said("users_not_found")
        return {"user": _member(found)}

    def _admit(self, request: Request, given: Given) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or str(given.get("token", ""))
        if not token:
            raise Said("not_authed")
        if token != self._space.token:
            raise Said("invalid_auth")

    def _throttle(self, name: str) -> None:
        window = self._tiers.get(name)
        if window is not None and self._core.switches.rate_limits:
            taken = window.take("app", self._core.clock.now())
            if not taken.allowed:
                raise Throttled(taken.reset)

    def _found(self, text: str) -> Channel:
        found = self._space.channels.get(text) or self._space.named(text.removeprefix("#"))
        if found is None and any(one.id == text for one in self._space.members):
            found = self._space.talk((text,))
        if found is None or (found.private and not found.joined):
            raise Said("channel_not_found")
        return found

    def _writable(self, text: str) -> Channel:
        found = self._found(text)
        if found.archived:
            raise Said("is_archived")
        if not found.joined:
            raise Said("not_in_channel")
        return found

    def _readable(self, text: str) -> Channel:
        found = self._space.channels.get(text)
        if found is None:
            raise Said("channel_not_found")
        if not found.joined:
            raise Said("not_in_channel")
        return found


def _paged(rows: list[Any], given: Given) -> tuple[list[Any], str]:
    limit = min(int(given.get("limit") or _PAGE), _MOST)
    text = str(given.get("cursor") or "0")
    if not text.isdigit():
        raise Said("invalid_cursor")
    start = int(text)
    return rows[start : start + limit], str(start + limit) if start + limit < len(rows) else ""


def _channel(one: Channel) -> Body:
    return {
        "id": one.id,
        "name": one.name,
        "is_channel": not one.private,
        "is_private": one.private,
        "is_archived": one.archived,
        "is_member": one.joined,
        "is_general": one.name == "general",
    }


def _member(one: Member) -> Body:
    return {"id": one.id, "name": one.name, "deleted": one.disabled, "is_bot": False, "profile": {"email": one.email}}


def _true(value: object) -> bool:
    return str(value).lower() in ("1", "true")


async def _arguments(request: Request) -> Body:
    """What is asked: the query, and a body as JSON or as a form."""
    given: Body = dict(request.query_params)
    raw = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        body = msgspec.json.decode(raw) if raw else {}
        return given | (body if isinstance(body, dict) else {})
    return given | dict(parse_qsl(raw.decode(), keep_blank_values=True))
