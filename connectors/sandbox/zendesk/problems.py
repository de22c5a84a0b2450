"""Problems and their incidents: solving the problem solves them all, a moment later (vendor-facts §1.12)."""

from typing import TYPE_CHECKING

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.draft import Draft
from connectors.sandbox.zendesk.records import Comment, Ticket, User, Via

if TYPE_CHECKING:
    from connectors.sandbox.zendesk.desk import Desk


def link(draft: Draft) -> None:
    """Keep count of which incidents a problem has, after an update that may have linked one."""
    ticket, account = draft.ticket, draft.account
    if ticket.problem_id is None or not (draft.creating or draft.changed("problem_id")):
        return
    account.incidents.setdefault(ticket.problem_id, set()).add(ticket.id)
    problem = account.tickets[ticket.problem_id]
    if not problem.has_incidents:
        problem.has_incidents = True
        account.touch_ticket(problem, system=True)


def incidents(account: Account, problem: Ticket) -> list[Ticket]:
    """The live incidents of a problem, oldest first."""
    found = (account.live(id) for id in sorted(account.incidents.get(problem.id, ())))
    return [one for one in found if one is not None and one.problem_id == problem.id]


def plan_cascade(desk: "Desk", draft: Draft, now: int) -> None:
    """Where an update solved a problem, plan to solve its incidents."""
    problem = draft.ticket
    if problem.type == "problem" and problem.id in desk.account.incidents:
        desk.schedule(now + 1, lambda: _cascade(desk, problem, draft.author, draft.comment))


def _cascade(desk: "Desk", problem: Ticket, author: User | None, comment: Comment | None) -> None:
    via = Via("rule", "Linked problem", "problem", (("ticket_id", problem.id), ("subject", problem.subject)))
    for incident in incidents(desk.account, problem):
        if incident.status in ("solved", "closed"):
            continue
        draft = Draft(desk.account, incident, author, via, comment=comment)
        if incident.assignee_id is None and problem.assignee_id is not None:
            draft.set("group_id", problem.group_id)
            draft.set("assignee_id", problem.assignee_id)
        draft.set("status", "solved")
        desk.save(draft)
