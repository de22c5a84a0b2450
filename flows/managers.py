"""Who may decide on abuse: the members of the group of `abuse.decide`, and the account's admins, as Zendesk says."""

from collections.abc import Iterable

import msgspec

from flows.context import Context
from flows.streams import account_of
from mappings.zendesk import read_page

_MANY = 100


class _Membership(msgspec.Struct):
    user_id: int
    group_id: int


class _Memberships(msgspec.Struct):
    group_memberships: list[_Membership] = []


def managers(ctx: Context, ids: Iterable[int]) -> frozenset[int]:
    """Those of these people who may decide now. Raises ConnectorError where Zendesk cannot be asked."""
    assert ctx.zendesk is not None
    wanted = sorted(set(ids))
    if not wanted:
        return frozenset()
    people = [
        person
        for start in range(0, len(wanted), _MANY)
        for person in read_page(ctx.zendesk.users(wanted[start : start + _MANY]), account_of(ctx)).people
    ]
    active = {person.id for person in people if person.agent and person.active}
    admins = {person.id for person in people if person.admin}
    return frozenset(active & (admins | _members(ctx)))


def manager_at(ctx: Context, email: str) -> int | None:
    """The id of the manager with this address; null where nobody has it, or it is no manager's."""
    assert ctx.zendesk is not None
    page = read_page(ctx.zendesk.people_at(email), account_of(ctx))
    found = [person.id for person in page.people if (person.email or "").casefold() == email.casefold()]
    return next(iter(managers(ctx, found)), None)


def _members(ctx: Context) -> set[int]:
    """Everybody in the group that decides."""
    assert ctx.zendesk is not None
    name = ctx.profile.routes[ctx.profile.abuse.decide].group
    group = None if name is None else account_of(ctx).group_id(name)
    pages = ctx.zendesk.objects("group_memberships") if group is not None else []
    rows = [row for body in pages for row in msgspec.json.decode(body, type=_Memberships).group_memberships]
    return {row.user_id for row in rows if row.group_id == group}
