"""Tickets by the hundred: jobs that create, update, delete and merge; the bin; job statuses (§1.7, §1.8)."""

from functools import partial

from connectors.sandbox.zendesk import endings
from connectors.sandbox.zendesk.api.call import Call, Endpoint
from connectors.sandbox.zendesk.api.tickets import create_from, ticket_of, update_from
from connectors.sandbox.zendesk.errors import Refusal, bad_request, not_found, reasons
from connectors.sandbox.zendesk.jobs import BrokenDown, Job
from connectors.sandbox.zendesk.paging import listed
from connectors.sandbox.zendesk.records import API, Json, Ticket
from connectors.sandbox.zendesk.texts import iso
from connectors.sandbox.zendesk.wishes import KNOWN

UPDATE = "Bulk Update Ticket"
"""The job type that recorded answers show for updates and deletions alike."""


def create_many(call: Call) -> Json:
    """POST /tickets/create_many: up to 100 in a job."""
    rows = call.rows("tickets")
    work = [partial(_create_row, call, place, row) for place, row in enumerate(rows)]
    return _queued(
        call, call.sim.jobs.queue("TicketBulkCreateJob", "Creating ticket", work, job_type="Bulk Create Ticket")
    )


def _create_row(call: Call, place: int, row: Json) -> Json:
    try:
        ticket, _ = create_from(call, row)
    except Refusal as refusal:
        return {"index": place, "error": "TicketCreateFailed", "details": reasons(refusal)}
    return {"index": place, "id": ticket.id, "account_id": call.sim.account.id}


def update_many(call: Call) -> Json:
    """PUT /tickets/update_many: the same change for `ids`, or a row per ticket. Rows fail one by one, in the job."""
    sim = call.sim
    if "ids" in call.query:
        row = call.within("ticket")
        call.warn(row, KNOWN)
        ids = call.ids()
        safe = sim.switches.ids_form_is_safe
        stamps = {id: sim.account.tickets[id].updated_at for id in ids if safe and id in sim.account.tickets}
        work = [partial(_update_row, call, place, id, row, stamps.get(id)) for place, id in enumerate(ids)]
    else:
        rows = call.rows("tickets")
        for row in rows:
            call.warn(row, KNOWN)
            if not str(row.get("id", "")).isdigit():
                raise bad_request("BadRequest", "tickets: every row needs an id")
        work = [partial(_update_row, call, place, int(row["id"]), row, None) for place, row in enumerate(rows)]
    if not work:
        raise bad_request("BadRequest", "ids: must name at least one ticket")
    return _queued(call, sim.jobs.queue("TicketBulkUpdateJobV2", "Updating ticket", work, job_type=UPDATE))


def _update_row(call: Call, place: int, id: int, row: Json, stamp: int | None) -> Json:
    sim = call.sim
    if id == sim.switches.job_breaks_on:
        raise BrokenDown
    ticket = sim.account.live(id)
    if ticket is None:
        return _failed(call, place, id, "TicketNotFound", "Not found")
    try:
        update_from(call, ticket, row, metadata=sim.core.switches.bulk_keeps_metadata, stamp=stamp)
    except Refusal as refusal:
        clash = refusal.status == 409
        name = sim.switches.conflict_row_error if clash else sim.switches.ticket_row_error
        return _failed(call, place, id, name, reasons(refusal))
    return {"action": "update", "id": id, "status": "Updated", "success": True}


def _failed(call: Call, place: int, id: int, error: str, details: str, action: str = "update") -> Json:
    """A failed row: as recorded, with an index and without `success`; or as the description has it."""
    if call.sim.switches.failed_rows_as_described:
        return {"action": action, "id": id, "success": False, "error": error, "details": details}
    return {"index": place, "id": id, "error": error, "details": details}


def destroy_many(call: Call) -> Json:
    """DELETE /tickets/destroy_many?ids=: into the bin."""
    work = [partial(_end_row, call, place, id, "delete") for place, id in enumerate(call.ids())]
    return _queued(call, call.sim.jobs.queue("TicketBulkUpdateJobV2", "Deleting ticket", work, job_type=UPDATE))


def mark_many_as_spam(call: Call) -> Json:
    """PUT /tickets/mark_many_as_spam?ids=."""
    work = [partial(_end_row, call, place, id, "spam") for place, id in enumerate(call.ids())]
    return _queued(call, call.sim.jobs.queue("TicketBulkUpdateJobV2", "Deleting ticket", work, job_type=UPDATE))


