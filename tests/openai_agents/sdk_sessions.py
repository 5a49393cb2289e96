"""Run the Agents SDK's own session tests with ContextSession in the place of its SQLiteSession.

The tests are the SDK's and not part of this package: unpack the source distribution of the installed version (or check
its repository out at that tag) anywhere, and name that folder. Needs pytest and pytest-asyncio. ::

    pip download --no-deps --no-binary :all: openai-agents==0.24.0 && tar xzf openai_agents-0.24.0.tar.gz
    python tests/openai_agents/sdk_sessions.py openai_agents-0.24.0

Tests that look into SQLiteSession's own tables, locks and connections are left out, by the names below.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pytest

from sharedctx_openai_agents import ContextSession

OWN = (
    "await_mutation",
    "connections_from_exited",
    "connections_of_live",
    "corrupt",
    "file_lock_is_shared",
    "post_commit_cancellation",
    "quarantined",
    "releases_write_lock",
    "rollback_failure",
    "rolls_back",
    "sqlite_session_close",
    "worker_thread_connections",
)
MODULES = ("tests/memory/test_session.py", "tests/memory/test_session_limit.py")


class AsTheSdkMakesIt(ContextSession):
    """Takes the arguments of SQLiteSession."""

    def __init__(self, session_id: str, db_path: Any = ":memory:", *, session_settings: Any = None) -> None:
        place = {"url": "memory://"} if str(db_path) == ":memory:" else {"path": f"{db_path}.sharedctx"}
        super().__init__(None, session_id, session_settings=session_settings, **place)


class InPlace:
    """A pytest plugin that swaps the session class in the modules that were collected."""

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[Any]) -> None:
        """Swap, and leave out what is about the other class itself."""
        left = [item for item in items if any(name in item.name for name in OWN)]
        for item in items:
            if hasattr(item.module, "SQLiteSession"):
                item.module.SQLiteSession = AsTheSdkMakesIt
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def main() -> int:
    """Run them; returns pytest's exit code."""
    parser = argparse.ArgumentParser(description="The Agents SDK's session tests against ContextSession.")
    parser.add_argument("source", type=Path, help="the unpacked source of openai-agents")
    source = parser.parse_args().source.resolve()
    sys.path[:0] = [str(source)]
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={source}", "-c", str(source / "pyproject.toml")]
    return int(
        pytest.main([*options, "-o", "asyncio_mode=auto", *(str(source / name) for name in MODULES)], [InPlace()])
    )


if __name__ == "__main__":
    raise SystemExit(main())
