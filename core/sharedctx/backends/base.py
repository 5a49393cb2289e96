"""The seam between versions and storage: rows of bytes in partitions of spaces, committed together.

A backend knows nothing of JSON, tokens, deltas or expiry; it stores bytes and keeps four promises: a commit
happens whole or not at all, version numbers never repeat, the feed names every change in order, and the
clock never runs backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, Protocol, runtime_checkable

MAX_OPS: Final = 90
MAX_COMMIT_BYTES: Final = 3 * 2**20
MAX_VALUE_BYTES: Final = 64 * 2**20
MAX_NUMBER: Final = 10**12
"""The highest number that a version may ask for."""


class Numbering(Enum):
    """Marks a put that takes the next version number of its partition."""

    NEXT = "next"


class Unconditional(Enum):
    """Conditions on a row that name no version."""

    ANY = "any"
    ABSENT = "absent"
    PRESENT = "present"


NEXT: Final = Numbering.NEXT
ANY: Final = Unconditional.ANY
ABSENT: Final = Unconditional.ABSENT
PRESENT: Final = Unconditional.PRESENT


class Head(NamedTuple):
    """The condition that the newest version in the partition is number ``sk`` (0: there is none).

    With ``given`` also that this is the last number that was given there, so that the next version gets the one after
    it: another one where newer versions were dropped, whose numbers are never given again. With ``rev`` also that the
    commit of this revision wrote the newest version: the numbers of a space that was deleted begin anew. A put may
    name the ``number`` that its version gets, higher than ``given``: those between are never given.
    """

    sk: int
    given: int | None = None
    rev: int | None = None
    number: int | None = None

    @property
    def next(self) -> int:
        """The number that the next version is meant to get."""
        return self.number or (self.sk if self.given is None else self.given) + 1


SortKey = int | str


class At(NamedTuple):
    """The condition that a collection row is there as the commit of revision ``rev`` wrote it."""

    rev: int


When = Unconditional | Head | At


class Row(NamedTuple):
    """One stored row.

    ``sk`` is the version number (from 1) of a version row or the text key of a collection row, ``rev`` the
    revision of the commit that wrote it, ``expires`` the store time from which it counts as gone (None:
    never); backends store ``expires`` and do not judge it.
    """

    pk: str
    sk: SortKey
    value: bytes
    rev: int
    expires: float | None


class Refused(bytes):
    """The value of a row that the backend found and would not load; ``reason`` says why.

    Reading such a row is what raises, so that one foreign row does not hide its neighbours.
    """

    reason: str

    def __new__(cls, reason: str) -> Refused:
        self = super().__new__(cls)
        self.reason = reason
        return self


class Put(NamedTuple):
    """Write a row: a new immutable version (``sk=NEXT``) or a collection row, which is replaced if present.

    ``when`` for a version: ANY, ABSENT (the partition holds no version) or ``Head(n)``; for a collection row:
    ANY, ABSENT (no row of this ``sk``), PRESENT (there is one) or ``At(rev)`` (there is the one of that revision).
    """

    pk: str
    value: bytes
    sk: str | Literal[Numbering.NEXT] = NEXT
    expires: float | None = None
    when: When = ANY


class Drop(NamedTuple):
    """Remove a row; a row that is not there is no error and no change."""

    pk: str
    sk: SortKey


class Check(NamedTuple):
    """Require a condition without writing: on the versions (``sk=NEXT``, never PRESENT or ``At``) or a collection row
    (never ``Head``)."""

    pk: str
    when: When
    sk: str | Literal[Numbering.NEXT] = NEXT


Op = Put | Drop | Check


class Change(NamedTuple):
    """One entry of a space's feed; all changes of one commit carry its revision."""

    rev: int
    pk: str
    sk: SortKey
    op: Literal["put", "drop"]


Commit = tuple[str, Sequence[Op], int | None]
"""Space, operations and ``if_rev`` of a commit waiting in a group."""

Grounds = Sequence[Sequence[int]]
"""For each commit of a group, the places of the earlier ones that it builds on; empty where none does."""

Committed = tuple[int, list[SortKey]]
"""A commit's revision and the sort keys of its puts, in order."""


