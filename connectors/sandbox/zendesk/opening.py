"""Opens an account: its objects from the world's plain data, its people from the cast."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.world import Agent, Cast, Company, Person
from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.objects import SYSTEM_FIELDS
from connectors.sandbox.zendesk.people import keyed_option
from connectors.sandbox.zendesk.records import (
    STATUSES,
    CustomStatus,
    Field,
    Form,
    Group,
    Json,
    Organization,
    Suspended,
    User,
)

_DROPDOWNS = frozenset({"tagger", "dropdown"})


def furnish(account: Account, world: Mapping[str, Any]) -> list[Field]:
    """Create brand, statuses, groups, fields and forms; the system's own ticket fields are returned apart."""
    now = account.founded_at = account.now()
    account.brand_id = account.new_id()
    account.addresses = tuple(world.get("addresses") or ())
    for category in STATUSES[:-1]:
        _status(account, category, "On-hold" if category == "hold" else category.capitalize(), default=True)
    for row in world.get("custom_statuses") or ():
        _status(account, row["category"], row["label"], default=False)
    for name in world.get("groups") or ["Support"]:
        _group(account, name)
    system = [
        Field(account.new_id(), key, key.capitalize(), "tickettype" if key == "type" else key, place, now)
        for place, key in enumerate(SYSTEM_FIELDS, 1)
    ]
    for row in world.get("ticket_fields") or []:
        field = _field(account, row, len(account.ticket_fields) + len(system) + 1)
        account.ticket_fields[field.id] = field
        account.tag_fields |= dict.fromkeys(field.values, field.id)
    for row in world.get("organization_fields") or []:
        account.organization_fields[row["key"]] = _field(account, row, len(account.organization_fields))
    for row in world.get("user_fields") or []:
        account.user_fields[row["key"]] = _field(account, row, len(account.user_fields))
    for place, row in enumerate(world.get("forms") or [{"name": "Support request"}]):
        group = account.group_named(str(row.get("group"))) or next(iter(account.groups.values()))
        form = Form(account.new_id(), row["name"], now, place + 1, place == 0, group.id)
        account.forms[form.id] = form
    return system


def _status(account: Account, category: str, label: str, *, default: bool) -> None:
    id = account.new_id()
    account.statuses[id] = CustomStatus(id, category, label, default)


def populate(account: Account, people: Cast) -> User:
    """Create agents, organisations and customers, and the service user that is no person, which is returned."""
    account.name, account.subdomain = people.account.capitalize(), people.account
    owner = _user(account, "Helpdesk Flows", f"flows@{people.account}.example", "admin")
    for agent in people.agents:
        _agent(account, agent)
    for company in people.companies:
        _company(account, company)
    for person in people.people:
        _person(account, person)
    return owner


def hold_back(account: Account, at: int) -> None:
    """A few mails that lie among the suspended ones."""
    for name, email, subject, cause, cause_id in (
        ("Prize Desk", "win@bulk-mail.example", "You have been selected", "Detected as spam", 0),
        ("Mail Delivery", "mailer-daemon@relay.example", "Undelivered mail returned", "Automated response mail", 5),
        ("Rosa Vega", "rosa.vega@newcustomer.example", "Cannot open my account", "Detected as spam", 0),
    ):
        text = f"{subject}.\n\n{name}"
        recipient = account.addresses[0] if account.addresses else "support@sandbox.example"
        held = Suspended(account.new_id(), name, email, subject, text, cause, cause_id, recipient, at)
        account.suspended[held.id] = held


def _group(account: Account, name: str) -> None:
    group = Group(account.new_id(), name, account.now(), default=not account.groups)
    account.groups[group.id] = group


def _field(account: Account, row: Mapping[str, Any], position: int) -> Field:
    options = tuple((account.new_id(), str(o["name"]), str(o["value"])) for o in row.get("options") or ())
    kind = str(row.get("type") or "text")
    if kind in _DROPDOWNS and not options:
        kind = "text"
    title = str(row.get("title") or row["key"])
    return Field(account.new_id(), str(row["key"]), title, kind, position, account.now(), options)


def _user(account: Account, name: str, email: str, role: str) -> User:
    now = account.now()
    user = User(account.new_id(), name, email, role, now, now)
    account.touch_user(user)
    return user


def _agent(account: Account, agent: Agent) -> None:
    user = _user(account, agent.name, agent.email, "admin" if agent.duty == "manager" else "agent")
    if agent.specialties and "specialties" in account.user_fields:
        user.fields = {"specialties": ", ".join(agent.specialties)}
    user.details = {"manager": "Support manager", "lead": "Team lead"}.get(agent.duty)
    for name in agent.groups:
        group = account.group_named(name)
        if group is not None:
            account.add_membership(user, group.id)


def _company(account: Account, company: Company) -> None:
    now = account.now()
    told: Json = {"plan": company.plan, "vip": company.vip, "csm": company.csm, "warnings": 0}
    fields = {key: _keep(field, told[key]) for key, field in account.organization_fields.items() if key in told}
    one = Organization(account.new_id(), company.name, now, now, company.external_id, (company.domain,), fields=fields)
    account.touch_organization(one)


def _person(account: Account, person: Person) -> None:
    now = account.now()
    user = User(account.new_id(), person.name, person.email, "end-user", now, now, external_id=person.external_id)
    user.organization_id = account.names.get(person.company.lower())
    if "role" in account.user_fields:
        user.fields = {"role": _keep(account.user_fields["role"], person.role)}
    account.touch_user(user)


def _keep(field: Field, value: Any) -> Any:
    """A value as the field keeps it; the world may know options that the account's field lacks, which stay empty."""
    try:
        return keyed_option(field, value)
    except LookupError:
        return None
