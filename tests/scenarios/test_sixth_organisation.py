"""An organisation that is nothing but a file, through sandbox, store and delivery: no code knows it."""

import shutil
from pathlib import Path

import pytest

from flows.demo.stage import Stage
from flows.profiles import read_profile
from tests.profiles import CONFIG
from tests.scenarios.conftest import Staged

FILE = Path(__file__).parents[1] / "mappings" / "policies" / "rules" / "florist.yaml"


def test_a_sixth_organisation_is_served(staged: Staged, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Dead flowers page the van and go to the greenhouse; wrong ones climb after two of its hours; praise stays."""
    config = shutil.copytree(CONFIG, tmp_path / "config")
    shutil.copy(FILE, config / "profiles")
    monkeypatch.setenv("HELPDESK_CONFIG_DIR", str(config))
    stage = staged(read_profile("florist", config))
    stage.beat()
    stage.people.move_to(stage.moment("2026-03-03 10:00"))
    dead, wrong, praise = (file(stage, severity) for severity in ("wilted", "wrong", "praise"))
    stage.beat()
    stage.settle()
    assert [page["title"] for page in stage.people.act("incidents")] == [
        f"wilted The flowers are dead: ticket {dead} (regular)"
    ]
    stage.go(stage.moment("2026-03-03 12:01"))
    stage.settle()
    tiers = {history.ticket.id: history.ticket.tier for history in stage.store.histories([dead, wrong, praise])}
    assert tiers == {dead: 2, wrong: 2, praise: 1}
    [late] = stage.done(f"zendesk:{wrong}", "escalate")
    assert late.action.reason.text.startswith("First response was due 12:00 (wrong, Stammgast: 2 business hours).")


def file(stage: Stage, severity: str) -> int:
    """A regular customer writes about flowers."""
    company = stage.people.act("companies")[0]
    stage.people.act("plan", company=company, plan_key="regular")
    requester = stage.people.act("customers", company=company)[0]
    told = {"severity": severity, "kind": "bouquet", "working": "working_no"}
    ticket = int(stage.people.act("file", requester=requester, subject="Flowers", body="Please.", fields=told))
    stage.cast.add(f"zendesk:{ticket}")
    return ticket
