"""What the documents show is run: every Python block, in the order of its page, in an empty directory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    "page", [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))], ids=lambda p: p.name
)
def test_every_python_block_runs(page: Path, tmp_path: Path) -> None:
    framework = NEEDS.get(page.name)
    if framework is not None and find_spec(framework) is None:
        pytest.skip(f"the page needs the package {framework!r}, which is not installed")
    script = "\n".join(BLOCK.findall(page.read_text("utf-8")))
    environment = {name: value for name, value in os.environ.items() if name != "SHAREDCTX_URL"}
    done = subprocess.run(
        [sys.executable, "-W", "error" if framework is None else "default", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
