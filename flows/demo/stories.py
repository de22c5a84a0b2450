"""Story 1, four plans with one fault, and story 2, a system that is down on Saturday at 02:00."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.store import OutboxRow
from flows.demo.stage import AT_ONCE, Stage
from mappings.model import PageStatus
from mappings.policies.paging import dedup_key
from mappings.timeline import epoch

PLANS = ("starter", "professional", "business", "enterprise")
FAULT = "The scheduling page shows last week's crew"
NOTICED = timedelta(seconds=60)
"""How late a crossing may be noticed (NFR-02)."""


def settle_in(stage: Stage) -> None:
    """The first pulses: the account is read, and what was late before we came stays as it is."""
    stage.tell("Before anything: an account with six weeks of tickets, some of them long late.")
    for plan, company in zip(PLANS, stage.people.act("companies"), strict=False):
        stage.people.act("plan", company=company, plan_key=plan)
    stage.beat()
    stage.settle()
    counts = {str(state): count for state, count in stage.store.outbox_counts().items()}
    sent = {state for state in counts if state not in ("baseline", "not_connected")}
    late = counts.get("baseline", 0)
    stage.tell(f"   {late} things that happened before we came are written down and left alone.")
    stage.check("the first run writes nothing and pages nobody", not sent, counts)


def four_plans(stage: Stage) -> dict[str, int]:
    """Story 1: the same P2 from four plans on Tuesday at 10:00; nobody answers. Gives the tickets by plan."""
    stage.tell("\nStory 1. Four plans, one fault: Tuesday 10:00, nobody answers.")
    stage.people.move_to(stage.moment("2026-03-03 10:00"))
    companies = dict(zip(PLANS, stage.people.act("companies"), strict=False))
    tickets = {plan: _file(stage, company, severity="P2", subject=FAULT) for plan, company in companies.items()}
    for plan, ticket in tickets.items():
        stage.tell(f"{stage.show(stage.people.now())}  zendesk:{ticket}  filed by a customer on {plan}")
    stage.beat()
    stage.settle()
    _shown(stage, tickets)
    answering = set(tickets.values())

    def answer(row: OutboxRow) -> None:
        """Technical support answers what was handed to it, so that each ticket climbs once."""
        ticket = int(row.action.record.partition(":")[2])
        if row.action.verb == "escalate" and ticket in answering:
            answering.discard(ticket)
            agent = stage.people.act("agents", group="Technical")[0]
            stage.people.act("reply", ticket_id=ticket, author=agent, body="I am on it: the crew list is rebuilt now.")

    stage.go(stage.moment("2026-03-04 10:10"), then=answer)
    stage.settle()
    _warned_and_moved(stage, tickets)
    return tickets


EXPECTED = {
    "starter": ("2026-03-03 17:30", "2026-03-04 10:00"),
    "professional": ("2026-03-03 16:00", "2026-03-03 18:00"),
    "business": ("2026-03-03 13:00", "2026-03-03 14:00"),
    "enterprise": ("2026-03-03 10:45", "2026-03-03 11:00"),
}
"""When each plan's P2 of Tuesday 10:00 is warned and due (requirements, appendix D)."""


def _shown(stage: Stage, tickets: Mapping[str, int]) -> None:
    for history in stage.store.histories(tickets.values()):
        plan = next(plan for plan, ticket in tickets.items() if ticket == history.ticket.id)
        due = history.ticket.fields.get("sla_due")
        wanted = stage.moment(EXPECTED[plan][1])
        shown = due is not None and datetime.fromisoformat(due) == wanted
        stage.check(f"{plan}: the ticket shows its due time, {stage.show(wanted)}", shown, due)


def _warned_and_moved(stage: Stage, tickets: Mapping[str, int]) -> None:
    for plan, ticket in tickets.items():
        warn, due = (stage.moment(text) for text in EXPECTED[plan])
        warned = [row.decided_at for row in stage.done(f"zendesk:{ticket}", "tell")]
        moved = [row.decided_at for row in stage.done(f"zendesk:{ticket}", "escalate")]
        in_time = [at for at in warned if warn <= at <= warn + NOTICED]
        stage.check(f"{plan}: warned once at {stage.show(warn)}", len(warned) == len(in_time) == 1, warned)
        in_time = [at for at in moved if due <= at <= due + NOTICED]
        stage.check(f"{plan}: moved up one tier at {stage.show(due)}", len(moved) == len(in_time) == 1, moved)
    tiers = {history.ticket.id: history.ticket.tier for history in stage.store.histories(tickets.values())}
    stage.check("all four are in tier 2", set(tiers.values()) == {2}, tiers)


def friday_evening(stage: Stage) -> dict[str, int]:
    """Story 1, repeated on a Friday evening: the weekend does not count."""
    stage.tell("\nThe same on Friday evening: the weekend is skipped.")
    companies = dict(zip(PLANS, stage.people.act("companies"), strict=False))
    tickets = {}
    for plan, filed, due in (
        ("business", "2026-03-06 17:30", "2026-03-09 11:30"),
        ("starter", "2026-03-06 19:00", "2026-03-10 08:00"),
    ):
        stage.go(stage.moment(filed))
        tickets[plan] = _file(stage, companies[plan], severity="P2", subject=FAULT)
        stage.beat()
        stage.settle()
        shown = next(iter(stage.store.histories([tickets[plan]]))).ticket.fields.get("sla_due")
        wanted = stage.moment(due)
        right = shown is not None and datetime.fromisoformat(shown) == wanted
        stage.check(f"{plan}, filed {stage.show(stage.moment(filed))}: due {stage.show(wanted)}", right, shown)
    return tickets


