"""Credentials that do not work any more: read again once, then that tool alone stops, and somebody is told once."""

import os
from pathlib import Path

import pytest

from flows.sync import LOCKED_OUT
from tests.flows.desk import Desk


@pytest.fixture
def secret_file(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client secret as a file that somebody can replace while we run."""
    path = tmp_path / "client_secret"
    path.write_text(os.environ["ZENDESK_CLIENT_SECRET"] + "\n")
    monkeypatch.delenv("ZENDESK_CLIENT_SECRET")
    monkeypatch.setenv("ZENDESK_CLIENT_SECRET_FILE", str(path))
    return path


@pytest.mark.req("SEC-06")
def test_a_rotated_secret_is_read_again(desk: Desk, secret_file: Path) -> None:
    """The secret was replaced and the tokens revoked while a process runs: its next call reads the file once more."""
    desk.minutes(1)
    desk.sim.auth.revoke()
    desk.sim.auth.client_secret = "rotated"
    secret_file.write_text("rotated\n")
    before = desk.core.recorder.count
    (beat,) = desk.minutes(1)
    assert beat.news == []
    assert len(desk.calls("POST", "/oauth/tokens", after=before)) == 1


def test_a_lockout_stops_one_tool(desk: Desk, secret_file: Path) -> None:
    """A secret that stays wrong: one source is tried a minute, the rest is not; PagerDuty goes on; told once, and once
    when it is over."""
    desk.minutes(1)
    desk.sim.auth.revoke()
    desk.sim.auth.client_secret = "rotated"
    before = desk.core.recorder.count
    first, second, third = desk.minutes(3)
    (news,) = first.news
    assert news.startswith("zendesk newest does not answer: zendesk POST /oauth/tokens: 401")
    assert news.endswith("check ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET")
    assert (second.news, third.news) == ([], [])
    assert {second.synced[f"zendesk {name}"] for name in ("tickets", "events", "companies")} == {LOCKED_OUT}
    assert not second.synced["pagerduty incidents"].startswith("failed")
    assert len(desk.calls("", "/api/v2/", after=before)) <= 1, "the token that was revoked is tried once"
    assert len(desk.calls("POST", "/oauth/tokens", after=before)) == 3
    secret_file.write_text("rotated")
    (after,) = desk.minutes(1)
    assert after.news == ["zendesk newest answers again"]
