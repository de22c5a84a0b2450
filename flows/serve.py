"""Serving: all flows offered to a Prefect server by one process, which runs them; the pulse every minute.

For a laptop or a single machine. deploy/prefect.yaml says the same for a pool of workers, and a test compares the two.
"""

import warnings
from typing import Any

from prefect import Flow, serve
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.states import Cancelled
from prefect.types.entrypoint import EntrypointType

from flows.abuse import abuse
from flows.delivery import delivery
from flows.forms import adopt, approve, pause, restored, resume
from flows.paging import paging
from flows.pulse import pulse
from flows.recompute import recompute
from flows.rules import rules
from flows.runs import Apply
from flows.simulate import simulate
from flows.sla import sla
from flows.sync import sync
from flows.triage import triage

ONE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
"""A minute that finds the one before still at work is skipped: the next one sees everything that it would have seen.
What must never happen twice does not rest on this limit but on the store's lease."""

FORMS: tuple[Flow[..., Any], ...] = (approve, pause, resume, adopt, restored)
"""What an operator says; the tag `operator` has them together on the page."""
EVERY_MINUTE, NIGHTLY = "every-minute", "nightly"
BY_HAND_ONLY: tuple[Flow[..., Any], ...] = (sync, triage, sla, rules, paging, abuse, delivery, simulate, *FORMS)


def deployments() -> list[RunnerDeployment]:
    """Every flow's deployment; the pulse and the check of the clocks have a schedule."""
    minute = Cron("* * * * *", timezone="UTC", slug=EVERY_MINUTE)
    night = Cron("30 3 * * *", timezone="UTC", slug=NIGHTLY)
    tags, putting_right = ["pulse", "critical"], {"mode": Apply.APPLY.value}
    return [
        _deployed(pulse, EVERY_MINUTE, schedules=[minute], concurrency_limit=ONE, tags=tags),
        _deployed(
            recompute, NIGHTLY, schedules=[night], concurrency_limit=ONE, tags=["recompute"], parameters=putting_right
        ),
        *(_deployed(flow, flow.name, tags=[flow.name] if flow not in FORMS else ["operator"]) for flow in BY_HAND_ONLY),
    ]


def serve_all(limit: int) -> None:
    """Offer the deployments and run what is due or asked for, `limit` runs at a time, until told to end.

    At the end the schedule is paused, so that no runs pile up meanwhile; the next start ends the pause.
    """
    # Prefect 3.8 ends in the middle of what it is doing: its own pause gets lost, and a coroutine of its own with it.
    warnings.filterwarnings("ignore", "coroutine 'Runner.astop' was never awaited", RuntimeWarning)
    _clear()
    try:
        serve(*deployments(), limit=limit, print_starting_message=False, pause_on_shutdown=False)
    finally:
        _pause()


def _clear() -> None:
    """Give up the pulses that an earlier process was about to start when it ended: they hold the place of the next."""
    with get_client(sync_client=True) as client:
        left = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[pulse.name])),
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[EVERY_MINUTE])),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PENDING]))
            ),
        )
        for run in left:
            client.set_flow_run_state(run.id, Cancelled(message="Its process ended before it began."))


def _pause() -> None:
    with get_client(sync_client=True) as client:
        client.pause_deployment(client.read_deployment_by_name(f"{pulse.name}/{EVERY_MINUTE}").id)


def _deployed(flow: Flow[..., Any], name: str, **more: Any) -> RunnerDeployment:
    deployment = flow.to_deployment(name, entrypoint_type=EntrypointType.MODULE_PATH, **more)
    assert isinstance(deployment, RunnerDeployment)
    return deployment
