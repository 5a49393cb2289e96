"""The contract of ``Backend`` as a suite of pytest tests that any backend inherits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from ..backends.base import Backend
from .clock import ManualClock
from .contract_bounds import Bounds
from .contract_clock import Time
from .contract_commits import Commits
from .contract_feed import Feed
from .contract_listing import Listing
from .contract_openings import Openings
from .contract_reclaim import Reclaim
from .contract_rows import Rows
from .contract_threads import Threads
from .contract_versions import Versions
from .contract_wait import Waiting


class BackendContract(Versions, Commits, Bounds, Rows, Listing, Feed, Waiting, Reclaim, Time, Threads, Openings):
    """Every sentence of ``sharedctx.backends.base`` as a test; subclass it and say how to open a store::

        class TestMyBackend(BackendContract):
            durable = True

            def make(self, place, clock):
                return MyBackend(place / "store", clock=clock)

    With ``durable``, state must survive close and reopen, and two openings at a time must see one store; without, those
    tests are skipped. A store whose state is kept otherwise than by ``make`` at the same place overrides the fixtures
    ``reopen`` and ``second``. Call
    ``pytest.register_assert_rewrite("sharedctx.testing")`` in a conftest to see values in failures.
    """

    durable: ClassVar[bool] = False

    @abstractmethod
    def make(self, place: Path, clock: Callable[[], float]) -> Backend:
        """Open the store that belongs to ``place``, an own directory for each test (or merely an own name)."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """The clock of every opening in one test."""
        return ManualClock()

    @pytest.fixture
    def opening(self, tmp_path: Path, clock: ManualClock) -> Iterator[Callable[[], Backend]]:
        """Open the test's store once more; everything opened is closed after the test."""
        opened: list[Backend] = []

        def opening() -> Backend:
            opened.append(self.make(tmp_path, clock))
            return opened[-1]

        yield opening
        for backend in opened:
            backend.close()

    @pytest.fixture
    def backend(self, opening: Callable[[], Backend]) -> Backend:
        """An empty store."""
        return opening()

    @pytest.fixture
    def reopen(self, backend: Backend, opening: Callable[[], Backend]) -> Callable[[], Backend]:
        """Close the store (the latest opening of it) and open it again."""
        if not self.durable:
            pytest.skip("this backend keeps nothing after close")
        latest = [backend]

        def reopen() -> Backend:
            latest[-1].close()
            latest.append(opening())
            return latest[-1]

        return reopen

    @pytest.fixture
    def second(self, backend: Backend, opening: Callable[[], Backend]) -> Backend:
        """Another opening of the same store, while ``backend`` is open."""
        if not self.durable:
            pytest.skip("this backend is seen by one opening only")
        return opening()


__all__ = ["BackendContract"]
