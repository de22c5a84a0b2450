"""The profile of one support organisation: YAML text in, typed and checked values out."""

from mappings.profile.durations import Budget, Figure, Unit, parse_budget
from mappings.profile.loading import load
from mappings.profile.problems import Problem, ProfileError
from mappings.profile.profile import Profile
from mappings.profile.reading import Source
from mappings.profile.rules import Rule, Target
from mappings.profile.sections import Kind, Plan, Route, Severity, Tier
from mappings.profile.terms import Comparison, Do
from mappings.profile.tools import ToolTable, load_tools

__all__ = [
    "Budget",
    "Comparison",
    "Do",
    "Figure",
    "Kind",
    "Plan",
    "Problem",
    "Profile",
    "ProfileError",
    "Route",
    "Rule",
    "Severity",
    "Source",
    "Target",
    "Tier",
    "ToolTable",
    "Unit",
    "load",
    "load_tools",
    "parse_budget",
]
