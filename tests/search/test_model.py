"""Whatever is written, removed, merged or read late, the index finds what a plain search over everything finds."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import sharedctx

from .indexed import Indexed, Of

KEYS = st.sampled_from([f"k{n}" for n in range(8)])
VECTOR = st.lists(st.integers(-3, 3), min_size=3, max_size=3)
FACT = st.sampled_from(["a", "b"])


def cosine(one: list[int], two: list[int]) -> float:
    length = math.hypot(*one) * math.hypot(*two)
    return sum(a * b for a, b in zip(one, two, strict=True)) / length if length else 0.0


class Search(RuleBasedStateMachine):
    """Two readers of one store, one of which looks seldom, beside a dict of what should be found."""

    def __init__(self) -> None:
        super().__init__()
        self.store = sharedctx.open("memory://")
        self.writer = Indexed(self.store.session())
        self.late = Indexed(self.store.session())
        index = self.late.index
        self.late.index = type(index)(index.space, index.pk.rpartition("/")[2], index._lives, index._labels)
        self.expected: dict[str, tuple[list[list[int]], str]] = {}

    @rule(items=st.dictionaries(KEYS, st.lists(VECTOR, max_size=2), min_size=1), fact=FACT)
    def put(self, items: dict[str, list[list[int]]], fact: str) -> None:
        self.writer.put(items, fact)
        self.expected |= {key: (vectors, fact) for key, vectors in items.items()}

    @rule(keys=st.sets(KEYS, min_size=1))
    def drop(self, keys: set[str]) -> None:
        self.writer.drop(*keys)
        for key in keys:
            self.expected.pop(key, None)

    @rule(key=KEYS, vector=VECTOR, fact=FACT)
    def put_often(self, key: str, vector: list[int], fact: str) -> None:
        for _ in range(35):
            self.put({key: [vector]}, fact)

    @rule(key=KEYS)
    def remove_behind_its_back(self, key: str) -> None:
        for reader in (self.writer, self.late):  # which both follow
            self.check(reader, [1, 1, 1], 3, None)
        if key in self.expected:
            self.writer.ctx.delete(key)
            del self.expected[key]

    @rule(vector=VECTOR, limit=st.integers(1, 10), fact=st.none() | FACT)
    def look_late(self, vector: list[int], limit: int, fact: str | None) -> None:
        self.check(self.late, vector, limit, fact)

    @rule(vector=VECTOR, limit=st.integers(1, 10), fact=st.none() | FACT)
    def look(self, vector: list[int], limit: int, fact: str | None) -> None:
        self.check(self.writer, vector, limit, fact)

    def check(self, reader: Any, vector: list[int], limit: int, fact: str | None) -> None:
        scores = {
            key: max(cosine(vector, each) for each in vectors)
            for key, (vectors, of) in self.expected.items()
            if vectors and fact in (None, of)
        }
        found = reader.search(vector, limit, where=None if fact is None else Of(fact))
        assert len(found) == min(limit, len(scores))
        assert [score for _, score in found] == pytest.approx(sorted(scores.values(), reverse=True)[:limit], abs=1e-6)
        assert all(score == pytest.approx(scores[key], abs=1e-6) for key, score in found)

    @invariant()
    def knows_all(self) -> None:
        assert self.writer.keys() == sorted(self.expected)

    def teardown(self) -> None:
        assert self.late.keys() == sorted(self.expected)
        self.store.close()


TestSearch = Search.TestCase
TestSearch.settings = settings(max_examples=40, stateful_step_count=25)
