"""Contract: a wait ends with the first commit to its space, or with its time."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..backends.base import Backend, Drop, Op, Put
from ..errors import BackendUnavailable

_SHORT = 0.05
_LONG = 20.0


class Waiting:
    """``wait``; the long time bounds a failure only, no passing test spends it."""

    def test_a_wait_returns_at_once_when_something_is_newer(self, backend: Backend) -> None:
        rev, _ = backend.commit("s", [Put("p", b"x")])
        assert backend.wait("s", 0, _LONG)
        backend.commit("s", [Drop("p", 1)])
        assert backend.wait("s", rev, _LONG)
        assert backend.wait("s", rev, 0.0)

    def test_a_wait_without_a_commit_ends_false(self, backend: Backend) -> None:
        assert not backend.wait("s", 0, _SHORT)
        rev, _ = backend.commit("s", [Put("p", b"x")])
        assert not backend.wait("s", rev, _SHORT)
        assert not backend.wait("s", backend.rev("s"), 0.0)

    def test_a_wait_from_the_future_returns_at_once(self, backend: Backend) -> None:
        assert backend.wait("s", 10**6, _LONG)
        rev, _ = backend.commit("s", [Put("p", b"x")])
        assert backend.wait("s", rev + 10**6, _LONG)

    def test_a_wait_returns_at_once_when_what_was_newer_is_reclaimed(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        backend.reclaim("s")
        assert backend.wait("s", 0, _SHORT)

    def test_a_commit_elsewhere_and_a_commit_of_nothing_are_no_news(self, backend: Backend) -> None:
        rev, _ = backend.commit("s", [Put("p", b"x")])
        backend.commit("s-", [Put("p", b"x")])
        backend.commit("t", [Put("p", b"x")])
        backend.commit("s", [Drop("p", 9)])
        assert not backend.wait("s", rev, _SHORT)

    def test_a_commit_by_another_thread_wakes(self, backend: Backend) -> None:
        commits: list[list[Op]] = [[Put("p", b"x")], [Put("p", b"x", sk="r")], [Put("p", b"y", sk="r")], [Drop("p", 1)]]
        with ThreadPoolExecutor(1) as threads:
            for ops in commits:
                since = backend.rev("s")
                waiting = threads.submit(backend.wait, "s", since, _LONG)
                backend.commit("s", ops)
                assert waiting.result(_LONG / 4)
                assert len(backend.changes("s", since)) == 1

    def test_a_group_by_another_thread_wakes_each_space_it_changed(self, backend: Backend) -> None:
        with ThreadPoolExecutor(2) as threads:
            waiting = [threads.submit(backend.wait, space, 0, _LONG) for space in ("s", "t")]
            backend.commit_many([("s", [Put("p", b"x")], None), ("t", [Put("p", b"x")], None)])
            assert [wait.result(_LONG / 4) for wait in waiting] == [True, True]

    def test_a_close_by_another_thread_ends_a_wait_with_the_error_of_closed_stores(self, backend: Backend) -> None:
        rev, _ = backend.commit("s", [Put("p", b"x")])
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(backend.wait, "s", rev, _LONG)
            with contextlib.suppress(TimeoutError):
                waiting.result(_SHORT)  # by now it waits
            backend.close()
            with pytest.raises(BackendUnavailable, match="closed"):
                waiting.result(_LONG / 4)


__all__ = ["Waiting"]
