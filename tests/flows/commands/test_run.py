"""`helpdesk sync` and `helpdesk explain` for people and for machines."""

import json

from typer.testing import CliRunner

from flows.cli import app
from tests.flows.desk import Desk


def test_sync_for_machines(fresh_desk: Desk) -> None:
    """`--json` tells the tool and what each of its sources said."""
    told = CliRunner().invoke(app, ["sync", "zendesk", "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert found["tool"] == "zendesk"
    assert {"tickets", "newest", "events"} <= found["sources"].keys()
    assert found["sources"]["tickets"].startswith("40 changed")


def test_since_begins_an_empty_store(fresh_desk: Desk) -> None:
    """With `--since` an empty store begins there; a store that has read goes on, and says that it does."""
    first = CliRunner().invoke(app, ["sync", "zendesk", "--since", "2026-03-03T00:00:00"])
    assert (first.exit_code, first.stderr) == (0, "")
    assert "tickets: 40 changed" not in first.stdout
    again = CliRunner().invoke(app, ["sync", "zendesk", "--since", "2026-02-01T00:00:00"])
    assert again.exit_code == 0
    assert again.stderr.startswith("sync --since: not used, the store goes on from where it has read to; give an empty")


def test_explain_of_an_unknown_ticket(desk: Desk) -> None:
    """What is not there ends with 2 and the command that helps."""
    told = CliRunner().invoke(app, ["explain", "zendesk:999999", "--json"])
    assert (told.exit_code, told.stdout) == (2, "")
    assert "`helpdesk sync zendesk`" in told.stderr
