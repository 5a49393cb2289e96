"""What notes can do, as steps over the verbs of a session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..access import Reach, Right, check_patterns
from ..backends.base import Op
from ..backends.steps import Steps
from ..entries.arguments import check_limit, check_number, check_seconds
from ..entries.names import NOTES
from ..entries.record import Record
from ..entries.verbs import Verbs
from ..entry import ContextEntry
from ..errors import (
    BudgetExceeded,
    ConditionFailed,
    DecodeError,
    Forbidden,
    InvalidKey,
    KeyNotFound,
    SessionArchived,
    SharedContextError,
    ValueTooLarge,
    VersionConflict,
)
from ..handover.staleness import stale
from ..tokens import TokenCounter
from ..views.plain import as_text
from .spelling import check_note_key, check_value, is_note_key, iso
from .state import State

_WARN_FROM = 0.8

Found = dict[str, Any]


class Wish(NamedTuple):
    """What a write asks for beside its key and value."""

    expected_version: int | None = None
    ttl: float | None = None
    readable_by: Sequence[str] | None = None
    writable_by: Sequence[str] | None = None


class Notebook:
    """The notes of one session, ``own`` being its own id; ``participant`` None is the owner, who may do all."""

    def __init__(
        self, verbs: Verbs, record: Record, state: State, own: str, max_value_tokens: int, count: TokenCounter
    ) -> None:
        self._verbs = verbs
        self._record = record
        self._state = state
        self._rights = verbs.session.rights
        self._own = own
        self._max_value = max_value_tokens
        self._count = count

    def archived(self) -> Steps[bool]:
        """Return whether the notes are read-only."""
        yield from self._record.require(self._own)
        return (yield from self._verbs.archived())

    def archive(self) -> Steps[None]:
        """Make the notes read-only."""
        yield from self._record.require(self._own)
        yield from self._state.archive()

    def listing(self, participant: str | None, prefix: str) -> Steps[Found]:
        """Return metadata of the readable notes and their total size."""
        yield from self._record.require(self._own)
        keys, total = [], 0
        for entry, tokens in (yield from self._verbs.usage(participant)):
            key = entry.key.removeprefix(NOTES)
            if key.startswith(prefix) and is_note_key(key):
                keys.append(_metadata(entry, tokens))
                total += tokens
        return {"keys": keys, "total_size_tokens": total}

    def read(self, participant: str | None, key: str) -> Steps[Found]:
        """Return one note; raises ``KeyNotFound``."""
        yield from self._record.require(self._own)
        check_note_key(key)
        entry = yield from self._verbs.get_entry(participant, NOTES + key, None)
        if entry is None:
            raise KeyNotFound(f"there is no note {key!r}: list_keys tells what there is")
        return (yield from self._entry(entry))

    def _entry(self, entry: ContextEntry) -> Steps[Found]:
        value = as_text((yield from self._verbs.value(None, entry.key, entry.version)))
        return {**_metadata(entry, self._count(value)), "value": value}

    def read_batch(self, participant: str | None, keys: Sequence[str]) -> Steps[Found]:
        """Return several notes, and which are missing."""
        found, missing, faults = [], [], []
        for key in keys:
            try:
                found.append((yield from self.read(participant, key)))
            except KeyNotFound:
                missing.append(key)
            except (DecodeError, InvalidKey) as error:
                faults.append({"key": key, **error.to_dict()})
        return {"entries": found, "missing": missing, **({"faults": faults} if faults else {})}

    def history(self, participant: str | None, key: str, limit: int) -> Steps[Found]:
        """Return a note's versions, newest first; raises ``KeyNotFound`` where there never was one."""
        yield from self._record.require(self._own)
        check_note_key(key)
        check_limit(limit)
        entries = yield from self._verbs.history(participant, NOTES + key, limit, None)
        if not entries:
            raise KeyNotFound(f"there is no note {key!r}: list_keys tells what there is")
        versions = []
        for entry in entries:
            try:
                value = yield from self._verbs.value(None, entry.key, entry.version)
            except DecodeError as error:
                versions.append({"version": entry.version, "damaged": error.message})
                continue
            line = {"version": entry.version, "written_by": entry.agent, "written_at": iso(entry.timestamp)}
            versions.append({**line, "deleted": True} if value is None else {**line, "value": as_text(value)})
        return {"key": key, "versions": versions}

    def write(self, participant: str | None, key: str, value: Any, written_by: str, wish: Wish) -> Steps[Found]:
        """Write a note; checks in the order archived, key, grants, value, version, room."""
        yield from self._admit(key, participant, "write")
        tokens = self._weigh(key, check_value(key, value))
        if wish.expected_version is not None:
            check_number("expected_version", wish.expected_version)
        if wish.ttl is not None:
            check_seconds("ttl", wish.ttl)

        def admit() -> Steps[tuple[Op, ...]]:
            reach = yield from self._admit(key, participant, "write")
            held = self._record.condition(self._own)
            if wish.readable_by is None and wish.writable_by is None:
                return (held,)
            if wish.readable_by is not None:
                reach = reach._replace(readable_by=check_patterns("readable_by", wish.readable_by))
            if wish.writable_by is not None:
                reach = reach._replace(writable_by=check_patterns("writable_by", wish.writable_by))
            return (held, self._rights.reach_op(NOTES + key, reach))

        try:
            entry = yield from self._verbs.put(
                participant, NOTES + key, value, written_by, wish.expected_version, wish.ttl, admit
            )
        except SharedContextError as error:
            raise self._plain(error, key, tokens) from None
        done = {
            "key": key,
            "version": entry.version,
            "written_by": written_by,
            "written_at": iso(entry.timestamp),
        }
        if tokens >= _WARN_FROM * self._max_value:
            done["warning"] = f"the value has {tokens} of {self._max_value} tokens: shorten it or divide it soon"
        return done

    def delete(
        self, participant: str | None, key: str, written_by: str, expected_version: int | None = None
    ) -> Steps[Found]:
        """Delete a note; its versions stay readable in its history."""
        yield from self._admit(key, participant, "delete")
        if expected_version is not None:
            check_number("expected_version", expected_version)

        def admit() -> Steps[tuple[Op, ...]]:
            yield from self._admit(key, participant, "delete")
            return (self._record.condition(self._own),)

        try:
            version = yield from self._verbs.delete(participant, NOTES + key, written_by, expected_version, admit)
        except SharedContextError as error:
            raise self._plain(error, key, 0) from None
        return {"deleted": key, "previous_version": version}

    def _admit(self, key: str, participant: str | None, right: Right) -> Steps[Reach]:
        yield from self._record.require(self._own)
        if (yield from self._verbs.archived()):
            raise SessionArchived(f"the session is archived: {key!r} can be read, and not written or deleted")
        check_note_key(key)
        if not (yield from self._rights.allows(participant, right, NOTES + key)):
            yield from self._rights.refused(participant, right, NOTES + key)
            raise Forbidden(f"{participant!r} may not {right} {key!r}: use a key of your own, or ask its writer")
        return (yield from self._rights.reach(NOTES + key))

    def _weigh(self, key: str, value: str) -> int:
        tokens = self._count(value)
        if tokens > self._max_value:
            raise ValueTooLarge(
                f"the value for {key!r} has {tokens} tokens, at most {self._max_value} are allowed: write the "
                "conclusions, and divide what is left over several keys"
            )
        return tokens

    def follow(self, participant: str | None, since: int, prefix: str) -> Steps[tuple[list[Found], int]]:
        """Return the next changes of readable notes and the revision to go on from."""
        yield from self._record.require(self._own)
        events, at = yield from self._verbs.follow(participant, since)
        found: list[Found] = []
        for event in events:
            key = event.key.removeprefix(NOTES)
            if key != event.key and key.startswith(prefix) and is_note_key(key):
                found.append({"key": key, "version": event.version, "op": event.op, "written_by": event.agent})
        return found, at

    def mirror(self, session: str) -> Steps[Found]:
        """Return all notes in the form of the readable mirror."""
        keys = (yield from self.listing(None, ""))["keys"]
        entries = (yield from self.read_batch(None, [note["key"] for note in keys]))["entries"]
        return {"session_id": session, "archived": (yield from self.archived()), "entries": entries}

    def stale(self, participant: str, *, ask: bool = True) -> Steps[list[Found]]:
        """Return which notes changed since the participant read or wrote them, each change once."""
        return [
            {
                "key": change.key.removeprefix(NOTES),
                "read_version": change.read_version,
                "version": change.version,
                "written_by": change.agent,
            }
            for change in (yield from stale(self._verbs, participant, ask=ask))
        ]

    def snapshot(self, participant: str | None, label: str) -> Steps[Found]:
        """Name the notes as they stand."""
        while True:
            yield from self._record.require(self._own)
            rev = yield from self._verbs.rev()
            usage = yield from self._verbs.usage(None)
            versions = {entry.key.removeprefix(NOTES): entry.version for entry, _ in usage}
            try:
                taken = yield from self._state.take(label, rev, versions)
            except ConditionFailed:
                continue
            return (yield from self._shown(participant, taken))

    def snapshots(self, participant: str | None) -> Steps[dict[str, Found]]:
        """Return the snapshots by label, with the notes that may be read."""
        yield from self._record.require(self._own)
        shown = {}
        for label, taken in (yield from self._state.snapshots()).items():
            shown[label] = yield from self._shown(participant, taken)
        return shown

    def _shown(self, participant: str | None, taken: Found) -> Steps[Found]:
        allows = yield from self._rights.judge(participant)
        versions = {key: version for key, version in taken["versions"].items() if allows("read", NOTES + key)}
        return {**taken, "at": iso(taken["at"]), "versions": versions}

    def read_snapshot(self, participant: str | None, label: str) -> Steps[Found]:
        """Return the notes of a snapshot; raises ``KeyNotFound``."""
        taken = (yield from self.snapshots(participant)).get(label)
        if taken is None:
            raise KeyNotFound(f"there is no snapshot {label!r}: snapshots tells what there is")
        found, missing = [], []
        for key, version in taken["versions"].items():
            entry = yield from self._verbs.get_entry(participant, NOTES + key, version)
            if entry is None:
                missing.append(key)
            else:
                found.append((yield from self._entry(entry)))
        return {"label": label, "at": taken["at"], "entries": found, "missing": missing}

    def _plain(self, error: SharedContextError, key: str, tokens: int) -> SharedContextError:
        """The error of a verb in the words of notes."""
        if isinstance(error, VersionConflict):
            there = f"at version {error.actual}" if error.actual else "not there"
            who = f" by {error.agent!r}" if error.agent else ""
            return VersionConflict(
                f"{key!r} is {there}{who}, and version {error.expected} was expected: read it, merge, and write with "
                f"expected_version={error.actual or 0}",
                expected=error.expected,
                actual=error.actual,
                agent=error.agent,
            )
        if isinstance(error, BudgetExceeded):
            return BudgetExceeded(
                f"{key!r} needs {tokens} tokens and the session's notes are full: delete or shorten some"
            )
        if isinstance(error, KeyNotFound):
            return KeyNotFound(f"there is no note {key!r} to delete: list_keys tells what there is")
        return error


def _metadata(entry: ContextEntry, tokens: int) -> Found:
    return {
        "key": entry.key.removeprefix(NOTES),
        "written_by": entry.agent or "unknown",
        "written_at": iso(entry.timestamp),
        "version": entry.version,
        "value_size_tokens": tokens,
    }
