"""What is damaged costs a search the entries that it held, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx.backends.base import Put
from sharedctx.errors import DecodeError, InvalidValue

from .indexed import Indexed


@pytest.fixture
def indexed(tmp_path: Path) -> Iterator[Any]:
    """An empty index."""
    with sharedctx.open(tmp_path / "store") as opened:
        yield Indexed(opened.session())


def test_damaged_vectors_are_left_out_and_told_until_they_are_written_anew(
    indexed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    indexed.put({"a": [[1.0, 0.0]]})
    indexed.put({"b": [[0.0, 1.0]]})
    backend, index = indexed.ctx.store.backend, indexed.index
    for row in backend.scan(index.space, index.pk, ""):
        if row.sk == "dimensions" or b'"a"' in row.value or b"\na" in row.value:
            damaged = bytearray(row.value)
            damaged[-3 if row.sk != "dimensions" else -1] ^= 1
            backend.commit(index.space, [Put(index.pk, bytes(damaged), row.sk)])
    for reader in (index, Indexed(indexed.ctx).index):
        caplog.clear()
        reader.after_fork()
        assert [each.item.key for each in indexed.ctx.run(reader.search([1.0, 0.0], 10))] == ["b"]
        assert sum("damaged" in message for message in caplog.messages) == 2
        assert reader.dimensions == 2
    assert len(indexed.ctx.store.doctor()) == 2
    with pytest.raises(InvalidValue, match="3 dimensions"):
        indexed.put({"c": [[1.0, 0.0, 0.0]]})
    indexed.put({"a": [[1.0, 0.0]]})
    assert indexed.search([1.0, 0.0]) == [("a", 1.0), ("b", 0.0)]


def test_a_damaged_entry_does_not_stop_the_search_for_others(indexed: Any) -> None:
    indexed.put({"a": [[1.0, 0.0]], "b": [[0.0, 1.0]]})
    assert indexed.keys() == ["a", "b"]
    indexed.ctx.store.backend.commit(indexed.index.space, [Put("a", b"damaged")])
    assert indexed.keys() == ["a", "b"]
    with pytest.raises(DecodeError):
        indexed.ctx.get("a")
