"""The hand-off filter on plain histories: what it changes, what it leaves, and that it never fails."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from agents import HandoffInputData

from sharedctx import SharedContext
from sharedctx_openai_agents import ContextHandoffFilter


def test_history_in_plain_items_keeps_everything_but_outputs(context: SharedContext, log: str) -> None:
    caller = {"type": "program", "caller_id": "p1"}
    history = (
        {"role": "user", "content": "go"},
        {"type": "function_call", "call_id": "c1", "name": "logs", "arguments": "{}", "caller": caller},
        {"type": "function_call_output", "call_id": "c1", "output": log, "caller": caller, "id": "fco_1"},
        {
            "type": "computer_call_output",
            "call_id": "c2",
            "output": {"type": "computer_screenshot", "image_url": "x" * 9000},
        },
        {"role": "assistant", "content": log, "id": "msg_2"},
    )
    before = json.dumps(history)
    made = asyncio.run(ContextHandoffFilter(context)(HandoffInputData(history, (), ())))

    assert json.dumps(history) == before
    changed = [at for at, item in enumerate(made.input_history) if item is not history[at]]
    assert changed == [2]
    item = made.input_history[2]
    assert {**item, "output": log} == history[2]
    assert len(item["output"]) < len(log) / 10


def test_another_process_gives_the_same_bytes(tmp_path: Any, log: str) -> None:
    history = (
        {"type": "function_call", "call_id": "c1", "name": "logs", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": log},
    )
    made = []
    for _ in range(2):
        with SharedContext("team", path=tmp_path / "store") as opened:
            made.append(asyncio.run(ContextHandoffFilter(opened)(HandoffInputData(history, (), ()))).input_history)
    assert made[0] == made[1]


@pytest.mark.parametrize("arguments", ['{"path": "x"}', '{"key": "x"}', "[]", "{"])
def test_a_tool_of_another_kind_with_such_a_name_is_shortened(context: SharedContext, log: str, arguments: str) -> None:
    history = (
        {"type": "function_call", "call_id": "c1", "name": "read", "arguments": arguments},
        {"type": "function_call_output", "call_id": "c1", "output": log},
    )
    made = asyncio.run(ContextHandoffFilter(context)(HandoffInputData(history, (), ())))
    assert len(made.input_history[1]["output"]) < len(log) / 10


def test_small_outputs_pass_as_the_same_object(context: SharedContext) -> None:
    data = HandoffInputData(({"type": "function_call_output", "call_id": "c1", "output": "ok"},), (), ())
    assert asyncio.run(ContextHandoffFilter(context)(data)) is data
    assert context.keys() == []


def test_a_fault_in_the_filter_lets_the_history_pass(
    context: SharedContext, log: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Strange(dict[str, Any]):
        def get(self, *_: Any) -> Any:
            raise RuntimeError("strange")

    data = HandoffInputData((Strange(),), (), ())
    assert asyncio.run(ContextHandoffFilter(context)(data)) is data
    assert "handed over as it is" in caplog.text


def test_what_read_returned_is_not_shortened_again(context: SharedContext, log: str) -> None:
    text = f"logs/today v3 by a\n{log}"
    history = (
        {"type": "function_call", "call_id": "c1", "name": "context_read", "arguments": '{"key": "logs/today"}'},
        {"type": "function_call_output", "call_id": "c1", "output": text},
    )
    data = HandoffInputData(history, (), ())
    assert asyncio.run(ContextHandoffFilter(context)(data)) is data


def test_views_may_be_as_large_as_they_need(context: SharedContext) -> None:
    source = "\n".join(f"def function_{n}(a, b):\n    return a * {n} + b\n" for n in range(400))
    lengths = []
    for most in (300, None):
        given = HandoffInputData(({"type": "function_call_output", "call_id": "c1", "output": source},), (), ())
        made = asyncio.run(ContextHandoffFilter(context, max_tokens=most)(given))
        lengths.append(len(made.input_history[0]["output"]))
    assert lengths[0] < lengths[1] < len(source)


def test_a_view_that_another_process_gave_is_known_for_one(tmp_path: Any) -> None:
    source = Path(json.decoder.__file__).read_text()

    def filtered(output: str, max_tokens: int | None) -> tuple[str, list[str]]:
        with SharedContext("team", path=tmp_path / "store") as opened:
            given = HandoffInputData(({"type": "function_call_output", "call_id": "c1", "output": output},), (), ())
            made = asyncio.run(ContextHandoffFilter(opened, max_tokens=max_tokens)(given))
            return made.input_history[0]["output"], opened.keys()

    whole, keys = filtered(source, None)
    small, _ = filtered(source, 300)
    assert len(keys) == 1
    assert len(small) < len(whole) / 2
    assert filtered(whole, None) == (whole, keys)
    assert filtered(whole, 300) == (small, keys)
    changed = whole.replace("class JSONDecoder", "class Decoder")
    assert len(filtered(changed, 300)[1]) == 2
