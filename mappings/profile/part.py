"""What all parts of a profile share: frozen, no unknown keys, and a part of a map knows the key it stands under."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PrivateAttr


class Part(BaseModel):
    """A map of a profile, typed. Keys that it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)


class Keyed(Part):
    """A part that stands under a key of its own, such as a plan."""

    _key: str = PrivateAttr("")

    @cached_property
    def key(self) -> str:
        """The key it stands under."""
        return self._key


class Titled(Keyed):
    """A part whose key is its name, such as a target."""

    @cached_property
    def name(self) -> str:
        """What people call it: its key."""
        return self._key


class Named(Keyed):
    """A part with a name beside its key, and perhaps other words that mean it."""

    name: str
    """What people call it."""
    aliases: tuple[str, ...] = ()
    """Other words that mean it, in any case."""

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that means it."""
        return (self.key, self.name, *self.aliases)


K = TypeVar("K")
P = TypeVar("P", bound=Keyed)


def give_keys(parts: Mapping[K, P]) -> Mapping[K, P]:
    """Tell each part its key."""
    for key, part in parts.items():
        part._key = str(key)
    return parts


Parts = Annotated[Mapping[K, P], AfterValidator(give_keys)]
