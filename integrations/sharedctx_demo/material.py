"""What the demo's agents read: files of the user's choice, or this project's own sources and git log."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import sharedctx
from sharedctx.errors import ConfigError

_LARGEST = 4 * 2**20
_MOST = 2000
_SKIPPED = {"__pycache__", "node_modules", "build", "dist"}


def gather(paths: Sequence[str]) -> tuple[dict[str, Path], int]:
    """Return files by the key they get, at most 2,000 readable ones of up to 4 MiB each, and how many more there are.

    Raises ``ConfigError``.
    """
    found: dict[str, Path] = {}
    skipped = 0
    if "" in paths:
        raise ConfigError("a path is empty: name files or folders, or none for this project's own")
    for root in [Path(path) for path in paths] or _own():
        if not root.exists():
            raise ConfigError(f"{root} does not exist: name files or folders")
        root = root.resolve()
        files = [root] if root.is_file() else sorted(root.rglob("*"))
        for file in files:
            inner = file.relative_to(root.parent if root.parent != root else root)
            hidden = any(part.startswith(".") or part in _SKIPPED for part in inner.parts)
            if (file != root and hidden) or not file.is_file():
                continue
            if not os.access(file, os.R_OK) or file.stat().st_size > _LARGEST or len(found) == _MOST:
                skipped += 1
                continue
            found[_key(inner.as_posix(), found)] = file
    if not found:
        raise ConfigError(f"no readable file of up to 4 MiB at or below {', '.join(paths)}")
    return found, skipped


def _own() -> list[Path]:
    """The folders of this project's packages."""
    return [Path(sharedctx.__file__).parent, *sorted(Path(__file__).parents[1].glob("sharedctx_*"))]


def _key(name: str, taken: Mapping[str, Path]) -> str:
    """A key for a file of this name, numbered where another has it."""
    plain = "source/" + "".join(char if char.isprintable() else "_" for char in name)
    key, number = plain, 2
    while key in taken:
        key, number = f"{plain}~{number}", number + 1
    return key


def git_log(target: Path) -> bool:
    """Write the git log of this project (or of the current folder) to ``target``; False where there is none."""
    for folder in (Path(__file__).parent, Path.cwd()):
        try:
            done = subprocess.run(
                ["git", "-C", str(folder), "log", "--stat", "-n", "500"], capture_output=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0 and done.stdout:
            target.write_bytes(done.stdout)
            return True
    return False
