"""Serving: all flows offered to a Prefect server by one process, which runs them; the pulse every minute.

For a laptop or a single machine. deploy/prefect.yaml says the same for a pool of workers, and a test compares the two.
"""

from typing import Any

from prefect import Flow, serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.delivery import delivery
from flows.paging import paging
from flows.pulse import pulse
from flows.rules import rules
from flows.sla import sla
from flows.sync import sync

ONE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
"""A minute that finds the one before still at work is skipped: the next one sees everything that it would have seen.
What must never happen twice does not rest on this limit but on the store's lease."""

EVERY_MINUTE, BY_HAND = "every-minute", "by-hand"
BY_HAND_ONLY: tuple[Flow[..., Any], ...] = (sync, sla, rules, paging, delivery)


def deployments() -> list[RunnerDeployment]:
    """Every flow's deployment; only the pulse has a schedule."""
    minute = Cron("* * * * *", timezone="UTC", slug=EVERY_MINUTE)
    tags = ["pulse", "critical"]
    return [
        _deployed(pulse, EVERY_MINUTE, schedules=[minute], concurrency_limit=ONE, tags=tags),
        *(_deployed(flow, BY_HAND, tags=[flow.name]) for flow in BY_HAND_ONLY),
    ]


def serve_all(limit: int) -> None:
    """Offer the deployments and run what is due or asked for, `limit` runs at a time, until told to end.

    At the end the schedule is paused, so that no runs pile up meanwhile; the next start ends the pause.
    """
    serve(*deployments(), limit=limit, print_starting_message=False)


def _deployed(flow: Flow[..., Any], name: str, **more: Any) -> RunnerDeployment:
    deployment = flow.to_deployment(name, entrypoint_type=EntrypointType.MODULE_PATH, **more)
    assert isinstance(deployment, RunnerDeployment)
    return deployment
