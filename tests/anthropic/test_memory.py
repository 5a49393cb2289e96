"""Anthropic's memory tool: its six commands over a session, shared, versioned, and never outside of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import sharedctx
from sharedctx import SharedContext
from sharedctx.errors import ConfigError
from sharedctx.notes import SharedContextStore
from sharedctx_anthropic import MemoryTool, process_response


@pytest.fixture
def context() -> Iterator[SharedContext]:
    with sharedctx.open("memory://") as store:
        yield store.session("team")


@pytest.fixture
def memory(context: SharedContext) -> MemoryTool:
    return MemoryTool(context, "claude")


def ask(memory: MemoryTool, command: str, **arguments: Any) -> dict[str, Any]:
    block = {"type": "tool_use", "id": "t1", "name": "memory", "input": {"command": command, **arguments}}
    result = memory.handle_tool_use(block)
    assert result is not None
    return result


def test_files_are_entries_of_the_session(memory: MemoryTool, context: SharedContext) -> None:
    assert "created" in ask(memory, "create", path="/memories/plan.md", file_text="one\ntwo\nthree")["content"]
    assert context.get("memories/plan.md", full=True) == "one\ntwo\nthree"
    assert context.get_entry("memories/plan.md").agent == "claude"
    context.put("memories/team/rules.md", "be kind")
    listing = ask(memory, "view", path="/memories")["content"]
    assert "13\t/memories/plan.md" in listing
    assert "7\t/memories/team/" in listing
    assert "7\t/memories/team/rules.md" in listing
    assert "be kind" in ask(memory, "view", path="/memories/team/rules.md")["content"]
    assert ask(memory, "view", path="/memories")["type"] == "tool_result"


def test_lines_are_numbered_and_ranges_are_given(memory: MemoryTool) -> None:
    ask(memory, "create", path="/memories/a", file_text="one\ntwo\nthree")
    assert ask(memory, "view", path="/memories/a", view_range=[2, -1])["content"].endswith("     2\ttwo\n     3\tthree")
    assert "is_error" in ask(memory, "view", path="/memories/a", view_range=[9, 12])
    assert "is_error" in ask(memory, "view", path="/memories/a", view_range="2")


def test_a_large_file_is_viewed_in_pages(memory: MemoryTool) -> None:
    text = "\n".join(f"line {n} of the log" for n in range(1, 3001))
    ask(memory, "create", path="/memories/log", file_text=text)
    read: list[str] = []
    wanted: dict[str, Any] = {}
    while True:
        page = ask(memory, "view", path="/memories/log", **wanted)["content"].split("\n")[1:]
        assert sum(map(len, page)) < 17_000
        read += [line.partition("\t")[2] for line in page if "\t" in line]
        if "\t" in page[-1]:
            break
        wanted = {"view_range": json.loads(page[-1].rpartition("view_range ")[2][:-1])}
        assert wanted["view_range"] == [len(read) + 1, 3000]
    assert "\n".join(read) == text


def test_a_long_line_is_shown_in_pieces(memory: MemoryTool, context: SharedContext) -> None:
    wide = "".join(f"{n} " for n in range(9_000))
    ask(memory, "create", path="/memories/wide", file_text=f"first\n{wide}\nnext")
    assert "view_range [2, 3]" in ask(memory, "view", path="/memories/wide")["content"]
    page = ask(memory, "view", path="/memories/wide", view_range=[2, 3])["content"].split("\n")
    assert page[-1] == "[lines 3 to 3 are not shown: view them with view_range [3, 3]]"
    context.put("memories/wide", "another")
    read, more = [page[1].partition("\t")[2]], page[2]
    while more.startswith("["):
        assert len("\n".join(page)) < 17_000
        page = ask(memory, "view", path=more.rpartition("path ")[2][:-1])["content"].split("\n")
        read.append(page[1])
        more = page[-1]
    assert "".join(read) == wide
    for odd in ("v1:chars:7-3", "v1:chars:99999999-100000000", "v9:chars:0-5", "v1:chars:0-"):
        assert "is_error" in ask(memory, "view", path=f"/memories/wide:{odd}")
    ask(memory, "create", path="/memories/odd:v1:chars:0-5", file_text="a name like any")
    assert "a name like any" in ask(memory, "view", path="/memories/odd:v1:chars:0-5")["content"]


def test_text_is_replaced_only_where_it_is_unique(memory: MemoryTool, context: SharedContext) -> None:
    ask(memory, "create", path="/memories/a", file_text="x y x")
    assert "2 times" in ask(memory, "str_replace", path="/memories/a", old_str="x", new_str="z")["content"]
    assert "nowhere" in ask(memory, "str_replace", path="/memories/a", old_str="q", new_str="z")["content"]
    assert "is_error" not in ask(memory, "str_replace", path="/memories/a", old_str="y", new_str="z")
    assert context.get("memories/a", full=True) == "x z x"
    assert [entry.version for entry in context.history("memories/a")] == [2, 1]


def test_lines_are_inserted(memory: MemoryTool, context: SharedContext) -> None:
    ask(memory, "create", path="/memories/a", file_text="one\nthree\n")
    ask(memory, "insert", path="/memories/a", insert_line=1, insert_text="two\n")
    ask(memory, "insert", path="/memories/a", insert_line=0, insert_text="zero")
    assert context.get("memories/a", full=True) == "zero\none\ntwo\nthree\n"
    for odd in (99, -1, None, True):
        assert "is_error" in ask(memory, "insert", path="/memories/a", insert_line=odd, insert_text="x")


def test_files_and_directories_are_renamed_and_deleted(memory: MemoryTool, context: SharedContext) -> None:
    for name in ("a/1", "a/2", "b"):
        ask(memory, "create", path=f"/memories/{name}", file_text=name)
    assert "already exists" in ask(memory, "rename", old_path="/memories/b", new_path="/memories/a")["content"]
    ask(memory, "rename", old_path="/memories/a", new_path="/memories/c/d")
    ask(memory, "rename", old_path="/memories/b", new_path="/memories/e")
    assert context.keys() == ["memories/c/d/1", "memories/c/d/2", "memories/e"]
    assert context.get("memories/c/d/2", full=True) == "a/2"
    ask(memory, "delete", path="/memories/c")
    assert context.keys() == ["memories/e"]
    assert "does not exist" in ask(memory, "delete", path="/memories/c")["content"]
    assert "does not exist" in ask(memory, "view", path="/memories/c")["content"]


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/memories/../x", "/memoriesx", "memories/a", "", "/memories/./a", "/memories/a\x00", None, 3],
)
def test_no_path_leads_elsewhere(memory: MemoryTool, context: SharedContext, path: Any) -> None:
    for command in ("view", "create", "str_replace", "insert", "delete"):
        more = {"file_text": "x", "old_str": "x", "new_str": "y", "insert_line": 0, "insert_text": "x"}
        assert ask(memory, command, path=path, **more)["is_error"] is True
    assert context.keys() == []


def test_odd_commands_are_explained(memory: MemoryTool, context: SharedContext) -> None:
    context.put("memories/rows", [1, 2])
    for given in (
        None,
        "view",
        {},
        {"command": "erase"},
        {"command": ["view"]},
        {"command": "create", "path": "/memories/a"},
    ):
        block = {"type": "tool_use", "id": "t1", "name": "memory", "input": given}
        result = memory.handle_tool_use(block)
        assert result is not None
        assert result["is_error"] is True
    assert "directory of all" in ask(memory, "delete", path="/memories")["content"]
    assert "not text" in ask(memory, "view", path="/memories/rows")["content"]
    assert "cut off" in str(memory.handle_tool_use({"type": "tool_use", "name": "memory", "id": "t"}, cut=True))
    assert memory.handle_tool_use({"type": "tool_use", "name": "bash", "id": "t"}) is None
    with pytest.raises(ConfigError):
        MemoryTool(context)


def test_edits_of_two_agents_are_both_kept(context: SharedContext) -> None:
    ask(MemoryTool(context, "a"), "create", path="/memories/list", file_text="begin")

    def work(name: str) -> None:
        memory = MemoryTool(context, name)
        for number in range(30):
            ask(memory, "insert", path="/memories/list", insert_line=0, insert_text=f"{name}{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(context.get("memories/list", full=True).split("\n")) == 91


def test_an_edit_that_comes_while_a_file_is_renamed_is_kept(context: SharedContext) -> None:
    ask(MemoryTool(context, "a"), "create", path="/memories/list", file_text="begin")
    names = ["list", "other"]
    done = threading.Event()

    def rename() -> None:
        memory = MemoryTool(context, "b")
        for number in range(60):
            here, there = names[number % 2], names[1 - number % 2]
            ask(memory, "rename", old_path=f"/memories/{here}", new_path=f"/memories/{there}")
        done.set()

    def edit() -> None:
        memory = MemoryTool(context, "c")
        while not done.is_set():
            for name in names:
                arguments = {"insert_line": 0, "insert_text": f"line {len(kept)}"}
                if "is_error" not in ask(memory, "insert", path=f"/memories/{name}", **arguments):
                    kept.append(arguments["insert_text"])

    kept: list[Any] = []
    threads = [threading.Thread(target=work) for work in (rename, edit)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = [context.get(key, full=True) for key in context.keys("memories/")]
    assert kept
    assert set(kept) <= set("\n".join(texts).split("\n"))


def test_a_rename_that_may_not_be_does_nothing(context: SharedContext) -> None:
    for name in ("d/a", f"d/{'n' * 400}"):
        ask(MemoryTool(context, "owner"), "create", path=f"/memories/{name}", file_text=name)
    before = context.keys()
    long = ask(MemoryTool(context, "owner"), "rename", old_path="/memories/d", new_path=f"/memories/{'m' * 200}")
    assert "at most 512" in long["content"]
    context.grant("claude", read=["*"], write=["*"], delete=["memories/d/a"])
    assert ask(MemoryTool(context, "claude"), "rename", old_path="/memories/d", new_path="/memories/e")["is_error"]
    assert context.keys() == before


def test_grants_apply(context: SharedContext) -> None:
    context.grant("claude", read=["memories/*"], write=["memories/own/*"])
    memory = MemoryTool(context, "claude")
    assert "is_error" not in ask(memory, "create", path="/memories/own/a", file_text="x")
    assert "is_error" in ask(memory, "create", path="/memories/b", file_text="x")


def test_both_tools_are_answered_in_one_loop(memory: MemoryTool) -> None:
    assert memory.definition() == {"type": "memory_20250818", "name": "memory"}
    blocks = [
        {"type": "tool_use", "id": "t1", "name": "shared_context", "input": {"action": "list_keys"}},
        {"type": "tool_use", "id": "t2", "name": "memory", "input": {"command": "view", "path": "/memories"}},
    ]
    message = {"role": "assistant", "content": blocks, "stop_reason": "tool_use"}
    new, done = process_response(message, SharedContextStore("s"), participant="claude", memory=memory)
    assert not done
    assert [block["tool_use_id"] for block in new[1]["content"]] == ["t1", "t2"]


def test_a_file_is_created_once_and_its_text_is_not_lost(memory: MemoryTool, context: SharedContext) -> None:
    ask(memory, "create", path="/memories/a", file_text="mine")
    told = ask(MemoryTool(context, "other"), "create", path="/memories/a", file_text="theirs")
    assert told["is_error"]
    assert "already exists" in told["content"]
    assert context.get("memories/a", full=True) == "mine"
    ask(memory, "delete", path="/memories/a")
    assert "is_error" not in ask(memory, "create", path="/memories/a", file_text="again")


def test_a_file_is_no_directory(memory: MemoryTool, context: SharedContext) -> None:
    ask(memory, "create", path="/memories/a", file_text="x")
    ask(memory, "create", path="/memories/d/e", file_text="y")
    below = ask(memory, "create", path="/memories/a/b/c", file_text="z")
    assert "/memories/a is a file" in below["content"]
    assert "/memories/a is a file" in ask(memory, "rename", old_path="/memories/d", new_path="/memories/a/d")["content"]
    assert "directory" in ask(memory, "create", path="/memories/d", file_text="z")["content"]
    assert "into itself" in ask(memory, "rename", old_path="/memories/d", new_path="/memories/d/f")["content"]
    assert context.keys() == ["memories/a", "memories/d/e"]


def test_only_numbers_are_a_range_and_only_a_context_holds_memories(memory: MemoryTool, context: SharedContext) -> None:
    ask(memory, "create", path="/memories/a", file_text="x")
    assert "is_error" in ask(memory, "view", path="/memories/a", view_range=[True, True])
    with pytest.raises(ConfigError, match="is no SharedContext"):
        MemoryTool(context.store, "a")  # type: ignore[arg-type]
