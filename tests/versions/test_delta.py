"""Differences give back what went in, and damage to them does no harm."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.versions.delta import deflate, difference, inflate, restore


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=40), st.integers(1, 60))
def test_differences_give_back_what_went_in(base: bytes, new: bytes, also: bytes, times: int) -> None:
    old, data = base * times + new, base * times + also + new
    for one, other in ((old, data), (data, old), (base, new), (b"", data), (data, data)):
        assert restore(difference(other, one, also), len(other), one, also) == other
    assert inflate(deflate(data, old), len(data), old) == data


@given(st.binary(max_size=80), st.integers(0, 4000), st.binary(max_size=200))
def test_no_damage_to_a_difference_does_more_than_raise(noise: bytes, size: int, base: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert len(restore(noise, size, base)) == size
    with pytest.raises(DecodeError):
        inflate(deflate(b"bomb" * 100_000), 1000)
