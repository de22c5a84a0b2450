"""The stories' traffic, held against the vendors' own descriptions and recorded real answers."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.demo.stories import all_stories
from tests.scenarios.conftest import Staged

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
REFEREE = SHARED / "tools" / "referee.py"


@pytest.mark.skipif(not REFEREE.is_file(), reason="the referee and the vendors' descriptions lie beside the project")
def test_what_we_say_is_what_the_vendors_describe(staged: Staged, tmp_path: Path) -> None:
    """Nothing disagrees beyond tests/referee_allow.txt, and no field is missing that real answers always have."""
    record = tmp_path / "traffic.ndjson"
    all_stories(staged("builder", record=record))
    command = [sys.executable, str(REFEREE), str(record), "--recorded", str(SHARED / "recorded")]
    command += ["--allow", str(ROOT / "tests" / "referee_allow.txt")]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "zendesk: " in said.stdout
    assert "pagerduty_events: " in said.stdout
