"""Projects of one session as steps: read, write, change, roll back, delete, and what lies between versions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from ..backends import steps
from ..backends.base import Row
from ..backends.steps import Steps
from ..context import SharedContext
from ..entries.names import RESERVED
from ..errors import KeyNotFound, SharedContextError, ValueTooLarge, VersionConflict
from ..tracing import spanned
from ..versions.codec import Kind
from ..versions.draft import DELTA_FROM, Draft
from ..versions.log import Version
from .accesses import Accesses
from .differences import Difference
from .expected import Expected, require
from .heads import REQUEST, Head, Heads, request_of
from .names import PREFIX, check_request, key_of, project_of
from .settings import ProjectSettings
from .state import EMPTY, State
from .states import States

_TRIM_EVERY = 256
"""Versions after which those not kept are freed, as far as nothing kept is stored as a difference from them."""
_BEHIND = 64
"""Of those not kept so many stay, for other processes that tell their followers a little later."""


class Written(NamedTuple):
    """A write that was committed: the version, its state and the one before, empty where there was none; ``again``
    where a request that came twice wrote it the first time."""

    version: Version
    state: State
    old: State
    is_new: bool
    again: bool = False


class Projects:
    """The projects of one session, for all participants; ``participant`` None is the owner.

    All methods that return ``Steps`` are driven by ``SharedContext.run`` or ``Store.driver``. They raise ``InvalidKey``
    for a name, ``InvalidValue``, ``KeyNotFound`` (also where reading is not allowed) and ``Forbidden``. Writes
    take the name of a request: who sends it again gets what it wrote the first time, while that version is kept.
    """

    def __init__(self, context: SharedContext, settings: ProjectSettings | None = None) -> None:
        self.settings = settings or ProjectSettings()
        self.space = context.verbs.space
        self.place = context.verbs.place
        self.accesses = Accesses(context.session)
        self._verbs = context.verbs
        self._session = context.verbs.session
        self.heads = Heads()
        self._states = States(self._session)

    def guard(self, participant: str | None, project: str) -> Steps[None]:
        """Raise ``KeyNotFound`` unless the participant may read the project."""
        key = key_of(project)
        if participant is not None and not (yield from self._session.rights.allows(participant, "read", key)):
            raise _missing(project)

    def newest(self, project: str) -> Steps[Version | None]:
        """Return the newest version, which may be a removal; None where there never was one."""
        return (yield from self._session.log.newest(key_of(project)))

    def live(self, project: str) -> Steps[Version]:
        """Return the live version; raises ``KeyNotFound``."""
        version = yield from self._session.log.head(key_of(project))
        if version is None:
            raise _missing(project)
        return version

    def at(self, project: str, number: int) -> Steps[Version]:
        """Return a version that is kept; raises ``KeyNotFound``."""
        version = None
        if 1 <= number < 2**53 and number >= (yield from self.oldest(project)):
            version = yield from self._session.log.at(key_of(project), number)
        if version is None:
            raise KeyNotFound(f"the project {project!r} has no version {number} any more, or not yet")
        return version

    def oldest(self, project: str) -> Steps[int]:
        """Return the oldest number that is kept, 1 where nothing went."""
        newest = yield from self.newest(project)
        return 1 if newest is None else max(newest.number - self.settings.keep_versions + 1, 1)

    def state(self, version: Version | None) -> Steps[State]:
        """Return the state of a version; that of a removal, and of none, is empty."""
        if version is None or not version.blob.live:
            return EMPTY
        return self.heads.state(version) or (yield from self._states.of(version))

    def since(self, project: str, number: int) -> Steps[tuple[Version, State | None]]:
        """Return the live version and the state at ``number``, None where that is not known any more."""
        head = yield from self.live(project)
        if not 1 <= number <= head.number or number < (yield from self.oldest(project)):
            return head, None
        rows = yield from steps.scan(self.space, key_of(project), number, number + 1, limit=1)
        return head, ((yield from self.state(self._session.log.read_row(rows[0]))) if rows else None)

    def follow(
        self, project: str, since: int, limit: int = 100, *, beyond: bool = False
    ) -> Steps[tuple[Version | None, list[Version]] | None]:
        """Return version ``since`` (None for 0) and those after it, removals included, oldest first.

        None where some of them are not kept any more, or ``since`` lies in the future. With ``beyond`` also those that
        are no longer kept, but not freed yet: who follows a fast writer may be behind by more versions than are kept.
        """
        newest = yield from self.newest(project)
        if newest is None:
            return (None, []) if since == 0 else None
        if newest.number == since:
            return newest, []
        oldest = 1 if beyond else (yield from self.oldest(project))
        if newest.number < since or (since < oldest and (since or oldest > 1)):
            return None
        rows = yield from steps.scan(self.space, key_of(project), max(since, 1), limit=limit)
        found = [self._session.log.read_row(row) for row in rows]
        first = max(since, 1)
        if not found or [each.number for each in found] != list(range(first, first + len(found))):
            return None
        return (found[0], found[1:]) if since else (None, found)

    @spanned("update_memory", writes=True)
    def put(
        self,
        participant: str | None,
        project: str,
        state: State,
        agent: str = "",
        expected: Expected = None,
        request: str = "",
    ) -> Steps[Written]:
        """Replace the context, or make the project."""
        return self._write(participant, project, lambda old: state, agent, expected, request)

    @spanned("update_memory", writes=True)
    def change(
        self,
        participant: str | None,
        project: str,
        diff: Difference,
        agent: str = "",
        expected: Expected = None,
        request: str = "",
    ) -> Steps[Written]:
        """Apply a difference, to an empty context where there is no project."""
        return self._write(participant, project, diff.apply, agent, expected, request)

    @spanned("update_memory")
    def rollback(
        self,
        participant: str | None,
        project: str,
        number: int,
        agent: str = "",
        expected: Expected = None,
        request: str = "",
    ) -> Steps[Written]:
        """Write the state of an old version as the newest."""
        yield from self._session.rights.guard(participant, "rollback", key_of(project))
        state = yield from self.state((yield from self.at(project, number)))
        return (
            yield from self._write(None, project, lambda old: state, agent, expected, request, f"rollback:{number}")
        )

    def _write(
        self,
        participant: str | None,
        project: str,
        make: Callable[[State], State],
        agent: str,
        expected: Expected,
        request: str,
        note: str = "",
    ) -> Steps[Written]:
        key = key_of(project)
        if participant is not None:
            yield from self._session.rights.guard(participant, "write", key)
        if request:
            note = f"{note}{REQUEST}{check_request(request)}"
        now: float = yield steps.ASK_NOW
        again = bool(request)
        repeated = again and self.heads.asked(key, agent, request)  # built on itself, it would be done twice
        offered = None if repeated else self.heads.offered(key)
        known = (None if offered is None else (yield from self._queued(key, *offered))) or self.heads.of(key)
        while True:
            head = known or (yield from self._head(key))
            # Read after the head: what the request wrote meanwhile then refuses what is built on that.
            if again and (head.requests is None or (agent, request) in head.requests):
                versions = yield from self.versions(project)
                if (done := (yield from self._done(versions, agent, request))) is not None:
                    return done
                if head.row is not None and versions and versions[-1].rev == head.row.rev:
                    head = head._replace(requests=tuple((each.blob.agent, request_of(each)) for each in versions))
            again = False
            try:
                if expected is not None:
                    require(project, head, expected)
                new = make(head.state)
                draft = self._draft(project, new, agent, note)
            except SharedContextError:
                if known is None:
                    raise
                known, again = None, bool(request)  # others may have written since
                continue
            content = head.state.encoded if known is not None and head.live else None
            names = head.requests
            if names is not None:
                names = (*names, (agent, request))[-self.settings.keep_versions :]
            made = Head(None, new, agent, True, names)
            try:
                version, row = yield from self._session.log.append_to(
                    key, head.row, draft, now, content=content, offer=partial(self.heads.offer, key, made)
                )
            except VersionConflict:
                self.heads.forget(key)
                known, again = None, bool(request)  # somebody was faster: judged and made anew
                continue
            finally:
                self.heads.settle(key, made)
            self.heads.keep(key, Head(row, new, agent, True, names))
            if version.number % _TRIM_EVERY == self.settings.keep_versions % _TRIM_EVERY:
                newest = (yield from self.newest(project)) or version
                since = newest.number - version.number + 1  # who was told of the one before goes on from there
                yield from self._session.log.trim(key, self.settings.keep_versions + _BEHIND + since, now, agent)
            return Written(version, new, head.state, not head.number)

    def _queued(self, key: str, head: Head, blob: bytes) -> Steps[Head | None]:
        """Return what was offered last, if it is the newest, or queued to be: what is built on it is refused if it
        is."""
        rows: list[Row] = yield steps.ask_tail(self.space, key)
        if not rows or rows[0].value != blob:
            return None
        return Head(rows[0], head.state, head.agent, True, head.requests)

    def _head(self, key: str) -> Steps[Head]:
        row = yield from steps.newest(self.space, key)
        if row is None:
            return Head(None, EMPTY, live=False, requests=())
        version = yield from self._if_live(self._session.log.read_row(row))
        if version is None:
            return Head(row, EMPTY, live=False)
        return Head(row, (yield from self.state(version)), version.blob.agent)

    def _draft(self, project: str, new: State, agent: str, note: str) -> Draft:
        encoded = new.encoded
        if len(encoded) > self.settings.max_bytes:
            raise ValueTooLarge(
                f"the context of {project!r} would have {len(encoded)} bytes, at most "
                f"{self.settings.max_bytes}: divide it into several projects"
            )
        return Draft(Kind.JSON, encoded, agent, note, new.digest, None, len(encoded) >= DELTA_FROM, hashed=True)

    def _done(self, versions: list[Version], agent: str, request: str) -> Steps[Written | None]:
        """Return what a request wrote already, if it is among the versions that are kept."""
        for at, version in reversed(list(enumerate(versions))):
            if request_of(version) == request and version.blob.agent == agent:
                old = versions[at - 1] if at else None
                states = (yield from self.state(version)), (yield from self.state(old))
                return Written(version, *states, old is None or not old.blob.live, again=True)
        return None

    def _if_live(self, version: Version) -> Steps[Version | None]:
        gone = not version.blob.live or (yield from self._session.log.leases.expired(version))
        return None if gone else version

    def delete(self, participant: str | None, project: str, agent: str = "") -> Steps[int]:
        """Remove the live context, whose history stays, and return the number of the removal."""
        yield from self.live(project)
        return (yield from self._verbs.delete(participant, key_of(project), agent, None)) + 1

    def names(self, participant: str | None = None) -> Steps[list[str]]:
        """Return the projects that live and may be read, in order."""
        keys = yield from self._verbs.keys(participant, PREFIX)
        return [project for key in keys if (project := project_of(key)) is not None]

    def versions(self, project: str) -> Steps[list[Version]]:
        """Return the versions that are kept, removals included, oldest first."""
        rows = yield from steps.scan(self.space, key_of(project), (yield from self.oldest(project)))
        return [self._session.log.read_row(row) for row in rows]

    def evict(self, project: str, why: str) -> Steps[bool]:
        """Remove a project and its content because of a limit; ``evicted`` of the session tells of it."""
        return (yield from self._verbs.evict(key_of(project), why))

    def is_ours(self, key: str) -> bool:
        """Whether this key holds a project."""
        return not key.startswith(RESERVED) and project_of(key) is not None


def _missing(project: str) -> KeyNotFound:
    return KeyNotFound(f"there is no project {project!r}: write its context first")
