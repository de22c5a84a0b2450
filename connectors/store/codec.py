"""Vocabulary ↔ rows: one codec per struct, made from its own annotations.

A struct's fields are the columns of the same name: times become whole epoch seconds, enums their value, sets and
mappings JSON text with sorted keys. A column that is named otherwise is said in `names`.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from operator import attrgetter
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T", bound=msgspec.Struct)
Convert = Callable[[Any], Any]

_json = msgspec.json.Encoder(order="deterministic")


def seconds(at: datetime) -> int:
    """Whole epoch seconds of an aware time; fractions are cut. Raises ValueError for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at}: a time without a zone; say UTC")
    return int(at.timestamp())


def time(at: int) -> datetime:
    """The aware UTC time of epoch seconds."""
    return datetime.fromtimestamp(at, UTC)


def optional_seconds(at: datetime | None) -> int | None:
    """As `seconds`, null stays null."""
    return None if at is None else seconds(at)


def optional_time(at: int | None) -> datetime | None:
    """As `time`, null stays null."""
    return None if at is None else time(at)


def plain(text: str) -> str:
    """Text that every database takes: PostgreSQL refuses NUL, which customers do paste."""
    return text.replace("\x00", "") if "\x00" in text else text


def to_json(value: object) -> str:
    """JSON text with sorted keys and sets, so that equal values are equal text."""
    return _json.encode(value).decode()


class Codec(Generic[T]):
    """Turns one kind of struct into row tuples (in the order of `columns`) and back."""

    def __init__(self, struct: type[T], names: Mapping[str, str] | None = None) -> None:
        fields = tuple(field.name for field in msgspec.structs.fields(struct))
        hints = get_type_hints(struct)
        conversions = [_conversion(hints[name]) for name in fields]
        self.columns = tuple((names or {}).get(name, name) for name in fields)
        self._struct = struct
        self._fields = fields
        self._values = attrgetter(*fields)
        self._encoders = [(i, to) for i, (to, _) in enumerate(conversions) if to is not None]
        self._decoders = [(i, back) for i, (_, back) in enumerate(conversions) if back is not None]

    def encode(self, value: T) -> list[Any]:
        """The row of a value, in the order of `columns`; a list, so that a table's own columns can be added."""
        row = list(self._values(value))
        for i, convert in self._encoders:
            if row[i] is not None:
                row[i] = convert(row[i])
        return row

    def decode(self, row: Sequence[Any]) -> T:
        """The value of a row that begins with `columns`; further columns are left alone."""
        values = list(row[: len(self._fields)])
        for i, convert in self._decoders:
            if values[i] is not None:
                values[i] = convert(values[i])
        return self._struct(**dict(zip(self._fields, values, strict=True)))


def _conversion(hint: Any) -> tuple[Convert | None, Convert | None]:
    """How values of a type go in and come back; null where they stay as they are."""
    kinds = [hint]
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not types.NoneType]
    kind = kinds[0]
    if len(kinds) == 1 and isinstance(kind, type) and get_origin(kind) is None:
        if issubclass(kind, datetime):
            return seconds, time
        if issubclass(kind, Enum):
            return attrgetter("value"), {member.value: member for member in kind}.__getitem__
        if issubclass(kind, str):
            return plain, None
        if issubclass(kind, bool):
            return None, bool
        if issubclass(kind, int):
            return None, None
    return to_json, msgspec.json.Decoder(hint).decode
