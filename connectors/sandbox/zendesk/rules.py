"""The account's own triggers: the standard ones every account is born with, and one that fights us when switched on."""

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.switches import ZendeskSwitches
from connectors.sandbox.zendesk.triggers import Action, Condition, Trigger

RECEIVED = (
    "requester_id",
    "[Request received] {{ticket.title}}",
    "Your request ({{ticket.id}}) has been received and is being reviewed by our support staff.",
)
UPDATED = (
    "requester_id",
    "[Request updated] {{ticket.title}}",
    "Your request ({{ticket.id}}) has been updated.\n\n{{ticket.latest_comment}}",
)
ASSIGNED = ("assignee_id", "[Assigned] {{ticket.title}}", "You have been assigned to this ticket ({{ticket.id}}).")


def standard(account: Account, switches: ZendeskSwitches) -> list[Trigger]:
    """The triggers in their order: route by form, tell the requester, tell the assignee, reopen, reset the group."""
    rules = [
        Trigger(
            account.new_id(),
            f"Route {form.name} to {account.groups[form.group_id].name}",
            (
                Condition("update_type", "is", "Create"),
                Condition("ticket_form_id", "is", form.id),
                Condition("group_id", "is", None),
            ),
            (Action("group_id", form.group_id),),
        )
        for form in account.forms.values()
        if form.group_id is not None
    ]
    rules.append(
        Trigger(
            account.new_id(),
            "Notify requester of received request",
            (Condition("update_type", "is", "Create"), Condition("comment_is_public", "is", True)),
            (Action("notification_user", RECEIVED),),
        )
    )
    rules.append(
        Trigger(
            account.new_id(),
            "Notify requester of comment update",
            (
                Condition("update_type", "is", "Change"),
                Condition("comment_is_public", "is", True),
                Condition("comment_role", "is", "agent"),
            ),
            (Action("notification_user", UPDATED),),
        )
    )
    rules.append(
        Trigger(
            account.new_id(),
            "Notify assignee of assignment",
            (Condition("assignee_id", "changed"), Condition("assignee_id", "is_not", None)),
            (Action("notification_user", ASSIGNED),),
            lambda: switches.notify_agents,
        )
    )
    return [*rules, *_switched(account, switches)]


def _switched(account: Account, switches: ZendeskSwitches) -> list[Trigger]:
    """Rules that are off until a switch turns them on."""
    reopening = Trigger(
        account.new_id(),
        "Reopen on customer reply",
        (
            Condition("update_type", "is", "Change"),
            Condition("comment_role", "is", "end_user"),
            Condition("status", "is", ("pending", "hold", "solved")),
        ),
        (Action("status", "open"),),
        lambda: switches.reopen_by_trigger,
    )
    resetting = [
        Trigger(
            account.new_id(),
            f"Keep {form.name} with {account.groups[form.group_id].name}",
            (
                Condition("update_type", "is", "Change"),
                Condition("ticket_form_id", "is", form.id),
                Condition("group_id", "is_not", form.group_id),
                Condition("status", "is_not", "closed"),
            ),
            (Action("group_id", form.group_id),),
            lambda: switches.group_resetter,
        )
        for form in account.forms.values()
        if form.group_id is not None
    ]
    return [reopening, *resetting, *_emptying(account, switches)]


def _emptying(account: Account, switches: ZendeskSwitches) -> list[Trigger]:
    """A rule that takes a custom field back whoever fills it, as accounts have them for fields that fell out of use."""
    field = account.field_named("next_escalation")
    if field is None:
        return []
    name = f"custom_fields_{field.id}"
    filled = (Condition("update_type", "is", "Change"), Condition(name, "is_not", None))
    empty = (Action(name, None),)
    return [Trigger(account.new_id(), f"Keep {field.title} empty", filled, empty, lambda: switches.field_resetter)]
