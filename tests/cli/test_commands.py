"""The command line does what its help says, in exit codes, JSON and bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


class Shell:
    """Runs ``sharedctx`` on one store."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, *words: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        command = [sys.executable, "-c", "from sharedctx_cli import main; main()", "--path", str(self.path), *words]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words: str) -> Any:
        code, out, err = self(*words, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "store")


def test_put_get_history_diff_rollback_and_rm_work_together(shell: Shell) -> None:
    assert shell.json("put", "plan", '{"a":1}', "--type", "json")["version"] == 1
    assert shell.json("--as", "me", "put", "plan", '{"a":2}', "--type", "json", "--expect", "1")["agent"] == "me"
    assert shell.json("get", "plan", "--full")["value"] == {"a": 2}
    assert [entry["version"] for entry in shell.json("history", "plan")] == [2, 1]
    assert len(shell.json("diff", "plan@1", "plan@2")["diff"]) == 1
    assert shell.json("rollback", "plan@1")["version"] == 3
    assert [entry["key"] for entry in shell.json("ls")] == ["plan"]
    assert shell.json("rm", "plan")["previous_version"] == 3
    assert shell.json("ls") == []
    assert shell.json("sessions") == ["default"]
    assert [
        event["op"]
        for event in map(json.loads, shell("--json", "watch", "--from-rev", "0", "--timeout", "0")[1].splitlines())
    ] == ["put", "put", "put", "delete"]
    assert shell.json("stats")["store"]["kind"] == "disk"
    assert shell.json("doctor")["faults"] == []


def test_bytes_go_in_and_out_exactly(shell: Shell) -> None:
    data = b"\x00\xff\x1b[31m\r\n"
    assert shell("put", "raw", "-", "--type", "bytes", stdin=data)[0] == 0
    assert shell("get", "raw", "--full")[1] == data
    assert shell("put", "text", "-", stdin=b"a\x1b[31m\r\n")[0] == 0
    assert shell("get", "text", "--full")[1] == b"a\x1b[31m\r\n"


def test_failures_have_their_exit_codes_and_name_the_cure(shell: Shell) -> None:
    shell("put", "findings", "v")
    code, _, err = shell("get", "finding")
    assert code == 3
    assert b"findings" in err
    assert shell("put", "findings", "w", "--expect", "7")[0] == 4
    assert shell("put", "bad\nkey", "v")[0] == 2
    assert shell("put", "k", "{", "--type", "json")[0] == 2
    assert shell("diff", "a", "b")[0] == 2
    assert shell("--session", "../evil", "ls")[0] == 2
    code, out, _ = shell("get", "nothing", "--json")
    assert (code, json.loads(out)["error"]) == (3, "KEY_NOT_FOUND")


def test_a_backup_opens_as_a_store(shell: Shell, tmp_path: Path) -> None:
    shell("put", "k", "v")
    assert shell("backup", str(tmp_path / "copy"))[0] == 0
    assert Shell(tmp_path / "copy").json("get", "k")["value"] == "v"


def test_search_window_packet_and_savings(shell: Shell) -> None:
    shell("put", "plan", "mend the pump", "--type", "text")
    shell("put", "log", "\n".join(f"step {n} of the run went as it should" for n in range(900)))
    (hit,) = shell.json("search", "pump")
    assert (hit["key"], hit["ref"]) == ("plan", "v1:lines:1-1")
    assert shell("search", "pump")[1].decode().split() == ["plan", "v1:lines:1-1", "mend", "the", "pump"]
    window = shell.json("window", "--max-tokens", "200", "--priority", "plan=9", "--query", "pump")
    assert window["tokens"] <= 200
    assert window["entries"][0]["key"] == "plan"
    assert b"## plan v1\nmend the pump" in shell("window", "--max-tokens", "200", "--priority", "plan=9")[1]
    packet = shell.json("packet", "--for", "coder", "--task", "mend the pump", "--max-tokens", "200")
    assert packet["text"].startswith("# Shared context for coder\nTask: mend the pump")
    kinds = {found["kind"]: found["calls"] for found in shell.json("savings")}
    assert kinds == {"window": 2, "packet": 1}
    assert shell("window", "--max-tokens", "9")[0] == 2
    assert shell("window", "--max-tokens", "200", "--priority", "plan")[0] == 2


