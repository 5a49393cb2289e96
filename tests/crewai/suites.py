"""Run crewai's own memory tests, and the contract of crewai-memory-core, against ``ContextMemory``.

    python tests/crewai/suites.py [SOURCE]

SOURCE is crewai's unpacked source distribution or a checkout of its repository; without it that of the installed
version is downloaded. The contract is run where ``crewai-memory-core`` is installed. Needs pytest-asyncio. Wherever
those tests make crewai's LanceDB or Qdrant storage, they get ours.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

for name, value in {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
}.items():
    os.environ.setdefault(name, value)

import pytest

sys.path.append(str(Path(__file__).parents[1]))
from sdist import unpacked
from sharedctx_crewai import ContextMemory

OWN = [
    "test_dimension_mismatch",
    "test_lancedb_filter_escaping",
    "test_memory_root_scope",
    "test_storage_factory",
    "test_unified_memory",
]
NOT_OURS = "backslash_in_scope_names"
"""It wants the scope ``/share\\`` to hold ``/share\\docs``: here a scope is a path, and those are two."""
OF_QDRANT = "flush or dual_shard or close_lifecycle or orphaned or string_storage"
OPTIONS = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--import-mode=importlib", "--noconftest", "-W", "ignore"]
OPTIONS += ["-o", "asyncio_mode=auto"]


def ours(path: str | Path | None = None, *_: Any, **__: Any) -> ContextMemory:
    """What stands in for crewai's storages: a store in the same folder."""
    return ContextMemory(path=Path(os.environ["CREWAI_STORAGE_DIR"]) / "memory" if path is None else path)


class Plugged:
    """The pytest plugin: a folder for each test, and the contract's backend."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path / "crewai"))

    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[ContextMemory]:
        with ContextMemory.from_path(tmp_path / "store") as memory:
            yield memory


def stand_in() -> None:
    """Put ours where crewai imports its storages from, and a name where the tests look for qdrant's package."""
    import crewai.memory.storage as package

    for module, kind in (("lancedb_storage", "LanceDBStorage"), ("qdrant_edge_storage", "QdrantEdgeStorage")):
        stand = ModuleType(f"{package.__name__}.{module}")
        setattr(stand, kind, ours)
        sys.modules[stand.__name__] = stand
        setattr(package, module, stand)
    if importlib.util.find_spec("qdrant_edge") is None:
        sys.modules["qdrant_edge"] = ModuleType("qdrant_edge")
        sys.modules["qdrant_edge"].__spec__ = importlib.machinery.ModuleSpec("qdrant_edge", None)


def main(source: Path) -> int:
    folders = (source / "tests" / "memory", source / "lib" / "crewai" / "tests" / "memory")
    folder = next((each for each in folders if each.is_dir()), None)
    if folder is None:
        print(f"{source} is no source of crewai: {folders[0]} is missing", file=sys.stderr)
        return 2
    stand_in()
    runs = [
        ["--rootdir", str(folder), "-k", f"not {NOT_OURS}", *(str(folder / f"{name}.py") for name in OWN)],
        ["--rootdir", str(folder), "-k", f"not ({OF_QDRANT})", str(folder / "test_qdrant_edge_storage.py")],
    ]
    codes = [pytest.main([*OPTIONS, *run], plugins=[Plugged()]) for run in runs]
    if importlib.util.find_spec("crewai_memory_core") is None:
        print("crewai-memory-core is not installed: its contract was not run")
    else:
        with tempfile.TemporaryDirectory() as own:
            contract = Path(own) / "test_contract.py"
            contract.write_text("from crewai_memory_core.contract import *\n")
            codes.append(pytest.main([*OPTIONS, "--rootdir", own, str(contract)], plugins=[Plugged()]))
    return max(int(code) for code in codes)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as own:
        sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else unpacked("crewai", Path(own))))
