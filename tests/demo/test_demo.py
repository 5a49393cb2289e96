"""The demo keeps its promises on given files, with and without frameworks, and says so when one is broken."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

import sharedctx
from sharedctx import SharedContext
from sharedctx_demo.agents.reading import heard
from sharedctx_demo.cast import READERS
from sharedctx_demo.checks import Evidence, verify
from sharedctx_demo.material import gather
from sharedctx_demo.script import Call, sign
from sharedctx_demo.stage import Death
from sharedctx_openai import process_response, tool_definition

from .runs import ALONE, COMMAND, FRAMEWORKS, demo, environment, material


def test_without_frameworks_the_core_plays_alone_and_says_what_installs_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    code, told, errors = demo(str(material(tmp_path / "material")), "--report", str(page), hidden=FRAMEWORKS)
    assert (code, errors) == (0, "")
    assert all(told["checks"].values())
    assert told["files"] == 6
    assert told["served_tokens"] < told["replay_tokens"]
    assert told["conflicts_caught"] > 0
    assert told["not_installed"] == {
        "langgraph": "pip install 'sharedctx[langgraph]'",
        "langchain": "pip install 'sharedctx[langchain]'",
        "openai_agents": "pip install 'sharedctx[openai-agents]'",
        "crewai": "pip install 'sharedctx[crewai]'",
    }
    assert [each["role"] for each in told["handovers"]] == ["analyst", "openai", "anthropic"]
    shown = page.read_text("utf-8")
    assert "<script>" not in shown
    assert "pip install &#x27;sharedctx[crewai]&#x27;" in shown


@pytest.mark.skipif(
    any(each.missing for each in READERS), reason="not all frameworks are installed: pip install 'sharedctx[all]'"
)
def test_with_all_frameworks_each_expands_what_another_stored_and_the_killed_graph_resumes(tmp_path: Path) -> None:
    store = tmp_path / "store"
    code, told, _ = demo(str(material(tmp_path / "material")), hidden=(), before=("--path", str(store)))
    assert (code, [promise for promise, kept in told["checks"].items() if not kept]) == (0, [])
    (death,) = told["killed"]
    assert death["role"] == "langgraph"
    assert f"killed in step {death['step'] + 1}, resumed: 6 of 6 steps were done once" in told["checks"]
    assert "expanded what another agent's framework stored: 6 of 6" in told["checks"]
    with sharedctx.open(store) as opened:
        context = opened.session(told["session"])
        assert {each["role"] for each in told["handovers"]} == {each.role for each in READERS}
        for member in READERS[1:]:
            entry = context.get_entry(f"conclusion/{member.role}")
            assert entry is not None
            assert entry.agent == member.participant
    Path(told["report"]).unlink()
    Path(told["report"]).parent.rmdir()


def test_by_default_it_reads_this_project_and_nothing_beside_it() -> None:
    files, skipped = gather([])
    assert skipped == 0
    assert {key.split("/")[1].partition("_")[0] for key in files} == {"sharedctx"}
    assert "source/sharedctx_demo/material.py" in files


def test_one_small_file_is_enough(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("one line")
    code, told, _ = demo(str(tmp_path / "note.txt"), "--report", str(tmp_path / "page.html"))
    assert (code, all(told["checks"].values())) == (0, True)


def test_a_server_that_does_not_answer_is_told_before_anybody_plays(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("one line")
    code, told, errors = demo(str(tmp_path / "note.txt"), before=("--url", "redis://127.0.0.1:1"))
    assert (code, told["error"], errors) == (1, "BACKEND_UNAVAILABLE", "")


def test_sources_may_speak_of_references_themselves(tmp_path: Path) -> None:
    told_of = 'It says [[rows omitted: expand("research", "v3:rows:12-40")]], or expand("a\\d", "b").\n\n'
    (tmp_path / "guide.md").write_text("# Guide\n\n" + told_of + "Some more words about it, and more.\n\n" * 2000)
    code, told, errors = demo(str(tmp_path / "guide.md"), "--report", str(tmp_path / "page.html"))
    assert (code, [promise for promise, kept in told["checks"].items() if not kept], errors) == (0, [], "")


@pytest.mark.parametrize("path", ["absent", "empty", ""])
def test_it_fails_where_there_is_nothing_to_read(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    code, told, _ = demo(str(tmp_path / path) if path else "")
    assert (code, told["error"]) == (2, "CONFIG_ERROR")


def test_an_agent_that_fails_is_told_with_its_reason_and_nobody_waits_for_it(tmp_path: Path) -> None:
    (tmp_path / "broken" / "langgraph").mkdir(parents=True)
    (tmp_path / "broken" / "langgraph" / "__init__.py").write_text("raise RuntimeError('a broken installation')")
    (tmp_path / "note.txt").write_text("one line")
    words = (str(tmp_path / "note.txt"), "--report", str(tmp_path / "page.html"))
    code, told, _ = demo(*words, hidden=tuple({*ALONE} - {"langgraph"}), first=tmp_path / "broken")
    assert code == 1
    assert not told["checks"]["every agent finished, but langgraph, openai"]
    assert told["failed"] == {
        "langgraph": "RuntimeError: a broken installation",
        "openai": "RuntimeError: langgraph failed before it wrote report/langgraph",
    }
    assert told["seconds"] < 100


def test_stopped_it_leaves_neither_files_nor_processes(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [
        COMMAND[0],
        "-c",
        "import sys; sys.modules['rich'] = None; from sharedctx_cli import main; main()",
        "demo",
    ]
    environ = {**environment(*ALONE), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environ) as child:
        os.close(theirs)
        shown = b""
        while b"first writer: done" not in shown:
            shown += os.read(ours, 65536)
        child.terminate()
        shown += _rest(ours)
    assert child.returncode == 143
    assert b"Traceback" not in shown
    assert list(tmp_path.iterdir()) == []
    if Path("/proc/self").exists():
        commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        assert not [command for command in commands if str(tmp_path).encode() in command]


@pytest.mark.parametrize("kind", ["redis", "dynamodb"])
def test_it_passes_on_a_server(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    (tmp_path / "notes.md").write_text("# Notes\n\nsome words\n" * 50, "utf-8")
    code, told, errors = demo(str(tmp_path), "--report", str(tmp_path / "page.html"), before=("--url", url))
    assert (code, all(told["checks"].values())) == (0, True), errors


def test_broken_promises_are_told() -> None:
    """Each check fails when what it promises is not so."""
    with sharedctx.open("memory://") as store:
        context = store.session("demo")
        context.put("source/a.txt", "something else")
        context.put("agenda", ["one", "one"])
        digest = sha256(b"what it came from").hexdigest()
        deaths = [Death("langgraph", 0.0, 0)]
        seen = Evidence(context, {"source/a.txt": digest}, READERS, ["crewai"], 0, deaths, lines=2)
        checks = {check.promise: check.kept for check in verify(seen)}
    assert not checks["every agent finished, but crewai"]
    assert not checks["originals byte for byte: 0 of 1"]
    assert not checks["no update lost: 2 of 2 lines"]
    assert not checks["versions without gap: 1"]
    assert not checks["conflicts caught: 0"]
    assert not checks["signed the shared board: 0 of 6"]
    assert not any(kept for promise, kept in checks.items() if promise.startswith("expanded what another"))
    assert not checks["killed in step 1, resumed: 0 of 0 steps were done once"]


@pytest.mark.parametrize("rich", [True, False], ids=["rich", "plain"])
def test_progress_is_shown_on_a_terminal(tmp_path: Path, rich: bool) -> None:
    (tmp_path / "notes.txt").write_text("a line of notes\n" * 500)
    ours, theirs = pty.openpty()
    before = "" if rich else "import sys; sys.modules['rich'] = None; "
    command = [COMMAND[0], "-c", f"{before}from sharedctx_cli import main; main()"]
    words = ["--path", str(tmp_path / "store"), "demo", str(tmp_path / "notes.txt")]
    with subprocess.Popen(
        [*command, *words, "--report", str(tmp_path / "page.html")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment(*ALONE), "TERM": "xterm", "COLUMNS": "110"},
    ) as child:
        os.close(theirs)
        shown = _rest(ours)
        assert child.wait() == 0
    text = shown.decode()
    assert "analyst (no framework)" in text
    assert "raw OpenAI loop" in text
    if not rich:
        assert "first writer: done, 20 steps" in text
    assert "full replay" in text
    assert "ok   no update lost: 40 of 40 lines" in text
    assert "skip CrewAI crew (not installed): pip install 'sharedctx[crewai]'" in text


def test_raw_loops_hear_of_a_conflict_and_sign_the_board_again() -> None:
    with sharedctx.open("memory://") as store:
        context = store.session("demo")
        play = sign("openai")
        (read,) = next(play)
        missing = _heard(context, read)
        context.put("board", "- rival is done", agent="agent:rival")
        (write,) = play.send([missing])
        (read,) = play.send([_heard(context, write)])
        (write,) = play.send([_heard(context, read)])
        with pytest.raises(StopIteration):
            play.send([_heard(context, write)])
        assert context.get("board", full=True) == "- rival is done\n- openai is done"


def _heard(context: SharedContext, one: Call) -> str:
    arguments = json.dumps({"action": one.tool, **one.arguments})
    asked = {"name": tool_definition()["function"]["name"], "arguments": arguments}
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": asked}]}
    messages, _ = process_response({"choices": [{"message": message}]}, context, participant="agent:openai")
    return heard(messages[-1]["content"])


def _rest(terminal: int) -> bytes:
    """What is shown until the other side is closed."""
    shown = b""
    with open(terminal, "rb", buffering=0) as side, suppress(OSError):
        while piece := side.read(65536):
            shown += piece
    return shown
