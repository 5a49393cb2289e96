"""What a run happened in: versions, file system, processors, load, date."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sharedctx.tokens import counter

_PACKAGES = ("sharedctx", "diskcache", "lmdb", "backports.zstd", "pydantic")


def surroundings(directory: Path) -> dict[str, str]:
    """Return facts about this machine as text; nothing in them names it."""
    facts = {**moment(), "sqlite": sqlite3.sqlite_version}
    for package in _PACKAGES:
        facts[package] = installed(package)
    return {**facts, **machine(), "file system": file_system(directory), "load at the start": load()}


def moment() -> dict[str, str]:
    """The date and the Python that runs."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def machine() -> dict[str, str]:
    """What tokens are counted with, and on what machine."""
    return {
        "token counter": counter().name,
        "system": f"{platform.system()} {platform.machine()}",
        "processors": str(os.cpu_count()),
    }


def load() -> str:
    """The load average of the last minute, where the system tells."""
    try:
        return f"{os.getloadavg()[0]:.1f}"
    except (AttributeError, OSError):
        return "unknown"


def file_system(directory: Path) -> str:
    """The kind of file system that ``directory`` lies on, as the mount table of Linux names it."""
    table = Path("/proc/self/mounts")
    if not table.exists():
        return "unknown"
    at = directory.resolve()
    best, kind = -1, "unknown"
    for line in table.read_text(encoding="utf-8").splitlines():
        _, place, found, *_ = line.split(" ")
        place = place.encode().decode("unicode_escape")
        if at.is_relative_to(place) and len(place) >= best:
            best, kind = len(place), found
    return kind


def installed(package: str) -> str:
    """The version of a package, or that there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "from the source tree"