def _end_row(call: Call, place: int, id: int, how: str) -> Json:
    ticket = call.sim.account.live(id)
    if ticket is None:
        return _failed(call, place, id, "TicketNotFound", "Not found", "delete")
    try:
        end = endings.mark_spam if how == "spam" else endings.delete
        end(call.sim.desk, call.user, ticket, via=API)
    except Refusal as refusal:
        return _failed(call, place, id, "TicketDeleteFailed", reasons(refusal), "delete")
    return {"action": "delete", "id": id, "status": "Deleted", "success": True}


def merge(call: Call) -> Json:
    """POST /tickets/{id}/merge: closes `ids` into this ticket, in a job; comments are private unless said."""
    target, ids = ticket_of(call), call.body.get("ids")
    if not isinstance(ids, list) or not ids:
        raise bad_request("BadRequest", "ids: must name at least one ticket")
    work = [partial(_merge_row, call, target, [int(id) for id in ids])]
    return _queued(call, call.sim.jobs.queue("TicketMergeJob", "Merging ticket", work))


def _merge_row(call: Call, target: Ticket, ids: list[int]) -> Json:
    found = [call.sim.account.live(id) for id in ids]
    sources = [ticket for ticket in found if ticket is not None]
    body = call.body
    try:
        if len(sources) < len(ids):
            raise not_found()
        endings.merge(
            call.sim.desk,
            call.user,
            target,
            sources,
            target_comment=body.get("target_comment"),
            source_comment=body.get("source_comment"),
            target_public=bool(body.get("target_comment_is_public")),
            source_public=bool(body.get("source_comment_is_public")),
        )
    except Refusal as refusal:
        return _failed(call, 0, target.id, "TicketMergeFailed", reasons(refusal))
    return {"action": "merge", "id": target.id, "status": "Merged", "success": True}


def deleted_index(call: Call) -> Json:
    """GET /deleted_tickets: the bin, for 30 days."""
    account = call.sim.account
    rows = [t for id in account.ticket_ids if (t := account.tickets[id]).deleted_at is not None and not t.gone]

    def row(ticket: Ticket) -> Json:
        actor = account.users[ticket.deleted_by or 0]
        return {
            "id": ticket.id,
            "subject": ticket.subject,
            "actor": {"id": actor.id, "name": actor.name},
            "deleted_at": iso(ticket.deleted_at or 0),
            "previous_state": ticket.before,
        }

    return listed(call.asked, "deleted_tickets", rows, lambda ticket: (ticket.id,), row)


def _binned(call: Call) -> Ticket:
    ticket = call.sim.account.tickets.get(call.id())
    if ticket is None or ticket.deleted_at is None or ticket.gone:
        raise not_found()
    return ticket


def restore(call: Call) -> Json:
    """PUT /deleted_tickets/{id}/restore: back with the status it had; answers {}."""
    endings.restore(call.sim.desk, call.user, _binned(call), via=API)
    return {}


def destroy_for_good(call: Call) -> Json:
    """DELETE /deleted_tickets/{id}: a job that erases the content."""
    ticket = _binned(call)

    def erase() -> Json:
        endings.scrub(call.sim.desk, ticket)
        return {"success": True}

    job = call.sim.jobs.queue("TicketDeleteJob", "Deleting ticket", [erase], outcome={"success": True})
    return _queued(call, job)


def job_status(call: Call) -> Json:
    """GET /job_statuses/{id}: visible for a day."""
    job = call.sim.jobs.find(str(call.params["job"]))
    if job is None:
        raise not_found()
    return {"job_status": call.sim.jobs.show(call.sim.jobs.look(job), call.base)}


def job_statuses(call: Call) -> Json:
    """GET /job_statuses/show_many?ids=: unknown ones are left out."""
    jobs = call.sim.jobs
    found = [jobs.find(id) for id in call.query.get("ids", "").split(",")]
    return {"job_statuses": [jobs.show(jobs.look(job), call.base) for job in found if job is not None]}


def _queued(call: Call, job: Job) -> Json:
    return {"job_status": call.sim.jobs.show(job, call.base)}


ENDPOINTS = (
    Endpoint("POST", "/tickets/create_many", create_many),
    Endpoint("PUT", "/tickets/update_many", update_many),
    Endpoint("DELETE", "/tickets/destroy_many", destroy_many),
    Endpoint("PUT", "/tickets/mark_many_as_spam", mark_many_as_spam),
    Endpoint("POST", "/tickets/{id:int}/merge", merge),
    Endpoint("GET", "/deleted_tickets", deleted_index),
    Endpoint("PUT", "/deleted_tickets/{id:int}/restore", restore),
    Endpoint("DELETE", "/deleted_tickets/{id:int}", destroy_for_good),
    Endpoint("GET", "/job_statuses/show_many", job_statuses),
    Endpoint("GET", "/job_statuses/{job}", job_status),
)
