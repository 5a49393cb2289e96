"""The command line finds its store by the options that all commands share, starts a server for one, and copies them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .shell import Shell


def test_options_that_all_commands_share_may_stand_after_the_command(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell("put", "k", "v", "--session", "other", "--as=me")[0] == 0
    assert shell.json("history", "k", "--session=other")[0]["agent"] == "me"
    assert shell("ls")[1] == b""
    assert shell.bare("sessions", "--url", f"disk://{shell.path}")[1] == b"other\n"
    monkeypatch.chdir(tmp_path)
    for words in (["sessions", "--url"], ["--path", "a", "sessions", "--path", "b"], ["put", "k", "v", "--nonsense"]):
        assert shell.bare(*words)[0] == 2
    assert shell("put", "--", "--session", "x")[0] == 0
    assert shell.json("ls")[0]["key"] == "--session"


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
        assert Shell(tmp_path, shell.server)("--url", started["url"], "put", "k", "v")[0] == 2  # --path and --url
        assert shell.bare("--url", started["url"], "put", "k", "v")[0] == 0
    finally:
        assert shell.json("redis", "stop", "--dir", folder) == {"stopped": True}
    again = shell.json("redis", "start", "--dir", folder, "--port", port)
    assert shell.bare("--url", started["url"], "get", "k")[1] == b"v\n"
    assert again["started"]
    assert shell.json("redis", "stop", "--dir", folder) == {"stopped": True}
    assert shell.json("redis", "stop", "--dir", folder) == {"stopped": False}


def test_a_store_is_copied_and_compared(shell: Shell, tmp_path: Path) -> None:
    shell("put", "k", "one")
    shell("--as", "me", "put", "k", "two")
    other = Shell(tmp_path / "other", shell.server)
    assert shell.json("copy", str(shell.path), str(other.path))["written"] == 2
    assert [entry["version"] for entry in other.json("history", "k")] == [2, 1]
    assert shell("copy", str(shell.path), str(other.path))[1].endswith(b"0 of them new: all equal\n")
    code, _, err = shell("copy", str(tmp_path / "none"), str(other.path))
    assert (code, b"--path" in err) == (2, False)
