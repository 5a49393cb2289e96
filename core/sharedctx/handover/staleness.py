"""What has changed since a participant read it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..backends import steps
from ..backends.base import Change
from ..backends.steps import Steps
from ..entries.verbs import Verbs
from ..errors import Compacted, SharedContextError

_DIFF = 2000
_SHORT = 300
"""Characters up to which a difference is told along with the note of a change."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Stale:
    """A key that changed since it was read: ``version`` is the live one (None: it was removed or expired) and ``agent``
    its writer; ``diff`` is what changed, cut to 2,000 characters, where it was asked for."""

    key: str
    read_version: int
    version: int | None
    agent: str | None
    diff: str | None = None

    def __str__(self) -> str:
        if self.version is None:
            return f"{self.key} v{self.read_version} is gone"
        by = f" by {self.agent}" if self.agent else ""
        return f"{self.key} v{self.read_version} -> v{self.version}{by}"


def stale(verbs: Verbs, participant: str, *, ask: bool = True) -> Steps[list[Stale]]:
    """Return what changed since the participant read it, each change once, in order of the keys.

    Without ``ask`` as its latest read or write found the session, where nothing made use of that yet.
    """
    seen = verbs.session.reads.of(participant)
    rev, seen.reached = seen.reached, None
    if not seen.versions:
        return []
    now = -math.inf if ask or rev is None else verbs.session.clock()
    if ask or rev is None:
        rev = yield from steps.rev(verbs.space)
    if seen.expiring and math.isinf(now):
        now = yield from steps.now()
    expired = seen.expired(now)
    if rev == seen.rev and not expired:
        return []
    known = dict(seen.versions)
    found = []
    for key in sorted((yield from _changed(verbs, seen.rev, rev, known)) | (expired & known.keys())):
        entry = yield from verbs.peek(participant, key)
        version = None if entry is None else entry.version
        if version == known[key] or seen.told.get(key) == (version or 0):
            continue
        seen.told[key] = version or 0
        if entry is not None and entry.expires_at is not None and key in seen.versions:
            seen.expires(key, entry.expires_at)
        found.append(Stale(key, known[key], version, entry.agent if entry else None))
    if seen.versions == known:  # else another task of the participant's has read, maybe before what changed
        seen.rev = rev
    return found


def with_diffs(verbs: Verbs, participant: str, changes: list[Stale]) -> Steps[list[Stale]]:
    """Return the same with what changed, where both versions are still there."""
    found = []
    for each in changes:
        if each.version is not None:
            diff = yield from _diff(verbs, participant, each.key, each.read_version, each.version)
            each = replace(each, diff=diff)
        found.append(each)
    return found


def _changed(verbs: Verbs, since: int | None, rev: int, known: Mapping[str, int]) -> Steps[set[str]]:
    """The keys, of those that are known, that may have another version than the known one at revision ``rev``."""
    if since is None:
        return set(known)
    last: dict[str, Change] = {}
    try:
        while since < rev and (page := (yield from steps.changes(verbs.space, since))):
            last.update((change.pk, change) for change in page if change.pk in known)
            since = page[-1].rev
    except Compacted:
        return set(known)
    return {key for key, change in last.items() if change.op != "put" or change.sk != known[key]}


def _diff(verbs: Verbs, participant: str, key: str, old: int, new: int) -> Steps[str | None]:
    try:
        change: Any = yield from verbs.diff(participant, key, old, new)
    except SharedContextError:
        return None  # the version that was read is gone
    text = change if isinstance(change, str) else json.dumps(change, ensure_ascii=False)
    return text if len(text) <= _DIFF else f"{text[:_DIFF]}... ({len(text) - _DIFF} more characters)"


def note(changes: list[Stale]) -> str:
    """The changes as text for a model, empty where there are none: short differences and then a line with all."""
    if not changes:
        return ""
    shown = [f"[what changed in {each.key}: {each.diff}]" for each in changes if each.diff and len(each.diff) <= _SHORT]
    what = "a key that you read has" if len(changes) == 1 else f"{len(changes)} keys that you read have"
    return "\n".join([*shown[:_SHOWN], f"[{what} changed: {'; '.join(map(str, changes))}]"])
