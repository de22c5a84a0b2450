"""Our Slack client against the simulated workspace, over real HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from connectors.errors import BadRequest, ConnectorError, Forbidden, NotFound, TooMany, Unauthorized, Uncertain
from connectors.sandbox.server import Sandbox
from connectors.sandbox.slack import SlackSim
from connectors.sandbox.slack.workspace import Channel
from connectors.slack.client import Slack

WORLD = {
    "profile": "pmerit",
    "now": "2026-03-03T15:00:00Z",
    "slack_channels": ["#pmerit-support"],
    "slack_people": ["ana@example.com", "ben@example.com"],
}


@dataclass
class Space:
    """A workspace, and our client of it; waiting moves the simulated clock."""

    sandbox: Sandbox
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        told = self.sim.environment()
        clock = self.sandbox.core.clock
        self.tokens = [told["SLACK_TOKEN"]]
        self.client = Slack(
            told["SLACK_URL"], token=lambda: self.tokens[-1], sleep=self.wait, clock=lambda: clock.now().timestamp()
        )

    @property
    def sim(self) -> SlackSim:
        """What people see in it."""
        sim = self.sandbox.vendors["slack"]
        assert isinstance(sim, SlackSim)
        return sim

    def wait(self, seconds: float) -> None:
        """Let simulated time pass."""
        self.waits.append(seconds)
        self.sandbox.advance(max(1, round(seconds)))

    def fault(self, **fault: object) -> None:
        """Put one line of a fault script into force."""
        self.sandbox.core.faults.add(vendor="slack", **fault)

    def posts(self) -> int:
        """How many posts reached the workspace."""
        rows = self.sandbox.core.recorder.latest(300)
        return len([row for row in rows if row["path"].endswith("chat.postMessage")])


@pytest.fixture
def space() -> Iterator[Space]:
    """A workspace with a channel and two people."""
    with Sandbox(WORLD, seed=7, only=("slack",)) as sandbox:
        yield Space(sandbox)


def test_who_we_are(space: Space) -> None:
    """The token's workspace and user."""
    assert space.client.who()["user"] == "helpdesk"


def test_the_machines_proxy_is_not_for_the_sandbox(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack's library sends everything by HTTPS_PROXY, whatever NO_PROXY says: not to a workspace next door."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    near, far = (
        Slack(url, token=lambda: space.tokens[-1]) for url in (space.sandbox.urls["slack"], "https://slack.com")
    )
    assert near.who()["user"] == "helpdesk"
    assert far._web.proxy == "http://127.0.0.1:9"


@pytest.mark.req("SEC-07")
def test_the_log_has_no_address(space: Space, caplog: pytest.LogCaptureFixture) -> None:
    """However much is logged, neither whom nor what we wrote."""
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", logger="helpdesk.connectors")
    space.client.post(space.client.place("direct ana@example.com"), "P1: ticket 7", "hf-1")
    assert "slack POST /users.lookupByEmail: 200" in caplog.text
    assert not any(word in caplog.text for word in ("ana@", "ticket 7", space.tokens[0]))


def test_posts_and_finds(space: Space) -> None:
    """A post stands in its channel, and is found again by its mark; another mark is not."""
    channel = space.client.place("#pmerit-support")
    ts = space.client.post(channel, "P1: ticket 7", "hf-1")
    since = space.sandbox.core.clock.now() - timedelta(minutes=2)
    assert space.sim.said("pmerit-support") == ["P1: ticket 7"]
    assert space.client.find(channel, "hf-1", since) == ts
    assert space.client.find(channel, "hf-2", since) is None
    assert space.client.find(channel, "hf-1", since + timedelta(hours=1)) is None


def test_finds_by_its_line(space: Space) -> None:
    """Where metadata is not read back, the line in the text will do."""
    space.sandbox.core.switches.slack_keeps_metadata = False
    channel = space.client.place("#pmerit-support")
    ts = space.client.post(channel, "P1: ticket 7\n_ref hf-1_", "hf-1")
    assert space.client.find(channel, "hf-1", space.sandbox.core.clock.now() - timedelta(minutes=2)) == ts


def test_finds_behind_many(space: Space) -> None:
    """A busy channel is read page by page."""
    space.sandbox.core.switches.rate_limits = False
    channel = space.client.place("#pmerit-support")
    ts = space.client.post(channel, "the one", "hf-0")
    for number in range(1, 230):
        space.client.post(channel, f"another {number}", f"hf-x{number}")
    assert space.client.find(channel, "hf-0", space.sandbox.core.clock.now() - timedelta(minutes=2)) == ts


def test_people_are_written_to_directly(space: Space) -> None:
    """One person in their own conversation, several in one together."""
    space.client.post(space.client.place("direct ana@example.com"), "to Ana", "hf-1")
    space.client.post(space.client.place("direct ana@example.com, ben@example.com"), "to both", "hf-2")
    assert space.sim.told("ana@example.com") == ["to Ana", "to both"]
    assert space.sim.told("ben@example.com") == ["to both"]


