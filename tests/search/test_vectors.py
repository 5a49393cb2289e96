"""Entries are found by the nearness of their vectors: exactly, under filters, and as they are now."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

import sharedctx
from sharedctx.backends.base import Op
from sharedctx.backends.steps import Steps, run
from sharedctx.entries.together import Change
from sharedctx.errors import InvalidKey, InvalidValue, PackageNotInstalled
from sharedctx.search import Entry, Item, Vectors
from sharedctx.search.merging import FULL
from sharedctx.testing import ManualClock

from .indexed import Indexed


def cosine(one: list[float], two: list[float]) -> float:
    return sum(a * b for a, b in zip(one, two, strict=True)) / (math.hypot(*one) * math.hypot(*two))


@dataclass(frozen=True)
class Of:
    """Entries with a fact, found by their labels or judged one by one."""

    fact: str
    judges: bool = False

    @property
    def labels(self) -> list[list[str]]:
        return [] if self.judges else [[self.fact]]

    def __call__(self, item: Item) -> bool:
        return bool(item.read_facts() == self.fact)


@pytest.fixture
def store(address: str) -> Iterator[sharedctx.Store]:
    with sharedctx.open(address) as opened:
        yield opened


@pytest.fixture
def indexed(store: sharedctx.Store) -> Any:
    return Indexed(store.session())


def test_the_score_is_the_cosine_whatever_the_lengths(indexed: Any) -> None:
    indexed.put({"same": [[3.0, 4.0]], "far": [[-6.0, -8.0]], "across": [[-400.0, 300.0]], "none": [[0.0, 0.0]]})
    assert [key for key, _ in indexed.search([0.03, 0.04])][::3] == ["same", "far"]
    cosines = {"same": 1.0, "across": 0.0, "none": 0.0, "far": -1.0}
    assert dict(indexed.search([0.03, 0.04])) == pytest.approx(cosines, abs=1e-6)
    indexed.put({"huge": [[3e30, 4e30]], "tiny": [[4e-30, 3e-30]]})
    assert dict(indexed.search([3e25, 4e25])) == pytest.approx(cosines | {"huge": 1.0, "tiny": 0.96}, abs=1e-6)


def test_pages_of_equal_scores_neither_repeat_nor_skip(indexed: Any) -> None:
    indexed.put({f"k{n:02}": [[1.0, 1.0]] for n in range(30)})
    pages = [indexed.search([2.0, 2.0], limit=7, offset=offset) for offset in range(0, 35, 7)]
    assert [key for page in pages for key, _ in page] == [f"k{n:02}" for n in range(30)]


def test_an_entry_counts_once_by_the_nearest_of_its_vectors(indexed: Any) -> None:
    indexed.put({"two": [[1.0, 0.0], [0.0, 1.0]], "one": [[1.0, 1.0]], "unseen": []})
    assert [key for key, _ in indexed.search([0.0, 1.0])] == ["two", "one"]
    assert [key for key, _ in indexed.search([0.0, 1.0], limit=1)] == ["two"]
    assert indexed.keys() == ["one", "two", "unseen"]
    assert indexed.index.vectors("two") == [[1.0, 0.0], [0.0, 1.0]]
    assert indexed.index.vectors("unseen") == []


def test_filters_apply_before_the_limit_and_to_what_is_added_later(indexed: Any) -> None:
    indexed.put({f"near{n}": [[1.0, n / 1000]] for n in range(60)}, facts="a")
    indexed.put({"far": [[-1.0, 0.0]]}, facts="b")
    assert [key for key, _ in indexed.search([1.0, 0.0], limit=3, where=Of("b"))] == ["far"]
    indexed.put({"later": [[0.0, 1.0]], "near3": [[0.0, -1.0]]}, facts="b")
    assert [key for key, _ in indexed.search([0.0, 1.0], where=Of("b"))] == ["later", "far", "near3"]
    assert [key for key, _ in indexed.search([0.0, 1.0], where=Of("b", judges=True))] == ["later", "far", "near3"]
    assert "near3" not in dict(indexed.search([1.0, 0.0], limit=100, where=Of("a")))
    assert indexed.search([1.0, 0.0], where=Of("c")) == []


def test_what_a_filter_leaves_of_many_wide_vectors_scores_as_without_it(indexed: Any) -> None:
    wide = {f"k{n:03}": [[float((n * 37 + d * d) % 11 - 5) for d in range(2000)]] for n in range(240)}
    few = {key: wide[key] for number, key in enumerate(wide) if number % 4 == 1}
    many = [key for key in wide if key not in few]
    for start in range(0, len(many), 60):
        indexed.put({key: wide[key] for key in many[start : start + 60]}, facts="a")
    indexed.put(few, facts="b")
    query = [1.0 + d % 3 for d in range(2000)]
    for _ in range(2):  # asked again, it is remembered
        everything = indexed.search(query, limit=1000)
        assert indexed.search(query, limit=1000, where=Of("b")) == [each for each in everything if each[0] in few]
    gone = everything[0][0] if everything[0][0] in few else next(iter(few))
    indexed.drop(gone)
    left = [key for key, _ in indexed.search(query, limit=1000, where=Of("b"))]
    assert sorted(left) == sorted(few.keys() - {gone})


def test_replaced_and_removed_vectors_are_found_no_more(indexed: Any) -> None:
    indexed.put({"a": [[1.0, 0.0]], "b": [[0.8, 0.2]]})
    indexed.put({"a": [[0.0, 1.0]]})
    assert [key for key, _ in indexed.search([1.0, 0.0], limit=1)] == ["b"]
    indexed.drop("b")
    assert [key for key, _ in indexed.search([1.0, 0.0])] == ["a"]
    indexed.put({"b": [[1.0, 0.1]]})
    assert [key for key, _ in indexed.search([1.0, 0.0])] == ["b", "a"]


def test_an_entry_that_somebody_else_removes_is_found_no_more(indexed: Any) -> None:
    indexed.put({"a": [[1.0, 0.0]], "b": [[0.8, 0.2]]})
    assert len(indexed.search([1.0, 0.0])) == 2
    indexed.ctx.delete("a")
    assert [key for key, _ in indexed.search([1.0, 0.0])] == ["b"]


def test_a_vector_of_other_dimensions_is_refused_and_nothing_is_written(indexed: Any) -> None:
    indexed.put({"a": [[1.0, 0.0]]})
    with pytest.raises(InvalidValue, match=r"'b' has 3 dimensions where the index has 2"):
        indexed.put({"b": [[1.0, 0.0, 0.0]]})
    with pytest.raises(InvalidValue, match=r"the query.*dimensions"):
        indexed.search([1.0])
    for bad in ([float("nan"), 1.0], [float("inf"), 1.0], [1e300, 1.0], [], ["x", 1.0]):
        with pytest.raises(InvalidValue, match="'b'"):
            indexed.put({"b": [bad]})  # type: ignore[list-item]
    assert indexed.ctx.keys() == indexed.keys() == ["a"]


def test_an_index_that_was_emptied_takes_other_dimensions(indexed: Any) -> None:
    indexed.put({"a": [[1.0, 0.0]], "text alone": []})
    indexed.ctx.run(indexed.index.forget())  # which does nothing yet
    indexed.put({"b": [[1.0, 0.0]]})
    indexed.drop("a", "b")
    assert indexed.search([1.0, 0.0, 0.0]) == []
    indexed.ctx.run(indexed.index.forget())
    indexed.put({"b": [[1.0]]})
    indexed.drop("b")
    indexed.ctx.run(indexed.index.forget())
    indexed.put({"c": [[1.0, 0.0, 0.0]], "d": [[0.0, 1.0, 0.0]]})
    for _ in range(2):
        assert [key for key, _ in indexed.search([1.0, 0.0, 0.0])] == ["c", "d"]
        indexed.index.after_fork()  # packs of the old vectors are there still
    with pytest.raises(InvalidValue, match="3"):
        indexed.put({"e": [[1.0, 0.0]]})


def test_dimensions_that_become_others_before_a_commit_keep_it_out(indexed: Any) -> None:
    indexed.put({"a": [[1.0, 0.0]]})
    index, backend = indexed.index, indexed.ctx.store.backend
    asked = count()

    def tell(numbers: Sequence[int]) -> Steps[tuple[Op, ...]]:
        again = next(asked) > 0
        told = yield from index.write([Entry("b", numbers[0], [[1.0, 0.0]])], again=again)
        if not again:
            backend.commit(index.space, run(backend, index.write(gone=[("a", 2)])))
            run(backend, index.forget())
            other = Vectors(index.space, "test", indexed.ctx.verbs.session.log.head, lambda item: [])
            backend.commit(index.space, run(backend, other.write([Entry("c", 1, [[1.0]])])))
        return told

    with pytest.raises(InvalidValue, match="2 dimensions where the index has 1"):
        indexed.ctx.run(indexed.ctx.verbs.write_together(None, [Change("b", "text")], "", tell))
    assert indexed.ctx.keys() == ["a"]
    assert [key for key, _ in indexed.search([1.0])] == ["c"]


def test_vectors_in_many_blocks_are_found_as_in_one(indexed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sharedctx.search.matrix._BYTES", 1)
    wide = {f"k{n:03}": [[float((n * 37 + d * d) % 11 - 5) for d in range(7)]] for n in range(700)}
    for start in range(0, 700, 70):
        indexed.put({key: wide[key] for key in list(wide)[start : start + 70]}, facts="b" if start % 210 else "a")
    indexed.put({"k300": [[9.0] * 7, [-9.0] * 7]}, facts="b")
    wide["k300"] = [[9.0] * 7, [-9.0] * 7]
    query = [1.0 + d % 3 for d in range(7)]
    for _ in range(2):
        everything = indexed.search(query, limit=1000)
        assert len(everything) == 700
        assert {key: pytest.approx(score, abs=1e-6) for key, score in everything} == {
            key: max(cosine(query, vector) for vector in vectors) for key, vectors in wide.items()
        }
        few = [each for each in everything if int(each[0][1:]) // 70 % 3 == 0 and each[0] != "k300"]
        assert indexed.search(query, limit=1000, where=Of("a")) == few
        assert {key: indexed.index.vectors(key) for key in wide} == wide
        indexed.index.after_fork()


def test_an_expired_entry_is_found_no_more(store: sharedctx.Store) -> None:
    clock = ManualClock(1.0)
    with sharedctx.open("memory://", clock=clock) as own:
        indexed = Indexed(own.session())
        indexed.put({f"short{n}": [[1.0, 0.0]] for n in range(20)}, ttl=10.0)
        indexed.put({"long": [[0.0, 1.0]]})
        assert len(indexed.search([1.0, 0.0], limit=5)) == 5
        clock.advance(10)
        assert indexed.search([1.0, 0.0], limit=5) == [("long", 0.0)]
        clock.advance(-10)
        assert indexed.keys() == ["long"]


def test_many_writes_become_few_rows_and_nothing_is_lost(indexed: Any) -> None:
    for n in range(300):
        indexed.put({f"k{n % 150}": [[1.0, float(n)]]})
    indexed.drop(*(f"k{n}" for n in range(50)))
    backend, index = indexed.ctx.store.backend, indexed.index
    assert len(backend.scan(index.space, index.pk, "", limit=1000)) < 60
    again = Indexed(sharedctx.open("memory://").session())
    assert again.keys() == []
    index.after_fork()  # forget what was read
    assert indexed.keys() == sorted(f"k{n}" for n in range(50, 150))
    assert indexed.index.vectors("k60") == [[1.0, 210.0]]
    assert indexed.ctx.store.doctor() == []


def test_replaced_vectors_do_not_fill_the_store(indexed: Any) -> None:
    width = 2000
    for turn in range(6):
        for start in range(0, 400, 50):
            indexed.put({f"k{n}": [[float(turn), *[1.0] * (width - 1)]] for n in range(start, start + 50)})
    backend, index = indexed.ctx.store.backend, indexed.index
    kept = sum(len(row.value) for row in backend.scan(index.space, index.pk, "", limit=1000))
    assert kept < 3 * 400 * width * 4 + FULL
    assert {tuple(indexed.index.vectors(f"k{n}")[0][:1]) for n in range(400)} == {(5.0,)}


def test_what_is_swept_by_those_who_do_not_tell_the_index_leaves_it_in_the_end() -> None:
    clock, width = ManualClock(1.0), 256
    with sharedctx.open("memory://", clock=clock) as own:
        indexed = Indexed(own.session())
        for turn in range(80):
            indexed.index.after_fork()  # as a process that had not followed the feed
            indexed.put({f"k{turn}-{n}": [[float(n), *[1.0] * (width - 1)]] for n in range(40)}, ttl=10.0)
            clock.advance(10)
            assert indexed.ctx.sweep() == 40
        indexed.index.after_fork()
        indexed.put({"long": [[1.0] * width]})
        rows = own.backend.scan(indexed.index.space, indexed.index.pk, "", limit=1000)
        assert sum(len(row.value) for row in rows) < 600 * width * 4 + FULL
        assert indexed.keys() == ["long"]


def test_a_trimmed_feed_is_read_anew(indexed: Any) -> None:
    indexed.put({"a": [[1.0, 0.0]]})
    assert indexed.keys() == ["a"]
    indexed.ctx.put("other", "x")
    indexed.ctx.put("other", "y")
    indexed.put({"b": [[1.0, 0.0]]})
    indexed.index._rev = 0  # as one who has long not looked
    indexed.ctx.trim("other", 1)
    indexed.ctx.erase("other")
    assert indexed.keys() == ["a", "b"]


def test_a_session_that_was_deleted_starts_anew(indexed: Any) -> None:
    indexed.put({"a": [[1.0, 0.0]]})
    indexed.ctx.store.delete_session("default")
    indexed.put({"b": [[1.0, 0.0, 0.0]]})
    assert indexed.keys() == ["b"]
    assert [key for key, _ in indexed.search([1.0, 0.0, 0.0])] == ["b"]


def test_indexes_of_other_names_and_sessions_know_nothing_of_each_other(store: sharedctx.Store) -> None:
    one, two, three = Indexed(store.session()), Indexed(store.session(), "other"), Indexed(store.session("s2"))
    one.put({"a": [[1.0, 0.0]]})
    two.put({"a": [[1.0, 0.0, 0.0]]})
    assert (one.keys(), two.keys(), three.keys()) == (["a"], ["a"], [])
    assert store.session().verbs.session.vectors("test") is one.index


def test_what_is_written_together_is_written_whole_or_not_at_all(indexed: Any) -> None:
    with pytest.raises(InvalidKey):
        indexed.put({"good": [[1.0, 0.0]], "bad\n": [[1.0, 0.0]]})
    with pytest.raises(InvalidValue, match="at most 80"):
        indexed.put({f"k{n}": [[1.0, 0.0]] for n in range(81)})
    assert indexed.ctx.keys() == indexed.keys() == []


def test_a_missing_numpy_is_told_with_its_command(indexed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(PackageNotInstalled, match=r"pip install 'sharedctx\[vectors\]'"):
        indexed.search([1.0, 0.0])
