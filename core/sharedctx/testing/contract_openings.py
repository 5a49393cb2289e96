"""Contract: state survives close and reopen, and two openings see one store."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..backends.base import ABSENT, Backend, Change, Drop, Head, Put
from ..errors import BackendUnavailable, Compacted, ConditionFailed
from .clock import ManualClock

Reopen = Callable[[], Backend]


class Openings:
    """Stores whose state outlives one opening of them; ``reopen`` and ``second`` come from ``BackendContract``."""

    def test_rows_feed_and_identity_survive(self, backend: Backend, reopen: Reopen) -> None:
        backend.commit("s", [Put("p", b"1", expires=5.0), Put("p", b"row", sk="a-\x00é")])
        rev, _ = backend.commit("s", [Put("p", b"2"), Drop("p", "a-\x00é")])
        backend.commit("t", [Put("p", b"x", sk="r")])
        kept = [
            backend.scan("s", "p"),
            backend.scan("t", "p", ""),
            backend.changes("s", 0),
            backend.spaces(),
            backend.id,
        ]
        again = reopen()
        assert [again.scan("s", "p"), again.scan("t", "p", ""), again.changes("s", 0), again.spaces(), again.id] == kept
        assert again.changes("s", rev) == []
        assert not again.wait("s", rev, 0.0)
        assert again.verify() == []

    def test_numbers_and_revisions_continue(self, backend: Backend, reopen: Reopen) -> None:
        for _ in range(3):
            backend.commit("s", [Put("p", b"x"), Put("q", b"x")])
        dropped, _ = backend.commit("s", [Drop("p", 3)])
        backend.reclaim("s", "q")
        again = reopen()
        with pytest.raises(ConditionFailed):
            again.commit("s", [Put("p", b"x", when=Head(3))])
        rev, sks = again.commit("s", [Put("p", b"x", when=Head(2)), Put("q", b"x", when=ABSENT)])
        assert sks == [4, 4]
        assert rev > dropped

    def test_revisions_continue_when_nothing_is_left(self, backend: Backend, reopen: Reopen) -> None:
        backend.commit("s", [Put("p", b"x")])
        seen = backend.rev("s")
        backend.reclaim("s")
        again = reopen()
        with pytest.raises(Compacted):
            again.changes("s", 0)
        rev, sks = again.commit("s", [Put("p", b"x")])
        assert sks == [1]
        assert rev > seen

    def test_a_dropped_newest_row_stays_told(self, backend: Backend, reopen: Reopen) -> None:
        put, _ = backend.commit("s", [Put("p", b"x", sk="r")])
        dropped, _ = backend.commit("s", [Drop("p", "r")])
        again = reopen()
        after, _ = again.commit("s", [Put("p", b"y", sk="r")])
        assert again.changes("s", put) == [Change(dropped, "p", "r", "drop"), Change(after, "p", "r", "put")]

    def test_the_clock_does_not_run_backwards_over_a_reopening(
        self, backend: Backend, reopen: Reopen, clock: ManualClock
    ) -> None:
        told = backend.now()
        clock.advance(-500)
        again = reopen()
        assert again.now() >= told

    def test_what_expired_stays_expired_over_a_reopening(
        self, backend: Backend, reopen: Reopen, clock: ManualClock
    ) -> None:
        expires = clock() + 10
        clock.advance(10)
        assert backend.expired(expires)
        clock.advance(-500)
        assert reopen().expired(expires)

    def test_two_openings_see_each_others_commits(self, backend: Backend, second: Backend) -> None:
        assert backend.id == second.id
        revs: list[int] = []
        for n in range(1, 7):
            one, other = (backend, second) if n % 2 else (second, backend)
            rev, sks = one.commit("s", [Put("p", b"%d" % n, when=Head(n - 1)), Put("p", b"%d" % n, sk="r")])
            assert sks == [n, "r"]
            assert other.scan("s", "p", limit=1, newest_first=True) == one.scan("s", "p", n)
            assert [row.value for row in other.scan("s", "p", "")] == [b"%d" % n]
            assert other.changes("s", revs[-1] if revs else 0) == one.changes("s", revs[-1] if revs else 0)
            revs.append(rev)
        assert revs == sorted(set(revs))

    def test_conditions_see_the_other_openings_commits(self, backend: Backend, second: Backend) -> None:
        seen = second.rev("s")
        backend.commit("s", [Put("p", b"x"), Put("p", b"x", sk="r")])
        for put in (Put("p", b"no", when=ABSENT), Put("p", b"no", sk="r", when=ABSENT)):
            with pytest.raises(ConditionFailed):
                second.commit("s", [put])
        with pytest.raises(ConditionFailed):
            second.commit("s", [Put("q", b"no")], seen)

    def test_numbers_continue_over_the_other_openings_drop(self, backend: Backend, second: Backend) -> None:
        for n in range(1, 5):
            put, sks = backend.commit("s", [Put("p", b"x")])
            assert sks == [n]
            dropped, _ = second.commit("s", [Drop("p", n)])
            assert backend.changes("s", put) == [Change(dropped, "p", n, "drop")]

    def test_a_reclaim_is_seen_by_the_other_opening(self, backend: Backend, second: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        second.commit("s", [Put("p", b"x")])
        backend.reclaim("s")
        assert (second.spaces(), second.scan("s", "p")) == ([], [])
        with pytest.raises(Compacted):
            second.changes("s", 0)
        assert second.commit("s", [Put("p", b"x")])[1] == [1]
        assert backend.commit("s", [Put("p", b"x")])[1] == [2]

    def test_a_commit_through_the_other_opening_wakes(self, backend: Backend, second: Backend) -> None:
        with ThreadPoolExecutor(1) as threads:
            for _ in range(3):
                waiting = threads.submit(backend.wait, "s", backend.rev("s"), 20.0)
                second.commit("s", [Put("p", b"x")])
                assert waiting.result(5.0)

    def test_expired_is_true_in_every_opening(self, backend: Backend, second: Backend, clock: ManualClock) -> None:
        expires = clock() + 10
        assert not second.expired(expires)
        clock.advance(10)
        assert backend.expired(expires)
        clock.advance(-500)
        assert second.expired(expires)
        assert second.now() >= expires

    def test_closing_one_opening_leaves_the_other(self, backend: Backend, second: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        second.close()
        with pytest.raises(BackendUnavailable):
            second.rev("s")
        assert backend.commit("s", [Put("p", b"x")])[1] == [2]


__all__ = ["Openings"]
