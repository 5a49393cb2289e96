"""Raw loops over Anthropic's messages: every shape of a message, as dicts and as the SDK's objects."""

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
from sharedctx_anthropic import handle_tool_use, process_response, tool_definition

Form = Callable[[dict[str, Any]], Any]
WRITE = {"action": "write", "key": "plan", "value": "mend"}
TEXT = {"type": "text", "text": "I see.", "citations": None}


def as_dict(message: dict[str, Any]) -> Any:
    return copy.deepcopy(message)


def as_namespace(message: Any) -> Any:
    if isinstance(message, dict) and "action" not in message:
        return SimpleNamespace(**{name: as_namespace(value) for name, value in message.items()})
    return [as_namespace(each) for each in message] if isinstance(message, list) else message


def as_sdk_object(message: dict[str, Any]) -> Any:
    pytest.importorskip("anthropic", reason="the Anthropic SDK is not installed: its objects are tried where it is")
    from anthropic._models import construct_type
    from anthropic.types import Message

    return construct_type(value=message, type_=Message)


@pytest.fixture(params=[as_dict, as_namespace, as_sdk_object])
def form(request: pytest.FixtureRequest) -> Form:
    found: Form = request.param
    return found


@pytest.fixture
def notes() -> SharedContextStore:
    return SharedContextStore("s")


def use(call_id: str, arguments: Any, name: str = "shared_context") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def message(*blocks: dict[str, Any], stop: str = "tool_use") -> dict[str, Any]:
    return {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(blocks),
        "stop_reason": stop,
    }


def test_the_definition_is_a_new_one_each_time() -> None:
    made = tool_definition()
    assert set(made) == {"name", "description", "input_schema"}
    assert made["input_schema"]["required"] == ["action"]
    made["input_schema"]["properties"].clear()
    strict = tool_definition("notes", "Ours.", strict=True)
    assert (strict["name"], strict["description"], strict["strict"]) == ("notes", "Ours.", True)
    assert strict["input_schema"]["required"] == list(strict["input_schema"]["properties"])


def test_all_results_come_in_one_message_of_the_user(form: Form, notes: SharedContextStore) -> None:
    given = message(TEXT, use("t1", WRITE), use("t2", {"action": "read", "key": "plan"}))
    new, done = process_response(form(given), notes, participant="subagent:a")
    assert not done
    assert new[0] == {"role": "assistant", "content": given["content"]}
    assert new[1]["role"] == "user"
    assert [(block["type"], block["tool_use_id"]) for block in new[1]["content"]] == [
        ("tool_result", "t1"),
        ("tool_result", "t2"),
    ]
    assert "is_error" not in new[1]["content"][0]
    assert json.loads(new[1]["content"][0]["content"])["written_by"] == "subagent:a"
    assert json.loads(new[1]["content"][1]["content"])["value"] == "mend"
    assert len(new) == 2
    json.dumps(new)


@pytest.mark.parametrize("stop", ["end_turn", "stop_sequence", "refusal", "max_tokens"])
def test_it_is_done_when_nothing_was_asked(form: Form, notes: SharedContextStore, stop: str) -> None:
    assert process_response(form(message(TEXT, stop=stop)), notes, participant="a") == (
        [{"role": "assistant", "content": [TEXT]}],
        True,
    )
    assert process_response(form(message(stop=stop)), notes, participant="a") == ([], True)


def test_a_paused_turn_is_not_done(form: Form, notes: SharedContextStore) -> None:
    search = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"action": "q"}}
    new, done = process_response(form(message(search, stop="pause_turn")), notes, participant="a")
    assert not done
    assert new == [{"role": "assistant", "content": [search]}]


def test_server_tools_are_not_ours(form: Form, notes: SharedContextStore) -> None:
    search = {"type": "server_tool_use", "id": "srv_1", "name": "shared_context", "input": WRITE}
    new, done = process_response(form(message(search, TEXT, stop="end_turn")), notes, participant="a")
    assert done
    assert len(new) == 1


def test_another_tools_call_is_left_to_its_owner_and_not_done(form: Form, notes: SharedContextStore) -> None:
    new, done = process_response(form(message(use("t1", {"city": "x"}, "weather"))), notes, participant="a")
    assert not done
    assert [each["role"] for each in new] == ["assistant"]
    given = message(use("t1", WRITE), use("t2", {"city": "x"}, "weather"))
    new, done = process_response(form(given), notes, participant="a")
    assert not done
    assert [block["tool_use_id"] for block in new[1]["content"]] == ["t1"]


