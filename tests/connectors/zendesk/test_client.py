"""Our Zendesk client against the simulated account, over real HTTP: logins, pages, exports, jobs, faults."""

import msgspec
import pytest

from connectors.base import DEFAULT_WAIT
from connectors.errors import NotFound, TooMany, Unauthorized, Unavailable, Uncertain
from connectors.zendesk.client import BULK, EXPORTS
from mappings.plan import Lane, TicketChange
from mappings.zendesk import ticket_row
from tests.connectors.zendesk.conftest import Account


def test_the_service_user_is_no_anonymous(account: Account) -> None:
    """Without a login Zendesk answers 200 "Anonymous user"; we say that nobody is logged in, and what to set."""
    assert msgspec.json.decode(account.client.me())["user"]["id"] is not None
    account.secrets = {"ZENDESK_EMAIL": "nobody@platform.example", "ZENDESK_TOKEN": "wrong"}
    with pytest.raises(Unauthorized, match="check the credentials"):
        account.connect().me()
    account.secrets = {}
    with pytest.raises(Unauthorized, match="set ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET"):
        account.connect().me()


def test_a_wrong_client_secret_is_told_by_name(account: Account) -> None:
    """A refused client names the two settings to look at, and not the secret."""
    account.secrets["ZENDESK_CLIENT_SECRET"] = "not-the-secret"
    with pytest.raises(Unauthorized, match="ZENDESK_CLIENT_SECRET") as told:
        account.connect().me()
    assert "not-the-secret" not in str(told.value)


def test_the_legacy_token_still_works(account: Account) -> None:
    """Where no OAuth client is set, e-mail and API token are used."""
    del account.secrets["ZENDESK_CLIENT_ID"]
    assert account.connect().me()


def test_an_expired_token_is_fetched_anew(account: Account) -> None:
    """A token is used until shortly before it ends; one that ends early costs one renewal, also in front of a write."""
    client, ticket = account.client, account.filed()
    client.me()
    account.sim.auth.expire()
    assert account.update(ticket, ("k:1", TicketChange(add_tags=("seen",)))).rows[ticket].done
    account.sim.auth.revoke()
    assert client.me()
    calls = client.policy.calls
    account.sandbox.advance(1800)
    client.me()
    assert client.policy.calls == calls + 1


def test_a_rotated_secret_is_read_again(account: Account) -> None:
    """A secret that is replaced while we run is picked up at the next 401."""
    account.client.me()
    account.sim.auth.revoke()
    account.sim.auth.client_secret = account.secrets["ZENDESK_CLIENT_SECRET"] = "rotated"
    assert account.client.me()


