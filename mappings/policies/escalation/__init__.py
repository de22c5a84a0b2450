"""Escalation: one step up, whoever wants it, with its reason, its message and what the customer is owed (ESC).

A clock that is late, a rule and an agent all ask for the same step (`step`). What it says is `message`; what an agent
asks for by hand is `manual`; whom a call of management reaches is `calling`; two wishes for one step become one
(`joining`).
"""

from mappings.policies.escalation.calling import calling
from mappings.policies.escalation.joining import one_step
from mappings.policies.escalation.manual import MANUAL, asked
from mappings.policies.escalation.message import escalation_message, escalation_subject
from mappings.policies.escalation.step import CALLED, ESCALATED, Step, Taken, level_of, settled, step_up, taken_by

__all__ = [
    "CALLED",
    "ESCALATED",
    "MANUAL",
    "Step",
    "Taken",
    "asked",
    "calling",
    "escalation_message",
    "escalation_subject",
    "level_of",
    "one_step",
    "settled",
    "step_up",
    "taken_by",
]
