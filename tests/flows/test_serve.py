"""What `helpdesk serve` offers: the deployments of deploy/prefect.yaml, with forms that a person can fill in."""

from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from ruamel.yaml import YAML
from typer.testing import CliRunner

from flows.cli import app
from flows.serve import deployments
from tests.flows.processes import free_port

ROOT = Path(__file__).parents[2]
SERVED = {deployment.flow_name: deployment for deployment in deployments()}
DEPLOYED = {
    entry["entrypoint"].partition(":")[2]: entry
    for entry in YAML(typ="safe").load((ROOT / "deploy" / "prefect.yaml").read_text())["deployments"]
}
FIELDS = [
    (flow, name, field)
    for flow, deployment in SERVED.items()
    for name, field in deployment._parameter_openapi_schema.properties.items()
]


def test_serving_offers_what_is_deployed() -> None:
    """One process and a pool of workers offer the same flows."""
    assert SERVED.keys() == DEPLOYED.keys()


@pytest.mark.parametrize("flow", DEPLOYED)
def test_a_served_flow_is_as_deployed(flow: str) -> None:
    """Name, tags, schedule and limit are the same whether a flow is served or deployed."""
    served, deployed = SERVED[flow], DEPLOYED[flow]
    assert served.name == deployed["name"]
    assert served.entrypoint == deployed["entrypoint"].replace("/", ".").replace(".py:", ".")
    assert served.tags == deployed["tags"]
    assert served.parameters == deployed.get("parameters", {})
    times = [(each.schedule.cron, each.schedule.timezone, each.slug) for each in served.schedules or []]
    assert times == [(each["cron"], each["timezone"], each["slug"]) for each in deployed.get("schedules", [])]
    limit, strategy = served.concurrency_limit, served.concurrency_options
    assert (limit, strategy and strategy.collision_strategy.value) == (
        deployed.get("concurrency_limit", {}).get("limit"),
        deployed.get("concurrency_limit", {}).get("collision_strategy"),
    )


@pytest.mark.parametrize("flow", SERVED)
def test_a_flow_says_what_it_does(flow: str) -> None:
    """The page of a deployment begins with a sentence."""
    assert (SERVED[flow].description or "").partition("\n")[0].endswith(".")


@pytest.mark.parametrize(("flow", "name", "field"), FIELDS, ids=[f"{flow}.{name}" for flow, name, _ in FIELDS])
def test_a_form_explains_itself(flow: str, name: str, field: dict[str, Any]) -> None:
    """Each field of a form has a sentence and a default; none asks for a secret: Prefect keeps them in the clear."""
    assert field["description"].endswith(".")
    assert "default" in field or name not in SERVED[flow]._parameter_openapi_schema.required
    assert field.get("format") not in {"password", "duration"}


@pytest.mark.parametrize("flow", sorted(SERVED.keys() - {"pulse", "sync", "simulate"}))
def test_by_hand_shows_before_it_does(flow: str) -> None:
    """A run that somebody starts by hand plans, unless told otherwise."""
    assert SERVED[flow]._parameter_openapi_schema.properties["mode"]["default"] == "plan only"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """No tool, and a store of its own."""
    monkeypatch.setenv("PREFECT_RUNNER_POLL_FREQUENCY", "1")
    return {"HELPDESK_DATABASE_URL": f"sqlite:///{tmp_path / 'store.sqlite'}"}


@pytest.mark.parametrize(
    ("url", "says"), [(None, "not set"), ("http://127.0.0.1:{port}/api", "does not answer")], ids=["none", "silent"]
)
def test_serving_needs_a_server(url: str | None, says: str, environment: dict[str, str]) -> None:
    """Without a Prefect server that answers, `helpdesk serve` ends with 2, naming the setting and what to do."""
    address = url and url.format(port=free_port())
    with temporary_settings({PREFECT_API_URL: address}):
        result = CliRunner().invoke(app, ["serve"], env=environment)
    assert result.exit_code == 2
    assert f"PREFECT_API_URL: {says}" in result.stderr or (f"{address} {says}" in result.stderr)
