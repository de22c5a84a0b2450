"""Texts that customers read: templates by name and language, with a closed table of placeholders.

A text in the reader's language is used where there is one, else English. What has no value falls back politely: an
unknown name becomes the language's own word for it, or is left out as any other unknown value is (templates ask
`{% if expected %}`).
"""

import re
from collections.abc import Mapping
from functools import lru_cache

import jinja2
import msgspec

FALLBACK = "en"
POLITE = {"en": {"name": "there"}}
"""By language: what stands for a value that is not known. Spanish greets without a word in its place."""

_LONGEST_NAME = 40
_NO_NAME = re.compile(r"[\s\d/:@<>\[\](){}|\\\"#*_`=&%$!?;,]|\..")


class Replies(msgspec.Struct, frozen=True):
    """The templates of a deployment: `texts[language][name]` is jinja2 source."""

    texts: Mapping[str, Mapping[str, str]]

    def has(self, name: str) -> bool:
        """Is there such a text in the fallback language?"""
        return name in self.texts.get(FALLBACK, {})

    def language(self, name: str, locale: str | None) -> str:
        """The language in which a reader gets a text: of `es-MX` or `es_419`, `es`; English where it is not there."""
        language = re.split("[-_]", (locale or FALLBACK).lower())[0]
        return language if name in self.texts.get(language, {}) else FALLBACK

    def render(self, name: str, locale: str | None, values: Mapping[str, str]) -> str:
        """The text for a reader. Values that are empty count as not known. Raises KeyError for an unknown name.

        A name that is none (an address, a number, a line of advertising) counts as not known: whoever files a ticket
        for somebody else chooses the name, and we would mail it to them.
        """
        language = self.language(name, locale)
        known = {key: value for key, value in values.items() if value and (key != "name" or _is_name(value))}
        text = compiled(self.texts[language][name]).render({**POLITE.get(language, {}), **known})
        return text.strip()


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and not _NO_NAME.search(text)


class _Unknown(jinja2.StrictUndefined):
    """A value that is not known: `{% if it %}` leaves its part out, to print it is a mistake of the template."""

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


_ENVIRONMENT = jinja2.Environment(undefined=_Unknown, autoescape=False, trim_blocks=True, lstrip_blocks=True)


@lru_cache(maxsize=1024)
def compiled(source: str) -> jinja2.Template:
    """A template ready to be filled. Raises jinja2.TemplateSyntaxError."""
    return _ENVIRONMENT.from_string(source)
