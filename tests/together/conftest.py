"""crewai asks for nothing and tells nobody while it is tested; its own warnings are not ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.update(
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_DISABLE_VERSION_CHECK="true",
    CREWAI_TESTING="true",
    CREWAI_TRACING_ENABLED="false",
    OTEL_SDK_DISABLED="true",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """crewai is imported with warnings of its own and of what it stands on."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            for ignored in ("ignore::DeprecationWarning", "ignore::ImportWarning", "ignore:.*Pydantic.*"):
                item.add_marker(pytest.mark.filterwarnings(ignored))
