"""What our PagerDuty says agrees with the vendor's own API description."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Rig

REFEREE = Path(__file__).parents[5] / "shared" / "tools" / "referee.py"
ALLOWED = Path(__file__).resolve().parents[3] / "referee_allow.txt"


def speak(rig: Rig) -> None:
    """Use every endpoint once, as an integration would."""
    service = rig.get("/services")["services"][0]
    reference = {"id": service["id"], "type": "service_reference"}
    incident, other = rig.page("a"), rig.page("b")
    one = f"/incidents/{incident['id']}"
    rig.send(payload=None)
    change = {"routing_key": rig.key, "payload": {"summary": "Deployed", "source": "ci"}}
    rig.call("POST", "/v2/change/enqueue", json=change)
    rig.put(incident, status="acknowledged")
    rig.call("POST", f"{one}/notes", json={"note": {"content": "On it"}})
    rig.call("POST", f"{one}/snooze", json={"duration": 600})
    rig.call("POST", f"{one}/status_updates", json={"message": "Soon"})
    source = {"id": other["id"], "type": "incident_reference"}
    rig.call("PUT", f"{one}/merge", json={"source_incidents": [source]})
    rig.call("PUT", "/incidents", json={"incidents": [{**source, "status": "triggered"}]})
    created = {"type": "incident", "title": "By hand", "service": reference, "urgency": "high", "incident_key": "c"}
    rig.call("POST", "/incidents", json={"incident": created})
    for path in ("", "/notes", "/alerts", "/log_entries"):
        rig.get(one + path)
    for include in ("acknowledgers", "assignees", "services", "escalation_policies", "priorities"):
        rig.get("/incidents", **{"include[]": include, "date_range": "all", "total": "true"})
    for path in ("abilities", "users", "escalation_policies", "schedules", "priorities", "oncalls", "log_entries"):
        rig.get(f"/{path}")
    rig.get("/services", **{"include[]": "integrations"})
    rig.get(f"/services/{service['id']}/integrations/{service['integrations'][0]['id']}")
    times = {"start_time": "2026-03-03T15:00:00Z", "end_time": "2026-03-03T16:00:00Z"}
    window = {"type": "maintenance_window", **times, "services": [reference]}
    made = rig.call("POST", "/maintenance_windows", json={"maintenance_window": window}).json()["maintenance_window"]
    rig.get("/maintenance_windows")
    rig.call("DELETE", f"/maintenance_windows/{made['id']}")
    rig.sim.subscribe("http://127.0.0.1:9/webhooks")
    hook = rig.get("/webhook_subscriptions")["webhook_subscriptions"][0]
    path = f"/webhook_subscriptions/{hook['id']}"
    rig.call("PUT", path, json={"webhook_subscription": {**hook, "description": "Ours"}})
    rig.call("POST", f"{path}/enable")
    rig.call("POST", f"{path}/ping")
    rig.call("DELETE", path)


@pytest.mark.skipif(not REFEREE.is_file(), reason="the referee and the vendors' descriptions lie beside the project")
def test_the_vendors_description_agrees(open_rig: Callable[..., Rig], tmp_path: Path) -> None:
    """Every request and answer of a full conversation satisfies it, but for what it gets wrong itself."""
    record = tmp_path / "traffic.ndjson"
    rig = open_rig(record=record)
    speak(rig)
    assert {answer.status_code for answer in rig.answers} <= {200, 201, 202, 204, 400}
    judged = subprocess.run(
        [sys.executable, str(REFEREE), str(record), "--allow", str(ALLOWED)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