@runtime_checkable
class Backend(Protocol):
    """What storage must do. Every method may be called from any thread.

    Spaces and partition keys are non-empty text without lone surrogates (``InvalidKey`` otherwise), ordered by
    code point. All methods raise ``BackendUnavailable`` when the store is closed or cannot be reached.
    """

    @property
    def id(self) -> str:
        """The store's own id, made with it; checksums are bound to it."""
        ...

    @property
    def rev_tells_all(self) -> bool:
        """Whether ``rev`` costs less than reading rows, and moves when rows are reclaimed too: at an unchanged one,
        what was read is what would be read."""
        ...

    @property
    def local(self) -> bool:
        """Whether a point read takes microseconds, so that an event loop may do it inline."""
        ...

    def commit(self, space: str, ops: Sequence[Op], if_rev: int | None = None) -> Committed:
        """Apply ``ops`` to one space as a whole and return ``(revision, sort keys of the puts in order)``.

        At most 90 operations and 3 MiB of values; a commit with a single put may carry up to 64 MiB (of each value, a
        layer that encrypts takes up to 128 bytes). No row may be
        named twice by puts and drops, and no partition may take two new versions. Conditions are judged
        against the state before the commit. ``if_rev`` requires that nothing was committed to the space after
        that revision. A commit that changes nothing returns the space's present revision.

        Raises: ``ConditionFailed`` (nothing written), ``InvalidValue`` (bounds), ``ValueTooLarge``, ``DiskFull``.
        """
        ...

    def commit_many(self, commits: Sequence[Commit], grounds: Grounds = ()) -> list[Committed | Exception]:
        """Apply several commits in order at the price of one; each succeeds or fails by itself.

        A commit sees those before it in the list. An exception stands in the place of a commit that failed;
        when the group itself cannot be written, or the store is closed, every commit fails with that error.
        ``grounds`` gives, for each commit, the places in the list of those that it builds on: where one of them
        failed, it is not applied and fails with ``ConditionFailed``, though its own conditions may hold.
        """
        ...

    def scan(
        self,
        space: str,
        pk: str,
        lo: SortKey = 1,
        hi: SortKey | None = None,
        *,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> list[Row]:
        """Return rows with ``lo <= sk < hi`` in order of ``sk`` (``newest_first``: descending), at most ``limit``.

        An integer ``lo`` reads versions, a text one collection rows; ``hi=None`` is unbounded.
        """
        ...

    def pks(self, space: str, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """Return partition keys that hold rows, start with ``prefix`` and sort after ``after``, in order."""
        ...

    def spaces(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """Return spaces that hold rows, start with ``prefix`` and sort after ``after``, in order."""
        ...

    def rev(self, space: str) -> int:
        """Return a revision at or after the space's last commit and before its next.

        Of a space without commits: any revision before its first."""
        ...

    def changes(self, space: str, since: int, limit: int = 1000) -> list[Change]:
        """Return what was committed to the space after revision ``since``, oldest first, in whole commits.

        At least ``limit`` changes where there are that many, more only to finish a commit. Of a row that was
        replaced or dropped only the last change remains. Raises ``Compacted`` when the feed was trimmed after
        ``since``, or when ``since`` lies in the future (a restored store).
        """
        ...

    def wait(self, space: str, since: int, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for a commit to the space after ``since``; False when none came.

        True at once when ``since`` lies in the future, so that the caller finds out from ``changes``.
        """
        ...

    def reclaim(
        self, space: str, pk: str | None = None, before: SortKey | None = None, expired_at: float | None = None
    ) -> int:
        """Remove rows for good and return how many: housekeeping in resumable steps, not one commit.

        Of the whole space or of ``pk``; ``before`` keeps rows from that sort key on (and rows of the other
        sort); ``expired_at`` takes only rows whose ``expires`` lies at or before it, never a partition's newest
        version. Version numbers of a partition continue after it was emptied; only a space reclaimed whole
        starts again at 1. A follower that had not yet seen the newest of the removed rows is told ``Compacted``.
        """
        ...

    def now(self) -> float:
        """Return the store's clock: seconds since the epoch, never backwards for one opening, never before a time at
        which any process found something expired, and kept over a close."""
        ...

    def expired(self, expires: float | None) -> bool:
        """Whether the store's clock has reached ``expires``; once True, True for ever, in every process."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return facts for people: at least ``kind``, ``address``, ``durability`` and ``bytes``."""
        ...

    def verify(self) -> list[str]:
        """Check the storage itself (not the values) and return a sentence for each fault found."""
        ...

    def close(self) -> None:
        """Release files, connections and threads; further calls raise, a second close does nothing."""
        ...
