"""What a Slack workspace holds: channels, people, conversations and messages."""

import random
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TEAM = "Sandbox"


@dataclass
class Member:
    """Somebody in the workspace."""

    id: str
    name: str
    email: str
    disabled: bool = False


@dataclass
class Message:
    """One message as Slack keeps it; `ts` is its id within its channel."""

    ts: str
    at: datetime
    text: str
    metadata: Mapping[str, Any] | None = None


@dataclass
class Channel:
    """A channel, or a conversation with people (`people`), and what was said there."""

    id: str
    name: str
    private: bool = False
    archived: bool = False
    joined: bool = True
    """Whether our app is a member."""
    people: tuple[str, ...] = ()
    messages: list[Message] = field(default_factory=list)


@dataclass
class Workspace:
    """One workspace with one app, ours."""

    token: str
    bot: Member
    members: list[Member]
    channels: dict[str, Channel]
    """By id."""
    _random: random.Random
    _last: int = 0

    def named(self, name: str) -> Channel | None:
        """A channel by its name."""
        return next((one for one in self.channels.values() if one.name == name and not one.people), None)

    def by_email(self, email: str) -> Member | None:
        """A member by address."""
        return next((one for one in self.members if one.email.casefold() == email.casefold()), None)

    def talk(self, people: tuple[str, ...]) -> Channel:
        """The conversation of our app with these members, opened where there was none."""
        known = next((one for one in self.channels.values() if one.people == people), None)
        if known is None:
            first = "D" if len(people) == 1 else "G"
            known = Channel(id_of(self._random, first), "", private=True, people=people)
            self.channels[known.id] = known
        return known

    def add(self, channel: Channel, at: datetime, text: str, metadata: Mapping[str, Any] | None) -> Message:
        """Put a message into a channel; no two have one `ts`."""
        self._last = max(self._last + 1, int(at.timestamp() * 1_000_000))
        ts = f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
        made = Message(ts, at, text, metadata)
        channel.messages.append(made)
        return made


def founded(seed: int, world: Mapping[str, Any]) -> Workspace:
    """The workspace of a world: `slack_channels` (names) and `slack_people` (addresses) are in it from the start."""
    chance = random.Random(f"slack {seed}")
    named = [str(name).removeprefix("#") for name in world.get("slack_channels", ())]
    members = [Member(id_of(chance, "U"), email.partition("@")[0], email) for email in world.get("slack_people", ())]
    channels = [Channel(id_of(chance, "C"), name) for name in dict.fromkeys(["general", *named, "random"])]
    token = (
        "xoxb-" + "".join(chance.choices(string.digits, k=12)) + "-" + "".join(chance.choices(string.hexdigits, k=24))
    )
    bot = Member(id_of(chance, "U"), "helpdesk", "")
    return Workspace(token, bot, members, {one.id: one for one in channels}, chance)


def id_of(chance: random.Random, first: str) -> str:
    """An id as Slack makes them: a letter for the kind, then letters and digits."""
    return first + "".join(chance.choices(string.ascii_uppercase + string.digits, k=10))