@pytest.mark.parametrize(
    "arguments", ["{", [1], None, "x", {}, {"action": "close"}, {"action": "read", "key": "none"}, {"action": "read"}]
)
def test_malformed_arguments_become_error_results(notes: SharedContextStore, arguments: Any) -> None:
    new, done = process_response(message(use("t1", arguments)), notes, participant="a")
    [result] = new[1]["content"]
    assert not done
    assert result["is_error"] is True
    assert json.loads(result["content"])["error"]


def test_of_parallel_calls_one_fails_and_all_are_answered(form: Form, notes: SharedContextStore) -> None:
    given = message(use("t1", WRITE), use("t2", {"action": "read", "key": "none"}), use("t3", {"action": "list_keys"}))
    new, _ = process_response(form(given), notes, participant="a")
    assert [block.get("is_error", False) for block in new[1]["content"]] == [False, True, False]


def test_a_cut_call_is_answered_with_an_error_and_does_nothing(form: Form, notes: SharedContextStore) -> None:
    for stop in ("max_tokens", "model_context_window_exceeded"):
        given = message(use("t1", {"action": "list_keys"}), use("t2", WRITE), stop=stop)
        new, done = process_response(form(given), notes, participant="a")
        assert not done
        assert [block.get("is_error", False) for block in new[1]["content"]] == [False, True]
        assert "cut off" in new[1]["content"][1]["content"]
    assert notes.list_keys()["keys"] == []


def test_nulls_of_strict_mode_are_absence(notes: SharedContextStore) -> None:
    nulls = {"expected_version": None, "prefix": None, "keys": None, "limit": None}
    new, _ = process_response(message(use("t1", {**WRITE, **nulls})), notes, participant="a")
    assert json.loads(new[1]["content"][0]["content"])["version"] == 1


def test_single_blocks(notes: SharedContextStore) -> None:
    assert handle_tool_use(use("t1", WRITE), notes, participant="a") is not None
    assert handle_tool_use(use("t1", WRITE, "weather"), notes, participant="a") is None
    assert handle_tool_use(TEXT, notes, participant="a") is None
    with pytest.raises(ConfigError, match="participant"):
        handle_tool_use(use("t1", WRITE), notes)


def test_other_things_than_messages_are_refused(notes: SharedContextStore) -> None:
    for odd in ({}, None, {"choices": []}):
        with pytest.raises(InvalidValue, match="no message"):
            process_response(odd, notes, participant="a")
    with pytest.raises(InvalidValue, match="of a stream what its events make"):
        process_response({"type": "content_block_delta", "delta": {"text": "h"}}, notes, participant="a")


def test_both_packages_work_without_any_sdk() -> None:
    import subprocess
    import sys

    script = (
        "import sys; sys.modules['openai'] = sys.modules['anthropic'] = None\n"
        "import sharedctx_openai, sharedctx_anthropic\n"
        "sharedctx_openai.tool_definition(); sharedctx_anthropic.tool_definition()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_session_can_take_the_place_of_notes(form: Form) -> None:
    assert "search" in tool_definition(over="context")["input_schema"]["properties"]["action"]["enum"]
    with sharedctx.open("memory://") as store:
        context = store.session("team")
        given = message(
            use("t1", {"action": "write", "key": "plan", "value": "mend"}), use("t2", {"action": "read", "key": "none"})
        )
        new, _ = process_response(form(given), context, participant="subagent:a")
        assert [block.get("is_error", False) for block in new[1]["content"]] == [False, True]
        assert context.get("plan") == "mend"


@pytest.mark.parametrize(
    ("content", "said"), [("hello", "is str, not a list"), ([None], "holds None"), ([["x"]], "which is no object")]
)
def test_messages_in_another_form_are_refused_and_nothing_is_dropped(
    notes: SharedContextStore, content: Any, said: str
) -> None:
    with pytest.raises(InvalidValue, match=said):
        process_response({"role": "assistant", "content": content}, notes, participant="a")


def test_a_name_that_the_api_refuses_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="is not 1 to 64 of A-Z"):
        tool_definition("shared context")
    with pytest.raises(ConfigError, match="strict 1"):
        tool_definition(strict=1)  # type: ignore[arg-type]


def test_what_an_sdk_parsed_is_not_sent_back(notes: SharedContextStore) -> None:
    pytest.importorskip("anthropic", reason="the Anthropic SDK is not installed: its objects are tried where it is")
    from anthropic.types.parsed_message import ParsedTextBlock

    block: Any = ParsedTextBlock.construct(type="text", text='{"a": 1}', citations=None, parsed_output={"a": 1})
    new, done = process_response(SimpleNamespace(content=[block], stop_reason="end_turn"), notes, participant="a")
    assert done
    assert new == [{"role": "assistant", "content": [{"type": "text", "text": '{"a": 1}', "citations": None}]}]
