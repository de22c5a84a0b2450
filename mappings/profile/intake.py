"""Checks of what a ticket is told by: signs, pages and addresses that could never match, agents never chosen."""

import re
from collections.abc import Iterator

from mappings.profile.findings import Finding
from mappings.profile.practice import MATCHES
from mappings.profile.profile import Profile
from mappings.profile.references import ADDRESS

_WORD = re.compile(r"[^\W_]")


def check_intake(profile: Profile) -> Iterator[Finding]:
    """What is written and can never hold."""
    yield from _signs(profile)
    yield from _pages(profile)
    yield from _addresses(profile)
    if profile.agents.max_active < 1:
        yield Finding(("agents", "max_active"), "gives nobody a ticket", "write 1 or more, or match: []")
    match = set(profile.agents.match)
    if match and match <= {*MATCHES} - {"tier"}:
        yield Finding(("agents", "match"), "chooses nobody without tier", "add tier, or write match: []")


def _signs(profile: Profile) -> Iterator[Finding]:
    for section in ("severities", "kinds"):
        for key, part in getattr(profile, section).items():
            for place, sign in enumerate(part.signs):
                if not _WORD.search(sign):
                    path = (section, key, "signs", place)
                    yield Finding(path, f"{sign!r} has no word to be found by", "write a word, or remove it")


def _pages(profile: Profile) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for key, module in profile.modules.items():
        for place, url in enumerate(module.urls):
            path, page = ("modules", key, "urls", place), url.casefold().strip("/")
            if not page or re.search(r"[:?#]|//", page):
                yield Finding(path, f"{url!r} is no part of a page's path", "write for example /schedule")
            elif (other := taken.setdefault(page, key)) != key:
                fix = "leave it to one of them: the first one has its pages"
                yield Finding(path, f"{url!r} is already the page of {other!r}", fix, odd=True)


def _addresses(profile: Profile) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for key, channel in profile.channels.items():
        for mail in channel.addresses:
            path = ("channels", key, "addresses", mail)
            if not re.fullmatch(ADDRESS, mail):
                yield Finding(path, "is no address", "write for example support@example.com")
            elif mail.casefold() in taken:
                yield Finding(path, f"already stands under channels.{taken[mail.casefold()]}", "name each address once")
            taken.setdefault(mail.casefold(), key)
