"""Slack, simulated: the methods of its Web API that post, list and look, over one small workspace."""

from connectors.sandbox.slack.sim import SlackSim

__all__ = ["SlackSim"]
