"""Raw loops over chat completions and Responses: every shape of a response, as dicts and as the SDK's objects."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import sharedctx
from sharedctx.errors import ConfigError, InvalidValue
from sharedctx.notes import SharedContextStore
from sharedctx_openai import handle_tool_call, process_response, tool_definition

Form = Callable[[dict[str, Any]], Any]


def as_dict(response: dict[str, Any]) -> Any:
    return copy.deepcopy(response)


def as_namespace(response: Any) -> Any:
    if isinstance(response, dict):
        return SimpleNamespace(**{name: as_namespace(value) for name, value in response.items()})
    return [as_namespace(each) for each in response] if isinstance(response, list) else response


def as_sdk_object(response: dict[str, Any]) -> Any:
    pytest.importorskip("openai", reason="the OpenAI SDK is not installed: its objects are tried where it is")
    from openai._models import construct_type
    from openai.types.chat import ChatCompletion
    from openai.types.responses import Response

    return construct_type(value=response, type_=ChatCompletion if "choices" in response else Response)


@pytest.fixture(params=[as_dict, as_namespace, as_sdk_object])
def form(request: pytest.FixtureRequest) -> Form:
    found: Form = request.param
    return found


@pytest.fixture
def notes() -> SharedContextStore:
    return SharedContextStore("s")


def chat_call(call_id: str, arguments: Any, name: str = "shared_context") -> dict[str, Any]:
    spelled = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": spelled}}


def chat(*calls: dict[str, Any], content: str | None = None, finish: str = "tool_calls") -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None, "annotations": []}
    if calls:
        message["tool_calls"] = list(calls)
    choice = {"index": 0, "finish_reason": finish, "message": message, "logprobs": None}
    return {"id": "cmpl", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}


def item_call(call_id: str, arguments: Any, name: str = "shared_context", **more: Any) -> dict[str, Any]:
    spelled = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": name,
        "arguments": spelled,
        **more,
    }


def response(*items: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"id": "resp", "object": "response", "status": status, "output": list(items)}


WRITE = {"action": "write", "key": "plan", "value": "mend"}
SAID = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "done", "annotations": []}],
}


def test_the_definition_has_both_forms_and_is_a_new_one_each_time() -> None:
    chat_form, item_form = tool_definition(), tool_definition(api="responses", strict=True)
    assert chat_form["function"]["name"] == item_form["name"] == "shared_context"
    assert chat_form["function"]["strict"] is False
    schema = item_form["parameters"]
    assert item_form["strict"] is True
    assert schema["required"] == list(schema["properties"])
    assert schema["properties"]["key"]["type"] == ["string", "null"]
    chat_form["function"]["parameters"]["properties"].clear()
    assert "action" in tool_definition()["function"]["parameters"]["properties"]
    assert tool_definition("notes", "Ours.")["function"]["description"] == "Ours."
    with pytest.raises(ConfigError):
        tool_definition(api="assistants")  # type: ignore[arg-type]


def test_chat_calls_are_answered_after_what_the_model_said(form: Form, notes: SharedContextStore) -> None:
    given = chat(chat_call("c1", WRITE), chat_call("c2", {"action": "read", "key": "plan"}), content="I write.")
    new, done = process_response(form(given), notes, participant="subagent:a")
    assert not done
    assert [message["role"] for message in new] == ["assistant", "tool", "tool"]
    assert new[0] == {
        "role": "assistant",
        "content": "I write.",
        "tool_calls": given["choices"][0]["message"]["tool_calls"],
    }
    assert [message["tool_call_id"] for message in new[1:]] == ["c1", "c2"]
    assert json.loads(new[1]["content"])["written_by"] == "subagent:a"
    assert json.loads(new[2]["content"])["value"] == "mend"
    json.dumps(new)


def test_response_items_are_answered_by_call_id_with_their_caller(form: Form, notes: SharedContextStore) -> None:
    caller = {"type": "program", "caller_id": "p1"}
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    given = response(thought, item_call("c1", WRITE, caller=caller), item_call("c2", {"action": "list_keys"}))
    new, done = process_response(form(given), notes, participant="a")
    assert not done
    assert new[:3] == given["output"]
    assert [(item["type"], item["call_id"]) for item in new[3:]] == [("function_call_output", c) for c in ("c1", "c2")]
    assert new[3]["caller"] == caller
    assert "caller" not in new[4]
    assert json.loads(new[4]["output"])["keys"][0]["key"] == "plan"


@pytest.mark.parametrize("given", [chat(content="done", finish="stop"), response(SAID)])
def test_it_is_done_when_nothing_was_asked(form: Form, notes: SharedContextStore, given: dict[str, Any]) -> None:
    new, done = process_response(form(given), notes, participant="a")
    assert done
    assert len(new) == 1
    assert new[0]["role"] == "assistant"


@pytest.mark.parametrize(
    "given",
    [
        chat(chat_call("c1", "{}", "weather")),
        chat({"id": "c1", "type": "custom", "custom": {"name": "shared_context", "input": "x"}}),
        response(item_call("c1", "{}", "weather")),
        response({"type": "custom_tool_call", "id": "x", "call_id": "c1", "name": "shared_context", "input": "x"}),
        response({"type": "mcp_approval_request", "id": "x", "name": "n", "arguments": "{}", "server_label": "l"}),
        response(SAID, status="in_progress"),
    ],
)
def test_what_others_must_answer_is_left_to_them_and_not_done(
    form: Form, notes: SharedContextStore, given: dict[str, Any]
) -> None:
    new, done = process_response(form(given), notes, participant="a")
    assert not done
    assert all("tool_call_id" not in message and "output" not in message for message in new)


def test_calls_that_the_server_answers_are_not_waited_for(form: Form, notes: SharedContextStore) -> None:
    searched = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    assert process_response(form(response(searched, SAID)), notes, participant="a")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{", "no JSON"),
        ("[1]", "list"),
        ("null", "NoneType"),
        ('"x"', "str"),
        ("[" * 100_000, "no JSON"),
        ("", "INVALID_ACTION"),
        ('{"action": "close"}', "INVALID_ACTION"),
        ('{"action": "write", "key": "K", "value": "v"}', "INVALID_KEY"),
    ],
)
def test_malformed_arguments_become_error_results(notes: SharedContextStore, arguments: str, said: str) -> None:
    for given in (chat(chat_call("c1", arguments)), response(item_call("c1", arguments))):
        new, done = process_response(given, notes, participant="a")
        result = json.loads(new[-1].get("content") or new[-1]["output"])
        assert not done
        assert said in json.dumps(result)
        assert result["error"]


def test_of_parallel_calls_one_fails_and_all_are_answered(form: Form, notes: SharedContextStore) -> None:
    given = chat(chat_call("c1", WRITE), chat_call("c2", "{"), chat_call("c3", "{}", "weather"), chat_call("c4", WRITE))
    new, done = process_response(form(given), notes, participant="a")
    assert not done
    assert [message["tool_call_id"] for message in new[1:]] == ["c1", "c2", "c4"]
    assert ["error" in json.loads(message["content"]) for message in new[1:]] == [False, True, False]


def test_nulls_of_strict_mode_are_absence(notes: SharedContextStore) -> None:
    nulls = {"expected_version": None, "prefix": None, "keys": None, "limit": None}
    new, _ = process_response(chat(chat_call("c1", {**WRITE, **nulls})), notes, participant="a")
    assert json.loads(new[1]["content"])["version"] == 1


def test_cut_calls_are_answered_with_an_error_and_do_nothing(form: Form, notes: SharedContextStore) -> None:
    cut = '{"action": "write", "key": "plan", "val'
    for arguments in (cut, ""):
        for given in (
            chat(chat_call("c0", WRITE), chat_call("c1", arguments), finish="length"),
            response(item_call("c0", WRITE), item_call("c1", arguments, status="incomplete"), status="incomplete"),
        ):
            new, done = process_response(form(given), notes, participant="a")
            results = [json.loads(each.get("content") or each["output"]) for each in new[-2:]]
            assert not done
            assert "error" not in results[0]
            assert results[1]["error"] == "INVALID_VALUE"
    complete = response(item_call("c1", WRITE, status="incomplete"), status="incomplete")
    version = notes.read("plan")["version"]
    assert "cut off" in process_response(form(complete), notes, participant="a")[0][-1]["output"]
    assert notes.read("plan")["version"] == version


def test_single_calls(form: Form, notes: SharedContextStore) -> None:
    mine, other = chat(chat_call("c1", WRITE), chat_call("c2", "{}", "weather"))["choices"][0]["message"]["tool_calls"]
    assert handle_tool_call(mine, notes, participant="a") is not None
    assert handle_tool_call(other, notes, participant="a") is None
    assert handle_tool_call(mine, notes, participant="a", name="notes") is None
    assert handle_tool_call(SAID, notes, participant="a") is None


def test_a_bound_store_knows_who_acts(notes: SharedContextStore) -> None:
    new, _ = process_response(chat(chat_call("c1", WRITE)), notes.bind("subagent:b"))
    assert json.loads(new[1]["content"])["written_by"] == "subagent:b"
    with pytest.raises(ConfigError, match="participant"):
        process_response(chat(chat_call("c1", WRITE)), notes)


def test_other_things_than_responses_are_refused(notes: SharedContextStore) -> None:
    for odd in ({}, None, {"content": []}, chat()["choices"][0]):
        with pytest.raises(InvalidValue, match="no response"):
            process_response(odd, notes, participant="a")


def test_what_was_given_is_not_changed(notes: SharedContextStore) -> None:
    given = chat(chat_call("c1", WRITE))
    before = copy.deepcopy(given)
    new, _ = process_response(given, notes, participant="a")
    new[0]["tool_calls"][0]["function"]["name"] = "changed"
    assert given == before


def test_a_session_can_take_the_place_of_notes(form: Form) -> None:
    definition = tool_definition(over="context", strict=True)["function"]
    assert "expand" in definition["parameters"]["properties"]["action"]["enum"]
    assert definition["parameters"]["required"] == list(definition["parameters"]["properties"])
    rows = "\n".join(f"2026-01-01 INFO job {n * 37} done in {n % 90} ms" for n in range(900))
    with sharedctx.open("memory://") as store:
        context = store.session("team")
        context.put("log", rows)
        given = chat(
            chat_call("c1", {"action": "read", "key": "log", "version": None, "max_tokens": 100}),
            chat_call("c2", {"action": "expand", "key": "log", "ref": "lines:7"}),
            chat_call("c3", {"action": "read", "key": "lgo"}),
            chat_call("c4", {"action": "list_keys"}),
            chat_call("c5", {"action": "write", "key": "plan", "value": "mend"}),
        )
        new, done = process_response(form(given), context, participant="subagent:a")
        results = [json.loads(message["content"]) for message in new[1:]]
        assert not done
        assert "expand" in results[0]["result"]
        assert results[1]["result"] == rows.split("\n")[6]
        assert results[2]["error"] == "KEY_NOT_FOUND"
        assert results[3]["error"] == "INVALID_ACTION"
        assert context.get_entry("plan").agent == "subagent:a"
        assert {saving.face for saving in context.savings()} == {"openai"}
    with pytest.raises(ConfigError, match="neither"):
        tool_definition(over="memory")  # type: ignore[arg-type]
