"""Contract: the feed of a space names every change once, in order, in whole commits, from any revision."""

from __future__ import annotations

import pytest

from ..backends.base import Backend, Change, Check, Drop, Head, Op, Put
from ..errors import Compacted

_HISTORY: list[list[Op]] = [
    [Put("p", b"1")],
    [Put("p", b"2"), Put("q", b"1"), Put("q", b"r", sk="r")],
    [Put("a", b"x", sk=text) for text in ("x", "y", "z")],
    [Put("p", b"3")],
    [Put(f"m{n}", b"x") for n in range(7)],
    [Check("p", Head(3)), Put("a", b"w", sk="w")],
]


def _commit_history(backend: Backend) -> list[int]:
    revs = []
    for n, ops in enumerate(_HISTORY):
        revs.append(backend.commit("s", ops)[0])
        backend.commit("t" if n % 2 else "s-", [Put("p", b"elsewhere")])
    return revs


class Feed:
    """``changes``."""

    def test_the_feed_names_every_change_in_order_of_commits(self, backend: Backend) -> None:
        revs = _commit_history(backend)
        feed = backend.changes("s", 0)
        assert [change.rev for change in feed] == sorted(change.rev for change in feed)
        assert sorted(feed, key=repr) == sorted(
            [
                Change(revs[0], "p", 1, "put"),
                Change(revs[1], "p", 2, "put"),
                Change(revs[1], "q", 1, "put"),
                Change(revs[1], "q", "r", "put"),
                *(Change(revs[2], "a", text, "put") for text in "xyz"),
                Change(revs[3], "p", 3, "put"),
                *(Change(revs[4], f"m{n}", 1, "put") for n in range(7)),
                Change(revs[5], "a", "w", "put"),
            ],
            key=repr,
        )

    def test_the_feed_resumes_from_every_revision(self, backend: Backend) -> None:
        revs = _commit_history(backend)
        feed = backend.changes("s", 0)
        for rev in revs:
            assert backend.changes("s", rev) == [change for change in feed if change.rev > rev]
        assert backend.changes("s", backend.rev("s")) == []

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 8, 100])
    def test_a_limit_ends_a_page_with_a_whole_commit(self, backend: Backend, limit: int) -> None:
        revs = _commit_history(backend)
        feed = backend.changes("s", 0)
        for since in [0, *revs]:
            rest = [change for change in feed if change.rev > since]
            page = backend.changes("s", since, limit)
            assert page == rest[: len(page)]
            assert len(page) >= min(limit, len(rest))
            if page:
                assert [change for change in rest if change.rev == page[-1].rev] == [
                    change for change in page if change.rev == page[-1].rev
                ]
                assert len([change for change in page if change.rev < page[-1].rev]) < limit

    def test_pages_join_to_the_whole_feed(self, backend: Backend) -> None:
        _commit_history(backend)
        for limit in (1, 2, 5):
            found: list[Change] = []
            while page := backend.changes("s", found[-1].rev if found else 0, limit):
                assert not found or page[0].rev > found[-1].rev
                found += page
            assert found == backend.changes("s", 0)

    def test_a_page_ends_whole_when_spaces_commit_in_turns(self, backend: Backend) -> None:
        for n in range(6):
            backend.commit("s", [Put("p", b"x"), Put("q", b"x"), Put("p", b"x", sk=str(n))])
            backend.commit("s-", [Put("p", b"x"), Put("q", b"x")])
        for limit in range(1, 8):
            page = backend.changes("s", 0, limit)
            assert len(page) == -(-limit // 3) * 3

    def test_of_a_replaced_row_only_the_last_put_remains(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"1", sk="r"), Put("p", b"1", sk="other"), Put("p", b"version")])
        between, _ = backend.commit("s", [Put("q", b"x")])
        last, _ = backend.commit("s", [Put("p", b"2", sk="r")])
        feed = backend.changes("s", 0)
        assert [change for change in feed if change.sk == "r"] == [Change(last, "p", "r", "put")]
        assert {(change.pk, change.sk) for change in feed} == {("p", "r"), ("p", "other"), ("p", 1), ("q", 1)}
        assert backend.changes("s", between) == [Change(last, "p", "r", "put")]

    def test_a_row_replaced_over_and_over_is_one_entry(self, backend: Backend) -> None:
        revs = [backend.commit("s", [Put("p", b"%d" % n, sk="r")])[0] for n in range(20)]
        assert revs == sorted(set(revs))
        for rev in [0, *revs[:-1]]:
            assert backend.changes("s", rev) == [Change(revs[-1], "p", "r", "put")]

    def test_a_drop_is_told(self, backend: Backend) -> None:
        put, _ = backend.commit("s", [Put("p", b"1"), Put("p", b"1", sk="r"), Put("q", b"1")])
        dropped, _ = backend.commit("s", [Drop("p", 1), Drop("p", "r"), Drop("p", "none"), Put("q", b"2")])
        assert sorted(backend.changes("s", put), key=repr) == sorted(
            [Change(dropped, "p", 1, "drop"), Change(dropped, "p", "r", "drop"), Change(dropped, "q", 2, "put")],
            key=repr,
        )

    def test_a_drop_stays_told_when_the_row_comes_back(self, backend: Backend) -> None:
        put, _ = backend.commit("s", [Put("p", b"1", sk="r")])
        dropped, _ = backend.commit("s", [Drop("p", "r")])
        back, _ = backend.commit("s", [Put("p", b"2", sk="r")])
        assert backend.changes("s", put) == [Change(dropped, "p", "r", "drop"), Change(back, "p", "r", "put")]
        assert backend.changes("s", dropped) == [Change(back, "p", "r", "put")]

    @pytest.mark.parametrize("sk", [1, "r"])
    def test_the_revision_of_a_dropped_newest_row_is_not_given_again(self, backend: Backend, sk: int | str) -> None:
        put, _ = backend.commit("s", [Put("p", b"1") if sk == 1 else Put("p", b"1", sk="r")])
        dropped, _ = backend.commit("s", [Drop("p", sk)])
        after, _ = backend.commit("s", [Put("q", b"x")])
        assert put < dropped < after
        assert backend.changes("s", put) == [Change(dropped, "p", sk, "drop"), Change(after, "q", 1, "put")]
        assert backend.changes("s", dropped) == [Change(after, "q", 1, "put")]
        assert backend.changes("s", after) == []

    def test_putting_and_dropping_in_turns_is_told_to_who_follows(self, backend: Backend) -> None:
        seen = 0
        for n in range(1, 6):
            backend.commit("s", [Put("p", b"x")])
            followed = backend.changes("s", seen)
            assert [(change.sk, change.op) for change in followed] == [(n, "put")]
            backend.commit("s", [Drop("p", n)])
            seen = followed[-1].rev
            followed = backend.changes("s", seen)
            assert [(change.sk, change.op) for change in followed] == [(n, "drop")]
            seen = followed[-1].rev

    def test_an_unknown_space_has_an_empty_feed(self, backend: Backend) -> None:
        assert backend.changes("s", 0) == []
        backend.commit("t", [Put("p", b"x")])
        assert backend.changes("s", 0) == backend.changes("s", backend.rev("s")) == []

    def test_a_future_revision_is_refused_with_one_to_follow_from(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        with pytest.raises(Compacted) as refused:
            backend.changes("s", backend.rev("s") + 10**6)
        feed = backend.changes("s", refused.value.oldest)
        assert [(change.pk, change.sk) for change in feed] == [("p", 1)]


__all__ = ["Feed"]
