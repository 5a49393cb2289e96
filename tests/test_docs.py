"""What the documents show is run: every Python block, in the order of its page, in an empty directory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

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
}
"""What the pages of frameworks import; some of them warn when they are imported."""
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


README = BLOCK.findall((ROOT / "README.md").read_text("utf-8"))


@pytest.mark.parametrize("package", GIVEN)
def test_the_readmes_snippet_for_each_framework_runs(package: str, tmp_path: Path) -> None:
    framework, prelude = GIVEN[package]
    if framework is not None and find_spec(framework) is None:
        pytest.skip(f"the snippet needs the package {framework!r}, which is not installed")
    (snippet,) = [block for block in README if f"from {package} import" in block]
    script = tmp_path / "snippet.py"
    script.write_text("\n".join([README[0], prelude, snippet]), "utf-8")
    done = run(tmp_path, "-W", "ignore", str(script))
    assert done.returncode == 0, done.stderr


def test_every_snippet_of_the_readme_is_run() -> None:
    assert len(README) == 1 + len(GIVEN)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))], ids=lambda p: p.name
)
def test_every_python_block_runs(page: Path, tmp_path: Path) -> None:
    framework = NEEDS.get(page.name)
    if framework is not None and find_spec(framework) is None:
        pytest.skip(f"the page needs the package {framework!r}, which is not installed")
    blocks = README[:1] if page.name == "README.md" else BLOCK.findall(page.read_text("utf-8"))
    done = run(tmp_path, "-W", "error" if framework is None else "default", "-c", "\n".join(blocks))
    assert done.returncode == 0, done.stderr


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in an empty folder, without an address in the environment."""
    environment = {name: value for name, value in os.environ.items() if name != "SHAREDCTX_URL"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
