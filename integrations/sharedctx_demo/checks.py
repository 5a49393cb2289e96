"""What the demo promises, verified by the stage's process, which wrote none of it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from sharedctx import SharedContext
from sharedctx.errors import SharedContextError

from .cast import Member
from .script import marker
from .stage import Death

_QUOTED = re.compile(r"expanded (\d+) characters, the first line: (.*)$", re.DOTALL)


class Check(NamedTuple):
    """A promise with the figures found, and whether it was kept."""

    promise: str
    kept: bool


class Evidence(NamedTuple):
    """What the checks look at: the session, SHA-256 of each file as read by its key, and how it went."""

    context: SharedContext
    files: Mapping[str, str]
    readers: Sequence[Member]
    failed: Collection[str]
    conflicts: int
    deaths: Sequence[Death]
    lines: int


def verify(evidence: Evidence) -> list[Check]:
    """Check everything; what cannot be read is a promise that was not kept."""
    found: list[Check] = []
    checks = _checks(evidence)
    while True:
        try:
            found.append(next(checks))
        except StopIteration:
            return found
        except SharedContextError as error:
            return [*found, Check(f"checking stopped: {error.message}", False)]


def _checks(seen: Evidence) -> Iterator[Check]:
    context = seen.context
    yield Check(f"every agent finished{_but(seen.failed)}", not seen.failed)
    whole = [key for key, digest in seen.files.items() if _digest(context.get(key, full=True)) == digest]
    yield Check(f"originals byte for byte: {len(whole)} of {len(seen.files)}", len(whole) == len(seen.files))
    agenda = context.get("agenda", full=True) or []
    yield Check(f"no update lost: {len(agenda)} of {seen.lines} lines", len(set(agenda)) == seen.lines)
    versions = [entry.version for entry in context.history("agenda", limit=10 * seen.lines)]
    yield Check(f"versions without gap: {len(versions)}", versions == list(range(seen.lines, 0, -1)))
    yield Check(f"conflicts caught: {seen.conflicts}", seen.conflicts > 0)
    followers = seen.readers[1:]
    board = str(context.get("board", full=True) or "")
    signed = [each.role for each in followers if f"- {each.role} is done" in board.splitlines()]
    yield Check(f"signed the shared board: {len(signed)} of {len(followers)}", len(signed) == len(followers))
    crossed = [
        after.role for before, after in zip(seen.readers, followers, strict=False) if _quotes(context, before, after)
    ]
    yield Check(
        f"expanded what another agent's framework stored: {len(crossed)} of {len(followers)}"
        f"{_but([each.role for each in followers if each.role not in crossed])}",
        len(crossed) == len(followers),
    )
    redeemed, of = _redeemed(context)
    yield Check(f"references that resolve: {redeemed} of {of}", redeemed == of)
    for death in seen.deaths:
        studied = context.keys("study/")
        once = [key for key in studied if len(context.history(key)) == 1]
        yield Check(
            f"killed in step {death.step + 1}, resumed: {len(once)} of {len(studied)} steps were done once",
            death.resumed is not None and len(once) == len(studied) > death.step,
        )


def _but(roles: Collection[str]) -> str:
    return f", but {', '.join(roles)}" if roles else ""


def _digest(value: Any) -> str:
    return sha256(value if isinstance(value, bytes) else str(value).encode("utf-8")).hexdigest()


def _quotes(context: SharedContext, before: Member, after: Member) -> bool:
    """Whether an agent's conclusion quotes what the report of the one before says where the view had left it out."""
    said = _QUOTED.search(str(context.get(f"conclusion/{after.role}", full=True) or ""))
    if said is None or int(said[1]) == 0:
        return False
    report = context.get(f"report/{before.role}", full=True) or []
    words = set(re.findall(r"\w+", json.dumps(report, ensure_ascii=False)))
    return set(re.findall(r"\w+", said[2])) <= words | {"rows", "omitted", "expand", "v1"}


def _redeemed(context: SharedContext) -> tuple[int, int]:
    """How many of the first omissions in views of all entries can be redeemed, and how many there are."""
    good = of = 0
    keys = context.keys()
    for key in keys:
        call = marker(context.get(key) or "", key)
        if call is None:
            continue
        of += 1
        try:
            good += bool(context.expand(call.arguments["key"], call.arguments["ref"], max_tokens=200))
        except SharedContextError:
            continue
    return good, of