def test_every_command_with_a_wrong_key_names_the_nearest(shell: Shell) -> None:
    shell("put", "plan", "v")
    for words in (
        ["get", "plam"],
        ["expand", "plam", "lines:1-2"],
        ["history", "plam"],
        ["rm", "plam"],
        ["rm", "plam", "--expect", "3"],
        ["erase", "plam"],
        ["rollback", "plam@1"],
        ["diff", "plam@1", "plam@2"],
    ):
        code, _, err = shell(*words)
        assert (code, b"nearest: plan" in err) == (3, True), (words, err)
    code, _, err = shell("get", "plan", "--version", "99")
    assert code == 3
    assert b"nearest" not in err


def test_errors_are_json_wherever_json_is_asked_for(shell: Shell) -> None:
    shell("put", "plan", "v")
    for words, status, code in (
        (["get", "--json", "--", "plam"], 3, "KEY_NOT_FOUND"),
        (["--json", "get"], 2, "USAGE"),
        (["--json", "bogus"], 2, "USAGE"),
        (["rollback", "plan@\u00b2", "--json"], 2, "USAGE"),
        (["--json", "watch", "--from-rev", "99999999999999999999"], 2, "INVALID_VALUE"),
    ):
        found, out, _ = shell(*words)
        assert found == status, words
        assert json.loads(out)["error"] == code


def test_reading_where_no_store_is_makes_none(shell: Shell) -> None:
    for words in (["ls"], ["get", "k"], ["stats"], ["doctor"], ["sessions"]):
        code, _, err = shell(*words)
        assert (code, b"there is no store" in err) == (2, True), words
    assert not shell.path.exists()


def test_a_store_made_with_the_keys_of_the_environment_needs_them(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, key, _ = shell("keygen", "night")
    assert (code, key[:6]) == (0, b"night:")
    monkeypatch.setenv("SHAREDCTX_KEYS", key.decode().strip())
    shell("put", "k", "v")
    assert shell("get", "k")[1] == b"v\n"
    monkeypatch.delenv("SHAREDCTX_KEYS")
    code, out, err = shell("get", "k")
    assert (code, out) == (2, b"")
    assert b"SHAREDCTX_KEYS" in err


def test_a_server_of_ones_own_starts_tells_and_stops(shell: Shell, tmp_path: Path) -> None:
    local = pytest.importorskip("sharedctx.backends.redis.local")
    pytest.importorskip("redis", reason="redis is not installed: pip install 'sharedctx[redis]'")
    if not local.programs():
        pytest.skip("no Redis server is installed: pip install 'sharedctx[redis]'")
    folder, port = str(tmp_path / "server"), str(local.free_port())
    assert shell("redis", "status", "--dir", folder)[0] == 1
    started = shell.json("redis", "start", "--dir", folder, "--port", port)
    try:
        assert started["started"]
        assert shell.json("redis", "start", "--dir", folder, "--port", port) == {**started, "started": False}
        assert shell.json("redis", "status", "--dir", folder)["pid"] == started["pid"]
        code, _, err = shell("redis", "start", "--dir", str(tmp_path / "other"), "--port", port)
        assert code == 1
        assert b"choose another" in err
        shared = Shell(tmp_path)
        assert shared("--url", started["url"], "put", "k", "v")[0] == 2  # --path and --url
        command = [sys.executable, "-c", "from sharedctx_cli import main; main()", "--url", started["url"]]
        assert subprocess.run([*command, "put", "k", "v"], check=False, capture_output=True).returncode == 0
    finally:
        assert shell.json("redis", "stop", "--dir", folder) == {"stopped": True}
    again = shell.json("redis", "start", "--dir", folder, "--port", port)
    assert subprocess.run([*command, "get", "k"], check=False, capture_output=True).stdout == b"v\n"
    assert again["started"]
    assert shell.json("redis", "stop", "--dir", folder) == {"stopped": True}
    assert shell.json("redis", "stop", "--dir", folder) == {"stopped": False}


def test_a_store_is_copied_and_compared(shell: Shell, tmp_path: Path) -> None:
    shell("put", "k", "one")
    shell("--as", "me", "put", "k", "two")
    other = Shell(tmp_path / "other")
    assert shell.json("copy", str(shell.path), str(other.path))["written"] == 2
    assert [entry["version"] for entry in other.json("history", "k")] == [2, 1]
    assert shell("copy", str(shell.path), str(other.path))[1].endswith(b"0 of them new: all equal\n")
    assert shell("copy", str(tmp_path / "none"), str(other.path))[0] == 2
