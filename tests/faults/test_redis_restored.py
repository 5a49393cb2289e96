"""Servers that come back with less than they acknowledged, or with nothing: nobody takes another commit for one that
was lost, and those who followed or wrote are told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sharedctx
from sharedctx.backends.base import Head, Put
from sharedctx.backends.redis import RedisBackend
from sharedctx.errors import BackendUnavailable, Compacted, VersionConflict

redis = pytest.importorskip("redis", reason="redis is not installed: pip install 'sharedctx[redis]'")

LATER = 2**30
"""Commits that a server may lose without a revision being given twice."""


@pytest.fixture
def url(server: Any) -> str:
    address: str = server.start("--appendonly", "no")
    return address


@pytest.fixture
def go_back(server: Any, url: str) -> Callable[[Callable[[], object]], None]:
    """Does something and then brings the server back as it was before."""

    def meanwhile(act: Callable[[], object]) -> None:
        server.ask("SAVE")
        shutil.copy(server.local.folder / "dump.rdb", server.local.folder / "older.rdb")
        act()
        server.kill()
        shutil.copy(server.local.folder / "older.rdb", server.local.folder / "dump.rdb")
        server.start()

    return meanwhile


@pytest.fixture
def two(url: str) -> Iterator[tuple[RedisBackend, RedisBackend]]:
    """Two processes' openings."""
    one, other = RedisBackend(url), RedisBackend(url)
    yield one, other
    one.close()
    other.close()


def text(word: str) -> str:
    return f"{word} " * 400


def test_what_others_wrote_in_the_place_of_what_was_lost_is_read(
    url: str, go_back: Callable[[Callable[[], object]], None]
) -> None:
    with sharedctx.open(url) as one:
        mine = one.session("s")
        mine.put("k", text("kept"))

        def lost() -> None:
            mine.put("k", text("lost"))
            assert mine.get("k", full=True) == text("lost")
            assert "lost" in str(mine.get("k"))

        go_back(lost)
        assert mine.get("k", full=True) == text("kept")
        with sharedctx.open(f"{url}?client_name=other") as second:
            assert second.session("s").put("k", text("theirs")).version == 2
        assert mine.get("k", full=True) == text("theirs")
        assert "theirs" in str(mine.get("k"))
        mine.put("k", text("theirs") + "and mine")
        with sharedctx.open(f"{url}?client_name=third") as third:
            assert third.session("s").get("k", full=True) == text("theirs") + "and mine"
            assert third.doctor() == []


def test_a_revision_that_was_lost_is_never_given_again(
    two: tuple[RedisBackend, RedisBackend], go_back: Callable[[Callable[[], object]], None]
) -> None:
    one, other = two
    kept, _ = one.commit("s", [Put("p", b"kept")])
    lost: list[int] = []
    go_back(lambda: lost.extend(one.commit("s", [Put("p", b"lost")])[0] for _ in range(3)))
    assert one.rev("s") == kept
    after = [other.commit("s", [Put("p", b"2")])[0]]
    for written in other.commit_many([("s", [Put("q", b"3")], None)] * 2):
        assert not isinstance(written, Exception)
        after.append(written[0])
    assert after == sorted(set(after))
    assert min(after) > max(lost) + LATER // 2
    assert [row.value for row in one.scan("s", "p")] == [b"kept", b"2"]
    assert one.commit("s", [Put("p", b"4", when=Head(2))])[0] == max(after) + 1


def test_who_followed_what_was_lost_is_told_and_who_did_not_goes_on(
    two: tuple[RedisBackend, RedisBackend], go_back: Callable[[Callable[[], object]], None]
) -> None:
    one, other = two
    kept, _ = one.commit("s", [Put("p", b"kept")])
    lost: list[int] = []
    go_back(lambda: lost.append(one.commit("s", [Put("p", b"lost")])[0]))
    with pytest.raises(Compacted):
        one.changes("s", lost[0])
    other.commit("s", [Put("p", b"new")])
    assert one.wait("s", lost[0], 0.0)
    with pytest.raises(Compacted) as told:
        one.changes("s", lost[0])
    assert [change.sk for change in one.changes("s", told.value.oldest)] == [1, 2]
    assert [change.sk for change in one.changes("s", kept)] == [2]


def test_a_condition_of_what_was_lost_does_not_hold_for_what_came_after(
    url: str, go_back: Callable[[Callable[[], object]], None]
) -> None:
    with sharedctx.open(url) as one:
        mine = one.session("s")
        mine.put("plan", {"n": 1})
        go_back(lambda: mine.put("plan", {"n": 2}))
        with sharedctx.open(f"{url}?client_name=other") as second:
            assert second.session("s").put("plan", {"n": "theirs"}).version == 2
        with pytest.raises(VersionConflict, match="older state"):
            mine.put("plan", {"n": 3}, expect=2)
        assert mine.get("plan", full=True) == {"n": "theirs"}
        assert mine.put("plan", {"n": 3}, expect=2).version == 3


@pytest.mark.parametrize("used_anew", [False, True])
@pytest.mark.parametrize("together", [1, 3])
def test_writing_to_a_server_that_was_emptied_is_told(
    server: Any, two: tuple[RedisBackend, RedisBackend], url: str, used_anew: bool, together: int
) -> None:
    one, _ = two
    one.commit("s", [Put("p", b"x")])
    server.ask("FLUSHALL")
    if used_anew:
        another = RedisBackend(url)
        another.commit("s", [Put("p", b"another's")])
        another.close()
    for space in ("s", "new"):
        with pytest.raises(BackendUnavailable, match="emptied"):
            one.commit(space, [Put("p", b"y")])
        failed = one.commit_many([(space, [Put("p", b"y")], None)] * together)
        assert [type(each) for each in failed] == [BackendUnavailable] * together
    assert [row.value for row in one.scan("s", "p")] == ([b"another's"] if used_anew else [])


@pytest.mark.parametrize("written_since", [False, True])
def test_who_follows_a_feed_that_was_evicted_is_told_and_goes_on_from_there(
    server: Any, two: tuple[RedisBackend, RedisBackend], written_since: bool
) -> None:
    one, other = two
    heard, _ = one.commit("s", [Put("p", b"heard")])
    last, _ = other.commit("s", [Put("p", b"not heard")])
    server.ask("DEL", "sharedctx:{s}:f")
    if written_since:
        other.commit("s", [Put("p", b"later")])
    assert one.wait("s", heard, 0.0)
    with pytest.raises(Compacted) as told:
        one.changes("s", heard)
    assert told.value.oldest == last
    assert [change.sk for change in one.changes("s", told.value.oldest)] == ([3] if written_since else [])
    other.commit("s", [Put("p", b"last")])
    assert [change.sk for change in one.changes("s", told.value.oldest)][-1:] == [3 + written_since]
    with pytest.raises(Compacted):
        one.changes("s", heard)
