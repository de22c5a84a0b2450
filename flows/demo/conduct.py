"""Story 7, an abusive customer, and story 9, the third ticket of a company within seven days."""

from collections import Counter
from datetime import timedelta
from typing import Any

from connectors.store import Store
from connectors.store.evidence import broken
from flows.demo.stage import Stage
from mappings.model import Company

WEEK = timedelta(days=7)


def third_ticket(stage: Stage, when: str = "2026-03-10 10:00") -> list[int]:
    """Story 9: a company files for the third time within a week: flagged once, customer success is told once."""
    stage.tell("\nStory 9. A company asks for the third time in seven days.")
    stage.go(stage.moment(when))
    customer = _quiet_customer(stage)
    tickets = []
    for number in range(1, 5):
        tickets.append(_file(stage, customer, f"Question {number} about the schedule"))
        stage.beat()
        stage.settle()
        if number == 2:
            stage.check("two tickets are nothing special", not _flagged(stage, tickets), _flagged(stage, tickets))
        stage.go(stage.people.now() + timedelta(hours=3))
    stage.settle()
    flagged = _flagged(stage, tickets)
    stage.check(
        "the third is flagged for review by customer success, the fourth is not", flagged == tickets[2:3], flagged
    )
    told = [row for ticket in tickets for row in stage.done(f"zendesk:{ticket}", "message")]
    about = [row for row in told if "customer_success" in row.action.key]
    stage.check("customer success was told once", len(about) == 1, [row.action.key for row in told])
    mails = [effect for effect in stage.people.journal() if effect["vendor"] == "mail"]
    theirs = [mail for mail in mails if "success@" in str(mail) and f"ticket {tickets[2]} " in str(mail)]
    stage.check("by one mail", len(theirs) == 1, len(theirs))
    agent = stage.people.act("agents", group="Support")[0]
    for ticket in tickets:
        stage.people.act("edit", ticket_id=ticket, author=agent, assignee=agent, status="solved")
    stage.settle()
    return tickets


def abusive_customer(stage: Stage, when: str = "2026-03-11 10:00") -> int:
    """Story 7: flag, review, warning, fourteen days without chat, lifted on time; the evidence stays as it was."""
    stage.tell("\nStory 7. A customer threatens an agent.")
    stage.cast.clear()  # what became of the others is told: the clock need not stop for them
    stage.go(stage.moment(when))
    agent, manager = (stage.people.act("agents", group=group)[0] for group in ("Support", "Management"))
    ticket = _file(stage, _quiet_customer(stage), "You will regret this", "I know where you live.")
    stage.beat()
    stage.people.act("edit", ticket_id=ticket, author=agent, fields={"abuse": "threats"})
    stage.beat()
    stage.settle()
    record = f"zendesk:{ticket}"
    stage.check("a manager has it within a minute", _tagged(stage, ticket, "abusive"), _ticket(stage, ticket).tags)
    copies = stage.store.evidence(record)
    stage.check("all that was said is kept", len(copies) == 1 and "where you live" in copies[0].content, len(copies))

    _decide(stage, ticket, manager, "warn")
    stage.check("the warning is counted on the company", _company(stage, ticket).warnings == 1, _company(stage, ticket))
    _decide(stage, ticket, manager, "restrict")
    until = _company(stage, ticket).restricted_until
    stage.check("no chat for fourteen days", until == "2026-03-25", until)
    stage.people.act("edit", ticket_id=ticket, author=agent, subject="(removed)", status="solved", assignee=agent)
    stage.go(stage.moment("2026-03-24 10:00"))
    stage.settle()
    stage.check("still so on the thirteenth day", _company(stage, ticket).restricted_until == until)
    stage.go(stage.moment("2026-03-26 10:00"))
    _read_companies(stage)
    stage.check("lifted by itself when they are over", _company(stage, ticket).restricted_until is None)
    stage.check("the copy is what it was, and verifies", broken(stage.store.evidence(record)) is None)
    return ticket


def _decide(stage: Stage, ticket: int, manager: str, what: str) -> None:
    """A manager decides, and we do it."""
    stage.people.act("edit", ticket_id=ticket, author=manager, fields={"abuse_decision": what})
    stage.beat()
    stage.settle()
    _read_companies(stage)


def _read_companies(stage: Stage) -> None:
    """Companies are read every five minutes."""
    stage.settle()
    stage.go(stage.people.now() + timedelta(minutes=6))
    stage.settle()


def _file(stage: Stage, customer: str, subject: str, body: str = "") -> int:
    fields = {"severity": "P3", "kind": "question", "source": "in_app"}
    ticket = int(
        stage.people.act("file", requester=customer, subject=subject, body=body or f"{subject}.", fields=fields)
    )
    stage.cast.add(f"zendesk:{ticket}")
    stage.tell(f"{stage.show(stage.people.now())}  zendesk:{ticket}  “{subject}”")
    return ticket


def _quiet_customer(stage: Stage) -> str:
    """Somebody of a company that has asked for nothing for a week."""
    busy = _recent(stage.store, stage)
    company = next(name for name in stage.people.act("companies") if not busy[name] and _customers(stage, name))
    return _customers(stage, company)[0]


def _customers(stage: Stage, company: str) -> list[str]:
    return [str(one) for one in stage.people.act("customers", company=company)]


def _recent(store: Store, stage: Stage) -> Counter[str]:
    """How many tickets each company has filed within a week and a day."""
    since = stage.people.now() - WEEK - timedelta(days=1)
    found: Counter[str] = Counter()
    last = 0
    while ids := store.tickets_since(since, after=last, limit=500):
        last = ids[-1]
        for history in store.histories(ids):
            if history.company is not None and history.ticket.created_at >= since:
                found[history.company.name] += 1
    return found


def _ticket(stage: Stage, ticket: int) -> Any:
    [history] = stage.store.histories([ticket])
    return history.ticket


def _company(stage: Stage, ticket: int) -> Company:
    [history] = stage.store.histories([ticket])
    assert history.company is not None
    return history.company


def _tagged(stage: Stage, ticket: int, tag: str) -> bool:
    return tag in _ticket(stage, ticket).tags


def _flagged(stage: Stage, tickets: list[int]) -> list[int]:
    return [ticket for ticket in tickets if _tagged(stage, ticket, "flag_cs_review")]
