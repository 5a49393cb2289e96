"""An index over the entries of a space: their vectors and facts, found by nearness and by filters in every process.

What a commit tells the index is one row of the space, a pack, beside the entries themselves; readers follow the change
feed. A pack never changes; small ones are merged into larger ones now and then. Where packs differ about an entry, the
one with the higher version counts.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from ..backends import steps
from ..backends.base import ABSENT, PRESENT, At, Change, Check, Drop, Op, Put
from ..backends.steps import Steps
from ..errors import Compacted, ConditionFailed
from ..forking import renew_after_fork
from ..versions.collection import Collection, seal, seal_large
from . import merging, packs
from .catalogue import Catalogue
from .garbage import uncollected
from .kept import Kept
from .numbers import numbers
from .packs import Entry, Item, Pack
from .pending import Pending
from .remembered import Remembered
from .rows import read_dimensions, read_pack
from .slots import Nearest, Where

_DIMENSIONS = "dimensions"
_PAGE = 2
"""Packs that are read at a time: of more, the memory is given back and faulted in anew for each page."""
_SELDOM = 8
_LARGE = 2**15
"""It is looked for packs to merge after so many writes, of which a large one counts for several."""


class Vectors:
    """The index ``name`` of a space; ``lives`` says whether an entry is live, ``labels`` what an item is filtered by.

    Versions told for a key rise, as those of entries do. All vectors have the dimensions of the first one, until
    ``forget``. Steps may be driven by any number of threads; what they return is as of their end. A damaged pack is
    logged and left out, so that all but its entries are found and written; these are when they are written anew.
    """

    def __init__(
        self, space: str, name: str, lives: Callable[[str], Steps[bool]], labels: Callable[[Item], Iterable[str]]
    ) -> None:
        self.space = space
        self.pk = f"\x01vectors/{name}"
        self._rows = Collection(space, self.pk)
        self._lives = lives
        self._labels = labels
        self._lock = threading.Lock()
        self._rev: int | None = None
        self._turns = itertools.count(1)
        self._due = _SELDOM
        self._loaded = 0
        self._known = Catalogue(self._labels)
        self._pending = Pending()
        self._beside: dict[str, Remembered] = {}
        self.kept = Kept()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Read anew: a thread of the parent may have been at it."""
        self._lock = threading.Lock()
        self._rev = None
        self._known = Catalogue(self._labels)

    @property
    def dimensions(self) -> int | None:
        """The dimensions of the vectors, as of the last read; None while there are none."""
        return self._known.dimensions

    @property
    def rev(self) -> int | None:
        """The revision of the last read, None before the first."""
        return self._rev

    def item(self, key: str) -> Item | None:
        """Return what was known of an entry at the last read."""
        return self._known.item(key)

    def find(self, name: str) -> list[Item]:
        """Return what was known at the last read of the entries that have this other name, the latest at the end."""
        with self._lock:
            return self._known.find(name)

    def vectors(self, key: str) -> list[list[float]]:
        """Return an entry's vectors as of the last read; they are kept as float32."""
        with self._lock:
            return self._known.vectors(key)

    def beside(self, pk: str) -> Remembered:
        """Return the rows of another partition of the space, which are remembered as of the last read."""
        with self._lock:
            return self._beside.setdefault(pk, Remembered(self.space, pk))

    def items(self, where: Where | None = None) -> Steps[list[Item]]:
        """Return what is known of all live entries, or of those that fit, in no order."""
        yield from self.sync()
        now = yield from self._now()
        with self._lock:
            found = self._known.items() if where is None else self._known.fitting(where)
        return [item for item in found if item.expires is None or item.expires > now] if self._known.expiring else found

    def search(
        self, vector: Iterable[float], limit: int, offset: int = 0, where: Where | None = None
    ) -> Steps[list[Nearest]]:
        """Return the live entries whose vectors are nearest to ``vector``, best first; only those that fit ``where``.

        Exact: the score is the cosine of each entry's nearest vector. Raises ``InvalidValue`` for a vector of other
        dimensions.
        """
        yield from self.sync()
        now = yield from self._now()
        wanted = numbers().frombuffer(packs.floats("the query", vector), "<f4")
        with self._lock:
            matrix = self._known.matrix
            if matrix is None or matrix.dead == matrix.count or limit < 1:
                return []
            if len(wanted) != matrix.dimensions:
                raise packs.unfit("the query", len(wanted), matrix.dimensions)
            slots = matrix.slots(None if where is None else self._known.places(where, matrix))
        counts = None if not self._known.expiring else lambda item: item.expires is None or item.expires > now
        return slots.nearest(wanted, limit + offset, counts)[offset:]

    def _now(self) -> Steps[float]:
        """The time, which the store remembers when it found something expired."""
        if not self._known.expiring:
            return 0.0
        now = yield from steps.now()
        with self._lock:
            latest = max((item.expires or 0 for item in self._known.expired(now)), default=None)
        yield from steps.expired(latest)
        return now

    def write(
        self, entries: Sequence[Entry] = (), gone: Sequence[tuple[str, int]] = (), *, again: bool = True
    ) -> Steps[tuple[Op, ...]]:
        """Return the operations that tell the index of new versions, and of the versions that removed entries.

        They belong into the commit that writes these, which fails when the index has other dimensions by then: who has
        just synced need not do so ``again`` before one was tried. Raises ``InvalidValue`` for vectors that do not fit.
        """
        if again or self._rev is None:
            yield from self.sync(require=True)
        known = self._known
        dimensions, items, rows = packs.told(entries, gone, known.dimensions or 0)
        ops: tuple[Op, ...] = (self._put(dimensions, items, rows),)
        if known.founded is not None:
            return (*ops, Check(self.pk, At(known.founded), _DIMENSIONS))
        if dimensions:
            row = seal(self.space, self.pk, _DIMENSIONS, str(dimensions).encode())
            return (*ops, Put(self.pk, row, _DIMENSIONS, when=ABSENT))
        return ops

    def forget(self) -> Steps[None]:
        """Let the next vectors have other dimensions, if no live entry has any."""
        rev = yield from steps.rev(self.space)
        for item in (yield from self.items()):
            if item.vectors and (yield from self._lives(item.key)):
                return
        with suppress(ConditionFailed):  # somebody wrote meanwhile
            yield from steps.commit(self.space, [Drop(self.pk, _DIMENSIONS)], rev)

    def _put(self, dimensions: int, items: list[Item], rows: Sequence[bytes]) -> Put:
        """Write a pack, which is remembered until the feed tells that it was committed."""
        sk = uuid.uuid4().hex
        row = seal_large(self.space, self.pk, sk, packs.encode(dimensions, items, rows))
        with self._lock:
            self._due += 1 + len(row) // _LARGE
            self._pending.add(sk, len(row), Pack(dimensions, items, b"".join(rows)))
        return Put(self.pk, row, sk)

    def sync(self, *, require: bool = False, written: int | None = None, ours: Sequence[Change] = ()) -> Steps[None]:
        """Take in what was committed up to now, or up to the revision at which something of ours was ``written``;
        ``require`` looks for a reclaimed space where nothing was. ``ours`` are all changes of that commit, where the
        backend is ``Counting``: it is not asked for them when nothing came between."""
        rev = (yield from steps.rev(self.space)) if written is None else written
        since = self._rev
        if since is not None and (rev == since or (written is not None and written < since)):
            return (yield from self._require()) if require else None
        while True:
            if since is None:
                since = yield from self._load()
            complete = True
            try:
                while since < rev:
                    alone = bool(ours) and rev == written == since + len(ours)
                    if not (page := ours if alone else (yield from steps.changes(self.space, since))):
                        break
                    complete = (yield from self._follow(page)) and complete
                    since = page[-1].rev
            except Compacted:
                since = None
                continue
            if complete:
                self._rev = max(rev, since)
                return None if written is not None else (yield from self._require())
            rev = yield from steps.rev(self.space)

    def _require(self) -> Steps[None]:
        """Read anew when the space was reclaimed, of which the feed says nothing to those who had seen it all."""
        founded = self._known.founded
        if founded is not None and ((row := (yield from self._rows.row(_DIMENSIONS))) is None or row.rev != founded):
            yield from self._load()

    def _load(self) -> Steps[int]:
        """Read all packs, some at a time, and return the revision from which on to follow."""
        turn = next(self._turns)
        since = yield from steps.rev(self.space)
        row = yield from self._rows.row(_DIMENSIONS)
        known = Catalogue(self._labels, *(() if row is None else (read_dimensions(self.space, row), row.rev)))
        after = ""
        with uncollected():
            while page := (yield from steps.scan(self.space, self.pk, after, limit=_PAGE)):
                after = f"{page[-1].sk}\x00"
                while page:
                    row = page.pop()
                    pack = None if row.sk == _DIMENSIONS else read_pack(self.space, row)
                    if pack is not None:
                        known.take(str(row.sk), len(row.value), pack)
        with self._lock:
            if turn > self._loaded:  # else another thread began later and is done
                self._known, self._loaded = known, turn
                self.kept.forget(since)
                for rows in self._beside.values():
                    rows.forget()
        return since

    def _follow(self, page: Sequence[Change]) -> Steps[bool]:
        """Take in changes; False when a pack was gone already, so that what became of it is yet to be read."""
        complete = True
        others: dict[str, int] = {}
        for change in page:
            sk = str(change.sk)
            if change.pk != self.pk:
                if change.pk in self._beside:
                    self._beside[change.pk].forget(sk)
                elif isinstance(change.sk, int):
                    self.kept.forget(change.rev, change.pk)
                    others[change.pk] = change.sk
            elif sk == _DIMENSIONS:  # vectors of these may be there already
                yield from self._load()
            elif change.op == "drop":
                with self._lock:
                    self._known.packs.pop(sk, None)
            else:
                found = yield from self._find(sk)
                if found is None:
                    complete = False
                elif found[1] is not None:
                    with self._lock:
                        self._known.take(sk, found[0], found[1])
        for key, version in others.items():
            item = self._known.item(key)
            if item is not None and version > item.version and not (yield from self._lives(key)):
                with self._lock:  # removed by somebody who does not tell the index
                    self._known.let_go(key, version)
        return complete

    def _find(self, sk: str) -> Steps[tuple[int, Pack | None] | None]:
        """Return a pack's bytes and the pack (None: damaged), None when it was merged meanwhile."""
        with self._lock:
            if (told := self._pending.take(sk)) is not None:
                return told
        row = yield from self._rows.row(sk)
        return None if row is None else (len(row.value), read_pack(self.space, row))

    def merge(self) -> Steps[None]:
        """Merge small packs where there are many, and rewrite packs of which little is left; call it after writes.

        It looks after the first write of a process, then after some more or a large one.
        """
        with self._lock:
            if self._due < _SELDOM:
                return
            self._due = 0
        while True:
            yield from self.sync()
            yield from self._known.let_expired_go((yield from self._now()), self._lives, self._lock)
            with self._lock:
                known = self._known.packs
                chosen = merging.choose(known, self.dimensions or 0, self._known.versions)
                if not chosen:
                    return
                items, rows = self._known.merged(chosen)
            ops: list[Op] = [Check(self.pk, PRESENT, sk) for sk in chosen]
            ops += [Drop(self.pk, sk) for sk in chosen]
            if items:
                ops.append(self._put(self.dimensions or 0, items, rows))
            try:
                yield from steps.commit(self.space, ops)
            except ConditionFailed:
                continue  # somebody else merged them
