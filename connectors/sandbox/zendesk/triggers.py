"""A small trigger engine: ordered rules of conditions and actions that run inside the update that sets them off.

As in the real tool, a trigger's changes land in the same audit as their cause, each event with `via.channel` "rule";
after one that changed something the list starts again; each fires at most once per update. So a trigger can race us.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connectors.sandbox.zendesk.draft import PLAIN, Draft
from connectors.sandbox.zendesk.fields import read_tags, settle_tags
from connectors.sandbox.zendesk.records import Via


@dataclass(frozen=True)
class Condition:
    """`field operator value`, in the vendor's words: update_type, role, comment_is_public, current_tags, or a field.

    Operators: is, is_not, value (changed to), changed, not_changed, includes, not_includes.
    """

    field: str
    operator: str
    value: Any = None

    def holds(self, draft: Draft) -> bool:
        """Whether it holds for an update, as far as that has got."""
        if self.operator in ("changed", "not_changed"):
            return draft.changed(self.field) == (self.operator == "changed")
        if self.operator == "value":
            return draft.changed_to(self.field, None if self.value is None else str(self.value))
        found = _read(draft, self.field)
        if self.operator in ("includes", "not_includes"):
            return any(tag in found for tag in read_tags(self.value)) == (self.operator == "includes")
        wanted = self.value if isinstance(self.value, tuple) else (self.value,)
        return (found in wanted) == (self.operator == "is")


@dataclass(frozen=True)
class Action:
    """`field := value`; also current_tags (add), remove_tags, and notification_user (value: who, subject, body)."""

    field: str
    value: Any


@dataclass
class Trigger:
    """One rule of the account. `active` may be a question, so that a switch can turn a rule on at run time."""

    id: int
    title: str
    all: tuple[Condition, ...]
    actions: tuple[Action, ...]
    active: Callable[[], bool] = lambda: True

    @cached_property
    def via(self) -> Via:
        """How its changes are marked."""
        origin = (("deleted", False), ("title", self.title), ("id", self.id), ("revision_id", 1))
        return Via("rule", "Rule", "trigger", origin, self.id)

    def fits(self, draft: Draft) -> bool:
        """Whether all conditions hold."""
        return all(condition.holds(draft) for condition in self.all)

    def fire(self, draft: Draft, *, mirror: bool) -> bool:
        """Do the actions to the update's ticket; whether they changed it."""
        before = draft.changes
        for action in self.actions:
            _act(draft, action, self.via, mirror=mirror)
        return draft.changes > before


def run(triggers: list[Trigger], draft: Draft, *, mirror: bool) -> None:
    """Run the account's triggers on an update, in order, from the top again after each that changed something."""
    left = [trigger for trigger in triggers if trigger.active()]
    place = 0
    while place < len(left):
        if not left[place].fits(draft):
            place += 1
            continue
        fired = left.pop(place)
        if fired.fire(draft, mirror=mirror):
            place = 0


def _read(draft: Draft, field: str) -> Any:
    ticket = draft.ticket
    if field == "update_type":
        return "Create" if draft.creating else "Change"
    if field == "role":
        return "agent" if draft.author is not None and draft.author.staff else "end_user"
    if field == "comment_is_public":
        return None if draft.comment is None else draft.comment.public
    if field == "comment_role":
        author = None if draft.comment is None else draft.account.users.get(draft.comment.author_id)
        return None if author is None else ("agent" if author.staff else "end_user")
    if field == "current_tags":
        return ticket.tags
    if field == "previous_status":
        return draft.started_as
    if field.startswith("custom_fields_"):
        return ticket.custom.get(int(field.removeprefix("custom_fields_")))
    if field == "ticket_form_id":
        return ticket.form_id
    return getattr(ticket, field)


def _act(draft: Draft, action: Action, via: Via, *, mirror: bool) -> None:
    field, value = action.field, action.value
    if field == "notification_user":
        _notify(draft, value, via)
    elif field in ("current_tags", "remove_tags") or field.startswith("custom_fields_"):
        add = read_tags(value) if field == "current_tags" else ()
        remove = read_tags(value) if field == "remove_tags" else ()
        custom = {int(field.removeprefix("custom_fields_")): value} if field.startswith("custom") else {}
        tags, changes = settle_tags(draft.account, draft.ticket, custom=custom, add=add, remove=remove, mirror=mirror)
        draft.set("tags", tags, via)
        for field_id, found in changes.items():
            draft.set_custom(field_id, found, via)
    elif field in PLAIN:
        draft.set(field, value, via)
        assignee_id = draft.ticket.assignee_id
        if field == "group_id" and assignee_id and assignee_id not in draft.account.members.get(value, ()):
            draft.set("assignee_id", None, via)


def _notify(draft: Draft, value: tuple[str, str, str], via: Via) -> None:
    whom, subject, body = value
    id = draft.ticket.requester_id if whom == "requester_id" else draft.ticket.assignee_id
    if id is None or (whom == "assignee_id" and id == draft.author_id):
        return  # nobody to tell, or an agent's own doing
    texts = {"{{ticket.id}}": str(draft.ticket.id), "{{ticket.title}}": draft.ticket.subject}
    if draft.comment is not None:
        texts["{{ticket.latest_comment}}"] = draft.comment.body
    for name, text in texts.items():
        subject, body = subject.replace(name, text), body.replace(name, text)
    draft.notify(subject, body, (id,), via)
