"""What the store refuses, each with the place and the fix.

StoreError
├── Unreachable    no database at this address, or none of ours, or it went away
├── Locked         another process holds what we need, for longer than we wait
├── Full           no room for what is to be written
├── Unusable       read-only or damaged
├── NotMigrated    the database's schema is not the code's
├── WrongProfile   the database belongs to another profile
├── StaleLease     somebody else holds the lease by now: stop, write nothing
└── UnknownRow     no outbox row or batch of that name in a state that allows this
"""

from mappings.faults import Explained


class StoreError(Explained):
    """Any refusal of the store."""


class Unreachable(StoreError):
    """No database answers at the address, it went away, or it is of a kind that we do not know."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url}: {why}; see HELPDESK_DATABASE_URL, and that the database runs")


class Locked(StoreError):
    """Somebody else holds what we need."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url}: {why}; end what holds it (a backup, a shell, a stuck run): the next pulse goes on")


class Full(StoreError):
    """There is no room for what is to be written."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url}: {why}; make room on its disk or raise its limit: the next pulse goes on")


class Unusable(StoreError):
    """The database answers, but cannot be written or trusted."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url}: {why}; check its disk and its rights, or restore the last backup")


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
