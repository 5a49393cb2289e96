"""Contract: version rows are numbered densely, are never renumbered, and are committed on conditions."""

from __future__ import annotations

import pytest

from ..backends.base import ABSENT, Backend, Check, Drop, Head, Op, Put, Row
from ..errors import ConditionFailed, InvalidValue


class Versions:
    """Numbers of versions, and the conditions ABSENT and Head on them."""

    def test_versions_are_numbered_from_one_without_gaps(self, backend: Backend) -> None:
        assert [backend.commit("s", [Put("p", b"x")])[1] for _ in range(12)] == [[n] for n in range(1, 13)]

    def test_a_version_is_read_as_it_was_put(self, backend: Backend) -> None:
        rev, _ = backend.commit("s", [Put("p", b"\x00\xffvalue", expires=12.5)])
        assert backend.scan("s", "p") == [Row("p", 1, b"\x00\xffvalue", rev, 12.5)]

    def test_an_empty_value_and_no_expiry_are_read_as_such(self, backend: Backend) -> None:
        rev, _ = backend.commit("s", [Put("p", b"")])
        assert backend.scan("s", "p") == [Row("p", 1, b"", rev, None)]

    def test_every_row_of_a_commit_carries_its_revision_and_its_own_expiry(self, backend: Backend) -> None:
        rev, sks = backend.commit(
            "s", [Put("p", b"a", expires=1.5), Put("q", b"b"), Put("q", b"c", sk="r", expires=2.5)]
        )
        assert sks == [1, 1, "r"]
        assert backend.scan("s", "p") == [Row("p", 1, b"a", rev, 1.5)]
        assert backend.scan("s", "q") == [Row("q", 1, b"b", rev, None)]
        assert backend.scan("s", "q", "") == [Row("q", "r", b"c", rev, 2.5)]

    def test_partitions_and_spaces_count_by_themselves(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        assert backend.commit("s", [Put("p", b"x"), Put("q", b"x")])[1] == [2, 1]
        assert backend.commit("t", [Put("p", b"x")])[1] == [1]

    def test_the_number_of_a_dropped_newest_version_is_not_given_again(self, backend: Backend) -> None:
        for _ in range(3):
            backend.commit("s", [Put("p", b"x")])
        backend.commit("s", [Drop("p", 3)])
        backend.commit("s", [Drop("p", 2)])
        assert backend.commit("s", [Put("p", b"new")])[1] == [4]
        assert [row.sk for row in backend.scan("s", "p")] == [1, 4]

    def test_numbers_continue_after_every_version_was_dropped(self, backend: Backend) -> None:
        for n in (1, 2):
            backend.commit("s", [Put("p", b"x")])
            backend.commit("s", [Drop("p", n)])
        assert backend.scan("s", "p") == []
        assert backend.commit("s", [Put("p", b"x")])[1] == [3]

    def test_numbers_continue_when_a_commit_drops_the_newest_and_puts_the_next(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        assert backend.commit("s", [Drop("p", 1), Put("p", b"y")])[1] == [2]
        assert [(row.sk, row.value) for row in backend.scan("s", "p")] == [(2, b"y")]

    def test_a_drop_does_not_hit_the_version_its_own_commit_adds(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        assert backend.commit("s", [Put("p", b"y"), Drop("p", 2)])[1] == [2]
        assert [row.sk for row in backend.scan("s", "p")] == [1, 2]

    def test_dropping_an_old_version_leaves_its_neighbours(self, backend: Backend) -> None:
        for n in range(3):
            backend.commit("s", [Put("p", b"%d" % n)])
        backend.commit("s", [Drop("p", 2)])
        assert [(row.sk, row.value) for row in backend.scan("s", "p")] == [(1, b"0"), (3, b"2")]

    def test_absent_holds_for_a_partition_without_versions_only(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"row", sk="r")])
        assert backend.commit("s", [Put("p", b"x", when=ABSENT)])[1] == [1]
        with pytest.raises(ConditionFailed) as failed:
            backend.commit("s", [Put("p", b"y", when=ABSENT)])
        assert (failed.value.pk, failed.value.actual) == ("p", 1)
        assert [row.value for row in backend.scan("s", "p")] == [b"x"]

    def test_absent_and_head_zero_hold_again_when_every_version_was_dropped(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        backend.commit("s", [Drop("p", 1)])
        assert backend.commit("s", [Check("p", Head(0)), Put("p", b"y", when=ABSENT)])[1] == [2]

    def test_head_holds_for_the_newest_version_only(self, backend: Backend) -> None:
        assert backend.commit("s", [Put("p", b"1", when=Head(0))])[1] == [1]
        assert backend.commit("s", [Put("p", b"2", when=Head(1))])[1] == [2]
        for wrong in (0, 1, 3):
            with pytest.raises(ConditionFailed) as failed:
                backend.commit("s", [Put("p", b"3", when=Head(wrong))])
            assert (failed.value.pk, failed.value.actual) == ("p", 2)
        assert [row.sk for row in backend.scan("s", "p")] == [1, 2]

    def test_head_names_the_newest_version_that_is_left(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"1")])
        backend.commit("s", [Put("p", b"2")])
        backend.commit("s", [Drop("p", 2)])
        with pytest.raises(ConditionFailed) as failed:
            backend.commit("s", [Put("p", b"3", when=Head(2))])
        assert failed.value.actual == 1
        assert backend.commit("s", [Put("p", b"3", when=Head(1))])[1] == [3]

    def test_a_head_with_the_last_number_given_holds_while_that_was_the_last(self, backend: Backend) -> None:
        assert backend.commit("s", [Put("p", b"1", when=Head(0, 0))])[1] == [1]
        assert backend.commit("s", [Put("p", b"2", when=Head(1, 1)), Put("q", b"row", sk="r")])[1] == [2, "r"]
        backend.commit("s", [Drop("p", 2)])
        for ops in ([Put("p", b"3", when=Head(1, 1))], [Put("p", b"3", when=Head(1, 1)), Put("q", b"x", sk="r")]):
            with pytest.raises(ConditionFailed) as failed:
                backend.commit("s", ops)
            assert (failed.value.pk, failed.value.actual, failed.value.given) == ("p", 1, 2)
        assert [row.value for row in backend.scan("s", "q", "a")] == [b"row"]
        assert backend.commit("s", [Put("p", b"3", when=Head(1, 2))])[1] == [3]
        with pytest.raises(ConditionFailed) as failed:
            backend.commit("s", [Put("p", b"4", when=Head(1, 3))])
        assert (failed.value.actual, failed.value.given) == (3, None)

    def test_a_head_with_a_revision_holds_for_the_version_of_that_commit(self, backend: Backend) -> None:
        alone, _ = backend.commit("s", [Put("p", b"1")])
        both, _ = backend.commit("s", [Put("p", b"2", when=Head(1, 1, alone)), Put("q", b"row", sk="r")])
        later, _ = backend.commit("s", [Put("q", b"row", sk="r2")])
        for wrong in (alone, later, later + 1, 0):
            refused: list[list[Op]] = [[Put("p", b"3", when=Head(2, 2, wrong))]]
            refused.append([Check("p", Head(2, None, wrong)), Put("q", b"no")])
            for ops in refused:
                with pytest.raises(ConditionFailed) as failed:
                    backend.commit("s", ops)
                assert (failed.value.pk, failed.value.actual, failed.value.given) == ("p", 2, None)
        last, sks = backend.commit("s", [Put("p", b"3", expires=9.0, when=Head(2, 2, both)), Put("q", b"yes")])
        assert sks == [3, 1]
        assert backend.commit("s", [Check("q", Head(1, None, last)), Put("p", b"4", when=Head(3, 3, last))])[1] == [4]
        assert [row.value for row in backend.scan("s", "q")] == [b"yes"]

    def test_a_version_may_ask_for_a_later_number_and_those_between_are_never_given(self, backend: Backend) -> None:
        far = 1_000_000
        assert backend.commit("s", [Put("p", b"7", when=Head(0, 0, None, 7))])[1] == [7]
        assert backend.commit("s", [Put("q", b"x", sk="r"), Put("p", b"9", when=Head(7, 7, None, 9))])[1] == ["r", 9]
        group = [("s", [Put("p", b"far", expires=9.0, when=Head(9, 9, None, far))], None)]
        group += [("s", [Put("p", b"next", when=Head(far, far))], None)]
        assert [result[1] for result in backend.commit_many(group)] == [[far], [far + 1]]  # type: ignore[index]
        for late in (Head(9, 9, None, 10), Head(far + 1, far, None, far + 9)):
            with pytest.raises(ConditionFailed):
                backend.commit("s", [Put("p", b"no", when=late)])
        assert [(row.sk, row.value) for row in backend.scan("s", "p")] == [
            (7, b"7"),
            (9, b"9"),
            (far, b"far"),
            (far + 1, b"next"),
        ]
        assert [row.sk for row in backend.scan("s", "p", limit=3, newest_first=True)] == [far + 1, far, 9]
        backend.commit("s", [Drop("p", far + 1), Drop("p", far)])
        assert backend.commit("s", [Put("p", b"more")])[1] == [far + 2]
        assert backend.reclaim("s", "p", before=far) == 2
        assert [row.sk for row in backend.scan("s", "p")] == [far + 2]

    def test_a_number_that_does_not_follow_is_refused(self, backend: Backend) -> None:
        for wrong in (Head(0, 0, None, 0), Head(0, 3, None, 3), Head(0, None, None, 5), Head(0, 0, None, 10**12 + 1)):
            with pytest.raises(InvalidValue, match="number"):
                backend.commit("s", [Put("p", b"x", when=wrong)])

    def test_when_all_were_dropped_the_last_number_given_still_counts(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"1")])
        backend.commit("s", [Drop("p", 1)])
        for given in (0, 2):
            with pytest.raises(ConditionFailed) as failed:
                backend.commit("s", [Put("p", b"2", when=Head(0, given))])
            assert (failed.value.actual, failed.value.given) == (0, 1)
        assert backend.commit("s", [Check("p", Head(0, 1)), Put("p", b"2", when=Head(0, 1))])[1] == [2]


__all__ = ["Versions"]
