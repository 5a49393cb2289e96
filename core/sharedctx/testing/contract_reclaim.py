"""Contract: reclaiming removes for good, tells how many, and never makes a number or revision come back."""

from __future__ import annotations

from typing import Any

import pytest

from ..backends.base import ABSENT, Backend, Drop, Put, Row, SortKey
from ..errors import Compacted


def _keys(backend: Backend, pk: str = "p") -> list[SortKey]:
    return [row.sk for row in backend.scan("s", pk) + backend.scan("s", pk, "")]


def _rows(backend: Backend) -> list[Row]:
    return [row for pk in backend.pks("s") for row in backend.scan("s", pk) + backend.scan("s", pk, "")]


def _fill(backend: Backend) -> None:
    for n in range(1, 5):
        backend.commit("s", [Put("p", b"x", expires=float(n) if n % 2 == 0 else None), Put("q", b"x")])
    backend.commit("s", [Put("p", b"x", sk=text, expires=2.0 if text == "b" else None) for text in "abc"])
    backend.commit("t", [Put("p", b"x", expires=1.0), Put("p", b"x", sk="a", expires=1.0)])


class Reclaim:
    """``reclaim`` in all its forms, and the feed after it."""

    def test_before_a_number_takes_older_versions(self, backend: Backend) -> None:
        _fill(backend)
        assert backend.reclaim("s", "p", before=3) == 2
        assert _keys(backend) == [3, 4, "a", "b", "c"]
        assert _keys(backend, "q") == [1, 2, 3, 4]
        assert backend.reclaim("s", "p", before=3) == 0

    def test_before_a_text_takes_collection_rows_that_sort_lower(self, backend: Backend) -> None:
        _fill(backend)
        assert backend.reclaim("s", "p", before="b") == 1
        assert _keys(backend) == [1, 2, 3, 4, "b", "c"]

    def test_before_without_a_partition_takes_from_all_of_the_space(self, backend: Backend) -> None:
        _fill(backend)
        assert backend.reclaim("s", before=4) == 6
        assert (_keys(backend), _keys(backend, "q")) == ([4, "a", "b", "c"], [4])
        assert len(backend.scan("t", "p")) == 1

    def test_before_may_take_every_version_and_numbers_continue(self, backend: Backend) -> None:
        _fill(backend)
        assert backend.reclaim("s", before=99) == 8
        assert backend.pks("s") == ["p"]
        assert backend.commit("s", [Put("p", b"x", when=ABSENT), Put("q", b"x")])[1] == [5, 5]

    def test_a_revision_that_tells_all_moves_with_every_reclaim(self, backend: Backend) -> None:
        if not backend.rev_tells_all:
            pytest.skip("this backend's revision tells of commits alone")
        _fill(backend)
        seen = [backend.rev("s")]
        for how in ({"pk": "p", "before": 3}, {"pk": "p", "before": "b"}, {"expired_at": 2.0}, {"pk": "q"}, {}):
            assert backend.reclaim("s", **how) > 0
            seen.append(backend.rev("s"))
        backend.commit("s", [Put("p", b"x")])
        seen.append(backend.rev("s"))
        assert len(set(seen)) == len(seen)

    def test_expired_takes_what_expires_at_or_before(self, backend: Backend) -> None:
        _fill(backend)
        assert backend.reclaim("s", expired_at=1.9) == 0
        assert backend.reclaim("s", "q", expired_at=9.0) == 0
        assert backend.reclaim("s", expired_at=2.0) == 2
        assert _keys(backend) == [1, 3, 4, "a", "c"]
        assert len(backend.scan("t", "p")) == 1

    def test_expired_never_takes_the_newest_version(self, backend: Backend) -> None:
        _fill(backend)
        assert backend.reclaim("s", "p", expired_at=99.0) == 2
        assert _keys(backend) == [1, 3, 4, "a", "c"]
        assert backend.reclaim("t", expired_at=99.0) == 1
        assert [row.sk for row in backend.scan("t", "p")] == [1]

    def test_expired_spares_the_newest_version_that_is_left_after_a_drop(self, backend: Backend) -> None:
        for _ in range(3):
            backend.commit("s", [Put("p", b"x", expires=1.0)])
        backend.commit("s", [Drop("p", 3)])
        assert backend.reclaim("s", expired_at=9.0) == 1
        assert _keys(backend) == [2]

    def test_before_and_expired_take_what_both_name(self, backend: Backend) -> None:
        _fill(backend)
        assert backend.reclaim("s", "p", before=4, expired_at=99.0) == 1
        assert _keys(backend) == [1, 3, 4, "a", "b", "c"]
        assert backend.reclaim("s", "p", before="c", expired_at=99.0) == 1
        assert _keys(backend) == [1, 3, 4, "a", "c"]

    def test_a_partition_reclaimed_whole_continues_its_numbers(self, backend: Backend) -> None:
        _fill(backend)
        assert backend.reclaim("s", "p") == 7
        assert backend.pks("s") == ["q"]
        assert _keys(backend) == []
        assert backend.commit("s", [Put("p", b"x", when=ABSENT)])[1] == [5]

    def test_a_partition_reclaimed_whole_after_a_drop_continues_its_numbers(self, backend: Backend) -> None:
        _fill(backend)
        backend.commit("s", [Drop("p", 4)])
        assert backend.reclaim("s", "p") == 6
        assert backend.reclaim("s", "p") == 0
        assert backend.commit("s", [Put("p", b"x")])[1] == [5]

    def test_a_space_reclaimed_whole_starts_at_one_with_new_revisions(self, backend: Backend) -> None:
        _fill(backend)
        before = backend.rev("s")
        assert backend.reclaim("s") == 11
        assert (backend.pks("s"), backend.spaces()) == ([], ["t"])
        assert backend.rev("s") >= before
        rev, sks = backend.commit("s", [Put("p", b"new")])
        assert sks == [1]
        assert rev > before
        assert [row.value for row in backend.scan("s", "p")] == [b"new"]

    def test_the_only_space_reclaimed_whole_gives_no_revision_again(self, backend: Backend) -> None:
        first, _ = backend.commit("s", [Put("p", b"x")])
        backend.reclaim("s")
        second, _ = backend.commit("s", [Put("p", b"x")])
        backend.reclaim("s")
        assert backend.spaces() == []
        assert backend.commit("s", [Put("p", b"x")])[0] > second > first

    def test_numbers_of_dropped_versions_are_free_after_the_space_was_reclaimed(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x"), Put("q", b"x")])
        backend.commit("s", [Drop("p", 1)])
        backend.reclaim("s")
        assert backend.commit("s", [Put("p", b"x")])[1] == [1]

    def test_reclaiming_nothing_is_no_error_and_leaves_the_feed(self, backend: Backend) -> None:
        assert backend.reclaim("s") == backend.reclaim("s", "p") == backend.reclaim("s", before=9) == 0
        backend.commit("s", [Put("p", b"x")])
        feed = backend.changes("s", 0)
        assert backend.reclaim("s", "q") == backend.reclaim("s", before=1) == backend.reclaim("s", expired_at=1e12) == 0
        assert backend.reclaim("t") == 0
        assert backend.changes("s", 0) == feed

    @pytest.mark.parametrize("how", ["before", "expired", "partition", "space"])
    def test_who_had_not_seen_the_newest_removed_row_is_told(self, backend: Backend, how: str) -> None:
        _fill(backend)
        feed, elsewhere = backend.changes("s", 0), backend.changes("t", 0)
        rows = _rows(backend)
        forms: dict[str, dict[str, Any]] = {
            "before": {"before": 3},
            "expired": {"pk": "p", "before": 5, "expired_at": 9.0},
            "partition": {"pk": "q"},
            "space": {},
        }
        assert backend.reclaim("s", **forms[how]) > 0
        newest = max(row.rev for row in rows if row not in _rows(backend))
        for since in sorted({0, *(change.rev for change in feed)}):
            if since < newest:
                with pytest.raises(Compacted) as compacted:
                    backend.changes("s", since)
                oldest = compacted.value.oldest
                assert oldest >= newest
                assert backend.changes("s", oldest) == [change for change in feed if change.rev > oldest]
            else:
                assert backend.changes("s", since) == [change for change in feed if change.rev > since]
        assert backend.changes("t", 0) == elsewhere

    def test_who_had_read_the_whole_feed_follows_on_after_a_reclaim(self, backend: Backend) -> None:
        _fill(backend)
        last = backend.changes("s", 0)[-1].rev
        backend.reclaim("s", "p", before=3)
        assert backend.changes("s", last) == []
        rev, _ = backend.commit("s", [Put("q", b"x")])
        assert [change.rev for change in backend.changes("s", last)] == [rev]
        assert backend.wait("s", last, 0.0)

    @pytest.mark.parametrize("pk", [None, "p"])
    def test_the_feed_goes_on_from_the_revision_it_names(self, backend: Backend, pk: str | None) -> None:
        _fill(backend)
        backend.reclaim("s", pk)
        rev, sks = backend.commit("s", [Put("p", b"x")])
        with pytest.raises(Compacted) as compacted:
            backend.changes("s", 0)
        assert [tuple(change) for change in backend.changes("s", compacted.value.oldest)] == [(rev, "p", sks[0], "put")]


__all__ = ["Reclaim"]
