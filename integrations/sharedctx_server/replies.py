"""Replies: bytes with a status and headers, compressed where the caller takes it."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS_FROM = 1024
LARGE = 1 << 16
"""Bytes from which work on a body leaves the event loop."""

Header = tuple[bytes, bytes]
CLOSE: Header = (b"connection", b"close")
"""Goes with a reply that comes before the body was read: the rest of it would be read for nothing."""
JSON: Header = (b"content-type", b"application/json")

encode = msgspec.json.Encoder().encode


class Reply(NamedTuple):
    """A whole reply; ``packed`` returns its body in an encoding, where that is kept."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = ()
    type: Header = JSON
    packed: Callable[[str], bytes] | None = None


def json_reply(data: Any, status: int = 200, headers: tuple[Header, ...] = ()) -> Reply:
    """Return a reply of JSON values or structs."""
    return Reply(status, encode(data), headers)


def iso(at: float) -> str:
    """A time as ISO 8601 in UTC with microseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def error_reply(status: int, message: str, now: float, headers: tuple[Header, ...] = (), **more: Any) -> Reply:
    """Return the reply of every error: ``{error, statusCode, timestamp}`` and what else helps."""
    body = {"error": message, "statusCode": status, "timestamp": iso(now), **more}
    return Reply(status, encode(body), headers)


def negotiate(accepted: bytes | None) -> str | None:
    """Return the encoding to use by an ``Accept-Encoding`` header: zstd, gzip or none."""
    if not accepted or (b"gzip" not in accepted and b"zstd" not in accepted and b"*" not in accepted):
        return None
    weights: dict[str, float] = {}
    for part in accepted.decode("latin-1").lower().split(","):
        name, _, weight = part.strip().partition(";")
        try:
            weights[name.strip()] = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
    best = max(("zstd", "gzip"), key=lambda name: (weights.get(name, weights.get("*", 0.0)), name == "zstd"))
    return best if weights.get(best, weights.get("*", 0.0)) > 0 else None


def compress(body: bytes, encoding: str) -> bytes:
    """Return the body in an encoding that ``negotiate`` returned."""
    return zstd.compress(body, 3) if encoding == "zstd" else gzip.compress(body, 5, mtime=0)


async def send_reply(send: Callable[[Any], Awaitable[None]], reply: Reply, *, head: bool = False) -> None:
    """Send a reply; of a HEAD request without its body."""
    length = (b"content-length", b"%d" % len(reply.body))
    headers = [reply.type, length, *reply.headers] if reply.body else [length, *reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})
