"""The command line does what its help says, in exit codes, JSON and bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .shell import MAIN, Shell


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


def test_get_takes_a_version_as_diff_does_and_a_key_of_that_name_comes_first(shell: Shell) -> None:
    shell("put", "plan", "one")
    shell("put", "plan", "two")
    assert shell("get", "plan@1")[1] == b"one\n"
    code, _, err = shell("get", "plan@7")
    assert code == 3
    assert b"'plan' has no live version 7" in err
    shell("put", "plan@1", "own")
    assert shell("get", "plan@1")[1] == b"own\n"


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
    code, _, err = shell("put", "findings", "w", "--expect", "7")
    assert (code, err.rstrip().endswith(b"write with --expect 1")) == (4, True)
    assert shell("put", "bad\nkey", "v")[0] == 2
    assert shell("put", "k", "{", "--type", "json")[0] == 2
    code, _, err = shell("put", "k", "-", "--type", "json", stdin=b"[" * 100_000 + b"]" * 100_000)
    assert (code, b"flatten it" in err, b"Traceback" in err) == (2, True, False)
    assert shell("diff", "a", "b")[0] == 2
    assert shell("--session", "../evil", "ls")[0] == 2
    code, out, _ = shell("get", "nothing", "--json")
    assert (code, json.loads(out)["error"]) == (3, "KEY_NOT_FOUND")


def test_a_backup_opens_as_a_store(shell: Shell, tmp_path: Path) -> None:
    shell("put", "k", "v")
    assert shell("backup", str(tmp_path / "copy"))[0] == 0
    assert Shell(tmp_path / "copy", shell.server).json("get", "k")["value"] == "v"


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


def test_a_session_goes_through_a_file(shell: Shell, tmp_path: Path) -> None:
    shell("put", "plan", "one")
    shell("--as", "me", "put", "plan", "two")
    file = str(tmp_path / "team.zip")
    assert shell.json("export", file)["versions"] == 2
    assert shell("export", file)[0] == 2
    code, _, err = shell("import", file)
    assert (code, b"already" in err) == (4, True)
    assert shell.json("import", file, "--to", "copy") == {"session": "copy", "keys": 1, "versions": 2}
    assert [entry["agent"] for entry in shell.json("--session", "copy", "history", "plan")] == ["me", None]
    other = Shell(tmp_path / "other", shell.server)
    assert other("import", file)[1] == b"session default: 2 versions of 1 keys\n"
    assert other("get", "plan")[1] == b"two\n"
    (tmp_path / "bad.zip").write_bytes(b"PK nothing")
    assert other("import", str(tmp_path / "bad.zip"), "--to", "x")[0] == 2
    code, out, _ = other("--json", "import", file, "--to", "x", "--max-bytes", "1")
    assert (code, "raise --max-bytes" in json.loads(out)["message"]) == (2, True)
    assert other.json("sessions") == ["default"]


def test_grants_are_given_listed_and_revoked(shell: Shell) -> None:
    shell("put", "open/a", "v")
    shell("put", "secret", "v")
    rule = shell.json("grant", "sub:*", "--read", "open/*", "--write", "open/*", "--write", "log")["sub:*"]
    assert (rule["read"], rule["write"], rule["admin"]) == (["open/*"], ["open/*", "log"], [])
    assert [entry["key"] for entry in shell.json("--as", "sub:1", "ls")] == ["open/a"]
    assert shell("--as", "sub:1", "put", "secret", "mine")[0] == 5
    assert shell("--as", "sub:1", "get", "secret")[0] == 3
    assert shell("--as", "sub:1", "grant", "sub:1", "--read", "*")[0] == 5
    assert shell("grant")[1].split() == [b"sub:*", b"open/*", b"open/*", b"log", b"-", b"-", b"-"]
    assert shell.json("grant", "sub:*", "--revoke") == {}
    assert shell("--as", "sub:1", "get", "secret")[0] == 0
    for wrong in (["grant", "--read", "a"], ["grant", "x"], ["grant", "x", "--read", "a", "--revoke"]):
        assert shell(*wrong)[0] == 2


def test_the_audit_log_is_switched_read_and_checked(shell: Shell) -> None:
    shell("put", "plan", "before")
    assert shell.json("audit", "--head") == {"head": None}
    assert shell.json("audit", "--on") == {"audit": True}
    shell("--as", "me", "put", "plan", "after")
    head = shell.json("audit", "--head")["head"]
    records = shell.json("audit")
    assert [(each["action"], each["participant"]) for each in records] == [
        ("begin", None),
        ("configure", None),
        ("put", "me"),
    ]
    assert [each["action"] for each in shell.json("audit", "--since", "1")] == ["put"]
    assert b"me  put        plan  v2" in shell("audit")[1]
    assert shell.json("audit", "--verify", "--against", head) == {"faults": []}
    number = head.partition("@")[2].partition(":")[0]
    code, out, _ = shell("audit", "--verify", "--against", head.replace(f"@{number}:", f"@{int(number) + 5}:"))
    assert code == 1
    assert out
    assert shell("--as", "me", "audit")[0] == 5
    assert shell("audit", "--on", "--head")[0] == 2
    assert shell("audit", "--against", head)[0] == 2
    assert shell.json("audit", "--off") == {"audit": False}
    shell("put", "plan", "unseen")
    assert shell.json("audit")[-1]["action"] in ("configure", "end")


def test_a_wrong_command_names_the_nearest(shell: Shell) -> None:
    code, _, err = shell("histroy", "plan")
    assert (code, b"the nearest are history" in err) == (2, True)
    assert json.loads(shell("--json", "xyzzy")[1])["error"] == "USAGE"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["get", "pl"], {"plan", "plan/b"}),
        (["rollback", "pl"], {"plan@", "plan/b@"}),
        (["rollback", "plan@"], {"plan@1", "plan@2"}),
        (["hist"], {"history"}),
        (["ls", "--he"], {"--help"}),
    ],
)
def test_shells_complete_commands_keys_and_versions(
    shell: Shell, words: list[str], found: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("plan", "plan", "plan/b", "other"):
        shell("put", key, "v")
    line = ["sharedctx", "--path", str(shell.path), *words]
    monkeypatch.setenv("_SHAREDCTX_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(line))
    monkeypatch.setenv("COMP_CWORD", str(len(line) - 1))
    assert {each.partition(",")[2] for each in shell.bare()[1].decode().splitlines()} == found


def test_completing_where_no_store_is_gives_nothing_and_makes_none(shell: Shell) -> None:
    line = f"sharedctx --path {shell.path} get p"
    environment = {**os.environ, "_SHAREDCTX_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": "4"}
    done = subprocess.run([sys.executable, "-c", MAIN], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("", "")
    assert not shell.path.exists()
