"""Case 2: the newest ten of a partition of many versions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from figures import Job, Result, Table, Target, Timings, in_turns, number
from payloads import documents
from systems import SPACE, Diskcache, Sqlite, tuned

from sharedctx import open as open_store
from sharedctx.backends.base import Commit, Put
from sharedctx.versions import codec
from sharedctx.versions.codec import Kind

_TEN = 10
_GROUP = 2000
_PK = "log"
SCAN = "backend scan, newest 10"
ITERATED = "diskcache, iterating its keys"


class Newest:
    """Builds the same versions in each system, then reads the newest ten of them in turns."""

    def __init__(self, root: Path, versions: int, rounds: int) -> None:
        self._root = root
        self._versions = versions
        self._rounds = rounds
        self._blob = documents(200, 1)[0].data

    def run(self) -> Result:
        """Time the reads; iterating takes so long that it has its own, fewer turns."""
        self._root.mkdir()
        store = open_store(self._root / "ours")
        backend, context = store.backend, store.session("bench")
        for group in self._commits(backend.id):
            backend.commit_many(group)
        cache, raw = self._diskcache(), self._sqlite()
        select = "SELECT key, value FROM kept WHERE key < 'log-~' ORDER BY key DESC LIMIT 10"
        jobs: dict[str, Job] = {
            SCAN: lambda index: backend.scan(SPACE, _PK, limit=_TEN, newest_first=True),
            "SharedContext.history, limit=10": lambda index: context.history(_PK, limit=_TEN),
            "sqlite3 WAL, by primary key": lambda index: raw.con.execute(select).fetchall(),
            "diskcache, iterkeys(reverse=True), if they sort last": lambda index: [
                (key, cache.cache.get(key)) for key in islice(cache.cache.iterkeys(reverse=True), _TEN)
            ],
        }
        slow: dict[str, Job] = {ITERATED: lambda index: _iterated(cache)}
        found = in_turns(jobs, rounds=max(self._rounds, 3), batch=10)
        found |= in_turns(slow, rounds=max(self._rounds // 10, 2), batch=1)
        raw.close()
        cache.close()
        store.close()
        shutil.rmtree(self._root)
        return self._report(found)

    def _commits(self, store: str) -> Iterator[list[Commit]]:
        """Sealed versions, so that the facade can read them too."""
        for first in range(0, self._versions, _GROUP):
            group: list[Commit] = []
            for number_ in range(first + 1, min(first + _GROUP, self._versions) + 1):
                bound = codec.binding(store, SPACE, _PK, number_)
                blob = codec.seal(bound, Kind.BYTES, self._blob, timestamp=1e9)
                group.append((SPACE, (Put(_PK, blob),), None))
            yield group

    def _diskcache(self) -> Diskcache:
        kept = tuned(self._root / "diskcache")
        for first in range(0, self._versions, _GROUP):
            with kept.cache.transact():
                for at in range(first, min(first + _GROUP, self._versions)):
                    kept.cache.add(f"{_PK}-{at:015d}", self._blob)
        return kept

    def _sqlite(self) -> Sqlite:
        kept = Sqlite(self._root / "sqlite")
        rows = ((f"{_PK}-{at:015d}", self._blob) for at in range(self._versions))
        kept.con.execute("BEGIN")
        kept.con.executemany("INSERT INTO kept VALUES (?, ?)", rows)
        kept.con.execute("COMMIT")
        return kept

    def _report(self, found: dict[str, Timings]) -> Result:
        table = Table(f"Newest 10 of {self._versions:,} versions, us", ["system", "p50", "p95"])
        table.rows = [[name, number(took.p(50)), number(took.p(95))] for name, took in found.items()]
        figures = [
            {
                "case": "newest",
                "system": name,
                "versions": self._versions,
                "p50_us": took.p(50),
                "p95_us": took.p(95),
                "count": len(took.all),
            }
            for name, took in found.items()
        ]
        what = f"{SCAN} of {self._versions:,}"
        return Result([table], figures, [Target(what, found[SCAN].p(50), 25, " us")])


def _iterated(kept: Diskcache) -> list[object]:
    """What diskcache leaves to do where other partitions lie beside this one: go through all keys, oldest first."""
    newest = [key for key in kept.cache if key.startswith(f"{_PK}-")][-_TEN:]
    return [kept.cache.get(key) for key in newest]
