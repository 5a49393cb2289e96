"""What an archive holds, line by line.

::

    manifest.json   what it is, and bytes and sha256 of each other file
    versions.jsonl  a line for each version, in the order of their commits
    contents.zst    the values one after the other, as one zstd stream
    rows.jsonl      what the session keeps besides: evictions, notes' reach, snapshots, indexes of vectors
    audit.jsonl     the rows of its audit log, with their digests
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ..backends.base import MAX_VALUE_BYTES
from ..entries.names import MAX_KEY_BYTES, RESERVED, check_key, check_participant
from ..entries.values import KINDS
from ..errors import InvalidValue, SharedContextError

FORMAT: Final = "sharedctx-session"
FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
VERSIONS: Final = "versions.jsonl"
CONTENTS: Final = "contents.zst"
ROWS: Final = "rows.jsonl"
AUDIT: Final = "audit.jsonl"
FILES: Final = (VERSIONS, CONTENTS, ROWS, AUDIT)

KIND_NAMES: Final = {name: kind for kind, name in KINDS.items()}
_NOTE = re.compile(r"(?:rollback:\d{1,15}|view:\d{1,9})?", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
_MOST = 2**53


class VersionLine(NamedTuple):
    """One version: ``rev`` is that of its commit, ``at`` when it was written; ``offset`` and ``size`` name its bytes in
    the contents, whose sha256 is ``content``; ``hash`` is what entries show."""

    rev: int
    key: str
    version: int
    kind: str
    at: float
    agent: str
    note: str
    expires: float | None
    hash: str
    offset: int
    size: int
    content: str


class RowLine(NamedTuple):
    """One row beside the versions, its payload in base64."""

    pk: str
    sk: str
    expires: float | None
    payload: str


def dump(line: NamedTuple) -> bytes:
    """One line of an archive."""
    return (
        json.dumps(line._asdict(), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
    )


def read_version(text: bytes, number: int) -> VersionLine:
    """Read a line of the versions; raises ``InvalidValue`` for one that could not have been written."""
    at = f"{VERSIONS}, line {number}"
    found = _fields(text, at, VersionLine._fields)
    for name in ("rev", "version", "offset", "size"):
        _require(_is_number(found[name], name == "version"), at, name)
    for name in ("key", "kind", "agent", "note", "hash", "content"):
        _require(isinstance(found[name], str), at, name)
    line = VersionLine(**found)
    gone = line.kind == "gone"
    _require(line.size <= (0 if gone else MAX_VALUE_BYTES), at, "size")
    _require(line.kind in KIND_NAMES, at, "kind")
    _require(_is_time(line.at), at, "at")
    _require(line.expires is None or _is_time(line.expires), at, "expires")
    _require(len(line.note) < 1000 and (gone or _NOTE.fullmatch(line.note) is not None), at, "note")
    for digest in (line.content, line.hash or line.content):
        _require(_HASH.fullmatch(digest) is not None, at, "a hash")
    _named(lambda: check_key(line.key), at)
    if line.agent:
        _named(lambda: check_participant(line.agent), at)
    return line


def read_row(text: bytes, number: int) -> RowLine:
    """Read a line of the rows; raises ``InvalidValue``."""
    at = f"{ROWS}, line {number}"
    found = _fields(text, at, RowLine._fields)
    for name in ("pk", "sk", "payload"):
        _require(isinstance(found[name], str), at, name)
    line = RowLine(**found)
    _require(line.pk.startswith(RESERVED) and len(line.pk) <= MAX_KEY_BYTES, at, "pk")
    _require(line.expires is None or _is_time(line.expires), at, "expires")
    return line


def read_object(text: bytes, at: str) -> dict[str, Any]:
    """Read a JSON object; raises ``InvalidValue``."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"the archive is damaged: {at} is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise InvalidValue(f"the archive is damaged: {at} is no JSON object")
    return found


def _fields(text: bytes, at: str, names: tuple[str, ...]) -> dict[str, Any]:
    found = read_object(text, at)
    _require(found.keys() == set(names), at, f"its names: {', '.join(names)} are wanted")
    return found


def _require(holds: bool, at: str, what: str) -> None:
    if not holds:
        raise InvalidValue(f"the archive is damaged: {at} is wrong in {what}")


def _named(check: Callable[[], str], at: str) -> None:
    try:
        check()
    except SharedContextError as error:
        raise InvalidValue(f"the archive is damaged: {at}: {error.message}") from None


def _is_number(value: Any, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
