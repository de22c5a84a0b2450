"""How commands speak: JSON or text on the terminal, a refusal as one line with exit code 2, and the store they ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import msgspec
import typer

if TYPE_CHECKING:
    from connectors.store import Store
    from flows.operations import Told

AsJson = Annotated[bool, typer.Option("--json", help="For a machine to read.")]


@contextmanager
def opened(*, migrating: bool = False) -> Iterator[tuple[Store, Callable[[], datetime]]]:
    """The store of this deployment and domain time; a refusal becomes its words and exit code 2."""
    import re

    from connectors.clock import domain_clock
    from connectors.store import Store, StoreError
    from flows.operations import NotUnderstood
    from flows.settings import read_settings

    settings = read_settings()
    try:
        key = settings.profile if re.fullmatch(r"[\w-]+", settings.profile) else None
        store = Store.open(settings.database_url, profile=key, migrate=migrating)
        try:
            yield store, domain_clock(settings.clock_url)
        finally:
            store.close()
    except (StoreError, NotUnderstood) as refusal:
        refuse(str(refusal))


def say(told: Told, as_json: bool) -> None:
    """Print what something came to."""
    tell(told.value, told.text, as_json)


def tell(value: Any, text: str, as_json: bool) -> None:
    """Print a value for a machine, or its text for a person."""
    typer.echo(msgspec.json.encode(value).decode() if as_json else text)


def refuse(text: str) -> NoReturn:
    """End with exit code 2 and these words."""
    typer.echo(text, err=True)
    raise typer.Exit(2)
