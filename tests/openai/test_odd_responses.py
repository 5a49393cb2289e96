"""What is no whole response is refused by name, and what an SDK adds of its own is not sent back to the API."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

import sharedctx
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx.notes import SharedContextStore
from sharedctx_openai import process_response, tool_definition

WRITE = '{"action": "write", "key": "plan", "value": "mend"}'


@pytest.fixture
def notes() -> SharedContextStore:
    return SharedContextStore("s")


def chat(message: Any) -> dict[str, Any]:
    return {"choices": [{"finish_reason": "stop", "message": message}]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"choices": [None]}, "'choices' of the response holds None"),
        ({"choices": "x"}, "'choices' of the response is str, not a list"),
        (chat(None), "the message of the response is NoneType"),
        (chat("hello"), "the message of the response is str"),
        (chat({"role": "assistant", "content": None, "tool_calls": "x"}), "'tool_calls' of the response is str"),
        (chat({"role": "assistant", "content": None, "tool_calls": [None]}), "'tool_calls' of the response holds None"),
        ({"output": "the text of the response"}, "'output' of the response is str, not a list"),
        ({"output": [5]}, "'output' of the response holds 5"),
        ({"choices": [{"delta": {"content": "h"}, "finish_reason": None}]}, "a chunk of a stream"),
        ({"type": "response.output_text.delta", "delta": "h"}, "of a stream what its events make"),
    ],
)
def test_parts_of_a_response_are_refused_by_name(notes: SharedContextStore, given: Any, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        process_response(given, notes, participant="a")


@pytest.mark.parametrize(
    "odd",
    [
        chat({"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": None}]}),
        chat({"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": "x"}]}),
        {"output": [{"type": "message", "content": 3}]},
    ],
)
def test_what_of_a_response_is_not_ours_is_left_as_it_came(notes: SharedContextStore, odd: Any) -> None:
    said = odd["choices"][0]["message"] if "choices" in odd else odd["output"][0]
    assert process_response(odd, notes, participant="a")[0] == [said]


def test_what_the_tool_cannot_work_on_is_refused(notes: SharedContextStore) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "shared_context", "arguments": WRITE}}
    given = chat({"role": "assistant", "content": None, "tool_calls": [call]})
    with sharedctx.open("memory://") as store:
        for odd in (store, None, "notes"):
            with pytest.raises(ConfigError, match="neither a SharedContextStore nor a SharedContext"):
                process_response(given, odd, participant="a")  # type: ignore[arg-type]
    for nobody in ("", 5, "a\x00"):
        with pytest.raises(ConfigError, match="participant"):
            process_response(given, notes, participant=nobody)  # type: ignore[arg-type]
    assert notes.list_keys()["keys"] == []


@pytest.mark.parametrize("name", ["", "shared context", "x" * 65, "é", 5])
def test_names_that_the_api_refuses_are_refused_at_once(name: Any) -> None:
    with pytest.raises(ConfigError, match="is not 1 to 64 of A-Z"):
        tool_definition(name)


@pytest.mark.parametrize(("odd", "said"), [({"strict": "yes"}, "strict 'yes'"), ({"description": 5}, "description 5")])
def test_a_definition_that_apis_would_refuse_is_refused_when_it_is_made(odd: dict[str, Any], said: str) -> None:
    for api in ("chat", "responses"):
        with pytest.raises(ConfigError, match=said):
            tool_definition(api=api, **odd)  # type: ignore[arg-type]


def test_errors_of_a_session_tell_their_code_once(notes: SharedContextStore) -> None:
    arguments = json.dumps({"action": "read", "key": "nothing"})
    call = {"id": "c1", "type": "function", "function": {"name": "shared_context", "arguments": arguments}}
    with sharedctx.open("memory://") as store:
        given = chat({"role": "assistant", "content": None, "tool_calls": [call]})
        new, _ = process_response(given, store.session("s"), participant="a")
    told = json.loads(new[1]["content"])
    assert told["error"] == "KEY_NOT_FOUND"
    assert told["message"].startswith("there is no live value")


def test_of_several_choices_the_first_is_gone_on_with(notes: SharedContextStore) -> None:
    choices = [{"message": {"role": "assistant", "content": said}} for said in ("one", "two")]
    assert process_response({"choices": choices}, notes, participant="a") == (
        [{"role": "assistant", "content": "one"}],
        True,
    )


def test_parsed_responses_are_sent_back_as_the_api_sent_them(notes: SharedContextStore) -> None:
    pytest.importorskip("openai", reason="the OpenAI SDK is not installed: its objects are tried where it is")
    from openai.types.responses import parsed_response as parsed

    call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "shared_context", "arguments": WRITE}
    text = {"type": "output_text", "text": '{"a": 1}', "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    said: Any = parsed.ParsedResponseOutputText.construct(**text, parsed={"a": 1})
    items = [
        parsed.ParsedResponseOutputMessage.construct(**message, content=[said]),
        parsed.ParsedResponseFunctionToolCall.construct(**call, parsed_arguments={"action": "write"}),
    ]
    new, _ = process_response(SimpleNamespace(output=items, status="completed"), notes, participant="a")
    assert new[:2] == [{**message, "content": [text]}, call]
    assert notes.read("plan")["value"] == "mend"


def test_parsed_and_streamed_calls_of_chat_are_sent_back_as_the_api_sent_them(notes: SharedContextStore) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "shared_context", "arguments": WRITE}}
    streamed = {**call, "index": 0, "function": {**call["function"], "parsed_arguments": {"action": "write"}}}  # type: ignore[dict-item]
    given = chat({"role": "assistant", "content": None, "parsed": None, "tool_calls": [streamed]})
    new, _ = process_response(given, notes, participant="a")
    assert new[0] == {"role": "assistant", "content": None, "tool_calls": [call]}
    assert streamed["index"] == 0
