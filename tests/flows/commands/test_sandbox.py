"""`helpdesk sandbox` prints what a flow needs, once everything answers, and ends when it is told to."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "flows.cli", "sandbox"]
NAMES = {
    "ZENDESK_URL",
    "ZENDESK_CLIENT_ID",
    "ZENDESK_CLIENT_SECRET",
    "ZENDESK_TOKEN",
    "ZENDESK_EMAIL",
    "ZENDESK_WEBHOOK_SECRET",
    "PAGERDUTY_URL",
    "PAGERDUTY_EVENTS_URL",
    "PAGERDUTY_TOKEN",
    "PAGERDUTY_FROM",
    "PAGERDUTY_EVENTS_KEY",
    "PAGERDUTY_WEBHOOK_SECRET",
    "HELPDESK_CLOCK_URL",
    "HELPDESK_SANDBOX_URL",
}


@contextmanager
def running(*options: str) -> Iterator[dict[str, str]]:
    """Run the command on free ports and hand over what it prints."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([*COMMAND, "--port-base", "0", *options], stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert process.stdout
        printed = dict(process.stdout.readline().rstrip("\n").split("=", 1) for _ in NAMES)
        yield printed
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_it_prints_what_a_flow_needs(tmp_path: Path) -> None:
    """A line for each name; the tools answer with these credentials; the traffic is recorded, the clock moves."""
    record = tmp_path / "traffic.ndjson"
    with running("--record", str(record), "--now", "2026-03-04T08:00", "--still") as env:
        assert set(env) == NAMES
        assert httpx.get(env["HELPDESK_CLOCK_URL"]).json()["now"] == "2026-03-04T14:00:00Z"
        assert httpx.post(env["HELPDESK_CLOCK_URL"], json={"advance": 60}).json()["now"] == "2026-03-04T14:01:00Z"
        login = (f"{env['ZENDESK_EMAIL']}/token", env["ZENDESK_TOKEN"])
        assert httpx.get(f"{env['ZENDESK_URL']}/api/v2/users/me", auth=login).json()["user"]["role"] == "admin"
        headers = {"Authorization": f"Token token={env['PAGERDUTY_TOKEN']}"}
        assert httpx.get(f"{env['PAGERDUTY_URL']}/services", headers=headers).json()["services"]
    text = record.read_text()
    assert len(text.splitlines()) == 2
    assert env["ZENDESK_TOKEN"] not in text
    assert env["PAGERDUTY_TOKEN"] not in text


def test_a_fault_script_strikes_from_the_start(tmp_path: Path) -> None:
    """As it would be given to the demo."""
    script = tmp_path / "faults.yaml"
    script.write_text("- {vendor: zendesk, kind: status, status: 503}\n")
    with running("--faults", str(script)) as env:
        assert httpx.get(f"{env['ZENDESK_URL']}/api/v2/users/me").status_code == 503


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--profile", "nobody"], "profile 'nobody': no such profile"),
        (["--now", "teatime"], "teatime"),
        (["--faults", "missing.yaml"], "missing.yaml"),
    ],
)
def test_what_cannot_be_started_is_explained(options: list[str], says: str) -> None:
    """Exit code 2 and a sentence."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([*COMMAND, *options], capture_output=True, text=True, env=env, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
