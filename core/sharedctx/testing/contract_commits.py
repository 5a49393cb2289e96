"""Contract: a commit happens whole or not at all, and a group is a list of commits."""

from __future__ import annotations

import pytest

from ..backends.base import ABSENT, ANY, Backend, Check, Drop, Head, Op, Put
from ..errors import ConditionFailed, InvalidKey, InvalidValue


class Commits:
    """Atomicity, checks, ``if_rev``, revisions and ``commit_many``."""

    def test_revisions_rise_with_every_commit_of_a_space(self, backend: Backend) -> None:
        changing: list[list[Op]] = [[Put("p", b"x")], [Put("q", b"x", sk="r")], [Drop("p", 1)], [Put("p", b"y")]]
        revs = [backend.commit("s", ops)[0] for ops in changing]
        assert revs == sorted(set(revs))
        assert revs[0] > 0

    def test_rev_lies_at_or_after_the_last_commit_and_before_the_next(self, backend: Backend) -> None:
        for space in ("s", "t", "s"):
            before = backend.rev(space)
            committed, _ = backend.commit(space, [Put("p", b"x")])
            assert before < committed <= backend.rev(space)

    def test_a_commit_that_changes_nothing_returns_the_present_revision(self, backend: Backend) -> None:
        last, _ = backend.commit("s", [Put("p", b"x")])
        nothing: list[list[Op]] = [[], [Drop("p", 9), Drop("q", "r")], [Check("p", Head(1)), Check("q", ANY)]]
        for ops in nothing:
            rev, sks = backend.commit("s", ops)
            assert sks == []
            assert last <= rev <= backend.rev("s")
            assert backend.changes("s", rev) == []
        assert len(backend.changes("s", 0)) == 1
        assert backend.commit("s", [Put("p", b"y")])[0] > rev

    @pytest.mark.parametrize(
        "failing",
        [
            Check("q", Head(7)),
            Check("p", ABSENT),
            Check("p", ABSENT, sk="r"),
            Put("q", b"no", when=Head(1)),
            Put("p", b"no", when=ABSENT),
            Put("p", b"no", sk="r", when=ABSENT),
        ],
        ids=str,
    )
    def test_a_failed_condition_writes_nothing_of_its_commit(self, backend: Backend, failing: Op) -> None:
        backend.commit("s", [Put("p", b"1"), Put("p", b"row", sk="r")])
        rev = backend.rev("s")
        with pytest.raises(ConditionFailed) as failed:
            backend.commit("s", [Put("a", b"no"), Put("a", b"no", sk="r"), Drop("p", 1), failing, Put("z", b"no")])
        assert failed.value.pk == failing.pk
        assert backend.pks("s") == ["p"]
        assert [row.value for row in backend.scan("s", "p") + backend.scan("s", "p", "")] == [b"1", b"row"]
        assert backend.changes("s", rev) == []
        assert backend.commit("s", [Put("a", b"yes")])[1] == [1]

    def test_a_check_that_holds_lets_its_commit_through(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"1"), Put("p", b"row", sk="r")])
        checks: list[Op] = [Check("p", Head(1)), Check("p", ANY), Check("p", ABSENT, sk="other"), Check("q", ABSENT)]
        assert backend.commit("s", [*checks, Put("q", b"x")])[1] == [1]

    def test_conditions_are_judged_against_the_state_before_the_commit(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"1"), Put("p", b"row", sk="r")])
        ops: list[Op] = [Put("p", b"2"), Check("p", Head(1)), Drop("p", "r"), Put("q", b"x"), Check("q", ABSENT)]
        assert backend.commit("s", ops)[1] == [2, 1]
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Drop("p", 2), Put("p", b"3", when=Head(1))])

    def test_if_rev_holds_while_nothing_was_committed_after_it(self, backend: Backend) -> None:
        first, _ = backend.commit("s", [Put("p", b"1")], 0)
        backend.commit("t", [Put("p", b"elsewhere")])
        second, _ = backend.commit("s", [Put("q", b"2")], first)
        backend.commit("s", [Put("q", b"3")], backend.rev("s"))
        for stale in (0, first, second):
            with pytest.raises(ConditionFailed) as failed:
                backend.commit("s", [Put("p", b"no")], stale)
            assert failed.value.pk is None
            assert failed.value.actual is not None
            assert failed.value.actual > stale
        assert [row.value for row in backend.scan("s", "p")] == [b"1"]

    def test_if_rev_holds_from_the_revision_of_a_space_without_commits(self, backend: Backend) -> None:
        backend.commit("t", [Put("p", b"elsewhere")])
        present = backend.rev("s")
        assert backend.commit("s", [Put("p", b"1")], present)[0] > present
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Put("p", b"2")], present)

    def test_if_rev_remembers_commits_whose_rows_were_reclaimed(self, backend: Backend) -> None:
        first, _ = backend.commit("s", [Put("p", b"1")])
        backend.commit("s", [Put("q", b"2")])
        backend.reclaim("s", "q")
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Put("p", b"no")], first)
        backend.reclaim("s")
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Put("p", b"no")], first)
        assert backend.commit("s", [Put("p", b"new")], backend.rev("s"))[1] == [1]

    def test_if_rev_sees_drops_and_replacements(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"1"), Put("p", b"row", sk="r")])
        changing: list[Op] = [Put("p", b"row", sk="r"), Drop("p", "r"), Drop("p", 1)]
        for op in changing:
            seen = backend.rev("s")
            backend.commit("s", [op])
            with pytest.raises(ConditionFailed):
                backend.commit("s", [Put("p", b"no")], seen)

    def test_if_rev_refuses_a_commit_that_would_write_nothing_too(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"1")])
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Check("p", Head(1))], 0)

    def test_if_rev_in_the_future_fails(self, backend: Backend) -> None:
        rev, _ = backend.commit("s", [Put("p", b"1")])
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Put("p", b"2")], rev + 10**6)

    def test_a_group_commits_each_by_itself_and_in_order(self, backend: Backend) -> None:
        results = backend.commit_many(
            [
                ("s", [Put("p", b"1", when=ABSENT)], None),
                ("s", [Put("p", b"2", when=Head(1)), Put("q", b"x")], None),
                ("t", [Put("p", b"1")], 0),
                ("s", [Drop("p", 1)], None),
                ("s", [], None),
            ]
        )
        committed = [result for result in results if type(result) is tuple]
        assert [sks for _, sks in committed] == [[1], [2, 1], [1], [], []]
        revs = [committed[n][0] for n in (0, 1, 3)]
        assert revs == sorted(set(revs))
        assert sorted({change.rev for change in backend.changes("s", 0)} - set(revs)) == []
        assert [row.sk for row in backend.scan("s", "p")] == [2]

    def test_a_group_has_errors_in_place_and_goes_on(self, backend: Backend) -> None:
        results = backend.commit_many(
            [
                ("s", [Put("p", b"1")], None),
                ("s", [Put("a", b"no"), Put("p", b"no", when=ABSENT)], None),
                ("s", [Put("p", b"no")], 0),
                ("s", [Put("p", "text")], None),  # type: ignore[arg-type]
                ("", [Put("p", b"no")], None),
                ("s", [Put("p", b"2", when=Head(1))], None),
            ]
        )
        kinds = [type(result) for result in results]
        assert kinds == [tuple, ConditionFailed, ConditionFailed, InvalidValue, InvalidKey, tuple]
        assert [row.value for row in backend.scan("s", "p")] == [b"1", b"2"]
        assert backend.pks("s") == ["p"]

    def test_what_builds_on_a_refused_commit_of_its_group_is_refused(self, backend: Backend) -> None:
        """Its own condition holds: another writer's version has the number that the refused one was to have."""
        backend.commit("s", [Put("p", b"another writer's")])
        results = backend.commit_many(
            [
                ("s", [Put("p", b"1", when=ABSENT)], None),
                ("s", [Put("p", b"2", when=Head(1))], None),
                ("s", [Put("q", b"1")], None),
                ("s", [Put("p", b"3", when=Head(2))], None),
                ("s", [Put("q", b"2", when=Head(1))], None),
            ],
            [(), (0,), (), (1,), (2,)],
        )
        kinds = [type(result) for result in results]
        assert kinds == [ConditionFailed, ConditionFailed, tuple, ConditionFailed, tuple]
        assert [row.value for row in backend.scan("s", "p")] == [b"another writer's"]
        assert [row.value for row in backend.scan("s", "q")] == [b"1", b"2"]

    def test_an_empty_group_is_no_error(self, backend: Backend) -> None:
        assert backend.commit_many([]) == []


__all__ = ["Commits"]
