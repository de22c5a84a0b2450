"""Evidence on the command line: checked by anybody, shown to managers only, each look on record."""

import json

import pytest
from typer.testing import CliRunner

from connectors.store import Entry
from connectors.store.evidence import broken
from flows.cli import app
from flows.evidence import NoEvidence
from tests.flows.desk import Desk
from tests.flows.test_abuse import flag, kept, manager


@pytest.fixture
def copied(desk: Desk) -> int:
    """A flagged ticket of which a copy is kept."""
    ticket = desk.file("P3", "business", body="You will regret this.")
    flag(desk, ticket)
    desk.minutes(2)
    return ticket


@pytest.mark.req("ABU-07", "SEC-05")
def test_verify_tells_all_and_shows_nothing(desk: Desk, copied: int) -> None:
    """It names entries, times, hashes and who looked, and not a word of what was said."""
    told = CliRunner().invoke(app, ["evidence", "verify", f"zendesk:{copied}"])
    assert told.exit_code == 0, told.output
    assert f"zendesk:{copied}: all 1 entries are as they were written" in told.stdout
    assert kept(desk, copied)[0].sha256 in told.stdout
    assert "regret" not in told.stdout


@pytest.mark.req("SEC-05")
def test_shown_to_managers_only(desk: Desk, copied: int) -> None:
    """A manager sees the copies; an agent, a customer and a stranger do not; all of it is on record and verifies."""
    shown = CliRunner().invoke(app, ["evidence", "show", f"zendesk:{copied}", "--as", manager(desk), "--json"])
    assert shown.exit_code == 0, shown.output
    (copy,) = json.loads(shown.stdout)
    assert copy["content"]["comments"][0]["body"] == "You will regret this."
    for email in (desk.agent, desk.customer("business"), "nobody@example.com"):
        refused = CliRunner().invoke(app, ["evidence", "show", f"zendesk:{copied}", "--as", email])
        assert isinstance(refused.exception, NoEvidence)
        assert "this is no manager; ask an admin or a member of Management" in str(refused.exception)
        assert "regret" not in refused.output
    entries = kept(desk, copied)
    assert [entry.kind for entry in entries] == [Entry.COPY, Entry.READ, *[Entry.REFUSED] * 3]
    assert str(desk.sim.user(manager(desk)).id) in entries[1].content
    assert desk.agent in entries[2].content
    assert broken(entries) is None
    assert {entry.kept_until for entry in entries} == {entries[0].kept_until}


def test_a_manager_without_admin_rights(desk: Desk, copied: int) -> None:
    """Whoever is in the group that decides may, also as a plain agent; whoever has left may not any more."""
    group, agent = desk.sim.account.group_named("Management"), desk.sim.user(desk.agent)
    assert group is not None
    desk.sim.account.add_membership(agent, group.id)
    argv = ["evidence", "show", f"zendesk:{copied}", "--as", desk.agent]
    assert CliRunner().invoke(app, argv).exit_code == 0
    agent.active = False
    assert CliRunner().invoke(app, argv).exit_code != 0
