"""What was written to colleagues, as their tools show it: links, calls and emphasis, our marks set back."""

import html
import re
from collections.abc import Callable

from markupsafe import Markup, escape

_TICKET = re.compile(r"/agent/tickets/(\d+)$")
_SLACK = re.compile(
    r"<(?P<url>https?://[^|>\s]+)(?:\|(?P<label>[^>]*))?>|<!(?P<call>channel|here)>"
    r"|\*(?P<bold>[^*\n]+)\*|_(?P<ref>ref(?: hf-[0-9a-f]+)+)_"
)
_MAIL = re.compile(r"(?P<url>https?://[^\s<>]+)|^(?P<ref>ref(?: hf-[0-9a-f]+)+)$", re.MULTILINE)


def slack(text: str) -> Markup:
    """A message in Slack's markup, in which `&`, `<` and `>` of its words are written as entities."""
    return _set(text, _SLACK, html.unescape)


def mail(text: str) -> Markup:
    """A mail's plain text."""
    return _set(text.strip(), _MAIL, str)


def _set(text: str, pattern: re.Pattern[str], read: Callable[[str], str]) -> Markup:
    found, end = Markup(), 0
    for match in pattern.finditer(text):
        found += escape(read(text[end : match.start()])) + _one(match.groupdict(), read)
        end = match.end()
    return found + escape(read(text[end:]))


def _one(part: dict[str, str | None], read: Callable[[str], str]) -> Markup:
    """A link (to a ticket: within this page), a group that is called, a heading, or our mark."""
    if part.get("url"):
        url = read(part["url"] or "")
        label, ticket = read(part.get("label") or url), _TICKET.search(url)
        if ticket:
            label = f"ticket {ticket[1]}"
            return Markup('<a href="#" data-ticket="{}">{}</a>').format(ticket[1], label)
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(url, label)
    if call := part.get("call"):
        return Markup('<i class="call">@{}</i>').format(call)
    if bold := part.get("bold"):
        return Markup("<b>{}</b>").format(read(bold))
    return Markup("<small>{}</small>").format(part.get("ref") or "")
