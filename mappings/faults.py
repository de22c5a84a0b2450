"""Faults that a person can put right: their text says place, cause and fix, so it is all that is shown."""


class Explained(Exception):
    """The base of every error that explains itself; any other is a bug of ours and shows where it happened."""
