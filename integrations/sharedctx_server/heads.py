"""Heads of small requests for contexts, read by their lines: those that came before need not be read again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from .replies import LARGE

_END = b"\r\n\r\n"
_MOST = 4096
"""Bytes of a head."""
_PLAIN = rb"-A-Za-z0-9._~!$&'()*+,;=:@"
_REQUEST = re.compile(
    rb"(GET|POST|PUT|DELETE) (/context/([%b]+)(?:/(diff))?)(?:\?([%b/?%%]*))? HTTP/1\.1" % (_PLAIN, _PLAIN)
)
"""No ``%`` in the path, which would have to be unquoted."""
_FIELD = re.compile(rb"([A-Za-z0-9-]+): ?([!-~\x80-\xff](?:[ -~\x80-\xff]*[!-~\x80-\xff])?)")
_ODD = frozenset({b"expect", b"origin", b"transfer-encoding", b"upgrade"})
"""Headers of requests that are left to others."""


class Target(NamedTuple):
    """What a request is for: the context of a project, or where ``verb`` is "diff" changes to it."""

    method: str
    path: str
    project: str
    verb: str
    query: bytes


class Head(NamedTuple):
    """A head of ``size`` bytes, and how many bytes of body follow it; the same for all requests in the same words."""

    target: Target
    headers: Mapping[bytes, bytes]
    size: int
    length: int


def head_of(data: bytes) -> Head | None:
    """Return the head that data begins with; None where it is not all there, or is not plainly that of a small request
    for a context on a connection that stays: it is for a parser of HTTP to read, or to refuse."""
    end = data.find(_END, 0, _MOST)
    return None if end < 0 else _head(data[:end])


@lru_cache(1024)
def _head(text: bytes) -> Head | None:
    """Whoever asks again over a connection that stays mostly does so in the same words."""
    first, *lines = text.split(b"\r\n")
    target = _target(first)
    if target is None:
        return None
    fields = [_field(line) for line in lines]
    if None in fields:
        return None
    headers: dict[bytes, bytes] = dict(fields)  # type: ignore[arg-type]  # none of them is None
    if len(headers) < len(fields):  # one stands twice
        return None
    length = int(headers.get(b"content-length", 0))
    return Head(target, headers, len(text) + len(_END), length) if length <= LARGE else None


@lru_cache(4096)
def _target(line: bytes) -> Target | None:
    found = _REQUEST.fullmatch(line)
    if found is None or found[3] == b"stream":
        return None
    method, path, project, verb, query = found.groups(b"")
    return Target(method.decode(), path.decode(), project.decode(), verb.decode(), query)


@lru_cache(4096)
def _field(line: bytes) -> tuple[bytes, bytes] | None:
    found = _FIELD.fullmatch(line)
    if found is None:
        return None
    name, value = found[1].lower(), found[2]
    odd = (
        name in _ODD
        or (name == b"connection" and value.lower() != b"keep-alive")
        or (name == b"content-length" and not (value.isdigit() and len(value) < 10))
    )
    return None if odd else (name, value)
