"""The record holds whole exchanges as JSON lines, and no secret in any of its places."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

from connectors.sandbox.recorder import Exchange, Recorder

SECRET = "tok-0123456789"


def exchange(seq: int = 1, **changes: object) -> Exchange:
    """One exchange with secrets in every place that has held one."""
    basic = base64.b64encode(f"flows@x.example/token:{SECRET}".encode()).decode()
    given: dict[str, object] = {
        "seq": seq,
        "at": datetime(2026, 3, 3, 15, tzinfo=UTC),
        "vendor": "zendesk",
        "method": "POST",
        "path": "/oauth/tokens",
        "query": {"page": "2"},
        "headers": {"authorization": f"Basic {basic}", "content-type": "application/json"},
        "request": b'{"client_id":"us","client_secret":"hush-hush"}',
        "status": 200,
        "response": json.dumps({"access_token": "new-one", "note": f"quotes {SECRET}"}).encode(),
    }
    return Exchange(**{**given, **changes})  # type: ignore[arg-type]


def test_a_line_has_what_a_referee_needs(tmp_path: Path) -> None:
    """Vendor, method, path, query and headers as texts, both bodies, the status."""
    recorder = Recorder(tmp_path / "traffic.ndjson")
    recorder.add(exchange())
    recorder.close()
    row = json.loads((tmp_path / "traffic.ndjson").read_text())
    assert (row["vendor"], row["method"], row["path"], row["query"]) == (
        "zendesk",
        "POST",
        "/oauth/tokens",
        {"page": "2"},
    )
    assert (row["status"], row["request_json"]["client_id"]) == (200, "us")


def test_secrets_are_masked_everywhere(tmp_path: Path) -> None:
    """In headers, in fields that hold secrets, and wherever else a known one turns up; also on the console."""
    recorder = Recorder(tmp_path / "traffic.ndjson")
    recorder.hide(SECRET)
    recorder.add(exchange())
    recorder.close()
    for text in ((tmp_path / "traffic.ndjson").read_text(), json.dumps(recorder.latest())):
        assert not [s for s in (SECRET, "hush-hush", "new-one", "token:") if s in text]
        assert '"client_secret": "*********"' in text


def test_bodies_that_are_no_json_are_null() -> None:
    """HTML, an empty body, half an answer."""
    recorder = Recorder()
    for body in (b"<h1>no</h1>", b"", b'{"half":'):
        recorder.add(exchange(response=body))
    assert [row["response_json"] for row in recorder.latest()] == [None, None, None]


def test_memory_is_bounded_by_bytes_too() -> None:
    """Big pages push older exchanges out; the newest is kept in any case."""
    recorder = Recorder(keep_bytes=1000)
    for seq in range(1, 5):
        recorder.add(exchange(seq, request=b"", response=b"x" * 400))
    assert [row["seq"] for row in recorder.latest()] == [4, 3]
    recorder.add(exchange(5, response=b"x" * 5000))
    assert [row["seq"] for row in recorder.latest()] == [5]


def test_only_the_latest_are_kept_in_memory() -> None:
    """Newest first, as many as asked for."""
    recorder = Recorder(keep=3)
    for seq in range(1, 6):
        recorder.add(exchange(seq))
    assert [row["seq"] for row in recorder.latest(2)] == [5, 4]
    assert len(recorder.latest()) == 3
    assert recorder.count == 5
