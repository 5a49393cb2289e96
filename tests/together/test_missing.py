"""With the core alone every public name of every integration loads, or says which command installs what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_INTEGRATIONS = Path(__file__).parents[2] / "integrations"
_NAMES = sorted(path.parent.name for path in _INTEGRATIONS.glob("sharedctx_*/__init__.py"))
_LOAD = """
import importlib, sys
from sharedctx.errors import PackageNotInstalled

class Bare:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

HIDDEN = set(sys.argv[2:])
sys.meta_path.insert(0, Bare)
module = importlib.import_module(sys.argv[1])
for name in getattr(module, "__all__", ()):
    try:
        getattr(module, name)
    except PackageNotInstalled as missing:
        assert "pip install 'sharedctx[" in missing.message, missing.message
"""
_HIDDEN = (
    *("agents", "anthropic", "boto3", "crewai", "httpx", "langchain", "langchain_core", "langgraph", "mcp", "msgspec"),
    *("numpy", "openai", "opentelemetry", "ormsgpack", "pydantic", "redis", "rich", "starlette", "uvicorn"),
)


@pytest.mark.parametrize("name", _NAMES)
def test_a_name_loads_or_says_what_installs_it(name: str) -> None:
    command = [sys.executable, "-c", _LOAD, name, *_HIDDEN]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
