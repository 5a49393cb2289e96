"""crewai asks for nothing and tells nobody while it is tested; its own warnings are not ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.update(
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_DISABLE_VERSION_CHECK="true",
    CREWAI_TESTING="true",
    CREWAI_TRACING_ENABLED="false",
    OTEL_SDK_DISABLED="true",
)
_REASON = "is not installed: pip install 'sharedctx[crewai]'"
pytest.importorskip("numpy", reason=f"numpy {_REASON}")
pytest.importorskip("crewai", reason=f"crewai {_REASON}")

import sharedctx  # noqa: E402
from sharedctx_crewai import ContextMemory  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """crewai is imported with deprecations of its own and of what it stands on."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:.*Pydantic.*"))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What crewai keeps by itself goes where the test keeps its things."""
    monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path / "crewai"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(address: str) -> Iterator[sharedctx.Store]:
    """An empty store on each backend in turn."""
    with sharedctx.open(address) as opened:
        yield opened


@pytest.fixture
def memory(store: sharedctx.Store) -> ContextMemory:
    return ContextMemory(store)
