"""Rules: when these facts hold, do this (profiles.md §6).

A rule is judged on an event of the ticket: it was created, a fact that the rule names changed, it was escalated, solved
or reopened. Never continuously: `office` and `covered` are what they were at that event. It fires once per ticket (one
that counts a company's tickets, once for those that it counted), unless `again: true`; a reply goes out once whatever
rule asks. Judging replays the whole past, so it gives the same actions each time; the journal lets each out once.

`around` knows the tickets beside a ticket, `moments` lays out its events with the facts as they were then, `conditions`
says whether a rule holds at one, `contest` who goes before whom, `acting` what is done, and `judge` puts it together.
"""

from mappings.policies.rules.acting import POLICY
from mappings.policies.rules.around import ALONE, Around
from mappings.policies.rules.judge import firings, judge
from mappings.policies.rules.moments import FACTS, ON_PROBLEM, arrivals

__all__ = ["ALONE", "FACTS", "ON_PROBLEM", "POLICY", "Around", "arrivals", "firings", "judge"]
