"""Signs in what a customer wrote: whole words in their order, few others between them, and not denied.

`system down` is found in "the system is completely down" and not in "no system down", "countdown" or "the system works.
Down there …".
"""

import re
import unicodedata
from functools import lru_cache

BETWEEN = 2
"""So many other words may stand between the words of a sign."""
BEFORE = 3
"""So many words before a sign may deny it."""
# fmt: off
_DENIALS = frozenset((
    "no", "not", "without", "never", "none", "isn't", "wasn't", "aren't", "weren't", "hasn't", "haven't", "didn't",
    "don't", "doesn't", "won't", "avoid", "prevent", "against", "sin", "nunca", "ningun", "ninguna", "evitar",
))
# fmt: on
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[.!?;\n]")
_END = "."


def finds(sign: str, text: str) -> bool:
    """Does a text show a sign? Case, accents and plurals do not matter."""
    wanted, words = _words(sign), _words(text)
    return bool(wanted) and any(
        word == wanted[0] and _follows(wanted, words, place) and not _denied(words, place)
        for place, word in enumerate(words)
    )


@lru_cache(maxsize=1024)
def _words(text: str) -> tuple[str, ...]:
    """A text as its words, folded; the end of a sentence is a word of its own."""
    return tuple(_folded(word) for word in _WORD.findall(_plain(text.casefold()).replace("’", "'")))


def _plain(text: str) -> str:
    """A text without its accents, which many leave out, and which may be written as marks of their own."""
    if text.isascii():
        return text
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


def _folded(word: str) -> str:
    if not word[0].isalnum():
        return _END
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _follows(wanted: tuple[str, ...], words: tuple[str, ...], place: int) -> bool:
    """Do the rest of the wanted words stand behind `place`, near enough, in the same sentence and not denied?"""
    for word in wanted[1:]:
        near = words[place + 1 : place + 2 + BETWEEN]
        if word not in near:
            return False
        gap = near[: near.index(word)]
        if _END in gap or _DENIALS & set(gap):
            return False
        place += near.index(word) + 1
    return True


def _denied(words: tuple[str, ...], place: int) -> bool:
    before = words[max(place - BEFORE, 0) : place]
    while _END in before:
        before = before[before.index(_END) + 1 :]
    return bool(_DENIALS & set(before))
