"""JSON answers of the simulated tools, encoded quickly."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body; null means no body at all (204)."""
    content = b"" if body is None else _encode(body)
    return Response(content, status, headers, media_type=None if body is None else "application/json")


async def read_json(request: Request) -> Any:
    """The request's body as plain data: an empty body is {}, one that is no JSON raises `msgspec.DecodeError`."""
    raw = await request.body()
    return msgspec.json.decode(raw) if raw else {}
