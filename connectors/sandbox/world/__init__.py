"""A believable world from a seed: companies, people, agents, and weeks of what they did. No tool's words."""

from connectors.sandbox.world.cast import Agent, Cast, Company, Person, cast
from connectors.sandbox.world.hours import OfficeHours
from connectors.sandbox.world.story import Happening, history

__all__ = ["Agent", "Cast", "Company", "Happening", "OfficeHours", "Person", "cast", "history"]
