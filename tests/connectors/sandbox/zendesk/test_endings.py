"""Merged, deleted, restored, erased, spam: how tickets end otherwise than by being solved."""

from tests.connectors.sandbox.zendesk.conftest import Api


def test_merging_closes_the_sources(api: Api) -> None:
    """A source is closed with a tag and a private comment that names the target; the target's names the sources."""
    target, source = api.filed(), api.filed(subject="Same again")
    job = api.job(api.http.post(f"/tickets/{target}/merge", json={"ids": [source]}))
    assert job["results"][0]["success"] is True
    row = api.get(f"/tickets/{source}")["ticket"]
    assert (row["status"], row["tags"]) == ("closed", ["closed_by_merge"])
    lost, won = (api.get(f"/tickets/{id}/audits")["audits"][-1] for id in (source, target))
    assert (lost["via"]["source"]["rel"], lost["via"]["source"]["from"]["ticket_id"]) == ("merge", target)
    assert won["via"]["source"]["from"]["ticket_ids"] == [source]
    assert [lost["events"][0]["public"], won["events"][0]["public"]] == [False, False]


def test_merging_in_public(api: Api) -> None:
    """The merger may tell customers, unless one of the tickets is private."""
    private = {"subject": "s", "comment": {"body": "b", "public": False}}
    hidden = api.http.post("/tickets", json={"ticket": private}).json()["ticket"]["id"]
    said = {"target_comment_is_public": True, "source_comment_is_public": True}
    for sources, public in (([api.filed()], True), ([hidden], False)):
        target = api.filed()
        api.job(api.http.post(f"/tickets/{target}/merge", json={"ids": sources, **said}))
        for id in (target, *sources):
            assert api.get(f"/tickets/{id}/comments")["comments"][-1]["public"] is public


def test_merging_into_a_closed_ticket_fails_in_the_job(api: Api) -> None:
    """The job is completed, its one result is an error."""
    target, source = api.filed(), api.filed()
    api.sim.reply(target, author=api.agent, body="Done.", status="solved")
    api.update(target, status="closed")
    job = api.job(api.http.post(f"/tickets/{target}/merge", json={"ids": [source]}))
    assert (job["status"], job["results"][0]["error"]) == ("completed", "TicketMergeFailed")


def test_deleting_and_restoring(api: Api) -> None:
    """Delete is 204 and takes the ticket out of every list; restore answers {} and brings it back as it was."""
    ticket = api.filed()
    api.sim.edit(ticket, author=api.agent, assignee=api.agent, status="pending")
    assert api.http.delete(f"/tickets/{ticket}").status_code == 204
    assert api.http.get(f"/tickets/{ticket}").status_code == 404
    (row,) = (r for r in api.get("/deleted_tickets")["deleted_tickets"] if r["id"] == ticket)
    assert (row["previous_state"], row["actor"]["name"]) == ("pending", "Helpdesk Flows")
    restored = api.put(f"/deleted_tickets/{ticket}/restore", {})
    assert (restored.status_code, restored.json()) == (200, {})
    assert api.get(f"/tickets/{ticket}")["ticket"]["status"] == "pending"
    assert api.put(f"/deleted_tickets/{ticket}/restore", {}).status_code == 404


def test_a_restored_solved_ticket_keeps_its_closing_date(api: Api) -> None:
    """Four days after it was restored as solved, the automation closes it."""
    ticket = api.filed()
    api.sim.reply(ticket, author=api.agent, body="Done.", status="solved")
    api.sim.delete(ticket, author=api.agent)
    api.sim.restore(ticket, author=api.agent)
    api.sandbox.advance(4 * 86_400)
    assert api.sim.account.tickets[ticket].status == "closed"


def test_deleted_for_good(api: Api) -> None:
    """A month in the bin, or a second deletion, erases the content; the export still shows the shell."""
    first, second = api.filed(), api.filed()
    for ticket in (first, second):
        api.sim.delete(ticket, author=api.agent)
    job = api.job(api.http.delete(f"/deleted_tickets/{first}"))
    assert (job["total"], job["results"]) == (None, {"success": True})
    assert api.sim.account.tickets[first].subject == "SCRUBBED"
    api.sandbox.advance(30 * 86_400)
    assert api.sim.account.tickets[second].description == "SCRUBBED"


def test_spam_suspends_the_requester(api: Api) -> None:
    """Marking as spam deletes the ticket; the next mail of its sender is held back, and can be recovered."""
    ticket = api.filed()
    assert api.put(f"/tickets/{ticket}/mark_as_spam", {}).status_code == 200
    assert api.filed(channel="email", subject="Me again") == 0
    held = next(r for r in api.get("/suspended_tickets")["suspended_tickets"] if r["subject"] == "Me again")
    assert held["cause"] == "Sender is suspended"
    api.put(f"/suspended_tickets/{held['id']}/recover", {})
    newest = api.get("/tickets", **{"page[size]": 1, "sort": "-id"})["tickets"][0]
    assert newest["subject"] == "Me again"
