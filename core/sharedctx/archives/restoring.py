"""Bringing an archive into a store, as a session that is not there yet."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby
from typing import Final, NamedTuple

from ..backends.base import ABSENT, MAX_COMMIT_BYTES, Backend, Commit, Head, Put
from ..backends.steps import run
from ..entries.names import RESERVED, check_session
from ..entries.session import Session
from ..errors import ConditionFailed, SessionExists
from ..versions import codec
from ..versions.bases import distance
from ..versions.codec import Kind
from ..versions.collection import Collection, seal
from ..versions.witness import Act
from . import lines
from .lines import VersionLine
from .opening import MOST_BYTES, Archive, opened

_PK: Final = RESERVED + "import"
_MARK: Final = "unfinished"
_GROUP: Final = 256
_OPS: Final = 64


class Imported(NamedTuple):
    """What an import brought: ``session`` is the id that it has here."""

    session: str
    keys: int
    versions: int


def import_session(
    backend: Backend,
    path: str | os.PathLike[str],
    make: Callable[[str], Session],
    session: str | None = None,
    most: int = MOST_BYTES,
) -> Imported:
    """Bring the archive at ``path`` in as ``session`` (default: the id it had), which ``make`` gives by its id.

    Nothing is written before the whole archive was checked; an import that was killed is begun anew by the next.
    Raises ``SessionExists`` and what ``opened`` raises.
    """
    with opened(path, most) as archive:
        name = check_session(session if session is not None else archive.session)
        restoring = _Restoring(backend, make(name), archive)
        restoring.claim()
        try:
            restoring.bring()
        except BaseException:
            restoring.give_up()
            raise
    return Imported(name, len({line.key for line in archive.versions}), len(archive.versions))


class _Restoring:
    """One import."""

    def __init__(self, backend: Backend, session: Session, archive: Archive) -> None:
        self._backend = backend
        self._session = session
        self._space = session.space
        self._archive = archive
        self._mark = Collection(self._space, _PK)

    def claim(self) -> None:
        """Make sure that the session is not there, or only as what an import left that did not finish."""
        while True:
            try:
                rev = self._backend.rev(self._space)
                if self._backend.pks(self._space, limit=1):
                    if run(self._backend, self._mark.get(_MARK)) is None:
                        raise SessionExists(
                            f"the session {self._session.id!r} already exists: import under another id, or delete it"
                        )
                    self.give_up()
                    rev = self._backend.rev(self._space)
                own = self._mark.put(_MARK, {"archive": self._archive.digest}, when=ABSENT)
                self._backend.commit(self._space, [own], rev)
                return
            except ConditionFailed:
                continue

    def give_up(self) -> None:
        """Take away what was written."""
        for space in (self._space, self._session.rights.space, self._session.kept_views.space):
            self._backend.reclaim(space)

    def bring(self) -> None:
        """Write all: versions in groups of commits, rows, grants, and at last what says that it is whole."""
        waiting: list[tuple[str, list[Put], int | None]] = []
        size = 0
        for puts in chain(self._commits(), self._rows()):
            waiting.append((self._space, puts, None))
            size += _bytes(puts)
            if len(waiting) >= _GROUP or size >= MAX_COMMIT_BYTES:
                self._write(waiting)
                waiting, size = [], 0
        self._write(waiting)
        if self._archive.grants.rules:
            run(self._backend, self._session.rights.set_grants(lambda old: self._archive.grants))
        self._session.forget_configuration()
        told = f"{len(self._archive.versions)} versions of {self._archive.session} from {self._archive.digest}"
        run(self._backend, self._session.log.note([Act("import", "", detail=told)], "", self._backend.now()))
        self._backend.commit(self._space, [self._mark.drop(_MARK)])

    def _write(self, commits: Sequence[Commit]) -> None:
        for result in self._backend.commit_many(commits):
            if isinstance(result, Exception):
                raise result

    def _rows(self) -> Iterator[list[Put]]:
        """The rows, many in each commit."""
        puts: list[Put] = []
        for row in self._archive.rows:
            payload = base64.b64decode(row.payload)
            value = seal(self._space, row.pk, row.sk, payload) if payload else b""
            if puts and (len(puts) >= _OPS or _bytes(puts) + len(value) > MAX_COMMIT_BYTES):
                yield puts
                puts = []
            puts.append(Put(row.pk, value, row.sk, row.expires))
        if puts:
            yield puts

    def _commits(self) -> Iterator[list[Put]]:
        """The puts of each commit: what was written together is written together again."""
        held: dict[str, dict[int, VersionLine]] = {}
        heads: dict[str, int] = {}
        for _, group in groupby(self._archive.versions, key=lambda line: line.rev):
            puts: list[Put] = []
            for line in group:
                own = held.setdefault(line.key, {})
                puts.append(self._put(line, own, heads.get(line.key, 0)))
                heads[line.key] = line.version
                own[line.version] = line
                own.pop(line.version - 17, None)
                if len(puts) >= _OPS or _bytes(puts) > MAX_COMMIT_BYTES // 2:
                    yield puts
                    puts = []
            if puts:
                yield puts

    def _put(self, line: VersionLine, held: dict[int, VersionLine], head: int) -> Put:
        kind = lines.KIND_NAMES[line.kind]
        blob, _ = codec.encode(
            codec.binding(self._backend.id, self._space, line.key, line.version),
            kind,
            self._archive.content(line),
            timestamp=line.at,
            agent=line.agent,
            note=line.note,
            sha256=bytes.fromhex(line.hash) if line.hash else None,
            base=self._base(line, held),
        )
        return Put(line.key, blob, expires=line.expires, when=Head(head, head, None, line.version))

    def _base(self, line: VersionLine, held: dict[int, VersionLine]) -> tuple[int, bytes] | None:
        """What the version is stored as the difference from, as the log of versions would choose."""
        back = distance(line.version, line.size)
        base = held.get(line.version - back)
        if not back or base is None or base.expires is not None:
            return None
        return None if lines.KIND_NAMES[base.kind] is Kind.GONE else (back, self._archive.content(base))


def _bytes(puts: Sequence[Put]) -> int:
    return sum(len(put.value) for put in puts)
