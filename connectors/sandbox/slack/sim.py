"""The simulated Slack as one piece: its application, and what people do and see in it."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.routing import Route

from connectors.sandbox.clock import iso
from connectors.sandbox.core import Core
from connectors.sandbox.slack.api import Api
from connectors.sandbox.slack.workspace import Channel, Message, founded

_ERRORS = {401: "invalid_auth", 403: "missing_scope", 429: "ratelimited"}


class SlackSim:
    """One workspace on one port, its Web API under /api."""

    name = "slack"

    def __init__(self, core: Core, world: Mapping[str, Any]) -> None:
        self._core = core
        self.workspace = founded(core.seed, world)
        self.api = Api(core, self.workspace)
        self.app = Starlette(routes=[Route("/api/{method}", self.api.call, methods=["GET", "POST"])])
        core.recorder.hide(self.workspace.token)

    def label(self, path: str) -> str:
        """One API, one name."""
        return self.name

    def refuse(self, status: int) -> tuple[Mapping[str, str], bytes]:
        """Slack's own words for a status."""
        body = {"ok": False, "error": _ERRORS.get(status, "internal_error")}
        return {"content-type": "application/json"}, msgspec.json.encode(body)

    def environment(self) -> dict[str, str]:
        """Address and token, as NAME: value."""
        return {"SLACK_URL": self._core.urls[self.name], "SLACK_TOKEN": self.workspace.token}

    # what people see and do

    def said(self, name: str) -> list[str]:
        """What stands in a channel (by name), oldest first."""
        found = self.channel(name)
        return [row.text for row in found.messages]

    def told(self, email: str) -> list[str]:
        """What our app wrote to somebody directly, alone or with others, oldest first."""
        member = self.workspace.by_email(email)
        talks = [one for one in self.workspace.channels.values() if member is not None and member.id in one.people]
        rows = sorted((row for talk in talks for row in talk.messages), key=lambda row: row.ts)
        return [row.text for row in rows]

    def channel(self, name: str) -> Channel:
        """A channel by name. LookupError where there is none."""
        found = self.workspace.named(name.removeprefix("#"))
        if found is None:
            raise LookupError(f"Slack has no channel {name}")
        return found

    def kick(self, name: str) -> None:
        """Somebody removes our app from a channel."""
        with self._core.lock:
            self.channel(name).joined = False

    def archive(self, name: str) -> None:
        """Somebody puts a channel into the archive."""
        with self._core.lock:
            self.channel(name).archived = True

    def console_view(self) -> list[dict[str, Any]]:
        """Every conversation with a message, the newest first, for the console."""
        rows = [one for one in self.workspace.channels.values() if one.messages]
        rows.sort(key=lambda one: one.messages[-1].ts, reverse=True)
        return [{"name": self._name(one), "messages": [self._shown(m) for m in reversed(one.messages)]} for one in rows]

    def _shown(self, message: Message) -> dict[str, Any]:
        return {"at": iso(message.at), "by": self.workspace.bot.name, "text": message.text}

    def _name(self, channel: Channel) -> str:
        people = [one.name for one in self.workspace.members if one.id in channel.people]
        return f"to {', '.join(people)} directly" if people else f"#{channel.name}"
