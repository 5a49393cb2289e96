"""The server over standard input and output: clients, processes, odd input, and its end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx_cli.main import main

PATIENCE = 20


async def test_a_client_works_over_stdio(wire: Any, seeded: str, era: str) -> None:
    command = wire.command("--path", seeded, "--session", "team", "--as", "coder")
    async with wire.connected(command, era) as client:
        assert "context_read" in await client.tools()
        assert (await client.call("context_read", key="plan")).text == "plan v1  by planner\nfirst"
        assert (await client.call("context_write", key="code", value="x = 1")).text == "wrote code v1, 5 bytes"
        assert "context://team/code" in await client.resources()
        await client.listen("context://team/plan")
        with sharedctx.open(seeded) as store:
            store.session("team").put("plan", "second", agent="planner")
        await client.told_of("context://team/plan")
        noted = await client.call("context_search", query="anything")
        assert noted.text.endswith("[a key that you read has changed: plan v1 -> v2 by planner]")
    with sharedctx.open(seeded) as store:
        assert store.session("team").get_entry("code").agent == "coder"


async def test_two_processes_serve_one_store(wire: Any, path: str, era: str) -> None:
    one, two = (wire.command("--path", path, "--as", name) for name in ("one", "two"))
    async with wire.connected(one, era) as first, wire.connected(two, era) as second:
        await first.call("context_write", key="plan", value="by one", expected_version=0)
        lost = await second.call("context_write", key="plan", value="by two", expected_version=0)
        assert lost.failed
        assert lost.text.startswith("VERSION_CONFLICT")
        assert "by one" in (await second.call("context_read", key="plan")).text


def _start(wire: Any, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        wire.command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def _say(process: subprocess.Popen[bytes], *messages: Any) -> None:
    for message in messages:
        process.stdin.write((message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n")
    process.stdin.flush()


def _answer(process: subprocess.Popen[bytes], number: int) -> dict[str, Any]:
    while line := process.stdout.readline():
        message = json.loads(line)
        if message.get("id") == number:
            return message
    raise AssertionError(process.stderr.read().decode())


def _answer_before_ping(process: subprocess.Popen[bytes], line: bytes) -> dict[str, Any]:
    """What is said to a line until a ping after it is answered; the one message that is an answer."""
    _say(process, line, {"jsonrpc": "2.0", "id": 99, "method": "ping"})
    said: list[dict[str, Any]] = []
    while not said or said[-1].get("id") != 99:
        said.append(json.loads(process.stdout.readline()))
    [answer] = [message for message in said[:-1] if "method" not in message]
    return answer


def test_it_ends_with_its_input_and_writes_only_the_protocol(wire: Any, path: str) -> None:
    process = _start(wire, "--path", path)
    _say(process, wire.initialize)
    _answer(process, 1)
    call = {"name": "context_write", "arguments": {"key": "plan", "value": "kept"}}
    _say(process, wire.initialized, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call})
    assert _answer(process, 2)["result"]["isError"] is False
    rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest.splitlines())
    with sharedctx.open(path) as store:
        assert store.session().get("plan") == "kept"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order_though_its_input_is_open(wire: Any, path: str, sent: signal.Signals) -> None:
    process = _start(wire, "--path", path)
    _say(process, wire.initialize)
    _answer(process, 1)
    process.send_signal(sent)
    assert process.wait(timeout=PATIENCE) == 0
    assert process.stderr.read() == b""
    process.communicate()


BAD_LINES = (
    b"no json",
    b"\xff\xfe",
    b"[]",
    b"{}",
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":7}}',
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"context_read","arguments":[]}}',
    b'{"jsonrpc":"2.0","id":7,"method":"no/such"}',
    b'{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{}}',
    b"[" * 100_000,
    b'"' + b"x" * 5_000_000 + b'"',
)


def test_bad_lines_do_not_stop_it(wire: Any, path: str) -> None:
    process = _start(wire, "--path", path)
    _say(process, wire.initialize, wire.initialized)
    _answer(process, 1)
    for number, line in enumerate(BAD_LINES, 100):
        ask = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "context_list"}}
        _say(process, line, ask)
        assert _answer(process, number)["result"]["content"][0]["text"] == "there are no keys yet"
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


_WRITE = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"context_write","arguments":%s}}'


@pytest.mark.parametrize(
    ("line", "number", "told"),
    [
        (_WRITE % b'{"key":"k","value":"cut \\ud83d"}', 7, "half of a surrogate pair"),
        (_WRITE % (b'{"key":"k","value":' + b"[" * 300 + b"]" * 300 + b"}"), 7, "too deep"),
        (_WRITE % (b'{"key":"k","value":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), None, "cannot be read"),
        (b"no json", None, "no JSON"),
        (b'[{"jsonrpc":"2.0","id":7,"method":"ping"}]', None, "one by one"),
        (b'{"id":"seven","method":"ping"}', "seven", "'jsonrpc': '2.0'"),
        (b'{"jsonrpc":"2.0","id":7}', 7, "a method, a result or an error"),
    ],
    ids=range(7),
)
def test_no_request_that_cannot_be_read_stays_unanswered(
    wire: Any, path: str, line: bytes, number: Any, told: str
) -> None:
    process = _start(wire, "--path", path)
    _say(process, wire.initialize, wire.initialized)
    _answer(process, 1)
    answer = _answer_before_ping(process, line)
    assert answer["id"] == number
    assert told in answer["error"]["message"]
    assert answer["error"]["code"] in (-32700, -32600)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_line_without_measure_is_answered_and_not_kept(wire: Any, path: str) -> None:
    with _start(wire, "--path", path) as process:
        _say(process, wire.initialize, wire.initialized)
        _answer(process, wire.initialize["id"])
        told = _answer_before_ping(process, b'{"jsonrpc":"2.0","id":7,"method":"' + b"x" * 70_000_000 + b'"}')
        assert "at most 64 MiB" in told["error"]["message"]
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("value", [b"NaN", b"1e999", b'{"deep":[-1e999]}'])
def test_a_number_that_is_none_is_refused_and_not_made_null(wire: Any, path: str, value: bytes) -> None:
    process = _start(wire, "--path", path)
    _say(process, wire.initialize, wire.initialized)
    _answer(process, 1)
    answer = _answer_before_ping(process, _WRITE % (b'{"key":"k","value":' + value + b"}"))
    assert answer["id"] == 7
    assert "a number out of range" in answer["error"]["message"]
    process.communicate(timeout=PATIENCE)
    with sharedctx.open(path) as store:
        assert store.session().keys() == []


def test_a_client_that_does_not_read_keeps_no_server_alive(wire: Any, path: str) -> None:
    with sharedctx.open(path) as store:
        store.session().put("long", "\n".join(f"{n} {n * 7919 % 104729:x}" for n in range(60_000)))
    process = _start(wire, "--path", path)
    _say(process, wire.initialize, wire.initialized)
    _answer(process, 1)
    ask = {"method": "resources/read", "params": {"uri": "context://default/long?full=true"}}
    _say(process, *({"jsonrpc": "2.0", "id": number, **ask} for number in range(2, 6)))
    process.stdout.peek(1)  # it is writing more than its end holds
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE) == 0
    process.communicate()


def test_what_prints_in_the_process_stays_out_of_the_protocol(wire: Any, path: str) -> None:
    script = (
        "import os, sys\n"
        "from sharedctx import SharedContext\n"
        "from sharedctx_mcp import serve_stdio\n"
        "keys = SharedContext.keys\n"
        "def loud(*given):\n"
        "    print('noise of a library'); os.write(1, b'noise of a child\\n'); return keys(*given)\n"
        "SharedContext.keys = loud\n"
        "with SharedContext(path=sys.argv[1]) as context:\n"
        "    serve_stdio(context)\n"
        "print('done')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    _say(process, wire.initialize, wire.initialized)
    _answer(process, 1)
    _say(process, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "context_list"}})
    assert _answer(process, 2)["result"]["isError"] is False
    rest, errors = process.communicate(timeout=PATIENCE)
    assert rest == b"done\n"
    assert b"noise of a library" in errors
    assert b"noise of a child" in errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--path", "a", "--url", "memory://"), "name the store once"),
        (("--prefix", "a b"), "the prefix 'a b'"),
        (("--max-tokens", "1"), "max_tokens 1 is below 50"),
        (("--read-only", "--allow-delete"), "choose one"),
        (("--as", "a\nb"), "is not printable text"),
        (("--session", "../x"), "session id"),
        (("--http", "--host", "0.0.0.0"), "no token is set"),
        (("--http", "--allow-origin", "*"), "is written out"),
        (("--http", "--token-file", "absent"), "cannot be read"),
    ],
)
def test_bad_options_are_told_before_anything_is_served(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["mcp", *arguments])
    said = capsys.readouterr()
    assert ended.value.code in (1, 2)
    assert told in said.err
    assert said.out == ""


def test_without_the_package_the_command_says_what_to_install(tmp_path: Path) -> None:
    script = "import sys; sys.modules['mcp'] = None; from sharedctx_cli.main import main; main(['mcp'])"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == "sharedctx: the MCP server needs the package 'mcp': pip install 'sharedctx[mcp]'"
    assert list(tmp_path.iterdir()) == []
