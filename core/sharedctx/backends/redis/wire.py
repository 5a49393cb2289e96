"""What is sent and what comes back: names of keys, operations as arguments, rows and changes from replies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from ...errors import BackendUnavailable, ConditionFailed, Internal
from ..base import ABSENT, ANY, NEXT, PRESENT, At, Change, Committed, Drop, Head, Op, Put, Refused, Row, SortKey

_TOLD = re.compile(r"^(run_id|master_replid):(\w+)", re.MULTILINE)


@lru_cache(1024)
def base_of(prefix: str, space: str) -> bytes:
    """The beginning of all keys of a space; what stands in braces decides where a cluster keeps them."""
    return f"{prefix}:{{{quote(space, safe=' :/@.-_')}}}:".encode()


def registry(prefix: str) -> bytes:
    """The key of the sorted set that names all spaces, some of which may be empty by now."""
    return f"{prefix}:spaces".encode()


def own(prefix: str) -> bytes:
    """The key of what the store says of itself: its id and format."""
    return f"{prefix}:store".encode()


def run_of(info: Any) -> str:
    """What names one run of a server, out of what it says of itself: another after each start and each change of roles,
    either of which may have lost commits."""
    told = info if isinstance(info, dict) else dict(_TOLD.findall(info.decode() if isinstance(info, bytes) else info))
    return "".join(str(told.get(name, ""))[:8].ljust(8, "-") for name in ("run_id", "master_replid"))


def packed(words: Sequence[bytes | str | int]) -> bytes:
    """A command as the protocol has it."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        if word.__class__ is not bytes:
            word = str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(word), word))
    return b"".join(parts)


def arguments(ops: Sequence[Op]) -> list[bytes | str]:
    """The operations as the commit script takes them."""
    found: list[bytes | str] = []
    for op in ops:
        if isinstance(op, Put):
            expires = "" if op.expires is None else repr(float(op.expires))
            found += [f"p {_when(op.when)} {expires} {_text(op.sk)}", op.pk, op.value]
        elif isinstance(op, Drop):
            found += [f"d   {code(op.sk)}", op.pk, b""]
        else:
            found += [f"c {_when(op.when)}  {_text(op.sk)}", op.pk, b""]
    return found


def code(sk: SortKey) -> str:
    """A row's sort key, told apart by sort."""
    return f"={sk}" if isinstance(sk, str) else f"#{sk}"


def _text(sk: object) -> str:
    return "" if sk is NEXT else f"={sk}"


def _when(when: object) -> str:
    if when is ANY:
        return ""
    if when is ABSENT:
        return "a"
    if when is PRESENT:
        return "p"
    if isinstance(when, At):
        return f"@{when.rev}"
    assert isinstance(when, Head)
    return ",".join("" if number is None else str(number) for number in when)


def committed(space: str, ops: Sequence[Op], if_rev: int | None, reply: bytes) -> Committed:
    """Read the commit script's answer; raises ``ConditionFailed``."""
    word, *numbers = reply.decode().split(" ")
    if word == "E":
        raise BackendUnavailable(
            f"the server removed part of space {space!r} (`sharedctx doctor` tells whether it does so when full); "
            "nothing was written: bring back a backup, or delete the session"
        )
    if word == "S":
        raise ConditionFailed(
            f"space {space!r} changed after revision {if_rev}: read it again", pk=None, actual=int(numbers[0])
        )
    if word == "C":
        op = ops[int(numbers[0])]
        if len(numbers) > 1 and numbers[1]:
            at = int(numbers[1])
            if numbers[2:] == ["@"]:
                raise ConditionFailed.another(op.pk, at)
            if len(numbers) > 2:
                raise ConditionFailed.outnumbered(op.pk, at, int(numbers[2]))
            raise ConditionFailed(f"{op.pk!r} is at version {at}: read it again", pk=op.pk, actual=at)
        raise ConditionFailed.row(op.pk, str(op.sk), there=getattr(op, "when", None) is ABSENT)
    if word != "K":
        raise Internal(f"the commit script answered {reply!r}")
    versions = iter(numbers[1:])
    sks: list[SortKey] = [int(next(versions)) if op.sk is NEXT else str(op.sk) for op in ops if isinstance(op, Put)]
    return int(numbers[0]), sks


def rows(pk: str, versions: bool, reply: Sequence[bytes]) -> list[Row]:
    """Read the scan script's answer; a row that is not ours has a ``Refused`` value."""
    found = []
    for name, raw in zip(reply[::2], reply[1::2], strict=True):
        sk: SortKey = int(name) if versions else name.decode()
        try:
            stamp, expires, value = raw.split(b" ", 2)
            rev = int(stamp.partition(b"-")[0])
            when = float(expires) if expires else None
        except (ValueError, AttributeError):
            found.append(Row(pk, sk, Refused("the hash field is not a row of ours"), 0, None))
            continue
        found.append(Row(pk, sk, value, rev, when))
    return found


def changes(entries: Sequence[Any]) -> list[Change]:
    """Read entries of the feed."""
    found = []
    for at, fields in entries:
        pk, what = fields[0].decode(), fields[1].decode()
        sk: SortKey = int(what[2:]) if what[1] == "#" else what[2:]
        found.append(Change(int(at.partition(b"-")[0]), pk, sk, "put" if what[0] == "+" else "drop"))
    return found
