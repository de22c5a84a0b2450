"""Texts that customers read: templates by name and language, with a closed table of placeholders.

A text in the reader's language is used where there is one, else English. A placeholder without a value falls back
politely: an unknown name becomes "there", an unknown time leaves its sentence out (templates say `{% if expected %}`).
"""

from collections.abc import Mapping

import jinja2
import msgspec

FALLBACK = "en"
POLITE = {"name": "there"}


class Replies(msgspec.Struct, frozen=True):
    """The templates of a deployment: `texts[language][name]` is jinja2 source."""

    texts: Mapping[str, Mapping[str, str]]

    def has(self, name: str) -> bool:
        """Is there such a text in the fallback language?"""
        return name in self.texts.get(FALLBACK, {})

    def render(self, name: str, locale: str, values: Mapping[str, str]) -> str:
        """The text for a reader. `locale` may be `es-MX`: its language counts. Raises KeyError for an unknown name."""
        language = locale.lower().partition("-")[0]
        source = self.texts.get(language, {}).get(name) or self.texts[FALLBACK][name]
        filled = {key: value or POLITE.get(key, "") for key, value in values.items()}
        return _ENVIRONMENT.from_string(source).render(filled).strip()


_ENVIRONMENT = jinja2.Environment(
    undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
)
