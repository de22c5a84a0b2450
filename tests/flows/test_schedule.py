"""The locked Prefect really runs things on time, served or through a worker.

A scheduler that creates no run looks healthy: with SQLAlchemy 2.1 on SQLite, Prefect 3.8's server and pages are up, and
no scheduled run is ever made. So only a run that completed counts here.
"""

import re
import shutil
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import ROOT, Prefect
from tests.flows.processes import Program

ENTRYPOINT = "tests/flows/tick.py:tick"
DEPLOYMENTS = ROOT / "deploy" / "prefect.yaml"

Start = Callable[..., Program]


def run_by_the_clock(prefect: Prefect, deployment: str) -> dict[str, Any] | None:
    """Return a completed run that the scheduler made for `deployment`, null while there is none; fail if one broke."""
    wanted = {"deployments": {"name": {"any_": [deployment]}}, "sort": "START_TIME_ASC"}
    runs = prefect.api.post("/flow_runs/filter", json=wanted).raise_for_status().json()
    assert [run["state"] for run in runs if run["state_type"] in {"FAILED", "CRASHED"}] == []
    return next((run for run in runs if run["auto_scheduled"] and run["state_type"] == "COMPLETED"), None)


@pytest.mark.parametrize("package", ["prefect", "sqlalchemy", "fastapi"])
def test_what_runs_is_what_is_locked(package: str) -> None:
    """The versions that are known to work together are the ones installed."""
    locked = re.search(rf"^{package}==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert locked
    assert version(package) == locked[1]


def test_a_schedule_makes_runs_that_complete(prefect: Prefect, start: Start) -> None:
    """A flow that is served with a schedule is started by the clock alone, and its run completes."""
    served = start("-m", "prefect", "flow", "serve", ENTRYPOINT, "--name", "by-the-clock", "--interval", "5")
    run = served.wait_for("a scheduled run completed", lambda: run_by_the_clock(prefect, "by-the-clock"))
    assert datetime.fromisoformat(run["expected_start_time"]) <= datetime.fromisoformat(run["start_time"])


def project_of_ticks(root: Path) -> Path:
    """Lay out deploy/prefect.yaml with the smallest flow at each place that it names."""
    (root / "deploy").mkdir(parents=True)
    shutil.copy(DEPLOYMENTS, root / "deploy")
    for entrypoint in re.findall(r"entrypoint: (\S+)", DEPLOYMENTS.read_text()):
        file, name = entrypoint.split(":")
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text((ROOT / "tests/flows/tick.py").read_text().replace("tick", name))
    return root


def test_a_worker_runs_what_is_deployed(prefect: Prefect, start: Start, tmp_path: Path) -> None:
    """`prefect deploy --all` takes deploy/prefect.yaml as it is, and a worker of its pool runs the pulse on time."""
    project = project_of_ticks(tmp_path / "project")
    prefect.api.post("/work_pools/", json={"name": "helpdesk", "type": "process"}).raise_for_status()
    deploy = start(
        "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", "deploy/prefect.yaml", cwd=project
    )
    assert deploy.ended() == 0, deploy.tail()

    found = prefect.api.post("/deployments/filter", json={"work_pools": {"name": {"any_": ["helpdesk"]}}})
    deployments = {deployment["entrypoint"]: deployment for deployment in found.raise_for_status().json()}
    pulse = deployments.pop("flows/pulse.py:pulse")
    assert [schedule["schedule"]["cron"] for schedule in pulse["schedules"]] == ["* * * * *"]
    assert pulse["global_concurrency_limit"]["limit"] == 1
    assert pulse["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert [name for name, deployment in deployments.items() if deployment["schedules"]] == []

    command = ["prefect", "worker", "start", "--pool", "helpdesk", "--type", "process"]
    worker = start("-m", *command, cwd=tmp_path, HELPDESK_HOME=str(project))
    run = worker.wait_for("the pulse completed", lambda: run_by_the_clock(prefect, "every-minute"))
    assert run["work_pool_name"] == "helpdesk"
