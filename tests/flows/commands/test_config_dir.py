"""HELPDESK_CONFIG_DIR: every command reads the same folder, and says what is wrong with it."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.commands.sandbox import _start
from flows.profiles import NoProfile
from tests.profiles import CONFIG


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config folder of somebody's own: one organisation, with a sharper figure and another group's name."""
    config = Path(shutil.copytree(CONFIG, tmp_path / "mine"))
    for path in (config / "profiles").glob("*.yaml"):
        if path.stem != "builder":
            path.unlink()
    (config / "profiles" / "builder.yaml").rename(config / "profiles" / "mine.yaml")
    mine = config / "profiles" / "mine.yaml"
    mine.write_text(mine.read_text().replace("profile: builder", "profile: mine"))
    tools = config / "tools" / "zendesk.yaml"
    tools.write_text(tools.read_text().replace("title: SLA due", "title: Promise"))
    monkeypatch.setenv("HELPDESK_CONFIG_DIR", str(config))
    return config


def test_check_reads_it(elsewhere: Path) -> None:
    """Without a file, the profiles of that folder are checked, and a key means one of them."""
    found = CliRunner().invoke(app, ["check", "--json"])
    assert [row["profile"].partition("@")[0] for row in json.loads(found.stdout)["profiles"]] == ["mine"]
    assert CliRunner().invoke(app, ["check", "mine"]).exit_code == 0


def test_due_reads_it(elsewhere: Path) -> None:
    """A key means a profile of that folder."""
    words = ["due", "--profile", "mine", "--severity", "P2", "--plan", "business", "--at", "2026-03-03T10:00"]
    assert "First response" in CliRunner().invoke(app, words).stdout


def test_sandbox_reads_it(elsewhere: Path) -> None:
    """The account is born with the names of that folder's tables."""
    with _start("mine", 1, None, None, 0, None, still=True) as running:
        fields = running.vendors["zendesk"].account.ticket_fields.values()  # type: ignore[attr-defined]
        assert "Promise" in [field.title for field in fields]


@pytest.mark.parametrize("words", ["check", "due --profile builder --severity P1 --at 2026-03-03"])
def test_a_folder_that_is_none(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without profiles is said, and nothing passes as right."""
    monkeypatch.setenv("HELPDESK_CONFIG_DIR", str(tmp_path))
    assert isinstance(CliRunner().invoke(app, words.split()).exception, NoProfile)
    (tmp_path / "profiles").mkdir()
    assert isinstance(CliRunner().invoke(app, words.split()).exception, NoProfile)