def test_channels_are_asked_for_once(space: Space) -> None:
    """Two channels, two hundred others: the list is read once, page by page."""
    channels = space.sim.workspace.channels
    channels |= {f"C{number}": Channel(f"C{number}", f"c{number}") for number in range(300)}
    assert space.client.place("#c299") == "C299"
    assert space.client.place("#c1") == "C1"
    rows = space.sandbox.core.recorder.latest(300)
    assert len([row for row in rows if row["path"].endswith("conversations.list")]) == 2


def refused(space: Space, error: str, **more: object) -> None:
    """Slack says no to every post."""
    body = {"ok": False, "error": error, **more}
    space.fault(kind="status", status=200, body=body, path="postMessage")


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        ("not_in_channel", Forbidden, "invite the app to the channel"),
        ("channel_not_found", NotFound, "invite the app to the channel"),
        ("missing_scope", Forbidden, "give the app this scope"),
        ("token_revoked", Unauthorized, "check the credentials in the environment"),
        ("invalid_auth", Unauthorized, "check the credentials in the environment"),
        ("invalid_blocks", BadRequest, "report it"),
        ("fatal_error", Uncertain, "its outcome is looked up in Slack"),
    ],
)
def test_refusals(space: Space, error: str, kind: type[ConnectorError], says: str) -> None:
    """An answer 200 that says no is an error by its name, with what helps; it is asked once."""
    refused(space, error)
    with pytest.raises(kind, match=says) as raised:
        space.client.post("C1", "x", "hf-1")
    assert error in str(raised.value)
    assert space.posts() == 1


def test_unknown_people_and_channels(space: Space) -> None:
    """Nobody of that address, no channel of that name: NotFound, which says what helps and not whom."""
    with pytest.raises(NotFound, match="users_not_found; nobody in the workspace has the route's address") as raised:
        space.client.place("direct nobody@example.com")
    assert "nobody@" not in str(raised.value)
    with pytest.raises(NotFound, match="the app sees no channel '#nowhere'"):
        space.client.place("#nowhere")


@pytest.mark.parametrize("kind", ["cut_after", "cut_before", "truncate"])
def test_post_without_an_answer_is_not_repeated(space: Space, kind: str) -> None:
    """A lost answer: Uncertain, after one post."""
    channel = space.client.place("#pmerit-support")
    space.fault(kind=kind, path="postMessage")
    with pytest.raises(Uncertain):
        space.client.post(channel, "once", "hf-1")
    assert space.posts() == 1


def test_reading_is_repeated(space: Space) -> None:
    """A lost answer to a question: asked again."""
    space.fault(kind="cut_before", path="conversations.list", count=2)
    assert space.client.place("#pmerit-support")


def test_waits_as_told(space: Space) -> None:
    """429: the post waits for as long as Slack says, and so does the next call."""
    channel = space.client.place("#pmerit-support")
    space.fault(kind="status", status=429, headers={"retry-after": "7"}, count=1, path="postMessage")
    space.client.post(channel, "late", "hf-1")
    assert space.waits == [7.0]


def test_long_waits_are_the_callers(space: Space) -> None:
    """Longer than a call may take: TooMany, and until then nothing is sent at all."""
    channel = space.client.place("#pmerit-support")
    space.fault(kind="status", status=429, headers={"retry-after": "300"}, count=1, path="postMessage")
    with pytest.raises(TooMany):
        space.client.post(channel, "x", "hf-1")
    before = space.posts()
    with pytest.raises(TooMany):
        space.client.post(channel, "x", "hf-1")
    assert space.posts() == before
    space.sandbox.advance(301)
    assert space.client.post(channel, "x", "hf-1")


def test_channel_takes_about_one_a_second(space: Space) -> None:
    """A burst beyond Slack's own limit is slowed down by Slack, and loses nothing."""
    channel = space.client.place("#pmerit-support")
    for number in range(35):
        space.client.post(channel, f"{number}", f"hf-{number}")
    assert len(space.sim.said("pmerit-support")) == 35
    assert space.waits


def test_token_is_read_again(space: Space) -> None:
    """A refused token is read anew, once: the new one works."""
    good = space.tokens.pop()
    space.tokens.append("xoxb-old")
    space.client = Slack(space.sandbox.urls["slack"], token=lambda: space.tokens[-1], sleep=space.wait)
    space.tokens.append(good)
    assert space.client.who()["ok"]


def test_token_stands_in_no_record(space: Space) -> None:
    """The sandbox's record masks the token."""
    space.client.who()
    assert space.tokens[0] not in repr(space.sandbox.core.recorder.latest(10))
