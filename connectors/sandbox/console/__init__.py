"""The sandbox's console: the clock, faults and switches, what people do by hand, and a page that shows the world."""

from connectors.sandbox.console.app import Console

__all__ = ["Console"]
