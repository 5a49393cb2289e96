"""ContextLLMCache: answers come back as they were, and nothing else ever becomes an object."""

from __future__ import annotations

import asyncio
import datetime
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk
from langchain_core.prompts import PromptTemplate

from sharedctx import SharedContext, Store
from sharedctx.errors import ConfigError
from sharedctx.testing.clock import ManualClock
from sharedctx_langchain import ContextByteStore, ContextLLMCache

ANSWER = AIMessage(
    [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "three"}, {"lc": 1, "type": "constructor"}],
    id="run-1",
    name="helper",
    tool_calls=[{"name": "fetch", "args": {"n": 3, "deep": {"a": [None, 1.5]}}, "id": "c1", "type": "tool_call"}],
    invalid_tool_calls=[{"name": "x", "args": "{", "id": "c2", "error": "cut", "type": "invalid_tool_call"}],
    usage_metadata={"input_tokens": 3, "output_tokens": 4, "total_tokens": 7, "input_token_details": {"cache_read": 1}},
    response_metadata={"finish_reason": "stop", "logprobs": {"content": [{"token": "a", "bytes": [97]}]}},
    additional_kwargs={"lc": 1, "secret": {"lc": 1, "type": "secret", "id": ["HOME"]}},
)
ANSWERS: list[list[Generation]] = [
    [Generation(text="one"), Generation(text="", generation_info={"reason": "stop"})],
    [GenerationChunk(text="one", generation_info=None)],
    [ChatGeneration(message=ANSWER, generation_info={"logprobs": None})],
    [ChatGenerationChunk(message=AIMessageChunk("hello", id="x"))],
    [ChatGeneration(message=HumanMessage("odd, but a message"))],
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda each: type(each[0]).__name__)
def test_answers_come_back_as_they_were(context: SharedContext, answer: list[Generation]) -> None:
    cache = ContextLLMCache(context)
    cache.update("prompt", "model", answer)
    found = ContextLLMCache(context).lookup("prompt", "model")
    assert found == answer
    assert [type(each) for each in found or []] == [type(each) for each in answer]
    assert cache.lookup("prompt", "another") is None
    assert cache.lookup("promptm", "odel") is None


PLANTED: list[Any] = [
    dumps([PromptTemplate.from_template("{x}")]),
    {"lc": 1, "type": "constructor", "id": ["langchain_core", "prompts", "PromptTemplate"], "kwargs": {}},
    [{"lc": 1, "type": "constructor", "id": ["langchain_core", "prompts", "PromptTemplate"], "kwargs": {}}],
    [{"kind": "PromptTemplate", "text": "x", "info": None}],
    [{"kind": "Generation", "text": {"lc": 1}, "info": None}],
    [{"kind": "ChatGeneration", "text": "", "info": None, "message": {"type": "os.system", "data": {}}}],
    [{"kind": "ChatGeneration", "text": "", "info": None, "message": {"type": "ai", "data": {"content": 7}}}],
    [{"kind": ["Generation"]}],
    "text",
    17,
    b"\x80\x04\x95",
]


@pytest.mark.parametrize("planted", PLANTED, ids=range(len(PLANTED)))
def test_what_was_planted_never_becomes_an_object(
    context: SharedContext, planted: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ContextLLMCache(context)
    cache.update("prompt", "model", [Generation(text="one")])
    [key] = context.keys("answer/")
    context.put(key, planted)
    made: list[str] = []
    monkeypatch.setattr(PromptTemplate, "__init__", lambda *_, **__: made.append("a template"))
    with caplog.at_level(logging.WARNING):
        assert cache.lookup("prompt", "model") is None
        assert asyncio.run(cache.alookup("prompt", "model")) is None
    assert made == []
    assert key in caplog.text
    cache.update("prompt", "model", [Generation(text="two")])
    assert cache.lookup("prompt", "model") == [Generation(text="two")]


def test_an_object_planted_inside_an_answer_stays_data(context: SharedContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hidden")
    planted = {"lc": 1, "type": "constructor", "id": ["langchain_core", "prompts", "PromptTemplate"], "kwargs": {}}
    secret = {"lc": 1, "type": "secret", "id": ["A_SECRET"]}
    cache = ContextLLMCache(context)
    cache.update("prompt", "model", [Generation(text="one", generation_info={"a": planted, "b": secret})])
    found = cache.lookup("prompt", "model")
    assert found is not None
    assert found[0].generation_info == {"a": planted, "b": secret}


def test_what_is_no_json_is_not_kept(context: SharedContext, caplog: pytest.LogCaptureFixture) -> None:
    cache = ContextLLMCache(context)
    odd = Generation(text="one", generation_info={"when": datetime.date(2026, 1, 1)})
    with caplog.at_level(logging.WARNING):
        cache.update("prompt", "model", [odd])
        asyncio.run(cache.aupdate("prompt", "model", [odd]))
        cache.update("prompt", "model", [])
    assert cache.lookup("prompt", "model") is None
    assert caplog.text.count("not kept") == 3


def test_a_store_that_fails_is_a_miss(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    cache = ContextLLMCache(store)
    cache.update("prompt", "model", [Generation(text="one")])
    store.close()
    with caplog.at_level(logging.WARNING):
        cache.update("prompt", "model", [Generation(text="two")])
        assert cache.lookup("prompt", "model") is None
    assert "closed" in caplog.text


def test_answers_expire_and_are_in_nobodys_way(store: Store, clock: ManualClock) -> None:
    cache = ContextLLMCache(store, ttl=60)
    cache.update("prompt", "model", [Generation(text="one")])
    assert store.session("default").keys() == []
    assert store.sessions() == ["llm-cache"]
    clock.advance(60)
    assert cache.lookup("prompt", "model") is None


def test_clearing_removes_answers_only(context: SharedContext) -> None:
    cache = ContextLLMCache(context)
    cache.update("prompt", "model", [Generation(text="one")])
    context.put("plan", "stays")
    [key] = context.keys("answer/")
    asyncio.run(cache.aclear())
    assert [entry.kind for entry in context.history(key)] == ["gone"]
    assert context.keys() == ["plan"]


def test_a_model_is_asked_once_in_all_processes(play: SimpleNamespace, tmp_path: Path) -> None:
    answers = []
    for _ in range(2):
        with ContextLLMCache.from_path(tmp_path / "store") as cache:
            model = play.Model(AIMessage("three"), AIMessage("four"))
            model.cache = cache
            answers += [model.invoke("how many?").content, asyncio.run(model.ainvoke("how many?")).content]
    assert answers == ["three"] * 4
    assert model.inputs == []


@pytest.mark.parametrize("ttl", [True, -1, float("nan"), float("inf"), "60"])
def test_a_time_to_live_that_makes_no_sense_is_refused_at_once(context: SharedContext, ttl: Any) -> None:
    for made in (ContextLLMCache, ContextByteStore):
        with pytest.raises(ConfigError, match="ttl"):
            made(context, ttl=ttl)
