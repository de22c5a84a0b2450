"""The locked Prefect really runs things on time, served or through a worker.

A scheduler that creates no run looks healthy: with SQLAlchemy 2.1 on SQLite, Prefect 3.8's server and pages are up, and
no scheduled run is ever made. So only a run that completed counts here.
"""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.server import Sandbox
from connectors.watchdog import Door
from flows.profiles import read_profile
from flows.sandbox_world import build_world, moment
from tests.flows.conftest import ROOT, Prefect
from tests.flows.processes import Program

ENTRYPOINT = "tests/flows/tick.py:tick"
DEPLOYMENTS = ROOT / "deploy" / "prefect.yaml"

Start = Callable[..., Program]


def run_by_the_clock(prefect: Prefect, deployment: str, since: datetime) -> dict[str, Any] | None:
    """Return a completed run that the scheduler made for `deployment`, null while there is none; fail if one broke."""
    wanted = {
        "deployments": {"name": {"any_": [deployment]}},
        "flow_runs": {"expected_start_time": {"after_": since.isoformat()}},
        "sort": "START_TIME_ASC",
    }
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
    since = datetime.now(UTC)
    served = start("-m", "prefect", "flow", "serve", ENTRYPOINT, "--name", "by-the-clock", "--interval", "5")
    run = served.wait_for("a scheduled run completed", lambda: run_by_the_clock(prefect, "by-the-clock", since))
    assert run["state_type"] == "COMPLETED"


def project_of_ticks(root: Path) -> Path:
    """Lay out deploy/prefect.yaml with the smallest flow at each place that it names."""
    (root / "deploy").mkdir(parents=True)
    shutil.copy(DEPLOYMENTS, root / "deploy")
    for entrypoint in re.findall(r"entrypoint: (\S+)", DEPLOYMENTS.read_text()):
        file, name = entrypoint.split(":")
        (root / file).parent.mkdir(exist_ok=True)
        with (root / file).open("a") as flows:
            flows.write((ROOT / "tests/flows/tick.py").read_text().replace("tick", name))
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
    night = deployments.pop("flows/recompute.py:recompute")
    assert [schedule["schedule"]["cron"] for schedule in night["schedules"]] == ["30 3 * * *"]
    assert night["parameters"]["mode"] == "apply"
    assert deployments
    assert [entrypoint for entrypoint, deployment in deployments.items() if deployment["schedules"]] == []

    command = ["prefect", "worker", "start", "--pool", "helpdesk", "--type", "process"]
    since = datetime.now(UTC)
    worker = start("-m", *command, cwd=tmp_path, HELPDESK_HOME=str(project))
    run = worker.wait_for("the pulse completed", lambda: run_by_the_clock(prefect, "every-minute", since))
    assert run["work_pool_name"] == "helpdesk"


@pytest.mark.req("NFR-09")
def test_the_pulse_runs_every_minute(prefect: Prefect, start: Start, tmp_path: Path) -> None:
    """`helpdesk serve` is enough: the scheduler makes a pulse, which reads, decides and tells, its watchdog too."""
    profile = read_profile("builder")
    world = build_world(profile, now=moment("2026-03-03 10:00", profile.zone))
    since = datetime.now(UTC)
    with Sandbox(world, 1, ticking=False).start(None) as sandbox:
        settings = {**sandbox.environment(), "HELPDESK_DATABASE_URL": f"sqlite:///{tmp_path / 'store.sqlite'}"}
        heard: list[bytes] = []
        door = Door("127.0.0.1", 0, token=lambda: None, heard=heard.append, status=dict)
        door.open()
        settings["HELPDESK_WATCHDOG_URL"] = door.url
        served = start("-m", "flows.cli", "serve", cwd=tmp_path, **settings)
        run = served.wait_for("a pulse completed", lambda: run_by_the_clock(prefect, "every-minute", since))
        lines = served.wait_for("its log arrived", lambda: log_of(prefect, run["id"]))
        served.stop()
        door.close()

    assert heard
    [deployment] = ask(prefect, "deployments", flows={"name": {"any_": ["pulse"]}})
    assert deployment["paused"]
    assert run["name"] == "Tue 3 Mar 10:00 pulse (apply)"
    assert re.search(r"looked at \d{3,} tickets", run["state"]["message"])
    assert_little_is_recorded(prefect, run["id"])
    assert {line["name"].partition(".")[0] for line in lines} <= {"helpdesk", "prefect"}
    [page] = ask(prefect, "artifacts", flow_runs={"id": {"any_": [run["id"]]}})
    assert page["description"] == run["state"]["message"]
    assert page["data"].startswith("# Pulse of Tue 3 Mar 10:00\n")


def ask(prefect: Prefect, what: str, **wanted: object) -> list[dict[str, Any]]:
    """Return what Prefect's server holds of a kind, narrowed down."""
    found = prefect.api.post(f"/{what}/filter", json=wanted).raise_for_status().json()
    assert isinstance(found, list)
    return found


def assert_little_is_recorded(prefect: Prefect, run_id: str) -> None:
    """At most ten tasks and no flow within the flow: more would not keep up, every minute for years."""
    tasks = ask(prefect, "task_runs", task_runs={"flow_run_id": {"any_": [run_id]}})
    assert {"read zendesk", "decide sla", "deliver"} <= {task["name"] for task in tasks}
    assert len(tasks) <= 10
    assert ask(prefect, "flow_runs", flow_runs={"parent_flow_run_id": {"any_": [run_id]}}) == []


def log_of(prefect: Prefect, run_id: str) -> list[dict[str, Any]] | None:
    """The lines on the run's page, once ours are there: Prefect sends them after the run's end, a few seconds late."""
    lines = ask(prefect, "logs", logs={"flow_run_id": {"any_": [run_id]}})
    return lines if any(line["message"].startswith("sla: looked at") for line in lines) else None
