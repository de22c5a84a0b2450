"""Faults strike before the effect, after it, or in the middle of the answer, exactly where a script says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.faults import Faults, read_script
from connectors.sandbox.pagerduty import PagerDutySim
from connectors.sandbox.server import Sandbox

START = datetime(2026, 3, 3, 15, tzinfo=UTC)
WORLD = {"profile": "builder", "now": "2026-03-03T15:00:00Z"}


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 2}, [2]),
        ({"every": 3}, [3, 6]),
        ({"count": 2}, [1, 2]),
        ({"every": 2, "count": 1}, [2]),
        ({"method": "POST"}, []),
        ({"method": "get", "path": r"^/tickets/\d+$"}, [1, 2, 3, 4, 5, 6]),
        ({"path": "/users"}, []),
        ({"between": ["2026-03-03T15:02:00Z", "2026-03-03T15:04:00Z"]}, [3, 4]),
        ({"vendor": "pagerduty"}, []),
        ({"vendor": "*"}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_which_requests_are_struck(fault: dict[str, Any], struck: list[int]) -> None:
    """Six requests, a minute apart: a fault strikes those that all of its conditions fit."""
    faults = Faults()
    faults.load([{"vendor": "zendesk", "kind": "away", **fault}])
    times = [START + timedelta(minutes=n) for n in range(6)]
    hits = [n for n, at in enumerate(times, 1) if faults.strike("zendesk", "GET", "/tickets/7", at)]
    assert hits == struck


def test_a_script_with_mistakes_is_refused_whole() -> None:
    """Every bad line is named, and the script in force stays."""
    faults = Faults()
    faults.load([{"vendor": "zendesk", "kind": "away"}])
    with pytest.raises(ValueError, match="faults") as refused:
        faults.load(
            [{"vendor": "zendesk", "kind": "nap"}, {"kind": "away"}, {"vendor": "jira", "kind": "status"}, {"knid": 1}]
        )
    lines = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["faults[1]", "faults[2]", "faults[3]", "faults[4]"]
    assert len(faults.as_json()) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("faults.yaml", "- vendor: zendesk\n  kind: status\n  status: 503\n"),
        ("faults.json", '[{"vendor": "zendesk", "kind": "status", "status": 503}]'),
    ],
)
def test_scripts_are_read_from_files(tmp_path: Path, name: str, text: str) -> None:
    """YAML and JSON say the same."""
    path = tmp_path / name
    path.write_text(text)
    assert read_script(path) == [{"vendor": "zendesk", "kind": "status", "status": 503}]


class Caller:
    """Creates incidents over HTTP and counts those that exist."""

    def __init__(self, sandbox: Sandbox, sim: PagerDutySim) -> None:
        self.sandbox, self.sim = sandbox, sim
        env = sim.environment()
        headers = {"Authorization": f"Token token={env['PAGERDUTY_TOKEN']}", "From": env["PAGERDUTY_FROM"]}
        self.http = httpx.Client(base_url=env["PAGERDUTY_URL"], headers=headers, timeout=0.5, trust_env=False)

    def create(self) -> httpx.Response:
        """POST one incident."""
        service = {"id": self.sim.account.services[0].id, "type": "service_reference"}
        incident = {"type": "incident", "title": "Down", "service": service}
        return self.http.post("/incidents", json={"incident": incident})

    @property
    def made(self) -> int:
        """How many incidents there are."""
        return len(self.sim.account.incidents)


@pytest.fixture
def caller() -> Iterator[Caller]:
    """A PagerDuty to be struck."""
    with Sandbox(WORLD, only={"pagerduty"}) as sandbox:
        sim = sandbox.vendors["pagerduty"]
        assert isinstance(sim, PagerDutySim)
        yield Caller(sandbox, sim)


@pytest.mark.parametrize(
    ("fault", "effects"),
    [
        ({"kind": "cut_before"}, 0),
        ({"kind": "away"}, 0),
        ({"kind": "cut_after"}, 1),
        ({"kind": "truncate"}, 1),
        ({"kind": "slow", "seconds": 1.0, "after": True}, 1),
    ],
)
def test_a_lost_answer_says_nothing_about_the_effect(caller: Caller, fault: dict[str, Any], effects: int) -> None:
    """The caller sees the same broken connection, whether the incident was made or not."""
    caller.sandbox.core.faults.load([{"vendor": "pagerduty", "count": 1, **fault}])
    with pytest.raises(httpx.TransportError):
        caller.create()
    assert caller.made == effects
    assert caller.create().status_code == 201


@pytest.mark.parametrize(
    ("fault", "status", "code", "effects"),
    [
        ({"kind": "status", "status": 503}, 503, 5001, 0),
        ({"kind": "status", "status": 500, "after": True}, 500, 5001, 1),
        ({"kind": "status", "status": 429, "headers": {"ratelimit-reset": "37"}}, 429, 2020, 0),
        ({"kind": "token_expired"}, 401, 2006, 0),
    ],
)
def test_an_error_answer_has_the_tools_own_shape(
    caller: Caller, fault: dict[str, Any], status: int, code: int, effects: int
) -> None:
    """Also a 500 after the incident was made, the dangerous one."""
    caller.sandbox.core.faults.load([{"vendor": "pagerduty", "count": 1, **fault}])
    answer = caller.create()
    assert (answer.status_code, answer.json()["error"]["code"], caller.made) == (status, code, effects)
    assert answer.headers.get("ratelimit-reset") == fault.get("headers", {}).get("ratelimit-reset")


def test_html_where_json_is_due(caller: Caller) -> None:
    """A gateway's page instead of an answer."""
    caller.sandbox.core.faults.load([{"vendor": "pagerduty", "kind": "html"}])
    answer = caller.create()
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")


def test_schemas_drift(caller: Caller) -> None:
    """The answer is right, and every object of it has a field that nobody has heard of."""
    caller.sandbox.core.faults.load([{"vendor": "pagerduty", "kind": "drift"}])
    body = caller.create().json()
    assert body["incident"]["title"] == "Down"
    assert "x_new_field" in body
    assert "x_new_field" in body["incident"]["service"]


def test_an_answer_can_be_empty(caller: Caller) -> None:
    """200, and nothing in it."""
    caller.sandbox.core.faults.load([{"vendor": "pagerduty", "kind": "status", "status": 200, "body": ""}])
    answer = caller.create()
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_tool_can_be_away_for_an_hour(caller: Caller) -> None:
    """By simulated time."""
    away = {"vendor": "pagerduty", "kind": "away", "between": ["2026-03-03T15:30:00Z", "2026-03-03T16:30:00Z"]}
    caller.sandbox.core.faults.load([away])
    assert caller.create().status_code == 201
    caller.sandbox.advance(1800)
    with pytest.raises(httpx.TransportError):
        caller.create()
    caller.sandbox.advance(3600)
    assert caller.create().status_code == 201


def test_what_was_struck_is_in_the_record(caller: Caller) -> None:
    """A cut shows as status 0 with the fault's kind."""
    caller.sandbox.core.faults.load([{"vendor": "pagerduty", "kind": "cut_after", "count": 1}])
    with pytest.raises(httpx.TransportError):
        caller.create()
    caller.create()
    latest = caller.sandbox.core.recorder.latest(2)
    assert [(row["status"], row["fault"]) for row in latest] == [(201, None), (0, "cut_after")]
