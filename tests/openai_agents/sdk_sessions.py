"""Run the Agents SDK's own tests of sessions with ContextSession in the place of its SQLiteSession.

    python tests/openai_agents/sdk_sessions.py [--all] [SOURCE]

SOURCE is the unpacked source distribution of the installed openai-agents, or a checkout of its repository at that tag;
without it the distribution is downloaded. With ``--all`` also the tests of runs and of compaction that use such a
session. Needs pytest-asyncio, and for ``--all`` what those tests import: httpx, inline-snapshot, pytest-mock.

Tests that look into SQLiteSession's own tables, locks, connections and private methods are left out, by the names
below.
"""

from __future__ import annotations

import argparse
import inspect
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1]))
from sdist import unpacked
from sharedctx_openai_agents import ContextSession

OWN = (
    "automatic_compaction_does_not_reload",
    "automatic_compaction_rollback_budget",
    "await_mutation",
    "backend_read_limit_cannot_hide",
    "cancelled_compaction_commits",
    "connections_from_exited",
    "connections_of_live",
    "corrupt",
    "expired_read_overhead",
    "file_lock_is_shared",
    "post_commit_cancellation",
    "quarantined",
    "releases_write_lock",
    "rollback_failure",
    "rolls_back",
    "settled_clear_failure",
    "settled_pop_failure",
    "sqlite_session_close",
    "worker_thread_connections",
)
OF_SESSIONS = ("memory/test_session.py", "memory/test_session_limit.py")
WITH_SESSIONS = (
    "memory",
    "test_agent_runner.py",
    "test_agent_runner_streamed.py",
    "test_max_turns.py",
    "test_native_tool_failure_history.py",
    "test_programmatic_tool_calling.py",
    "test_run_impl_resume_paths.py",
    "test_soft_cancel.py",
    "test_tool_batch_failure_history.py",
    "test_tool_failure_boundaries.py",
)


class AsTheSdkMakesIt(ContextSession):
    """Takes the arguments of SQLiteSession."""

    def __init__(self, session_id: str, db_path: Any = ":memory:", *, session_settings: Any = None) -> None:
        place = {"url": "memory://"} if str(db_path) == ":memory:" else {"path": f"{db_path}.sharedctx"}
        super().__init__(None, session_id, session_settings=session_settings, **place)


class InPlace:
    """A pytest plugin that swaps the session class in the modules that were collected."""

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[Any]) -> None:
        """Swap, and leave out what is about the other class itself, or uses none."""
        of_sessions = {Path(name).name for name in OF_SESSIONS}
        left = [
            item
            for item in items
            if any(name in item.name for name in OWN)
            or (item.path.name not in of_sessions and "SQLiteSession" not in inspect.getsource(item.function))
        ]
        for item in items:
            if hasattr(item.module, "SQLiteSession"):
                item.module.SQLiteSession = AsTheSdkMakesIt
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def run(source: Path, everything: bool) -> int:
    """Run the tests of a source; returns pytest's exit code."""
    sys.path[:0] = [str(source)]
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={source}", "-c", str(source / "pyproject.toml")]
    paths = [source / "tests" / name for name in (WITH_SESSIONS if everything else OF_SESSIONS)]
    found = [str(path) for path in paths if path.exists()]
    return int(pytest.main([*options, "-o", "asyncio_mode=auto", *found], [InPlace()]))


def main() -> int:
    """Find the source and run."""
    parser = argparse.ArgumentParser(description="The Agents SDK's session tests against ContextSession.")
    parser.add_argument("source", type=Path, nargs="?", help="the unpacked source of openai-agents")
    parser.add_argument("--all", action="store_true", help="also runs and compaction")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = given.source or unpacked("openai-agents", Path(folder))
        return run(source.resolve(), given.all)


if __name__ == "__main__":
    raise SystemExit(main())
