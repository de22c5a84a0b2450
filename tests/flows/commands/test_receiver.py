"""`helpdesk receive` as it runs: says where it listens, takes what the tools send, and does not begin for nothing."""

import os
import subprocess
import sys
from pathlib import Path

import httpx

from connectors.store import Store
from tests.flows.commands.test_sandbox import running
from tests.flows.processes import Program, free_port

ROOT = Path(__file__).resolve().parents[3]
COMMAND = ["-m", "flows.cli", "receive"]


def test_from_the_tool_into_the_store(tmp_path: Path) -> None:
    """A customer files a ticket in the sandbox: Zendesk tells the receiver, and the store knows what to read."""
    port = free_port()
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with running("--still", "--webhooks", f"http://127.0.0.1:{port}") as printed:
        env = {**printed, "HELPDESK_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
        program = Program([*COMMAND, "--port", str(port)], env=env, log=tmp_path / "log", cwd=tmp_path)
        try:
            program.wait_for("listening", lambda: listening(port))
            console = printed["HELPDESK_SANDBOX_URL"]
            company = httpx.post(f"{console}/people/companies", json={}).json()["result"][0]
            customer = httpx.post(f"{console}/people/customers", json={"company": company}).json()["result"][0]
            ticket = {"requester": customer, "subject": "Help", "body": "It broke.", "fields": {"kind": "bug"}}
            filed = httpx.post(f"{console}/people/file", json=ticket).json()["result"]
            httpx.post(printed["HELPDESK_CLOCK_URL"], json={"advance": 1}).raise_for_status()
        finally:
            program.stop()
        assert f"http://127.0.0.1:{port}/webhooks/pagerduty" in program.tail()
    store = Store.open(url)
    assert {delivery.about for delivery in store.deliveries("zendesk")} == {f"zendesk:{filed}"}
    store.close()


def listening(port: int) -> bool | None:
    """True once the receiver answers, null while it does not."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success or None
    except httpx.TransportError:
        return None


def test_without_any_secret(tmp_path: Path) -> None:
    """Where nobody could be believed it does not begin: one line, and exit code 2."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HELPDESK_DATABASE_URL": f"sqlite:///{tmp_path}/store.db",
    }
    ran = subprocess.run([sys.executable, *COMMAND], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == (
        "environment: ZENDESK_WEBHOOK_SECRET or PAGERDUTY_WEBHOOK_SECRET: not set; "
        "set it (or ZENDESK_WEBHOOK_SECRET_FILE), see deploy/env.example\n"
    )
