"""`helpdesk check`: exit code 0, or 2 with one line per error."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows import profiles
from flows.cli import app
from tests.profiles import CONFIG

BUILDER = CONFIG / "profiles" / "builder.yaml"


def check(*arguments: str) -> tuple[int, list[str]]:
    """Exit code and printed lines."""
    result = CliRunner().invoke(app, ["check", *arguments])
    return result.exit_code, result.output.splitlines()


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A copy of builder.yaml somewhere else."""
    return Path(shutil.copy(BUILDER, tmp_path / "draft.yaml"))


def test_all_profiles_are_right() -> None:
    """Without a file it checks all there are."""
    code, lines = check()
    assert code == 0
    assert [line.partition("@")[0] for line in lines if "no errors" in line] == [
        "archbuilder", "builder", "lasercalc", "pmerit", "roofing",
    ]  # fmt: skip


@pytest.mark.parametrize("argument", [str(BUILDER), "builder"])
def test_a_profile_is_named_by_file_or_key(argument: str) -> None:
    """The first line says which content was checked."""
    code, lines = check(argument)
    assert code == 0
    assert lines[0].startswith("builder@")
    assert lines[0].endswith(": Builder platform (Module 46): no errors")


@pytest.mark.req("NFR-05")
def test_it_says_what_is_assumed_and_what_is_not_there_yet() -> None:
    """A lead reads what to fill in, and which lines nothing carries out so far."""
    _, lines = check("builder")
    assert "  assumed: calendars.office: no hours, days or zone are given" in lines
    assert "  not yet: rules.referral.do[0]: create_lead: its tool is not connected yet" in lines
    assert "  not yet: targets.Services follow-up: lead_followup is not measured yet" in lines


def test_warnings_do_not_fail() -> None:
    """archbuilder's slow ladder is told, and its profile is right."""
    code, lines = check("archbuilder")
    assert code == 0
    assert sum("warning: config/profiles/archbuilder.yaml:" in line for line in lines) == 3


@pytest.mark.req("SLA-03", "NFR-05")
def test_each_error_is_one_line(draft: Path) -> None:
    """`file:line: field: problem; fix` on its own line, nothing else, and exit code 2."""
    text = (
        BUILDER.read_text()
        .replace("measure: first_reply", "measure: frist_reply")
        .replace("P1: {starter: 4h,", "P1: {starter: 4x,")
    )
    draft.write_text(text)
    numbers = {
        part: next(n for n, line in enumerate(text.splitlines(), 1) if part in line) for part in ("frist_reply", "4x")
    }
    code, lines = check(str(draft))
    assert code == 2
    assert lines == [
        f"{draft}:{numbers['frist_reply']}: targets.First response.measure: unknown value 'frist_reply';"
        " did you mean 'first_reply'?",
        f"{draft}:{numbers['4x']}: targets.First response.table.P1.starter: '4x' is no duration; write for example 15m,"
        " 4h, 7d, 4bh (business hours), 1bd (business days), 2h..4h, immediate or best effort",
    ]


def test_a_profile_elsewhere_stands_on_the_shipped_base(draft: Path) -> None:
    """A draft anywhere on the disk can be checked."""
    assert check(str(draft))[0] == 0


def test_a_profile_stands_on_the_base_beside_it(tmp_path: Path) -> None:
    """A whole config directory elsewhere is checked with its own base."""
    config = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    base = config / "base.yaml"
    base.write_text(base.read_text().replace("grace: 5m", "grace: soon"))
    code, lines = check(str(config / "profiles" / "builder.yaml"))
    assert code == 2
    assert [line.partition(": ")[2] for line in lines] == [
        "grace: 'soon' is no length of time; write for example 15m, 4h, 14d or 7y"
    ]


def test_two_files_cannot_be_one_organisation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copied file whose key was forgotten would write into the other's store."""
    config = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    copy = Path(shutil.copy(BUILDER, config / "profiles" / "florist.yaml"))
    monkeypatch.setenv("HELPDESK_CONFIG_DIR", str(config))
    code, lines = check()
    assert code == 2
    assert lines == [
        f"{copy}:1: profile: 'builder' is another file's key, too; give each organisation a key of its own"
    ]


def test_a_file_that_is_no_text_is_told(draft: Path) -> None:
    """A file saved in another encoding says so, by line."""
    draft.write_bytes(b"profile: builder\nname: Caf\xe9\n")
    assert check(str(draft)) == (2, [f"{draft}:2: file: not UTF-8 text; save it as UTF-8"])


def test_for_machines() -> None:
    """`--json` holds the same."""
    result = CliRunner().invoke(app, ["check", "builder", "--json"])
    found = json.loads(result.output)
    assert result.exit_code == 0
    assert found["errors"] == []
    (told,) = found["profiles"]
    assert told["profile"].startswith("builder@")
    assert "calendars.office" in told["assumed"]
    assert "outage" in told["not_yet"]


def test_errors_for_machines(draft: Path) -> None:
    """Errors as records, and still exit code 2."""
    draft.write_text(BUILDER.read_text().replace("page on_call", "page nobody", 1))
    result = CliRunner().invoke(app, ["check", str(draft), "--json"])
    assert result.exit_code == 2
    (error,) = json.loads(result.output)["errors"]
    assert (error["file"], error["field"]) == (str(draft), "rules.night page.do[0]")
    assert error["problem"] == "no route 'nobody'"
    assert error["fix"].startswith("write one of: owner")


@pytest.mark.parametrize(
    ("argument", "said"),
    [("bilder", "profile 'bilder': no such profile"), ("nowhere/x.yaml", "nowhere/x.yaml: no such file")],
)
def test_what_is_not_there_is_said(argument: str, said: str) -> None:
    """As a program: one line on standard error, exit code 2, no traceback."""
    root = CONFIG.parent
    run = subprocess.run(
        [sys.executable, "-m", "flows.cli", "check", argument],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert said in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_schemas_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`helpdesk schema` writes what editors read."""
    (tmp_path / "schema").mkdir()
    monkeypatch.setattr(profiles, "CONFIG", tmp_path)
    assert CliRunner().invoke(app, ["schema"]).exit_code == 0
    written = {path.name: path.read_text() for path in (tmp_path / "schema").iterdir()}
    assert written == {path.name: path.read_text() for path in CONFIG.glob("schema/*.json")}
