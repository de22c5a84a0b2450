"""Whether the tools' sources answer: told once when one goes and once when it returns."""

from collections.abc import Mapping

from connectors.errors import ConnectorError
from flows.context import Context, log


def note_down(ctx: Context, tool: str, name: str, error: ConnectorError) -> None:
    """A source did not answer; said once."""
    ctx.answering.discard(f"{tool} {name}")
    if ctx.store.source_failed(tool, name, str(error), ctx.now()):
        log.warning("%s %s does not answer: %s", tool, name, error)


def note_up(ctx: Context, tool: str, name: str) -> None:
    """A source answered; said where it had not before."""
    if f"{tool} {name}" in ctx.answering:
        return
    if ctx.store.source_ok(tool, name, ctx.now()):
        log.info("%s %s answers again", tool, name)


def down(ctx: Context) -> dict[str, str]:
    """The sources that do not answer, with their errors; those that do are noted, and need no word of it."""
    sources = {f"{at.tool} {at.name}": at for at in ctx.store.sources()}
    ctx.answering = {name for name, at in sources.items() if at.ok_at is not None and at.down_since is None}
    return {name: at.error or "" for name, at in sources.items() if at.down_since is not None}


def news(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What went and what returned between two looks at `down`."""
    gone = [f"{source} does not answer: {error}" for source, error in now.items() if source not in before]
    return gone + [f"{source} answers again" for source in before if source not in now]
