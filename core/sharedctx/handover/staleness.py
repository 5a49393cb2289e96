"""What has changed since a participant read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..backends import steps
from ..backends.steps import Steps
from ..entries.reads import Seen
from ..entries.verbs import Verbs
from ..errors import SharedContextError

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


def stale(verbs: Verbs, participant: str, *, diffs: bool = False) -> Steps[list[Stale]]:
    """Return what changed since the participant read it, each change once, in order of the keys."""
    seen = verbs.session.reads.of(participant)
    if not seen.versions:
        return []
    rev = yield from steps.rev(verbs.space)
    expired = (yield from _expired(seen)) if seen.expiring else set()
    if rev == seen.rev and not expired:
        return []
    known = dict(seen.versions)
    changed = set(known) if seen.rev is None else (yield from verbs.session.changed_keys(seen.rev, known)) | expired
    found = []
    for key in sorted(changed & known.keys()):
        entry = yield from verbs.peek(participant, key)
        version = None if entry is None else entry.version
        if version == known[key] or seen.told.get(key) == (version or 0):
            continue
        seen.told[key] = version or 0
        if entry is not None and entry.expires_at is not None:
            seen.expiring[key] = entry.expires_at
        diff = None
        if diffs and version is not None:
            diff = yield from _diff(verbs, participant, key, known[key], version)
        found.append(Stale(key, known[key], version, entry.agent if entry else None, diff))
    seen.rev = rev
    return found


def _expired(seen: Seen) -> Steps[set[str]]:
    """The keys whose version that was seen has expired, each once."""
    now = yield from steps.now()
    found = {key for key, at in list(seen.expiring.items()) if at <= now}
    for key in found:
        seen.expiring.pop(key, None)
    return found


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