def test_pages_end_where_zendesk_says(account: Account) -> None:
    """Every ticket comes once, however many pages they take; an exact multiple of the page needs no empty one."""
    for _ in range(190):
        account.filed()
    account.page(b"{}")  # the account's names are asked first
    before = account.client.policy.calls
    pages = [account.page(body) for body in account.client.newest_tickets()]
    ids = [ticket.id for page in pages for ticket in page.tickets]
    assert len(ids) == len(set(ids)) == len(account.sim.account.updated)
    assert account.client.policy.calls - before == -(-len(ids) // 100) == len(pages)
    stamps = [ticket.updated_at for page in pages for ticket in page.tickets]
    assert stamps == sorted(stamps, reverse=True)
    assert [page.end for page in pages] == [False] * (len(pages) - 1) + [True]


def test_newest_tickets_bring_their_people_and_companies(account: Account) -> None:
    """A ticket filed a second ago comes with its requester and their plan: its clocks can start at once."""
    ticket = account.filed()
    page = account.page(next(account.client.newest_tickets()))
    first = page.tickets[0]
    assert first.id == ticket
    people = {person.id: person for person in page.people}
    assert people[first.requester_id or 0].email == account.customer
    companies = {company.id: company.plan for company in page.companies}
    assert companies[first.company_id or 0] in {"starter", "professional", "business", "enterprise"}


@pytest.mark.parametrize("error", ["too_recent", "invalid_value"])
def test_too_recent_means_nothing_new(account: Account, error: str) -> None:
    """Both spellings of "start_time is too recent" are no error but nothing to read yet."""
    account.sim.switches.start_time_error = error
    now = int(account.sandbox.core.clock.now().timestamp())
    assert account.client.export_tickets(start_time=now) is None
    assert account.client.export_events(now - 30) is None
    assert account.client.export_organizations(now) is None


def test_an_export_goes_on_where_it_ended(account: Account) -> None:
    """The cursor of a finished export is kept and finds what came later; nothing is missed, nothing read twice."""
    account.sandbox.advance(120)
    first = account.page(account.client.export_tickets(start_time=0) or b"")
    assert first.end
    assert len(first.tickets) == len(account.sim.account.tickets)
    late = account.filed()
    assert account.page(account.client.export_tickets(cursor=first.cursor) or b"").tickets == ()
    account.sandbox.advance(120)
    assert [t.id for t in account.page(account.client.export_tickets(cursor=first.cursor) or b"").tickets] == [late]


def test_exports_wait_for_their_window(account: Account) -> None:
    """After ten exports in a minute the eleventh is not sent until the window opens; other calls are not held up."""
    for _ in range(10):
        account.client.export_organizations(0)
    window = account.client.policy.budget.window(EXPORTS)
    assert window is not None
    assert window.left == 0
    calls = account.client.policy.calls
    with pytest.raises(TooMany, match="request budget") as told:
        account.client.export_organizations(0)
    assert account.client.policy.calls == calls
    account.client.me()
    account.sandbox.advance(told.value.retry_after)
    assert account.client.export_organizations(0)


def test_at_most_a_hundred(account: Account) -> None:
    """More than Zendesk takes at once is refused here, before a call."""
    with pytest.raises(ValueError, match="100 ids"):
        account.client.tickets(range(BULK + 1))
    with pytest.raises(ValueError, match="100 rows"):
        account.client.update_many([{}] * (BULK + 1))


def test_a_job_tells_each_row(account: Account) -> None:
    """One job, three ends: done, refused because the ticket changed, refused because it is closed."""
    fine, raced, closed = account.filed(), account.filed(), account.filed()
    account.sim.edit(closed, author=account.agent, assignee=account.agent, status="closed")
    stamps = {id: account.ticket(id).updated_at for id in (fine, raced, closed)}
    account.sandbox.advance(5)
    account.sim.reply(raced, author=account.customer, body="One more thing.")
    change = TicketChange(group="Technical", note="First response was due 14:00.")
    rows = [
        ticket_row([(f"late:{id}", change)], account.reading(), ticket_id=id, stamp=stamp)
        for id, stamp in stamps.items()
    ]
    told = account.finished(account.client.update_many(rows, lane=Lane.ESCALATION))
    assert told.rows[fine].done
    assert not told.rows[raced].done
    assert told.rows[raced].conflict
    assert not told.rows[closed].done
    assert not told.rows[closed].conflict
    assert "closed prevents ticket update" in str(told.rows[closed].error)


def test_a_full_job_queue_is_too_many(account: Account) -> None:
    """Thirty jobs under way: TooMany, and nothing was done."""
    account.sim.switches.queued_jobs = 0
    with pytest.raises(TooMany, match="TooManyJobs") as told:
        account.client.update_many([{"id": account.filed()}])
    assert told.value.code == "TooManyJobs"
    assert told.value.retry_after == 60


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "headers": {"retry-after": "3"}},
        {"kind": "status", "status": 503, "headers": {"retry-after": "2"}},
        {"kind": "status", "status": 500},
        {"kind": "html"},
        {"kind": "cut_before"},
        {"kind": "cut_after"},
        {"kind": "truncate"},
        {"kind": "token_expired"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_a_read_survives_one_fault(account: Account, fault: dict[str, object]) -> None:
    """Whatever goes wrong once, a read succeeds at the next try."""
    ticket = account.filed()
    account.page(b"{}")  # the account's names are asked before the fault is there
    account.fault(path="show_many", count=1, **fault)
    assert account.ticket(ticket).id == ticket


@pytest.mark.parametrize(
    ("fault", "written"),
    [
        ({"kind": "cut_before"}, 0),
        ({"kind": "cut_after"}, 1),
        ({"kind": "truncate"}, 1),
        ({"kind": "status", "status": 500}, 0),
        ({"kind": "status", "status": 500, "after": True}, 1),
        ({"kind": "html"}, 0),
    ],
    ids=lambda case: "-".join(str(value) for value in case.values()) if isinstance(case, dict) else str(case),
)
def test_a_write_without_an_answer_is_uncertain(account: Account, fault: dict[str, object], written: int) -> None:
    """Nobody can tell from the wire whether it was done, so it is never sent a second time."""
    ticket = account.filed()
    row = ticket_row(
        [("late:1", TicketChange(note="Late."))],
        account.reading(),
        ticket_id=ticket,
        stamp=account.ticket(ticket).updated_at,
    )
    account.fault(path="update_many", **fault)
    with pytest.raises(Uncertain):
        account.client.update_many([row])
    account.sandbox.advance(60)
    assert len(account.sandbox.core.journal.rows(kind="note", record=f"zendesk:{ticket}")) == written


def test_a_429_without_a_hint_is_waited_out(account: Account) -> None:
    """A storm of two 429s, in plain text and without Retry-After, costs two waits and no error."""
    account.client.me()
    account.waits.clear()
    account.sim.switches.retry_after = False
    account.fault(kind="status", status=429, body="Number of allowed API requests per minute exceeded", count=2)
    account.client.me()
    assert account.waits == [DEFAULT_WAIT, DEFAULT_WAIT]


def test_a_tool_that_is_gone(account: Account) -> None:
    """A tool that cannot be reached is unavailable, after a few tries and not after many."""
    account.fault(kind="away")
    with pytest.raises((Unavailable, Uncertain)):
        account.client.tickets([1])
    assert len(account.waits) <= 6


def test_what_is_gone_is_told_by_name(account: Account) -> None:
    """A deleted ticket's audits are not found, with the vendor's own name for it."""
    ticket = account.filed()
    account.sim.delete(ticket, author=account.agent)
    with pytest.raises(NotFound) as told:
        list(account.client.audits(ticket))
    assert told.value.code == "RecordNotFound"
    assert account.page(account.client.tickets([ticket])).tickets == ()


def test_jobs_and_users_by_the_hundred(account: Account) -> None:
    """Users and jobs are asked for together; unknown ones are left out."""
    ticket = account.filed()
    job = account.client.update_many([{"id": ticket, "additional_tags": ["a"]}])
    assert len(msgspec.json.decode(account.client.jobs([job, "V3-none"]))["job_statuses"]) == 1
    requester = account.ticket(ticket).requester_id or 0
    assert [person.id for person in account.page(account.client.users([requester, 1])).people] == [requester]
    assert account.page(account.client.suspended_tickets()).parked == ()
