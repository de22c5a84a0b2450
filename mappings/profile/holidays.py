"""Dates on which an office keeps other hours: a country's holidays as computed, with the profile's own dates on top."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays as library

CLOSED, OPEN = "closed", "open"


class Holidays:
    """A lazy set: it is asked date by date and adds years as needed, so there is no last year.

    `get` gives `closed`, other hours (`09:00-12:00`), or None on an ordinary day. A date that the profile calls `open`
    is ordinary whatever the country does.
    """

    def __init__(self, name: str, dates: Mapping[date, str]) -> None:
        self._dates = dict(dates)
        self._country = library.country_holidays(name.upper()) if is_country(name) else None

    def get(self, day: date) -> str | None:
        """The hours of a date that differs, else None."""
        own = self._dates.get(day)
        if own is not None:
            return None if own == OPEN else own
        return CLOSED if self._country is not None and day in self._country else None


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """The country codes whose holidays are known, in lower case: `us`, `ca`, `de` …"""
    return frozenset(code.lower() for code in library.list_supported_countries())


def is_country(name: str) -> bool:
    """Does a set's name mean a country's holidays?"""
    return name.lower() in countries()
