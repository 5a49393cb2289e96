"""Contract: partition keys and spaces are listed in order of code points, by prefix and in pages, and stay apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from ..backends.base import Backend, Drop, Put
from .contract_rows import ODD_TEXTS

_PREFIXES = ["", "a", "a-", "a.", "a%", "a_", "A", "-", "é", "\U0001f600", "\uffff", "\U0010ffff", "\x00", "x", "none"]


def _pages(page: Callable[[str], list[str]]) -> list[str]:
    found: list[str] = []
    while more := page(found[-1] if found else ""):
        assert not found or more[0] > found[-1]
        found += more
    return found


class Listing:
    """``pks``, ``spaces`` and the isolation of what they list."""

    texts: ClassVar[Sequence[str]] = ODD_TEXTS

    def test_partition_keys_are_listed_by_prefix_in_order(self, backend: Backend) -> None:
        for text in [*self.texts[::2], *self.texts[1::2]]:
            backend.commit("s", [Put(text, text.encode())])
            backend.commit("s", [Put(text, text.encode())])
        assert backend.pks("s") == list(self.texts)
        for prefix in _PREFIXES:
            expected = [text for text in self.texts if text.startswith(prefix)]
            assert backend.pks("s", prefix) == expected
            assert _pages(lambda after, prefix=prefix: backend.pks("s", prefix, after, 2)) == expected  # type: ignore[misc]
        for after in self.texts:
            assert backend.pks("s", after=after) == [text for text in self.texts if text > after]
            assert [row.value.decode() for row in backend.scan("s", after)] == [after, after]

    def test_spaces_are_listed_by_prefix_in_order(self, backend: Backend) -> None:
        for text in [*self.texts[::2], *self.texts[1::2]]:
            backend.commit(text, [Put("p", text.encode()), Put("q", b"x", sk="r")])
        assert backend.spaces() == list(self.texts)
        for prefix in _PREFIXES:
            expected = [text for text in self.texts if text.startswith(prefix)]
            assert backend.spaces(prefix) == expected
            assert _pages(lambda after, prefix=prefix: backend.spaces(prefix, after, 2)) == expected  # type: ignore[misc]
        for after in self.texts:
            assert backend.spaces(after=after) == [text for text in self.texts if text > after]
            assert [row.value.decode() for row in backend.scan(after, "p")] == [after]
            assert len(backend.changes(after, 0)) == 2

    def test_after_may_lie_before_or_behind_the_prefix_and_name_nothing(self, backend: Backend) -> None:
        backend.commit("s", [Put(pk, b"x") for pk in ("a", "b-1", "b-2", "b-3", "c")])
        assert backend.pks("s", "b", "a") == ["b-1", "b-2", "b-3"]
        assert backend.pks("s", "b", "b-15") == ["b-2", "b-3"]
        assert backend.pks("s", "b", "b") == ["b-1", "b-2", "b-3"]
        assert backend.pks("s", "b", "c") == []
        assert backend.pks("s", limit=2) == ["a", "b-1"]
        assert backend.pks("s", limit=0) == backend.spaces(limit=0) == []

    def test_a_partition_of_one_kind_of_rows_is_listed(self, backend: Backend) -> None:
        backend.commit(
            "s", [Put("versions", b"x"), Put("rows", b"x", sk="r"), Put("both", b"x"), Put("both", b"x", sk="r")]
        )
        assert backend.pks("s") == ["both", "rows", "versions"]

    def test_what_holds_no_rows_is_not_listed(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x"), Put("q", b"x", sk="r")])
        backend.commit("t", [Put("p", b"x")])
        backend.commit("s", [Drop("p", 1)])
        assert (backend.pks("s"), backend.spaces()) == (["q"], ["s", "t"])
        backend.commit("s", [Drop("q", "r")])
        assert (backend.pks("s"), backend.spaces()) == ([], ["t"])
        backend.commit("s", [Put("p", b"again")])
        assert (backend.pks("s"), backend.spaces()) == (["p"], ["s", "t"])

    def test_names_that_join_alike_stay_apart(self, backend: Backend) -> None:
        joins = "-./:~\x00 "
        addresses = [pair for j in joins for pair in (("a", f"b{j}c"), (f"a{j}b", "c"), ("a", f"b{j}"), (f"a{j}", "b"))]
        addresses += [("a", "b"), ("b", "a"), ("ab", "c"), ("a", "bc")]
        for space, pk in addresses:
            mark = repr((space, pk)).encode()
            assert backend.commit(space, [Put(pk, mark), Put(pk, mark, sk="1-2")])[1] == [1, "1-2"]
        for space, pk in addresses:
            mark = repr((space, pk)).encode()
            assert [row.value for row in backend.scan(space, pk)] == [mark]
            assert [row.value for row in backend.scan(space, pk, "")] == [mark]
            assert backend.pks(space) == sorted(p for s, p in addresses if s == space)
            assert {change.pk for change in backend.changes(space, 0)} == {p for s, p in addresses if s == space}

    def test_reclaiming_one_leaves_those_that_join_alike(self, backend: Backend) -> None:
        addresses = [("a", "b-c"), ("a-b", "c"), ("a", "b"), ("a-", "b"), ("a.", "b"), ("a\x00", "b"), ("A", "b")]
        for space, pk in addresses:
            backend.commit(space, [Put(pk, b"x"), Put(pk, b"x", sk="r")])
        assert backend.reclaim("a", "b") == 2
        assert backend.pks("a") == ["b-c"]
        assert backend.reclaim("a") == 2
        assert backend.spaces() == ["A", "a\x00", "a-", "a-b", "a."]
        assert all(len(backend.changes(space, 0)) == 2 for space in backend.spaces())


__all__ = ["Listing"]
