"""Zendesk behaviour that is uncertain or differs between accounts; each can be turned while the sandbox runs."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass
class ZendeskSwitches:
    """Both readings of every fact that vendor-facts tags memory or weak, and the settings an account may differ in."""

    # Request budgets (§1.3); per minute unless said
    requests_per_minute: int = 700  # the account's plan: Suite Enterprise
    exports_per_minute: int = 10  # 30 with the high-volume add-on
    user_exports_per_minute: int = 20  # the cursor export of users has its own budget
    ticket_updates: int = 30  # per user and ticket in ten minutes
    updates_per_minute: int = 100  # ticket updates of the whole account; 300 high-volume, 20 seen on a sandbox account
    queued_jobs: int = 30  # bulk jobs queued or working at once
    older_limit_headers: bool = False  # `rate-limit…` instead of `ratelimit-…`: recorded accounts show both
    limit_body: str = "text"  # a 429's body: "text" or "json" (weak)
    retry_after: bool = True  # a 429 says when to come back; some do not (§9.2 row 2)
    # Exports (§1.6)
    start_time_error: str = "too_recent"  # 400 StartTimeTooRecent, or "invalid_value": 422, older accounts
    start_time_age: int = 60  # seconds a start_time must lie in the past; connectors saw 3 pass
    export_notifications: bool = False  # ticket_events list notifications as child events: no real sample shows one
    export_ids_as_text: bool = True  # ids in ticket_events are strings, as in audits
    empty_export_is_null: bool = False  # a time-based page without rows has null end_time and next_page (memory)
    # Tickets (§1.10, §1.11)
    tags_mirror_fields: bool = True  # a dropdown's value is also a tag, and the other way round (memory)
    closed_takes_tags: bool = False  # newer rules let agents edit tags, subject and priority of a closed ticket
    solve_assigns: bool = False  # solving an unassigned ticket assigns the solver, instead of 422
    noop_touches: bool = False  # an update that changes nothing still moves updated_at
    membership_required: bool = True  # an assignee outside the group is refused (memory)
    unknown_option_refused: bool = True  # an unknown dropdown option is refused, instead of ignored
    reopen_by_trigger: bool = False  # a reopening on a customer's reply comes from a rule, instead of the system
    close_after_days: float = 4.0  # the standard automation: solved to closed
    deleted_days: float = 30.0  # deleted tickets are scrubbed after this
    merge_channel: str = "system"  # `via.channel` of a merge's audits: "system", or "web" (memory)
    merge_label: str = "Merge"  # what ticket_events call that (memory)
    ratings_as_changes: bool = False  # a rating also is a change of the field satisfaction_score (memory)
    export_ratings: bool = True  # ticket_events list ratings as child events: no real sample shows one
    other_follower_refused: bool = False  # a follower who is no agent is refused, instead of left out (memory)
    # Writing (§1.8, §1.9)
    ids_form_is_safe: bool = True  # update_many?ids= refuses a ticket that changed since the job was queued
    safe_update_by_presence: bool = True  # `safe_update: false` acts like true
    ticket_row_error: str = "TicketUpdateFailed"  # error name of a failed row (memory)
    conflict_row_error: str = "UpdateConflict"  # error name of a row that lost a race (memory)
    failed_rows_as_described: bool = False  # failed rows have success: false (described) or no such key (recorded)
    job_breaks_at: int = 0  # a job breaks down at its n-th row: `failed`, no results, the rows before it are done
    job_breaks_on: int = 0  # the same, whenever a job comes to the row of this ticket
    job_looks: int = 2  # a job is over by the clock, or after this many looks at it (for a clock that stands still)
    # Identity (§1.1)
    password_is_anonymous: bool = True  # missing or wrong password on /users/me answers 200 "Anonymous user"
    token_seconds: int = 1800  # access tokens live 30 minutes
    refresh_seconds: int = 2_592_000  # refresh tokens 30 days
    client_credentials_refresh: bool = False  # whether client_credentials also gives a refresh token
    # An account that is not as it should be
    service_role: str = "admin"  # the service user's role: "agent" may not export
    service_scopes: str = ""  # all that its tokens may do, where not what they asked for: minted all the same (§1.1)
    hidden_group: str = ""  # a group of this name is missing
    hidden_field: str = ""  # a ticket field of this title is missing
    bare_forms: bool = False  # forms have the system's own fields alone
    private_groups: str = "Security"  # names, with commas: only their members and admins see their tickets (memory)
    # The account's own rules, racing ours
    group_resetter: bool = False  # a trigger that puts the form's group back on every update
    field_resetter: bool = False  # a trigger that empties "Next escalation" on every update that leaves it filled
    notify_agents: bool = True  # the standard "notify assignee" trigger: a Notification that no customer sees
    # Webhooks (§1.19)
    webhook_timeouts_retried: int = 5
    webhook_conflicts_retried: int = 3

    def turn(self, changes: dict[str, Any]) -> None:
        """Set switches by name; ValueError names those that do not exist or have another type, and sets none."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        wrong = [f"{name}: no such switch; known are {', '.join(known)}" for name in changes if name not in known]
        wrong += [
            f"{name}: needs a {type(known[name]).__name__}"
            for name, value in changes.items()
            if name in known and not _fits(known[name], value)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        for name, value in changes.items():
            setattr(self, name, type(known[name])(value))


def _fits(model: object, value: object) -> bool:
    if isinstance(model, bool) or isinstance(value, bool):
        return isinstance(model, bool) and isinstance(value, bool)
    if isinstance(model, float):
        return isinstance(value, int | float)
    return isinstance(value, type(model))
