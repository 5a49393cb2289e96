"""Contract: every method may be called from any thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..backends.base import Backend, Change, Head, Put, SortKey
from ..errors import ConditionFailed

_THREADS = 4
_ROUNDS = 25


def _together(work: Callable[[int], object]) -> None:
    with ThreadPoolExecutor(_THREADS) as threads:
        for done in [threads.submit(work, n) for n in range(_THREADS)]:
            done.result()


class Threads:
    """Several threads on one store."""

    def test_versions_written_together_are_numbered_without_gaps(self, backend: Backend) -> None:
        given: list[tuple[SortKey, int]] = []

        def write(thread: int) -> None:
            for _ in range(_ROUNDS):
                rev, sks = backend.commit("s", [Put("p", b"%d" % thread)])
                given.append((sks[0], rev))

        _together(write)
        numbers = list(range(1, _THREADS * _ROUNDS + 1))
        assert len(given) == len(numbers)
        rows = backend.scan("s", "p")
        assert [row.sk for row in rows] == numbers
        assert {(row.sk, row.rev) for row in rows} == set(given)
        assert [row.rev for row in rows] == sorted({row.rev for row in rows})

    def test_no_increment_is_lost_between_threads(self, backend: Backend) -> None:
        def increment(_: int) -> None:
            for _ in range(_ROUNDS):
                while True:
                    newest = backend.scan("s", "p", limit=1, newest_first=True)
                    head, count = (newest[0].sk, int(newest[0].value)) if newest else (0, 0)
                    try:
                        backend.commit("s", [Put("p", b"%d" % (count + 1), when=Head(head))])  # type: ignore[arg-type]
                    except ConditionFailed:
                        continue
                    break

        _together(increment)
        rows = backend.scan("s", "p")
        assert [int(row.value) for row in rows] == [row.sk for row in rows] == list(range(1, _THREADS * _ROUNDS + 1))

    def test_if_rev_admits_one_of_several_threads(self, backend: Backend) -> None:
        won: list[int] = []

        def write(thread: int) -> None:
            try:
                backend.commit("s", [Put(f"p{thread}", b"x")], 0)
            except ConditionFailed:
                return
            won.append(thread)

        _together(write)
        assert len(won) == 1
        assert backend.pks("s") == [f"p{won[0]}"]

    def test_who_follows_the_feed_misses_nothing_and_sees_commits_whole(self, backend: Backend) -> None:
        def write(thread: int) -> None:
            for n in range(_ROUNDS):
                backend.commit("s", [Put(f"p{thread}", b"x"), Put("rows", b"x", sk=f"{thread}-{n}")])
                backend.commit("t", [Put("p", b"x")])

        followed: list[Change] = []
        with ThreadPoolExecutor(_THREADS) as threads:
            writing = [threads.submit(write, n) for n in range(_THREADS)]
            while len(followed) < 2 * _THREADS * _ROUNDS:
                since = followed[-1].rev if followed else 0
                assert backend.wait("s", since, 20.0)
                page = backend.changes("s", since, 3)
                assert page
                assert page[0].rev > since
                assert len(page) == 2 * len({change.rev for change in page})
                followed += page
            for done in writing:
                done.result()
        assert followed == backend.changes("s", 0)
        assert len({(change.pk, change.sk) for change in followed}) == 2 * _THREADS * _ROUNDS


__all__ = ["Threads"]
