"""What somebody wrote in a ticket's public comments: for questions of ours that are answered in words."""

from collections.abc import Iterator

import msgspec

from mappings.zendesk.events import Moment


class _Comment(msgspec.Struct):
    author_id: int
    created_at: Moment
    public: bool = True
    plain_body: str | None = None
    body: str | None = None


class _Comments(msgspec.Struct):
    comments: list[msgspec.Raw] = []


def said_by(body: bytes, author_id: int) -> list[tuple[Moment, str]]:
    """The public comments of one author on a page of /tickets/…/comments: (when, text), in the page's order.

    A comment that cannot be read says nothing.
    """
    return [
        (comment.created_at, comment.plain_body or comment.body or "")
        for comment in _readable(msgspec.json.decode(body, type=_Comments).comments)
        if comment.public and comment.author_id == author_id
    ]


def _readable(rows: list[msgspec.Raw]) -> Iterator[_Comment]:
    for row in rows:
        try:
            yield msgspec.json.decode(row, type=_Comment)
        except msgspec.ValidationError:
            continue
