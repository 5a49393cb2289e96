"""Commands in pipes: exact, in UTF-8, and at their end when nobody reads on or nothing can be written."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import pytest

from .shell import MAIN, PATIENCE, Shell


def test_top_in_a_pipe_tells_once(shell: Shell) -> None:
    shell("put", "plan", "v" * 400)
    shell("--as", "me", "get", "plan")
    found = shell.json("top")
    assert (found["keys"], found["latest"]) == (1, [])
    assert found["participants"][0]["participant"] == "me"
    assert found["participants"][0]["replay_tokens"] == 100
    text = shell("top")[1].decode()
    assert "\x1b" not in text
    assert "me" in text
    assert len(shell("--json", "top", "--rounds", "2", "--interval", "0.05")[1].splitlines()) == 2
    for odd in ("nan", "inf", "0"):
        assert shell("top", "--interval", odd)[0] == 2


def test_a_command_whose_output_was_closed_does_its_work(shell: Shell) -> None:
    command = [sys.executable, "-c", MAIN, "--path", str(shell.path)]
    for closed in (1, 2):
        done = subprocess.run(
            [*command, "put", f"key{closed}", "v"], preexec_fn=partial(os.close, closed), timeout=PATIENCE, check=False
        )
        assert done.returncode == 0
        done = subprocess.run([*command, "ls"], preexec_fn=partial(os.close, closed), timeout=PATIENCE, check=False)
        assert done.returncode == 0
    assert [entry["key"] for entry in shell.json("ls")] == ["key1", "key2"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full, a file that is always full")
def test_output_that_cannot_be_written_is_told(shell: Shell) -> None:
    shell("put", "raw", "-", "--type", "bytes", stdin=b"\x00" * 100)
    command = [sys.executable, "-c", MAIN, "--path", str(shell.path)]
    for words in (["put", "key", "v"], ["get", "raw", "--full"], ["--json", "get", "nope"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*command, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False
            )
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert "the output cannot be written: No space left" in done.stderr
    assert shell("get", "key")[1] == b"v\n"


def test_a_reader_that_has_enough_ends_a_command_without_a_word(shell: Shell) -> None:
    shell("put", "raw", "-", "--type", "bytes", stdin=b"\x00" * 100)
    for words in (["ls"], ["get", "raw", "--full"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "--path", str(shell.path), *words],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (1, b"")


def test_pipes_get_text_as_it_was_stored_whatever_the_locale(shell: Shell) -> None:
    shell("put", "鍵", "-", stdin="värde 鍵".encode())
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    for words, found in ((["get", "鍵", "--full"], "värde 鍵"), (["ls"], "鍵"), (["--json", "ls"], '"key": "鍵"')):
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "--path", str(shell.path), *words],
            env=environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert found in done.stdout.decode()


def test_tables_are_exact_in_pipes(shell: Shell) -> None:
    shell("put", "odd", "-", stdin="one pump\x9b31m \u202e end".encode())
    assert "one pump\x9b31m \u202e end" in shell("search", "pump")[1].decode()
