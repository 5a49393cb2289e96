"""What a witness is told of writes: an audit log of a space, say, which has its rows in the same commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..backends.base import Op
from ..backends.steps import Steps
from ..errors import ConditionFailed
from .cache import Version


class Act(NamedTuple):
    """One thing that was done: to which version of which key, with the sha256 of its original in hex."""

    action: str
    key: str
    version: int | None = None
    hash: str = ""
    expires: float | None = None
    detail: str = ""


class Witness(Protocol):
    """Told of every write before it is committed; asked again when the commit must be repeated."""

    def is_on(self) -> Steps[bool]:
        """Return whether there is anything to tell it."""
        ...

    def ops(self, acts: Sequence[Act], agent: str, timestamp: float) -> Steps[tuple[Op, ...]]:
        """Return what the commit of these acts writes besides."""
        ...

    def refused(self, error: ConditionFailed) -> bool:
        """Whether a commit was refused for what the witness wrote besides: then it is to be repeated."""
        ...


def act_of(version: Version) -> Act:
    """What the writing of a version was."""
    pk, number, _, expires, blob = version
    digest = blob.sha256.hex() if blob.sha256 else ""
    if blob.live:
        action, _, detail = blob.note.partition(":")
        if action == "rollback":
            return Act("rollback", pk, number, digest, expires, detail)
        return Act("put", pk, number, digest, expires)
    if blob.note in _REMOVALS:
        return Act(_REMOVALS[blob.note], pk, number)
    return Act("evict", pk, number, detail=blob.note)


_REMOVALS = {"deleted": "delete", "erased": "erase", "": "delete"}
