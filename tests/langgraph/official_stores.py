"""The tests of LangGraph's own stores and savers with this project's plugged in, for ``official.py``."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

PLUG = """
import contextlib, tempfile

from sharedctx_langgraph import ContextSaver, ContextStore


class InMemoryStore(ContextStore):
    def __init__(self, *, index=None):
        super().__init__(url="memory://", index=index)


def _options(index, ttl):
    if index is not None and "text_fields" in index:
        index = {**index, "fields": index["text_fields"]}
    if ttl is not None:
        ttl = {"refresh_on_read": False, **ttl}  # what the SQLite store takes where nothing is said
    return {"index": index, "ttl": ttl}


class SqliteStore(ContextStore):
    @classmethod
    @contextlib.contextmanager
    def from_conn_string(cls, path, *, index=None, ttl=None):
        with _folder() as folder, cls(path=folder, **_options(index, ttl)) as store:
            yield store


class AsyncSqliteStore(ContextStore):
    @classmethod
    @contextlib.asynccontextmanager
    async def from_conn_string(cls, path, *, index=None, ttl=None):
        with _folder() as folder:
            async with cls(path=folder, **_options(index, ttl)) as store:
                yield store

    async def sweep_ttl(self):
        return await self.asweep_ttl()

    async def start_ttl_sweeper(self, minutes=None):
        return super().start_ttl_sweeper(minutes)

    async def stop_ttl_sweeper(self, timeout=None):
        return super().stop_ttl_sweeper(timeout)


class SqliteSaver(ContextSaver):
    @classmethod
    @contextlib.contextmanager
    def from_conn_string(cls, path):
        with _folder() as folder, cls(path=folder) as saver:
            yield saver


class AsyncSqliteSaver(ContextSaver):
    @classmethod
    @contextlib.asynccontextmanager
    async def from_conn_string(cls, path):
        with _folder() as folder:
            async with cls(path=folder) as saver:
                yield saver


def _folder():
    return tempfile.TemporaryDirectory(prefix="store-", ignore_cleanup_errors=True)
"""


INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
addopts = -p no:cacheprovider
pythonpath = .
markers =
    flaky
"""


class Suite(NamedTuple):
    """Tests of a package: which files, what is imported from the plug instead, what is left out and why,
    and whether they wait for most of a minute."""

    title: str
    package: str
    files: tuple[str, ...]
    swaps: tuple[tuple[str, str], ...]
    left_out: dict[str, str]
    slow: bool = False

    @property
    def expression(self) -> str:
        """What pytest is told to leave out."""
        return " and ".join(f"not {name}" for name in self.left_out)

    def lay_out(self, sdist: Path, root: Path) -> Path:
        """Make a folder with the tests, ours plugged in, and return it."""
        tests = root / "tests"
        tests.mkdir(parents=True)
        (root / "plug.py").write_text(PLUG)
        (root / "pytest.ini").write_text(INI)
        for path in (sdist / "tests").glob("*.py"):
            shutil.copy(path, tests)
        for name in self.files:
            text = (tests / name).read_text()
            for pattern, replacement in self.swaps:
                text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
            (tests / name).write_text(text)
        return root


_NAMES = "(AsyncSqliteStore|SqliteStore|AsyncSqliteStore, SqliteStore)"
_STORES = ((rf"^from langgraph\.store\.sqlite(\.aio)? import {_NAMES}$", r"from plug import \2"),)
_SAVERS = (
    (r"^from langgraph\.checkpoint\.sqlite import SqliteSaver$", "from plug import SqliteSaver"),
    (r"^from langgraph\.checkpoint\.sqlite\.aio import AsyncSqliteSaver$", "from plug import AsyncSqliteSaver"),
)
_ODD = "wants odd names of fields refused; here every spelling works"
_SQL = "looks into SQLite's tables or SQL"

SUITES = (
    Suite(
        "the store in memory",
        "langgraph-checkpoint",
        ("test_store.py",),
        ((r"^from langgraph\.store\.memory import InMemoryStore$", "from plug import InMemoryStore"),),
        {},
    ),
    Suite(
        "the SQLite store",
        "langgraph-checkpoint-sqlite",
        ("test_store.py", "test_async_store.py"),
        _STORES,
        {
            "test_escape_glob_literal": _SQL,
            "test_namespace_match_pattern": _SQL,
            "test_nonnull_migrations": _SQL,
            "test_list_namespaces_prefix_uses_indexable_condition": _SQL,
            "test_vector_store_initialization": _SQL,
            "test_sql_injection_vulnerability": _ODD,
            "test_no_running_loop": "wants sync methods refused in an event loop; here they work",
        },
    ),
    Suite("times to live", "langgraph-checkpoint-sqlite", ("test_ttl.py",), _STORES, {}, slow=True),
    Suite(
        "the SQLite savers",
        "langgraph-checkpoint-sqlite",
        (
            "test_sqlite.py",
            "test_aiosqlite.py",
            "test_get_delta_channel_history.py",
            "test_delta_parent_walk.py",
            "test_delta_channel_migration.py",
        ),
        _SAVERS,
        {
            "test_search_where": _SQL,
            "test_metadata_predicate": _SQL,
            "test_checkpoint_search_sql_injection_prevention": _ODD,
            "test_informative_async_errors": "wants async methods refused; here they work",
            "by_primary_key": _SQL,
        },
    ),
)
