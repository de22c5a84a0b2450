"""The simulated Slack answers as Slack does: 200 with a no in it, ids, pages, what is seen and what is not."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.sandbox.server import Sandbox
from connectors.sandbox.slack import SlackSim
from connectors.sandbox.slack.workspace import Channel

WORLD = {
    "profile": "pmerit",
    "now": "2026-03-03T15:00:00Z",
    "slack_channels": ["#team"],
    "slack_people": ["a@x.example"],
}


class Talk:
    """The workspace, and calls to it as anybody would make them."""

    def __init__(self, sandbox: Sandbox) -> None:
        sim = sandbox.vendors["slack"]
        assert isinstance(sim, SlackSim)
        self.sandbox, self.sim = sandbox, sim
        self.token = sim.environment()["SLACK_TOKEN"]
        self.http = httpx.Client(base_url=sandbox.urls["slack"], trust_env=False)

    def call(self, method: str, *, token: str | None = None, **given: Any) -> dict[str, Any]:
        """A call as JSON; its answer, whose status is 200."""
        headers = {"Authorization": f"Bearer {token or self.token}"} if token != "" else {}
        answer = self.http.post(f"/api/{method}", json=given, headers=headers)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def error(self, method: str, **given: Any) -> str | None:
        """What a call is refused with."""
        return self.call(method, **given).get("error")


@pytest.fixture
def talk() -> Iterator[Talk]:
    """A workspace with #general, #team and #random."""
    with Sandbox(WORLD, seed=7, only=("slack",)) as sandbox:
        made = Talk(sandbox)
        yield made
        made.http.close()


def test_no_is_said_with_200(talk: Talk) -> None:
    """Without a token, with a wrong one, and for a method that there is not."""
    assert talk.error("auth.test", token="") == "not_authed"
    assert talk.error("auth.test", token="xoxb-1") == "invalid_auth"
    assert talk.error("chat.shout") == "unknown_method"
    assert talk.call("auth.test")["ok"]


def test_posting(talk: Talk) -> None:
    """By name or id, with a `ts` that no other message has; not without text, nor too much, nor nowhere."""
    first = talk.call("chat.postMessage", channel="#team", text="one")
    second = talk.call("chat.postMessage", channel=first["channel"], text="two")
    assert first["ok"]
    assert first["channel"].startswith("C")
    assert float(first["ts"]) < float(second["ts"])
    assert talk.error("chat.postMessage", channel="#team", text="") == "no_text"
    assert talk.error("chat.postMessage", channel="#team", text="x" * 40_001) == "msg_too_long"
    assert talk.error("chat.postMessage", channel="#nowhere", text="x") == "channel_not_found"
    assert talk.sim.said("team") == ["one", "two"]


def test_who_may_post_where(talk: Talk) -> None:
    """Not where the app is no member, nor in the archive; a private channel that it is not in does not exist."""
    talk.sim.kick("team")
    talk.sim.archive("random")
    talk.sim.workspace.channels["C9"] = Channel("C9", "board", private=True, joined=False)
    assert talk.error("chat.postMessage", channel="#team", text="x") == "not_in_channel"
    assert talk.error("chat.postMessage", channel="#random", text="x") == "is_archived"
    assert talk.error("chat.postMessage", channel="C9", text="x") == "channel_not_found"


def test_history_is_newest_first_and_paged(talk: Talk) -> None:
    """Newest first, `oldest` itself left out, metadata only where it is asked for, the rest behind a cursor."""
    mark = {"event_type": "t", "event_payload": {"ref": "hf-1"}}
    posts = [talk.call("chat.postMessage", channel="#team", text=str(n), metadata=mark) for n in range(5)]
    channel = posts[0]["channel"]
    page = talk.call("conversations.history", channel=channel, limit=2)
    assert ([row["text"] for row in page["messages"]], page["has_more"]) == (["4", "3"], True)
    rest = talk.call("conversations.history", channel=channel, cursor=page["response_metadata"]["next_cursor"])
    assert [row["text"] for row in rest["messages"]] == ["2", "1", "0"]
    later = talk.call("conversations.history", channel=channel, oldest=posts[2]["ts"], include_all_metadata=True)
    assert [(row["text"], row["metadata"]) for row in later["messages"]] == [("4", mark), ("3", mark)]
    assert "metadata" not in page["messages"][0]
    assert talk.error("conversations.history", channel=channel, cursor="x") == "invalid_cursor"


def test_arguments_come_as_a_form_too(talk: Talk) -> None:
    """The library sends a form where there is no structure in it."""
    headers = {"Authorization": f"Bearer {talk.token}"}
    found = talk.http.post("/api/users.lookupByEmail", data={"email": "A@x.example"}, headers=headers).json()
    assert found["user"]["profile"]["email"] == "a@x.example"


def test_a_burst_is_slowed_down(talk: Talk) -> None:
    """About one message a second in a channel: beyond a short burst 429 with Retry-After; another channel is free."""
    answers = [talk.http.post("/api/chat.postMessage", json=_post(talk, "#team")) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) <= 10
    assert talk.http.post("/api/chat.postMessage", json=_post(talk, "#random")).status_code == 200


def _post(talk: Talk, channel: str) -> dict[str, str]:
    return {"token": talk.token, "channel": channel, "text": "x"}


def test_the_journal_knows(talk: Talk) -> None:
    """What was said where is in the sandbox's own journal."""
    user = talk.call("users.lookupByEmail", email="a@x.example")["user"]["id"]
    talk.call("chat.postMessage", channel=talk.call("conversations.open", users=user)["channel"]["id"], text="you")
    (row,) = talk.sandbox.core.journal.rows(vendor="slack")
    assert (row.detail["where"], row.detail["people"], row.detail["text"]) == ("direct", ["a@x.example"], "you")


def test_the_console_shows_it(talk: Talk) -> None:
    """Channels with their messages stand on the console's page, escaped."""
    talk.call("chat.postMessage", channel="#team", text="<b>late</b>")
    html = httpx.get(f"{talk.sandbox.urls['console']}/part/messages", trust_env=False).text
    assert '<i class="kind">Slack</i> #team' in html
    assert "&lt;b&gt;late&lt;/b&gt;" in html
