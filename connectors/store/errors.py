"""What the store refuses, each with the place and the fix.

StoreError
├── Unreachable    no database at this address, or none of ours
├── NotMigrated    the database's schema is not the code's
├── WrongProfile   the database belongs to another profile
├── StaleLease     somebody else holds the lease by now: stop, write nothing
└── UnknownRow     no outbox row or batch of that name in a state that allows this
"""

from mappings.faults import Explained


class StoreError(Explained):
    """Any refusal of the store."""


class Unreachable(StoreError):
    """No database answers at the address, or it is of a kind that we do not know."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url}: {why}; see HELPDESK_DATABASE_URL")


class NotMigrated(StoreError):
    """The database has no schema, an older one or a newer one than this code."""

    def __init__(self, url: str, found: str | None, wanted: str, *, newer: bool = False) -> None:
        have = f"is at schema {found}" if found else "has no schema yet"
        fix = "run the version that made it, or a later one" if newer else "run `helpdesk migrate`"
        super().__init__(f"{url}: the database {have}, this code needs {wanted}; {fix}")


class WrongProfile(StoreError):
    """One deployment, one profile, one store (design §2): this store belongs to somebody else."""

    def __init__(self, url: str, found: str, wanted: str) -> None:
        super().__init__(
            f"{url}: this store belongs to profile {found!r}, not {wanted!r}; "
            f"set HELPDESK_PROFILE={found}, or give {wanted!r} a database of its own in HELPDESK_DATABASE_URL"
        )


class StaleLease(StoreError):
    """The fence we hold is not the newest: another run took over, so nothing of ours may be written."""

    def __init__(self, name: str, held: int, newest: int | None) -> None:
        super().__init__(
            f"lease {name!r}: we hold fence {held}, the newest is {newest}; another run took over, so this one stops"
        )


class UnknownRow(StoreError):
    """Nothing by this name is in a state that allows what was asked for."""
