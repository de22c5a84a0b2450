"""The status machine and who may hold a ticket: what an update implies, and what it may not do (vendor-facts §1.11)."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.errors import Refusal, invalid
from connectors.sandbox.zendesk.records import PRIORITIES, STATUSES, TYPES, Comment, Group, Ticket, User
from connectors.sandbox.zendesk.switches import ZendeskSwitches

Wish = dict[str, Any]
"""What an update asks for: a ticket's attributes by our names, plus `custom` (field id → value)."""

_OPEN_TO_AGENTS = frozenset({"subject", "priority", "tags"})


def implied(
    account: Account,
    switches: ZendeskSwitches,
    ticket: Ticket,
    wish: Wish,
    comment: Comment | None,
    author: User | None,
) -> Wish:
    """The wish and what follows from it: the group of an assignee, new → open, reopening on a customer's reply."""
    full = dict(wish)
    if "assignee_id" in full or "group_id" in full:
        _hold_together(account, ticket, full)
    wrote = account.users.get(comment.author_id) if comment else None
    replied = wrote is not None and not wrote.staff and ticket.status in ("pending", "hold", "solved")
    if replied and "status" not in full and not switches.reopen_by_trigger:
        full["status"] = "open"
    status = full.get("status", ticket.status)
    if status in ("solved", "closed") and switches.solve_assigns and author is not None and author.staff:
        _assign_solver(ticket, full, author)
    if status == "new" and full.get("assignee_id", ticket.assignee_id) is not None:
        full["status"] = "open"
    if full.get("priority", "") is None:
        full.pop("priority")  # a priority can be changed, never taken away
    return full


def check(
    account: Account,
    switches: ZendeskSwitches,
    ticket: Ticket,
    wish: Wish,
    comment: Comment | None,
    *,
    new: bool = False,
) -> None:
    """Refuse a wish that the tool refuses, with every reason at once (422)."""
    if ticket.status == "closed" and not new:
        _check_closed(wish, comment, switches)
    wrong: dict[str, str] = {}
    for name, known in (("status", STATUSES), ("priority", PRIORITIES), ("type", TYPES)):
        value = wish.get(name)
        if value is not None and value not in known:
            wrong[name] = f"{name.capitalize()}: {value} is not included in the list"
    if wish.get("status") == "new" and ticket.status != "new":
        wrong["status"] = "Status: cannot go back to new"
    _check_people(account, ticket, wish, wrong, switches)
    if wrong:
        raise invalid(wrong)


def closed_refusal() -> Refusal:
    """The one sentence that a closed ticket answers with."""
    return invalid({"status": "Status: closed prevents ticket update"})


def may_see(account: Account, switches: ZendeskSwitches, user: User, ticket: Ticket) -> bool:
    """Whether somebody may open a ticket: agents outside a private group may not, admins may (memory)."""
    group = account.groups.get(ticket.group_id or 0)
    if group is None or not private(group, switches) or user.role != "agent":
        return True
    return user.id in account.members.get(group.id, ())


def private(group: Group, switches: ZendeskSwitches) -> bool:
    """Whether a group is private, as it was made once and for all."""
    return group.name in switches.private_groups.split(",")


def _check_closed(wish: Wish, comment: Comment | None, switches: ZendeskSwitches) -> None:
    asked = {name for name, value in wish.items() if name != "custom" or value}
    if comment is None and switches.closed_takes_tags and asked <= _OPEN_TO_AGENTS:
        return
    raise closed_refusal()


def _check_people(
    account: Account, ticket: Ticket, wish: Mapping[str, Any], wrong: dict[str, str], switches: ZendeskSwitches
) -> None:
    assignee_id = wish.get("assignee_id", ticket.assignee_id)
    group_id = wish.get("group_id", ticket.group_id)
    if wish.get("group_id") is not None and group_id not in account.groups:
        wrong["group"] = "Group: is not valid"
    assignee = account.users.get(assignee_id) if assignee_id is not None else None
    inside = group_id is None or assignee_id in account.members.get(group_id, ())
    if wish.get("assignee_id") is not None and (assignee is None or not assignee.staff or not assignee.active):
        wrong["assignee_id"] = "Assignee: is not an agent"
    elif wish.get("assignee_id") is not None and not inside and switches.membership_required:
        wrong["assignee_id"] = "Assignee: is not a member of the ticket's group"
    if wish.get("status") in ("solved", "closed") and assignee_id is None:
        wrong["base"] = "Assignee: is required when solving a ticket"
    requester_id = wish.get("requester_id", ticket.requester_id)
    if requester_id not in account.users:
        wrong["requester_id"] = "Requester: is not valid"
    if wish.get("organization_id") is not None:
        requester = account.users.get(requester_id)
        if requester is None or wish["organization_id"] != requester.organization_id:
            wrong["organization_id"] = "Organization: is not one of the requester's"
    problem = account.live(wish["problem_id"]) if wish.get("problem_id") else None
    if wish.get("problem_id") and (problem is None or problem.type != "problem"):
        wrong["problem_id"] = "Problem: is not a problem ticket"


def _hold_together(account: Account, ticket: Ticket, wish: Wish) -> None:
    """An assignee brings a group that has them; a group alone drops an assignee who is not in it."""
    assignee_id = wish.get("assignee_id", ticket.assignee_id)
    if "group_id" not in wish and assignee_id is not None:
        inside = ticket.group_id is not None and assignee_id in account.members.get(ticket.group_id, ())
        agent = account.users.get(assignee_id)
        if not inside and agent is not None and agent.default_group_id is not None:
            wish["group_id"] = agent.default_group_id
    elif "assignee_id" not in wish and assignee_id is not None:
        group_id = wish["group_id"]
        if group_id is not None and assignee_id not in account.members.get(group_id, ()):
            wish["assignee_id"] = None


def _assign_solver(ticket: Ticket, wish: Wish, author: User) -> None:
    if wish.get("assignee_id", ticket.assignee_id) is None:
        wish["assignee_id"] = author.id
        if wish.get("group_id", ticket.group_id) is None:
            wish["group_id"] = author.default_group_id
