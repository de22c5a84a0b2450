"""PagerDuty, simulated: REST API, Events v2 and webhooks v3 over one small account."""

from connectors.sandbox.pagerduty.sim import PagerDutySim

__all__ = ["PagerDutySim"]
