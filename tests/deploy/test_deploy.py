"""The deploy files fit each other, the code and the tools that read them (no Docker or Kubernetes runs in the tests).

That `prefect deploy` takes prefect.yaml, and that a worker then runs it, is shown by tests/flows/test_schedule.py.
"""

import ast
import re
from pathlib import Path
from typing import Any

import prefect.settings
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()

OURS = "HELPDESK|ZENDESK|INTERCOM|DISCOURSE|PAGERDUTY|JIRA"
IN_CODE = re.compile(rf"""["']((?:{OURS})_[A-Z_]*[A-Z])["']""")
CREDENTIALS = ("TOKEN", "SECRET", "KEY", "PASSWORD", "AUTH_STRING")


def read(path: Path) -> list[Any]:
    """Return the documents of a YAML file."""
    return list(YAML(typ="safe").load_all(path.read_text()))


def env_names() -> list[str]:
    """Return every variable of env.example, in its order."""
    return re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE)


COMPOSE = read(DEPLOY / "compose.yaml")[0]
MANIFESTS = [doc for path in sorted(KUBERNETES.glob("*.yaml")) for doc in read(path)]
DEPLOYMENTS = [doc for doc in MANIFESTS if doc["kind"] == "Deployment"]


def containers(manifest: Any) -> list[Any]:
    """Return all containers of a Deployment, those that only prepare it too."""
    spec = manifest["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


# env.example


def test_every_variable_is_explained_once() -> None:
    """No variable stands twice in env.example."""
    assert len(env_names()) == len(set(env_names()))


def test_every_variable_of_the_code_is_in_the_example() -> None:
    """What the code reads from its environment, an operator finds in env.example."""
    read_by_code = {
        name
        for layer in ("flows", "connectors")
        for path in (ROOT / layer).rglob("*.py")
        for name in IN_CODE.findall(path.read_text())
    }
    assert sorted({name.removesuffix("_FILE") for name in read_by_code} - set(env_names())) == []


def test_the_example_holds_no_secret() -> None:
    """Credentials are left empty in what is committed."""
    filled = re.findall(rf"^#?\w*(?:{'|'.join(CREDENTIALS)})=\S+", (DEPLOY / "env.example").read_text(), re.MULTILINE)
    assert filled == []


def named_variables() -> set[str]:
    """Return every variable that compose.yaml and the manifests set."""
    from_compose = {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}
    tables = [{**doc.get("data", {}), **doc.get("stringData", {})} for doc in MANIFESTS]
    return from_compose | {name for table in tables for name in table} - {"POSTGRES_USER", "POSTGRES_DB"}


def test_no_variable_is_misspelt() -> None:
    """Each variable that the deploy files set is one of ours or one of Prefect's."""
    known = set(env_names()) | {"POSTGRES_USER", "POSTGRES_DB"}
    strange = [name for name in named_variables() if name not in known and not hasattr(prefect.settings, name)]
    assert strange == []


# Dockerfile


def test_image_copies_what_is_there_and_let_through() -> None:
    """Every COPY finds its source, and the ignore file, which shuts everything out, lets it in."""
    let_in = set(re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    sources = [word for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()]
    assert set(sources) == let_in
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_image_is_no_root() -> None:
    """The image runs as the numbered user that the manifests name."""
    user = re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)
    assert len(user) == 1
    assert {doc["spec"]["template"]["spec"]["securityContext"]["runAsUser"] for doc in DEPLOYMENTS} == {int(user[0])}


# compose.yaml


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_services_wait_for_what_can_be_waited_for(name: str) -> None:
    """A service waits for health where there is a health check, and for an end where there is one."""
    for other, wait in COMPOSE["services"][name].get("depends_on", {}).items():
        service = COMPOSE["services"][other]
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in service, other
        else:
            assert wait["condition"] == "service_completed_successfully"
            assert service["restart"] == "on-failure", f"{other} would be started again for ever"


def test_compose_asks_only_for_variables_of_the_example() -> None:
    """What compose.yaml takes from deploy/.env is in env.example."""
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert asked
    assert asked <= set(env_names())


def test_nothing_is_open_to_the_network() -> None:
    """Published ports are open to the same machine only: Prefect knows a single password."""
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


# Kubernetes


def test_kustomization_lists_every_manifest() -> None:
    """No manifest is forgotten; the secret is left out on purpose."""
    listed = set(read(KUBERNETES / "kustomization.yaml")[0]["resources"])
    there = {path.name for path in KUBERNETES.glob("*.yaml")}
    assert there - listed == {"kustomization.yaml", "secret.example.yaml"}
    assert listed <= there


@pytest.mark.parametrize("manifest", DEPLOYMENTS, ids=lambda doc: doc["metadata"]["name"])
def test_deployment_fits_itself(manifest: Any) -> None:
    """Labels match, mounts have their volume, probes their port, and no container may change its image or be root."""
    pod = manifest["spec"]["template"]
    assert manifest["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
    for container in containers(manifest):
        assert container["image"] == "helpdesk-flows"
        assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        ports = {port["name"] for port in container.get("ports", [])}
        probes = [value["httpGet"]["port"] for name, value in container.items() if name.endswith("Probe")]
        assert set(probes) <= ports


@pytest.mark.parametrize("manifest", DEPLOYMENTS, ids=lambda doc: doc["metadata"]["name"])
def test_deployment_finds_its_settings(manifest: Any) -> None:
    """Config maps, secrets and their keys are there under the names that are used."""
    held = {
        (doc["kind"], doc["metadata"]["name"]): {**doc.get("data", {}), **doc.get("stringData", {})}
        for doc in MANIFESTS
        if doc["kind"] in {"ConfigMap", "Secret"}
    }
    for container in containers(manifest):
        for source in container.get("envFrom", []):
            kind, ref = next(iter(source.items()))
            assert ({"configMapRef": "ConfigMap", "secretRef": "Secret"}[kind], ref["name"]) in held
        for variable in container.get("env", []):
            ref = variable["valueFrom"]["secretKeyRef"]
            assert ref["key"] in held["Secret", ref["name"]]
            assert ref["key"] == variable["name"]


def test_services_select_a_deployment() -> None:
    """A service has a deployment behind it, with the port that it names."""
    for service in (doc for doc in MANIFESTS if doc["kind"] == "Service"):
        chosen = [
            doc for doc in DEPLOYMENTS if doc["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]
        ]
        assert len(chosen) == 1
        offered = {port["name"] for container in containers(chosen[0]) for port in container.get("ports", [])}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= offered


# prefect.yaml


@pytest.mark.parametrize("deployment", read(DEPLOY / "prefect.yaml")[0]["deployments"], ids=lambda d: d["entrypoint"])
def test_entrypoints_are_flows(deployment: Any) -> None:
    """Each deployment names a function of flows/ that is a flow."""
    file, name = deployment["entrypoint"].split(":")
    found = [node for node in ast.parse((ROOT / file).read_text()).body if getattr(node, "name", "") == name]
    assert len(found) == 1, f"no function {name} in {file}: write it, or take the deployment out of deploy/prefect.yaml"
    assert "flow" in " ".join(ast.unparse(decorator) for decorator in found[0].decorator_list)