def system_down(stage: Stage) -> dict[str, int]:
    """Story 2: a P1 on Saturday at 02:00 pages somebody once; a P2 five minutes later waits for Monday."""
    stage.tell("\nStory 2. Saturday 02:00, system down.")
    companies = dict(zip(PLANS, stage.people.act("companies"), strict=False))
    stage.go(stage.moment("2026-03-07 02:00"))
    down = _file(stage, companies["enterprise"], severity="P1", subject="Nobody can sign in", working="working_no")
    stage.tell(f"{stage.show(stage.people.now())}  zendesk:{down}  filed by a customer on enterprise, nobody can work")
    stage.beat()
    stage.people.move_to(stage.people.now() + AT_ONCE)
    incidents = _incidents(stage, down)
    stage.check("one incident, somebody is paged", len(incidents) == 1, incidents)
    stage.people.move_to(stage.moment("2026-03-07 02:03"))
    if incidents:
        stage.people.act("acknowledge", incident=incidents[0]["id"])
    stage.beat()
    stage.people.move_to(stage.moment("2026-03-07 02:05"))
    waits = _file(stage, companies["business"], severity="P2", subject=FAULT)
    stage.beat()
    stage.people.move_to(stage.moment("2026-03-07 02:11"))
    engineer = stage.people.act("agents", group="Engineering")[0]
    stage.people.act("reply", ticket_id=down, author=engineer, body="Sign-in is back for some of you; we keep at it.")
    stage.go(stage.moment("2026-03-07 02:30"))
    stage.people.act("edit", ticket_id=down, author=engineer, assignee=engineer, status="solved")
    stage.settle()
    stage.settle()
    _page_ended(stage, down, waits)
    return {"down": down, "waits": waits}


def _page_ended(stage: Stage, down: int, waits: int) -> None:
    record = f"zendesk:{down}"
    notes = stage.done(record, "note")
    stage.check("the acknowledgement stands in the ticket", len(notes) == 1, [row.action.key for row in notes])
    clocks = [clock for clock in stage.store.clocks([record])[record] if clock.measure == "first_reply"]
    in_time = [clock.state for clock in clocks] == ["met"]
    stage.check("answered at 02:11, due 02:15: the target is met", in_time, [clock.state for clock in clocks])
    ends = [incident["status"] for incident in _incidents(stage, down)]
    stage.check("solved: the page is closed", ends == [PageStatus.RESOLVED.value], ends)
    [history] = stage.store.histories([waits])
    stage.check("the P2 of 02:05 waits with its tag", "next_business_day" in history.ticket.tags, history.ticket.tags)
    stage.check("and pages nobody", not _incidents(stage, waits), _incidents(stage, waits))
    told = stage.done(f"zendesk:{waits}", "reply")
    stage.check("its customer was told once when the office answers", len(told) == 1, len(told))


def monday(stage: Stage, tickets: Mapping[str, int]) -> None:
    """Monday morning: the office answers what waited; nothing went late over the weekend."""
    stage.tell("\nMonday 08:20: the office answers what waited.")
    before = {ticket: len(stage.done(f"zendesk:{ticket}", "escalate")) for ticket in tickets.values()}
    stage.go(stage.moment("2026-03-09 08:20"))
    agent = stage.people.act("agents", group="Support")[0]
    for ticket in tickets.values():
        stage.people.act("reply", ticket_id=ticket, author=agent, body="Good morning, this is fixed. Please try again.")
    stage.settle()
    stage.settle()
    after = {ticket: len(stage.done(f"zendesk:{ticket}", "escalate")) for ticket in tickets.values()}
    stage.check("nothing was late over the weekend", before == after and not any(after.values()), after)


def nothing_new(stage: Stage) -> None:
    """Run twice: the second run changes nothing."""
    stage.settle()
    effects, rows = len(stage.people.journal()), len(stage.store.outbox(limit=1_000_000))
    stage.beat()
    now = len(stage.people.journal()), len(stage.store.outbox(limit=1_000_000))
    stage.check("a second run changes nothing", now == (effects, rows), (effects, rows, *now))


def all_stories(stage: Stage) -> None:
    """Both stories, in the order of the week."""
    settle_in(stage)
    four_plans(stage)
    friday = friday_evening(stage)
    saturday = system_down(stage)
    monday(stage, {**friday, "waits": saturday["waits"]})
    nothing_new(stage)


def _file(stage: Stage, company: str, *, severity: str, subject: str, working: str = "") -> int:
    """A customer of a company asks for help in the product."""
    requester = stage.people.act("customers", company=company)[0]
    fields = {"severity": severity, "kind": "bug", "module": "scheduling", "source": "in_app"}
    if working:
        fields["working"] = working
    ticket = int(stage.people.act("file", requester=requester, subject=subject, body=f"{subject}.", fields=fields))
    stage.cast.add(f"zendesk:{ticket}")
    return ticket


def _incidents(stage: Stage, ticket: int) -> list[dict[str, Any]]:
    [history] = stage.store.histories([ticket])
    key = dedup_key(f"zendesk:{ticket}", str(epoch(history.ticket.created_at)))
    return [incident for incident in stage.people.act("incidents") if incident["key"] == key]
