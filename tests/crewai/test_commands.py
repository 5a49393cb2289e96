"""``sharedctx crewai`` shows the memories of any store; the package imports crewai only when it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from crewai.memory.types import MemoryRecord

import sharedctx
from sharedctx.errors import ConfigError
from sharedctx_cli.main import cli
from sharedctx_crewai import ContextMemory


@pytest.fixture(params=["disk", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that holds two memories."""
    redis = request.param == "redis"
    address = str(request.getfixturevalue("redis_url")) if redis else f"disk://{tmp_path}/store"
    with ContextMemory.from_url(address) as memory:
        memory.save([MemoryRecord(id="one", content="gateway on port 7391", scope="/net", categories=["ports"])])
        memory.save([MemoryRecord(id="two", content="likes tea", scope="/people", embedding=[1.0, 2.0])])
        memory.update(MemoryRecord(id="two", content="likes coffee", scope="/people"))
    return address


def run(place: str, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--url", place, *words])


def as_json(place: str, *words: str) -> Any:
    return json.loads(run(place, "--json", *words).stdout)


def test_ls_lists_below_a_scope_and_by_category(place: str) -> None:
    lines = run(place, "crewai", "ls").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["two", "one"]
    assert [each["id"] for each in as_json(place, "crewai", "ls", "/net")] == ["one"]
    assert [each["id"] for each in as_json(place, "crewai", "ls", "--category", "ports")] == ["one"]


def test_ls_in_a_session_without_memories_names_those_that_the_store_has(place: str) -> None:
    told = run(place, "--session", "another", "crewai", "ls")
    assert (told.exit_code, told.stdout) == (0, "")
    assert "this store has default" in told.stderr


def test_show_gives_a_memory_and_its_history(place: str) -> None:
    assert "likes coffee" in run(place, "crewai", "show", "two").stdout
    history = as_json(place, "crewai", "show", "two", "--history")
    assert [each["record"]["content"] for each in history] == ["likes coffee", "likes tea"]
    missing = run(place, "crewai", "show", "three")
    assert missing.exit_code != 0
    assert "'three'" in str(missing.exception)


def test_search_finds_words_and_export_writes_lines(place: str, tmp_path: Path) -> None:
    assert [hit["key"] for hit in as_json(place, "crewai", "search", "gateway")] == ["memory/net/one"]
    assert run(place, "crewai", "search", "coffee gateway").stdout.count("likes coffee") == 1
    assert len(as_json(place, "crewai", "search", "coffee gateway", "--limit", "1")) == 1
    assert as_json(place, "crewai", "search", "metadata") == []
    run(place, "crewai", "export", str(tmp_path / "out"), "--scope", "/people")
    (line,) = (tmp_path / "out").read_text().splitlines()
    assert json.loads(line)["content"] == "likes coffee"
    assert len(run(place, "crewai", "export").stdout.splitlines()) == 2
    assert isinstance(run(place, "crewai", "export", str(tmp_path / "none" / "out")).exception, ConfigError)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["out"]


def test_a_store_without_memories_lists_none(tmp_path: Path) -> None:
    place = f"disk://{tmp_path}/store"
    with sharedctx.open(place) as store:
        store.session().put("memory/plain", "no record")
    for words in (["ls"], ["search", "record"], ["export", str(tmp_path / "out")]):
        done = run(place, "crewai", *words)
        assert (done.exit_code, done.stdout) == (0, "")
    assert (tmp_path / "out").read_text() == ""
    assert "no record" in run(place, "crewai", "show", "plain", "--history").stdout


def test_importing_the_package_imports_no_crewai() -> None:
    script = "import sharedctx_crewai.commands, sys; print('crewai' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_missing_crewai_is_told_with_its_command() -> None:
    script = (
        "import sys; sys.modules['crewai'] = None\n"
        "import sharedctx_crewai\n"
        "for name in ('ContextTools', 'ContextKnowledge', 'ContextFlowPersistence', 'ContextCheckpoints'):\n"
        "    try: getattr(sharedctx_crewai, name)\n"
        "    except ImportError as error: assert \"pip install 'sharedctx[crewai]'\" in str(error), error\n"
        "    else: raise SystemExit(name)\n"
        "try: sharedctx_crewai.install('store')\n"
        "except ImportError as error: assert \"pip install 'sharedctx[crewai]'\" in str(error), error\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
