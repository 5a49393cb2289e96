"""What the documents show is run: every Python block, in the order of its page, in an empty directory."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from .forked import COUNTING
from .given import GIVEN

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEEDS = {
    "crewai.md": "crewai",
    "langchain.md": "langchain",
    "langgraph.md": "langgraph",
    "mcp.md": "mcp",
    "openai_agents.md": "agents",
    "server.md": "msgspec",
}
"""What the pages of frameworks import; some of them warn when they are imported."""
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


README = BLOCK.findall((ROOT / "README.md").read_text("utf-8"))


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fork_server: Callable[[str], Any]
) -> Callable[[str | None, str, list[str]], None]:
    """Run blocks in an empty folder, in a process that has imported the framework they need."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("DISABLE_TELEMETRY", "true"), ("TESTING", "true"), ("TRACING_ENABLED", "false")):
        monkeypatch.setenv(f"CREWAI_{name}", value)

    def run(framework: str | None, warnings: str, blocks: list[str]) -> None:
        server = fork_server(f"{COUNTING}; import {framework or 'sharedctx'}")
        server.start("\n".join([f"import warnings; warnings.simplefilter({warnings!r})", *blocks])).finish()

    return run


@pytest.mark.parametrize("package", GIVEN)
def test_the_readmes_snippet_for_each_framework_runs(package: str, run: Callable[..., None]) -> None:
    framework, prelude = GIVEN[package]
    if framework is not None and find_spec(framework) is None:
        pytest.skip(f"the snippet needs the package {framework!r}, which is not installed")
    (snippet,) = [block for block in README if f"from {package} import" in block]
    run(framework, "ignore", [README[0], prelude, snippet])


def test_every_snippet_of_the_readme_is_run() -> None:
    assert len(README) == 1 + len(GIVEN)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))], ids=lambda p: p.name
)
def test_every_python_block_runs(page: Path, run: Callable[..., None]) -> None:
    framework = NEEDS.get(page.name)
    if framework is not None and find_spec(framework) is None:
        pytest.skip(f"the page needs the package {framework!r}, which is not installed")
    blocks = README[:1] if page.name == "README.md" else BLOCK.findall(page.read_text("utf-8"))
    run(framework, "error" if framework in (None, "msgspec") else "default", blocks)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
