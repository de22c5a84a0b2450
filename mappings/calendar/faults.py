"""What can be wrong with a calendar, said with the field and the fix."""

from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing wrong: where in the calendar, what it is, and what to write or do instead."""

    field: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}; {self.fix}"


class CalendarError(ValueError):
    """A calendar that cannot be used, or was asked something it cannot answer. `faults` holds everything found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @classmethod
    def of(cls, field: str, problem: str, fix: str) -> "CalendarError":
        """An error with a single fault."""
        return cls([Fault(field, problem, fix)])
