"""A simulated Zendesk account."""

from connectors.sandbox.zendesk.sim import ZendeskSim
from connectors.sandbox.zendesk.switches import ZendeskSwitches

__all__ = ["ZendeskSim", "ZendeskSwitches"]
