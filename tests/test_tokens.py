"""Counters give one number for one text, whatever the text, say what they count with, and never use the network."""

from __future__ import annotations

import hashlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharedctx import tokens
from sharedctx.errors import ConfigError
from sharedctx.tokens import Estimate, counter

COUNTERS = (counter(), Estimate("estimate"))
for _count in COUNTERS:
    _count("load what is loaded late")
FILE = hashlib.sha1(b"https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken").hexdigest()
RANKS = b"IQ== 0\nIg== 1\n"


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Counters are looked for anew, without quicktok and without a network."""

    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setitem(sys.modules, "quicktok", None)
    tokens._of_model.cache_clear()
    yield
    tokens._of_model.cache_clear()


@pytest.fixture
def tiktoken(fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A tiktoken that counts characters, and the folder where it keeps its rank files."""

    class Encoding:
        def encode_ordinary(self, text: str) -> list[str]:
            text.encode()
            return list(text)

    module = ModuleType("tiktoken")
    module.get_encoding = lambda name: Encoding()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tiktoken", module)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    return tmp_path


@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_any_text_is_counted(text: str) -> None:
    for count in COUNTERS:
        assert count(text) == count(text) >= (1 if text else 0)


def test_half_a_surrogate_pair_is_counted() -> None:
    assert counter()("a \ud800 b") > 0


SAMPLES = {
    "json": '{"level":"error","message":"connection refused by 10.0.0.7:5432"}\n',
    "log": "2024-05-01 12:00:00,123 INFO [main] started worker 17 in 35 ms (queue=high)\n",
    "prose": "The quick brown fox jumps over the lazy dog, and nobody asks it why it does so every day.\n",
    "code": "def total(rows: list[dict[str, int]]) -> int:\n    return sum(row['count'] for row in rows)\n\n",
    "digits": "31415926535897932384626433832795 0x1f2e3d 2,147,483,647\n",
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_an_estimate_is_near_the_count(kind: str) -> None:
    text = SAMPLES[kind] * 200
    assert abs(Estimate("estimate")(text) / counter("gpt-4o")(text) - 1) < 0.25


@pytest.mark.parametrize("text", ["a" * 10**6, " " * 10**6, "a\n" * 10**6, "\u65e5" * 10**6, "a1." * 10**6])
def test_an_estimate_grows_with_the_text(text: str) -> None:
    half = text[: len(text) // 2]
    assert Estimate("estimate")(text) == pytest.approx(2 * Estimate("estimate")(half), rel=0.01)


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o", "o200k_base"),
        ("openai/gpt-4.1-mini", "o200k_base"),
        ("openai:gpt-5", "o200k_base"),
        ("o3-mini", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-35-turbo", "cl100k_base"),
        ("ft:gpt-3.5-turbo:o1-fans", "cl100k_base"),
    ],
)
def test_a_model_is_known_by_its_name(model: str, encoding: str) -> None:
    assert counter(model).name.removeprefix("estimate of ") == encoding


def test_an_unknown_model_gets_the_default_counter_that_says_so() -> None:
    count = counter("nobody/knows-it")
    assert "nobody/knows-it" in count.name
    assert count("some text") == counter()("some text")
    assert "no public tokenizer" in counter("anthropic/claude-next").name


def test_without_a_tokenizer_the_counter_says_that_it_estimates(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert counter().name == "estimate of o200k_base"
    assert counter()("some text") > 0


def test_ranks_that_tiktoken_has_cached_are_used(tiktoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tiktoken / FILE).write_bytes(RANKS)
    monkeypatch.setitem(tokens._RANKS, "o200k_base", hashlib.sha256(RANKS).hexdigest())
    assert counter("gpt-4o").name == "o200k_base"
    assert counter("gpt-4o")("four") == 4
    assert counter("gpt-4o")("\ud800") == 1


@pytest.mark.parametrize("planted", [None, b"", RANKS])
def test_ranks_that_tiktoken_would_download_again_are_not_used(tiktoken: Path, planted: bytes | None) -> None:
    if planted is not None:
        (tiktoken / FILE).write_bytes(planted)
    assert counter("gpt-4o").name == "estimate of o200k_base"


def test_where_tiktoken_keeps_no_files_it_is_not_used(tiktoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert counter("gpt-4o").name == "estimate of o200k_base"


def test_a_model_that_is_no_name_is_refused() -> None:
    for model in (5, b"gpt-4o", ["gpt-4o"]):
        with pytest.raises(ConfigError, match="is no text"):
            counter(model)  # type: ignore[arg-type]
