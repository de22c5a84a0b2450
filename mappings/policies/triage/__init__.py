"""Triage: what a ticket is, where it is, how bad, and whose (requirements INT, TRI).

Decided at creation, and again where what it rests on changes; only for what neither the form nor a person has said. The
same ticket gives the same decisions each time it is looked at, and one that was triaged gives none.
"""

from mappings.policies.triage.confirming import answer, claim, deadline, reconsidered, withheld
from mappings.policies.triage.deciding import ASSIGNMENT, CONFIRMATION, POLICY, TRIAGE, bases, triage
from mappings.policies.triage.staffing import NO_AGENT_FREE, Staff

__all__ = [
    "ASSIGNMENT",
    "CONFIRMATION",
    "NO_AGENT_FREE",
    "POLICY",
    "TRIAGE",
    "Staff",
    "answer",
    "bases",
    "claim",
    "deadline",
    "reconsidered",
    "triage",
    "withheld",
]
