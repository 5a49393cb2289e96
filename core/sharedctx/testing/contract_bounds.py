"""Contract: what a backend refuses, and that it refuses before it writes anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..backends.base import ABSENT, MAX_OPS, MAX_VALUE_BYTES, NEXT, Backend, Check, Drop, Head, Put
from ..errors import BackendUnavailable, InvalidKey, InvalidValue, ValueTooLarge

_MALFORMED: list[tuple[str, list[Any]]] = [
    ("a value given as text", [Put("p", "text")]),  # type: ignore[arg-type]
    ("a value given as bytearray", [Put("p", bytearray(b"x"))]),  # type: ignore[arg-type]
    ("a value given as None", [Put("p", None)]),  # type: ignore[arg-type]
    ("one value of several given as text", [Put("p", b"x"), Put("q", "text")]),  # type: ignore[arg-type]
    ("a chosen version number", [Put("p", b"x", sk=1)]),  # type: ignore[arg-type]
    ("a drop of the next version", [Drop("p", NEXT)]),  # type: ignore[arg-type]
    ("a head for a collection row", [Put("p", b"x", sk="r", when=Head(0))]),
    ("a last number that is none", [Put("p", b"x", when=Head(0, 0.5))]),  # type: ignore[arg-type]
    ("a revision that is none", [Put("p", b"x", when=Head(0, 0, "1"))]),  # type: ignore[arg-type]
    ("a check of a head for a collection row", [Check("p", Head(0), sk="r")]),
    ("an unknown condition", [Put("p", b"x", when=1)]),  # type: ignore[arg-type]
    ("a head that is no number", [Check("p", Head("1"))]),  # type: ignore[arg-type]
    ("an expiry that is no number", [Put("p", b"x", expires=float("nan"))]),
    ("an expiry given as text", [Put("p", b"x", expires="1")]),  # type: ignore[arg-type]
    ("something that is no operation", [("p", b"x")]),
    ("two new versions in one partition", [Put("p", b"x"), Put("q", b"x"), Put("p", b"y")]),
    ("a collection row put twice", [Put("p", b"x", sk="r"), Put("p", b"y", sk="r")]),
    ("a collection row put and dropped", [Put("p", b"x", sk="r"), Drop("p", "r")]),
    ("a version dropped twice", [Put("q", b"x"), Drop("p", 1), Drop("p", 1)]),
]

_NAMES = [pytest.param("", id="empty"), pytest.param("\ud800", id="lone"), pytest.param("a\udfff-b", id="lone within")]


class Bounds:
    """Refusals of commits, of names, and of everything once closed."""

    @pytest.mark.parametrize("ops", [pytest.param(ops, id=name) for name, ops in _MALFORMED])
    def test_a_malformed_commit_is_refused_whole(self, backend: Backend, ops: list[Any]) -> None:
        with pytest.raises(InvalidValue):
            backend.commit("s", ops)
        assert backend.spaces() == []
        assert backend.commit("s", [Put("p", b"x")])[1] == [1]

    def test_a_row_may_be_checked_and_written_and_checked_twice(self, backend: Backend) -> None:
        checks = [Check("p", ABSENT), Check("p", Head(0)), Check("p", ABSENT, sk="r")]
        assert backend.commit("s", [*checks, Put("p", b"x"), Put("p", b"y", sk="r")])[1] == [1, "r"]

    def test_a_version_and_a_row_that_looks_like_it_are_two_rows(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        assert backend.commit("s", [Put("p", b"y", sk="1"), Drop("p", 1)])[1] == ["1"]
        assert backend.scan("s", "p") == []
        assert [row.sk for row in backend.scan("s", "p", "")] == ["1"]

    def test_ninety_operations_are_taken_and_one_more_is_refused(self, backend: Backend) -> None:
        assert backend.commit("s", [Put(f"p{n}", b"x") for n in range(MAX_OPS)])[1] == [1] * MAX_OPS
        with pytest.raises(InvalidValue):
            backend.commit("s", [Put(f"q{n}", b"x") for n in range(MAX_OPS)] + [Check("q", ABSENT)])
        assert len(backend.pks("s")) == MAX_OPS

    def test_a_large_value_is_taken_alone_and_refused_in_company(self, backend: Backend) -> None:
        large = bytes(range(256)) * (5 * 2**12)
        backend.commit("s", [Check("p", ABSENT), Put("p", large), Drop("q", 1)])
        assert backend.scan("s", "p")[0].value == large
        with pytest.raises(InvalidValue):
            backend.commit("s", [Put("p", large), Put("q", b"x")])
        assert backend.pks("s") == ["p"]

    def test_many_values_are_refused_by_their_sum(self, backend: Backend) -> None:
        with pytest.raises(InvalidValue):
            backend.commit("s", [Put(f"p{n}", bytes(2**20)) for n in range(4)])
        assert backend.spaces() == []
        backend.commit("s", [Put(f"p{n}", bytes(2**20 - 128)) for n in range(3)])

    def test_a_value_over_the_limit_is_too_large(self, backend: Backend) -> None:
        with pytest.raises(ValueTooLarge):
            backend.commit("s", [Put("p", bytes(MAX_VALUE_BYTES + 1))])
        assert backend.spaces() == []

    @pytest.mark.parametrize("name", _NAMES)
    def test_names_are_text_without_lone_surrogates(self, backend: Backend, name: str) -> None:
        refused: list[Callable[[], object]] = [
            lambda: backend.commit(name, [Put("p", b"x")]),
            lambda: backend.commit("s", [Put(name, b"x")]),
            lambda: backend.commit("s", [Put("p", b"x", sk=name)]),
            lambda: backend.commit("s", [Put("q", b"x"), Drop(name, 1)]),
            lambda: backend.commit("s", [Check(name, ABSENT)]),
            lambda: backend.scan(name, "p"),
            lambda: backend.scan("s", name),
            lambda: backend.pks(name),
            lambda: backend.rev(name),
            lambda: backend.changes(name, 0),
            lambda: backend.wait(name, 0, 0.0),
            lambda: backend.reclaim(name),
            lambda: backend.reclaim("s", name),
        ]
        for call in refused:
            with pytest.raises(InvalidKey):
                call()
        assert backend.spaces() == []

    def test_bounds_of_reads_are_text_without_lone_surrogates(self, backend: Backend) -> None:
        refused: list[Callable[[], object]] = [
            lambda: backend.scan("s", "p", "\ud800"),
            lambda: backend.scan("s", "p", "a", "\ud800"),
            lambda: backend.pks("s", "\ud800"),
            lambda: backend.pks("s", after="\ud800"),
            lambda: backend.spaces("\ud800"),
            lambda: backend.spaces(after="\ud800"),
            lambda: backend.reclaim("s", "p", before="\ud800"),
        ]
        for call in refused:
            with pytest.raises(InvalidKey):
                call()

    @pytest.mark.parametrize(("lo", "hi"), [(1, "a"), ("a", 1), (None, None), (b"a", None), (1.5, None)])
    def test_bounds_of_a_scan_are_of_one_kind(self, backend: Backend, lo: Any, hi: Any) -> None:
        with pytest.raises(InvalidValue):
            backend.scan("s", "p", lo, hi)

    def test_a_closed_store_refuses_everything_and_closes_again_in_peace(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x")])
        backend.close()
        backend.close()
        refused: list[Callable[[], object]] = [
            lambda: backend.commit("s", [Put("p", b"x")]),
            lambda: backend.commit("s", []),
            lambda: backend.scan("s", "p"),
            lambda: backend.scan("s", "p", "a", "b"),
            backend.spaces,
            lambda: backend.pks("s"),
            lambda: backend.rev("s"),
            lambda: backend.changes("s", 0),
            lambda: backend.wait("s", 0, 0.0),
            lambda: backend.reclaim("s"),
            lambda: backend.reclaim("s", "p"),
            backend.now,
            lambda: backend.expired(1.0),
            backend.describe,
            backend.verify,
        ]
        for call in refused:
            with pytest.raises(BackendUnavailable):
                call()

    def test_a_closed_store_fails_every_commit_of_a_group(self, backend: Backend) -> None:
        backend.close()
        results = backend.commit_many([("s", [Put("p", b"x")], None), ("t", [Put("p", b"x")], None)])
        assert [type(result) for result in results] == [BackendUnavailable, BackendUnavailable]

    def test_a_healthy_store_describes_itself_and_has_no_faults(self, backend: Backend) -> None:
        backend.commit("s", [Put("p", b"x" * 100)])
        facts = backend.describe()
        assert all(type(facts[name]) is str and facts[name] for name in ("kind", "address", "durability"))
        assert facts["bytes"] >= 100
        assert backend.verify() == []
        assert backend.local in (True, False)
        assert backend.id


__all__ = ["Bounds"]
