"""Zendesk's JSON and our vocabulary, both ways. Pure: bytes in, facts out; changes in, rows out."""

from mappings.zendesk.comments import said_by
from mappings.zendesk.events import rule_titles
from mappings.zendesk.facts import Page, read_page
from mappings.zendesk.reading import Reading, build_reading
from mappings.zendesk.writing import JobResults, RowResult, find_keys, job_results, jobs_results, shows, ticket_row

__all__ = [
    "JobResults",
    "Page",
    "Reading",
    "RowResult",
    "build_reading",
    "find_keys",
    "job_results",
    "jobs_results",
    "read_page",
    "rule_titles",
    "said_by",
    "shows",
    "ticket_row",
]
