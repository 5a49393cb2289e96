"""The examples' way to a real model, through the makers' SDKs over HTTP to a server that answers from a script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WRITE = {"action": "write", "key": "decisions_made", "value": "Restart worker-1."}


def chat(asked: dict[str, Any]) -> dict[str, Any]:
    """A completion: a call of the first tool, and an answer once there is a result."""
    result = next((each for each in asked["messages"] if each["role"] == "tool"), None)
    message: dict[str, Any] = {"role": "assistant", "content": None if result is None else "Done."}
    if result is None:
        name = asked["tools"][0]["function"]["name"]
        function = {"name": name, "arguments": json.dumps(WRITE)}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    reason = "tool_calls" if result is None else "stop"
    choice = {"index": 0, "finish_reason": reason, "message": message, "logprobs": None}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": asked["model"], "choices": [choice]}


def responses(asked: dict[str, Any]) -> dict[str, Any]:
    """The same in the form of Responses."""
    item: dict[str, Any] = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Done.", "annotations": []}],
    }
    if not any(each.get("type") == "function_call_output" for each in asked["input"]):
        item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed"}
        item |= {"name": asked["tools"][0]["name"], "arguments": json.dumps(WRITE)}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 0,
        "model": asked["model"],
        "status": "completed",
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def messages(asked: dict[str, Any]) -> dict[str, Any]:
    """The same in Anthropic's form."""
    answered = any(isinstance(each["content"], list) and each["role"] == "user" for each in asked["messages"])
    block: dict[str, Any] = {"type": "text", "text": "Done."}
    if not answered:
        block = {"type": "tool_use", "id": "toolu_1", "name": "shared_context", "input": WRITE}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": [block],
        "stop_reason": "end_turn" if answered else "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


class Answering(BaseHTTPRequestHandler):
    """Answers requests to any of the three APIs."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.partition("?")[0]
        form = {"/v1/chat/completions": chat, "/v1/responses": responses, "/v1/messages": messages}[path]
        body = json.dumps(form(asked)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Keys and addresses of a server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    here = f"http://127.0.0.1:{server.server_port}"
    given = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    given |= {"OPENAI_BASE_URL": f"{here}/v1", "ANTHROPIC_BASE_URL": here}
    given |= {"OPENAI_AGENTS_DISABLE_TRACING": "1"}  # it would go to the maker, not to this server
    yield given | {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("package", "command", "said"),
    [
        ("openai", ["openai_loop.py", "chat", "--live", "m"], "notes: [('decisions_made', 'subagent:operations')]"),
        ("openai", ["openai_loop.py", "responses", "--live", "m"], "[('decisions_made', 'subagent:operations')]"),
        ("anthropic", ["anthropic_loop.py", "--live", "m"], "stored: ['notes/decisions_made']"),
        ("anthropic", ["orchestrator.py", "--live", "m", "m"], "decisions_made by orchestrator: Restart worker-1."),
        ("agents", ["openai_triage.py", "--live", "m"], "Done."),
    ],
)
def test_an_example_works_through_the_sdk(
    environment: dict[str, str], package: str, command: list[str], said: str
) -> None:
    missing = f"the package {package!r} is not installed, or not beside this version of others: it is tried where it is"
    pytest.importorskip(package, reason=missing, exc_type=ImportError)
    pytest.importorskip("openai", reason="the OpenAI SDK is not installed: it is tried where it is")
    run = [sys.executable, str(EXAMPLES / command[0]), *command[1:]]
    done = subprocess.run(run, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
