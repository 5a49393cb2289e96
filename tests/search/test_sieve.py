"""A first pass in bytes changes nothing of what a search finds, whatever the vectors are like."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sharedctx
from sharedctx.search.matrix import Matrix
from sharedctx.search.numbers import wholes
from sharedctx.search.packs import Item
from sharedctx.search.sieve import Sieve

from .indexed import Indexed, Of

numkong = pytest.importorskip("numkong")
np = pytest.importorskip("numpy")


KINDS = {
    "any": lambda chance, shape: chance.standard_normal(shape),
    "zeros": lambda chance, shape: np.zeros(shape),
    "same": lambda chance, shape: np.ones(shape) * 0.3,
    "whole": lambda chance, shape: chance.integers(-2, 3, shape),
    "huge": lambda chance, shape: chance.standard_normal(shape) * 1e36,
    "tiny": lambda chance, shape: chance.standard_normal(shape) * 1e-25,
    "denormal": lambda chance, shape: chance.standard_normal(shape) * 1e-42,
    "one dimension": lambda chance, shape: chance.standard_normal(shape) * np.where(np.arange(shape[1]) == 1, 1e6, 1),
    "one alone": lambda chance, shape: np.eye(shape[1])[chance.integers(0, shape[1], shape[0])] * 7,
    "close": lambda chance, shape: 1 + chance.standard_normal(shape) * 1e-3,
    "rounded away": lambda chance, shape: np.where(
        np.arange(shape[1]) == 0, 127, chance.choice([0.49, 0.51, 0], shape)
    ),
    "too large": lambda chance, shape: chance.choice([3e38, -3e38], shape),
    "lengths": lambda chance, shape: chance.standard_normal(shape) * 10.0 ** chance.integers(-8, 8, (shape[0], 1)),
}


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few vectors are many."""
    monkeypatch.setattr("sharedctx.search.sieve._LEAST", 1)
    monkeypatch.setattr("sharedctx.search.sieve._PATIENCE", 0)
    monkeypatch.setattr("sharedctx.search.matrix._FIRST", 96)
    monkeypatch.setattr("sharedctx.search.matrix._BYTES", 1)
    wholes.cache_clear()
    yield
    wholes.cache_clear()


def vectors(chance: Any, kinds: list[str], rows: int, dimensions: int) -> Any:
    """Rows of each of the kinds."""
    which = chance.integers(0, len(kinds), rows)
    found = np.empty((rows, dimensions), "f4")
    for number, kind in enumerate(kinds):
        found[which == number] = KINDS[kind](chance, (int((which == number).sum()), dimensions))
    return found


def without(slots: Any) -> Any:
    """The same vectors, of which all are multiplied."""

    class Never(Sieve):
        def bounds(self, *_: Any) -> None:
            return None

    return slots._replace(sieve=Never())


@given(
    seed=st.integers(0, 2**32),
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4, unique=True),
    asked=st.sampled_from(sorted(KINDS)),
    dimensions=st.sampled_from([1, 2, 3, 16, 63, 64, 65, 130]),
    rows=st.integers(60, 400),
    count=st.integers(1, 12),
    share=st.sampled_from([None, 0.9, 0.3, 0.05]),
    twins=st.booleans(),
)
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of products of huge numbers
def test_items_and_scores_are_those_of_all_products_to_the_last_bit(
    seed: int, kinds: list[str], asked: str, dimensions: int, rows: int, count: int, share: float | None, twins: bool
) -> None:
    chance = np.random.default_rng(seed)
    matrix = Matrix(dimensions)
    per = 2 if twins else 1
    for at in range(0, rows, 50):  # between searches more come
        items = [Item(f"k{int(n):03}", 1, per) for n in chance.permutation(range(at, at + 50))]
        given_ = vectors(chance, kinds, 50 * per, dimensions)
        given_[0] = given_[-1]
        matrix.add(items, given_.tobytes())
        if share is not None:
            matrix.kill(int(chance.integers(0, matrix.count)), 1)
        chosen = None if share is None else np.flatnonzero(chance.random(matrix.count) < share)
        slots = matrix.slots(chosen)
        for query in (*vectors(chance, [asked], 3, dimensions), given_[3], given_[0]):
            found = slots.nearest(query, count, None)
            assert found == without(slots).nearest(query, count, None)
            odd = lambda item: item.key[-1] in "13579"  # noqa: E731
            assert slots.nearest(query, count, odd) == without(slots).nearest(query, count, odd)


def filled(rows: int = 500, dimensions: int = 48) -> tuple[Any, Any]:
    """Vectors of chance and their slots."""
    given_ = np.random.default_rng(1).standard_normal((rows, dimensions)).astype("f4")
    matrix = Matrix(dimensions)
    matrix.add([Item(f"k{n}", 1, 1) for n in range(rows)], given_.tobytes())
    return given_, matrix.slots(None)


