"""Our changes to companies as Zendesk's organisation fields, and what its answers show of them."""

from typing import Any

import msgspec

from mappings.model import Company
from mappings.plan import CompanyChange
from mappings.policies.abuse.companies import fields_of
from mappings.zendesk.facts import read_page
from mappings.zendesk.reading import Reading


class _One(msgspec.Struct):
    organization: msgspec.Raw


def company_row(change: CompanyChange, reading: Reading) -> dict[str, Any]:
    """A change as `organization_fields`: keys of the account, numbers as numbers, days as they are."""
    table = reading.table.organization_fields
    row: dict[str, Any] = {}
    for name, value in change.fields.items():
        number = value is not None and table[name].type == "integer"
        row[table[name].known_by] = int(str(value)) if number else value
    return row


def read_company(body: bytes, reading: Reading) -> Company | None:
    """The company in the answer to a write; null where it cannot be read."""
    try:
        one = msgspec.json.decode(body, type=_One).organization
    except msgspec.DecodeError:
        return None
    page = read_page(msgspec.json.encode({"organizations": [one]}), reading)
    return page.companies[0] if page.companies else None


def company_shows(fields: dict[str, str | None], company: Company) -> bool:
    """Has a company these values?"""
    shown = fields_of(company)
    return all(shown[name] == value for name, value in fields.items())
