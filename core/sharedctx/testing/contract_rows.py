"""Contract: collection rows are sorted text, replaced and dropped; scans are half-open ranges of either kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pytest

from ..backends.base import ABSENT, PRESENT, At, Backend, Check, Drop, Put, Row
from ..errors import ConditionFailed

ODD_TEXTS = sorted(
    [
        *"-./~ !\"#$%&'()*+,:;<=>?@[\\]^_`{|}09AZaz\x00\x01\t\n\x1f\x7f\x80\xff",
        *("a-", "a-1", "a-b", "a.", "a.b", "a~", "a/", "a/b", "a\x00", "a\x00b", "a ", "aa", "a0", "a%", "a_", "a*"),
        *("--", "-.", "..", "~~", "%2d", "-m", "\x00\x00", "000000000000001", "500000000000000", "1", "10", "2"),
        *("é", "e\u0301", "ß", "İ", "ı", "中", "\ud7ff", "\ue000", "\ufeff", "\uffff"),
        *("\U00010000", "\U0001f600", "\U0001f600-", "\U0010ffff", "a\U0010ffff", "x" * 600),
    ]
)
"""Names that a careless encoding mixes up or sorts in another order; in order of code points."""


class Rows:
    """Collection rows and ``scan``."""

    texts: ClassVar[Sequence[str]] = ODD_TEXTS
    """Names to try, in order; a store that takes milliseconds for each request may try some of them."""

    def test_a_collection_row_is_replaced(self, backend: Backend) -> None:
        first, sks = backend.commit("s", [Put("p", b"old", sk="r", expires=9.0)])
        second, _ = backend.commit("s", [Put("p", b"new", sk="r")])
        assert sks == ["r"]
        assert second > first
        assert backend.scan("s", "p", "") == [Row("p", "r", b"new", second, None)]

    def test_a_collection_row_is_dropped_and_can_come_back(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x", sk="r"), Put("p", b"y", sk="q")])
        backend.commit("s", [Drop("p", "r")])
        assert [row.sk for row in backend.scan("s", "p", "")] == ["q"]
        rev, _ = backend.commit("s", [Put("p", b"z", sk="r", when=ABSENT)])
        assert backend.scan("s", "p", "r") == [Row("p", "r", b"z", rev, None)]

    def test_absent_holds_for_a_row_of_this_sort_key_only(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"version"), Put("p", b"x", sk="r", when=ABSENT)])
        backend.commit("s", [Put("p", b"y", sk="r-", when=ABSENT), Put("q", b"y", sk="r", when=ABSENT)])
        with pytest.raises(ConditionFailed) as failed:
            backend.commit("s", [Put("p", b"no", sk="r", when=ABSENT)])
        assert failed.value.pk == "p"
        assert backend.scan("s", "p", "r", "r-")[0].value == b"x"

    def test_present_holds_while_the_row_is_there(self, backend: Backend) -> None:
        with pytest.raises(ConditionFailed) as failed:
            backend.commit("s", [Check("p", PRESENT, sk="r"), Put("q", b"no")])
        assert failed.value.pk == "p"
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Put("p", b"no", sk="r", when=PRESENT)])
        backend.commit("s", [Put("p", b"x", sk="r")])
        backend.commit("s", [Put("p", b"y", sk="r", when=PRESENT), Put("q", b"yes")])
        assert backend.scan("s", "p", "r")[0].value == b"y"
        backend.commit("s", [Drop("p", "r")])
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Check("p", PRESENT, sk="r"), Put("q", b"no")])
        backend.commit("s", [Put("p", b"x", sk="r")])
        backend.reclaim("s")
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Check("p", PRESENT, sk="r"), Put("q", b"no")])
        assert backend.scan("s", "q") == []

    def test_at_holds_while_the_row_is_the_one_of_that_revision(self, backend: Backend) -> None:
        rev, _ = backend.commit("s", [Put("p", b"x", sk="r"), Put("p", b"1"), Put("p", b"y", sk="r-")])
        backend.commit("s", [Put("p", b"z", sk="other")])
        new = 0
        for ops in ([Put("q", b"yes", sk="a", when=ABSENT)], [Put("q", b"yes", sk="b")], [Put("q", b"yes")]):
            new, _ = backend.commit("s", [*ops, Check("p", At(rev), sk="r"), Check("p", At(rev), sk="r-")])
        later, _ = backend.commit("s", [Put("p", b"x", sk="r", when=At(rev))])
        assert later > new
        absent = Put("q", b"no", sk="c", when=ABSENT)
        for old in (rev, later + 1, int(f"1{later}"), 0):
            for put in (absent, Put("q", b"no")):
                with pytest.raises(ConditionFailed) as failed:
                    backend.commit("s", [put, Check("p", At(old), sk="r")])
                assert failed.value.pk == "p"
        backend.commit("s", [absent, Check("p", At(later), sk="r")])
        backend.commit("s", [Drop("p", "r")])
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Check("p", At(later), sk="r"), Put("q", b"no")])
        backend.commit("s", [Put("p", b"x", sk="r")])
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Check("p", At(later), sk="r"), Put("q", b"no", sk="d", when=ABSENT)])
        assert [row.value for row in backend.scan("s", "q", "")] == [b"yes", b"yes", b"no"]
        assert len(backend.scan("s", "q")) == 1

    def test_collection_rows_take_no_version_numbers(self, backend: Backend) -> None:
        assert backend.commit("s", [Put("p", b"a", sk="2"), Put("p", b"1"), Put("p", b"b", sk="z")])[1] == ["2", 1, "z"]
        assert backend.commit("s", [Put("p", b"2")])[1] == [2]
        assert [row.sk for row in backend.scan("s", "p")] == [1, 2]
        assert [row.sk for row in backend.scan("s", "p", "")] == ["2", "z"]

    def test_odd_sort_keys_stay_apart_and_sort_by_code_point(self, backend: Backend) -> None:
        for text in [*self.texts[::2], *self.texts[1::2]]:
            backend.commit("s", [Put("p", text.encode(), sk=text, when=ABSENT)])
        rows = backend.scan("s", "p", "")
        assert [row.sk for row in rows] == list(self.texts)
        assert [row.value.decode() for row in rows] == list(self.texts)
        assert backend.scan("s", "p", "", newest_first=True) == rows[::-1]
        for text in self.texts:
            assert [row.sk for row in backend.scan("s", "p", text, text + "\x00")] == [text]
            assert [row.sk for row in backend.scan("s", "p", text)] == [t for t in self.texts if t >= text]
            assert [row.sk for row in backend.scan("s", "p", "", text)] == [t for t in self.texts if t < text]

    def test_odd_sort_keys_are_replaced_and_dropped_one_at_a_time(self, backend: Backend) -> None:
        left = list(self.texts)
        for text in self.texts:
            backend.commit("s", [Put("p", b"1", sk=text)])
        for text in self.texts:
            backend.commit("s", [Put("p", b"2", sk=text)])
            assert [row.sk for row in backend.scan("s", "p", "") if row.value == b"2"] == [text]
            backend.commit("s", [Drop("p", text)])
            left.remove(text)
            assert [row.sk for row in backend.scan("s", "p", "")] == left

    def test_a_range_of_texts_need_not_name_rows(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x", sk=text) for text in ("a", "a-1", "a.", "a\x00b", "b")])
        ranges = {("a", "b"): ["a", "a\x00b", "a-1", "a."], ("a-", "a."): ["a-1"], ("a/", "az"): [], ("c", None): []}
        for (lo, hi), expected in ranges.items():
            assert [row.sk for row in backend.scan("s", "p", lo, hi)] == expected
        assert (
            backend.scan("s", "p", "b", "a") == backend.scan("s", "p", "a", "a") == backend.scan("s", "p", "", "") == []
        )

    @pytest.mark.parametrize("hi", [None, 0, 1, 4, 9, 99])
    @pytest.mark.parametrize("lo", [-3, 0, 1, 4, 8, 9, 99])
    def test_a_scan_of_versions_is_half_open(self, backend: Backend, lo: int, hi: int | None) -> None:
        backend.commit_many([("s", [Put("p", b"%d" % n), Put("p", b"row", sk=str(n))], None) for n in range(1, 9)])
        expected = [n for n in range(1, 9) if lo <= n and (hi is None or n < hi)]
        assert [row.sk for row in backend.scan("s", "p", lo, hi)] == expected
        assert [row.sk for row in backend.scan("s", "p", lo, hi, newest_first=True)] == expected[::-1]
        assert [row.sk for row in backend.scan("s", "p", lo, hi, limit=2)] == expected[:2]
        assert [row.sk for row in backend.scan("s", "p", lo, hi, limit=2, newest_first=True)] == expected[::-1][:2]

    def test_versions_sort_by_number_past_ten(self, backend: Backend) -> None:
        backend.commit_many([("s", [Put("p", b"%d" % n)], None) for n in range(1, 121)])
        rows = backend.scan("s", "p")
        assert [row.sk for row in rows] == list(range(1, 121))
        assert [int(row.value) for row in rows] == list(range(1, 121))
        assert [row.sk for row in backend.scan("s", "p", 95, 103)] == list(range(95, 103))

    def test_a_limit_cuts_collection_rows_at_the_end_read_from(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x", sk=text) for text in "abcd"])
        assert [row.sk for row in backend.scan("s", "p", "b", limit=2)] == ["b", "c"]
        assert [row.sk for row in backend.scan("s", "p", "b", limit=2, newest_first=True)] == ["d", "c"]
        assert [row.sk for row in backend.scan("s", "p", "a", "d", limit=2, newest_first=True)] == ["c", "b"]
        assert backend.scan("s", "p", "a", limit=0) == backend.scan("s", "p", limit=0) == []

    def test_a_scan_finds_a_hole_where_a_version_was_dropped(self, backend: Backend) -> None:
        backend.commit_many([("s", [Put("p", b"x")], None) for _ in range(5)])
        backend.commit("s", [Drop("p", 2), Drop("p", 5)])
        assert [row.sk for row in backend.scan("s", "p", 2)] == [3, 4]
        assert [row.sk for row in backend.scan("s", "p", limit=1, newest_first=True)] == [4]
        assert [row.sk for row in backend.scan("s", "p", limit=2)] == [1, 3]

    def test_an_unknown_partition_has_no_rows(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        assert backend.scan("s", "q") == backend.scan("t", "p") == backend.scan("s", "p", "") == []


__all__ = ["ODD_TEXTS", "Rows"]