def multiplied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many vectors each multiplication of floats had."""
    counts: list[int] = []
    plain = np.vecdot

    def vecdot(one: Any, other: Any, **options: Any) -> Any:
        if one is not other:
            counts.append(len(one))
        return plain(one, other, **options)

    monkeypatch.setattr(np, "vecdot", vecdot)
    return counts


def test_few_vectors_are_multiplied_once_all_are_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    given_, slots = filled()
    for query in given_[:8]:
        slots.nearest(query, 3, None)
    counts = multiplied(monkeypatch)
    assert [near.item.key for near in slots.nearest(given_[9], 1, None)] == ["k9"]
    assert 0 < sum(counts) < 100


def test_who_asks_once_has_nothing_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sharedctx.search.sieve._PATIENCE", 1)
    given_, slots = filled()
    with monkeypatch.context() as patch:
        patch.setattr(numkong, "dots_pack", lambda *_: pytest.fail("packed"))
        slots.nearest(given_[0], 3, None)
    counts = multiplied(monkeypatch)
    for query in given_[:8]:
        slots.nearest(query, 3, None)
    assert counts[-1] < 100


def test_who_began_before_more_was_packed_finds_what_was_there() -> None:
    given_ = np.random.default_rng(2).standard_normal((300, 16)).astype("f4")
    matrix = Matrix(16)
    matrix.add([Item(f"k{n}", 1, 1) for n in range(150)], given_[:150].tobytes())
    early = matrix.slots(None)
    matrix.add([Item(f"k{n}", 1, 1) for n in range(150, 300)], given_[150:].tobytes())
    late = matrix.slots(None)
    for query in given_[::20]:
        assert late.nearest(query, 3, None) == without(late).nearest(query, 3, None)
        assert early.nearest(query, 3, None) == without(early).nearest(query, 3, None)


def test_vectors_that_are_all_alike_soon_cost_one_pass_only(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = Matrix(8)
    matrix.add([Item(f"k{n:03}", 1, 1) for n in range(400)], np.ones((400, 8), "f4").tobytes())
    slots = matrix.slots(None)
    calls: list[int] = []
    plain = numkong.dots_packed
    monkeypatch.setattr(numkong, "dots_packed", lambda *given_: calls.append(1) or plain(*given_))
    for _ in range(40):
        assert [near.item.key for near in slots.nearest(np.ones(8, "f4"), 2, None)] == ["k000", "k001"]
    assert len(calls) < 40


@pytest.mark.parametrize("how", ["missing", "wrong"])
def test_without_numkong_or_with_a_wrong_one_all_are_multiplied(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    given_, slots = filled()
    if how == "missing":
        monkeypatch.setitem(sys.modules, "numkong", None)
    else:
        monkeypatch.setattr(numkong, "dots_packed", lambda asked, rows: np.zeros((1, 10_000), "i4"))
    for number, query in enumerate(given_[:8]):
        found = slots.nearest(query, 3, None)
        assert found[0].item.key == f"k{number}"
        assert found == without(slots).nearest(query, 3, None)


def test_an_index_finds_the_same_under_filters_after_changes_and_on_many_threads() -> None:
    chance = np.random.default_rng(3)
    with sharedctx.open("memory://") as store:
        indexed = Indexed(store.session())
        held: dict[str, tuple[Any, str]] = {}

        def put(names: list[str], fact: str) -> None:
            items = {name: [chance.standard_normal(24).astype("f4").tolist()] for name in names}
            indexed.put(items, fact)
            held.update((name, (np.array(rows[0]), fact)) for name, rows in items.items())

        def expected(query: Any, fact: str | None) -> list[str]:
            cosines = {
                name: row @ query / np.linalg.norm(row) for name, (row, of) in held.items() if fact in (None, of)
            }
            return sorted(cosines, key=lambda name: -cosines[name])[:4]

        for start in range(0, 400, 40):
            put([f"k{n}" for n in range(start, start + 40)], "b" if start % 120 == 0 else "a")
        wrong: list[Any] = []

        def ask(seed: int) -> None:
            query = np.random.default_rng(seed).standard_normal(24)
            for fact in (None, "a", "b"):
                found = [key for key, _ in indexed.search(query.tolist(), 4, where=fact and Of(fact))]
                if found != expected(query, fact):
                    wrong.append((seed, fact, found))

        for round_ in range(4):
            threads = [threading.Thread(target=ask, args=(round_ * 10 + n,)) for n in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            put([f"k{n}" for n in range(round_ * 30, round_ * 30 + 25)], "b")
            put([f"new{round_}-{n}" for n in range(20)], "a")
            gone = f"k{round_ * 20 + 300}"
            indexed.drop(gone)
            del held[gone]
        assert wrong == []
