"""Which run wrote to which threads: an index, so that runs are removed without a look at every thread."""

from __future__ import annotations

from sharedctx.backends import steps
from sharedctx.backends.base import Drop, Op, Put
from sharedctx.backends.steps import Steps

SPACE = "thread-runs"
_RUN = "run:"
_THREAD = "thread:"
_MOST = 10_000
_BATCH = 40


class Runs:
    """The runs of all threads, as marks in both directions; a mark is written before the run's first checkpoint."""

    def __init__(self) -> None:
        self._noted: set[tuple[str, str]] = set()

    def note(self, run: str, thread: str) -> Steps[bool]:
        """Note that a run writes to a thread; False where this object did before."""
        if not run or (run, thread) in self._noted:
            return False
        yield from self._put([(run, thread)])
        if len(self._noted) >= _MOST:
            self._noted.clear()
        self._noted.add((run, thread))
        return True

    def confirm(self, run: str, thread: str) -> Steps[None]:
        """Note it again if it was forgotten before the run's first checkpoint was there."""
        pk = f"{_THREAD}{thread}"
        if not (yield from steps.scan(SPACE, pk, run, f"{run}\x00", limit=1)):
            yield from self._put([(run, thread)])

    def threads(self, run: str) -> Steps[list[str]]:
        """Return the threads that a run wrote to."""
        return (yield from self._marks(f"{_RUN}{run}")) if run else []

    def forget(self, thread: str) -> Steps[list[str]]:
        """Take a thread out of the index; returns its runs."""
        found = yield from self._marks(f"{_THREAD}{thread}")
        yield from self.drop([(run, thread) for run in found])
        return found

    def restore(self, thread: str, runs: list[str]) -> Steps[None]:
        """Note runs of a thread that was taken out while others wrote to it again."""
        yield from self._put([(run, thread) for run in runs])

    def copy(self, source: str, target: str) -> Steps[None]:
        """Note for one thread the runs of another."""
        yield from self.restore(target, (yield from self._marks(f"{_THREAD}{source}")))

    def drop(self, pairs: list[tuple[str, str]]) -> Steps[None]:
        """Take runs of threads out of the index."""
        for at in range(0, len(pairs), _BATCH):
            ops: list[Op] = []
            for run, thread in pairs[at : at + _BATCH]:
                self._noted.discard((run, thread))
                ops += [Drop(f"{_RUN}{run}", thread), Drop(f"{_THREAD}{thread}", run)]
            yield from steps.commit(SPACE, ops)

    def _put(self, pairs: list[tuple[str, str]]) -> Steps[None]:
        for at in range(0, len(pairs), _BATCH):
            ops: list[Op] = []
            for run, thread in pairs[at : at + _BATCH]:
                ops += [Put(f"{_RUN}{run}", b"", thread), Put(f"{_THREAD}{thread}", b"", run)]
            yield from steps.commit(SPACE, ops)

    def _marks(self, pk: str) -> Steps[list[str]]:
        found: list[str] = []
        lo = ""
        while page := (yield from steps.scan(SPACE, pk, lo, None, limit=500)):
            found += [str(row.sk) for row in page]
            lo = f"{found[-1]}\x00"
        return found
