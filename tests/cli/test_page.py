"""The page on the command line says what the commands say, and every command is on it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from sharedctx_cli.page import commands, page

ROOT = Path(__file__).resolve().parents[2]
WANTED = (
    "status stats health metrics ls get put history diff rollback rm erase watch top expand window packet sessions "
    "backup export import copy grant token serve mcp doctor demo audit search savings"
)


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ours = project["entry-points"]["sharedctx.commands"]
    known = {each.name: each.value for each in entry_points(group="sharedctx.commands")}
    if not ours.items() <= known.items():
        pytest.skip("the package was installed before it had its commands of today: pip install -e . again")


def test_the_page_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "command_line.md").read_text("utf-8") == page(), (
        "run: python -m sharedctx_cli.page > docs/command_line.md"
    )


def test_every_command_is_on_the_page_with_what_it_does() -> None:
    text = (ROOT / "docs" / "command_line.md").read_text("utf-8")
    for words, _, command in commands():
        assert command.help, words
        section = text.partition(f"### {words}\n")[2].partition("\n### ")[0]
        assert f"`sharedctx {words}" in section
        for parameter in command.params:
            for name in parameter.opts if parameter.param_type_name == "option" else ():
                assert name in section, (words, name)
    assert re.findall(r"^### (.*)$", text, re.MULTILINE) == [words for words, _, _ in commands()]


def test_the_usual_commands_are_there() -> None:
    assert set(WANTED.split()) <= {words for words, _, _ in commands()}


def test_every_options_has_a_help() -> None:
    silent = [
        f"{words} {parameter.opts[0]}"
        for words, _, command in commands()
        for parameter in command.params
        if parameter.param_type_name == "option" and not getattr(parameter, "help", None)
    ]
    assert silent == []


def test_a_usual_command_imports_no_framework(tmp_path: Path) -> None:
    script = """
import sys
from sharedctx_cli.main import main
try:
    main(["--path", sys.argv[1], "put", "k", "v"])
except SystemExit as end:
    assert not end.code
try:
    main(["--path", sys.argv[1], "ls"])
except SystemExit as end:
    assert not end.code
heavy = "langgraph langchain crewai agents mcp starlette uvicorn msgspec pydantic numpy asyncio rich".split()
assert not [name for name in heavy if name in sys.modules], [name for name in heavy if name in sys.modules]
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
