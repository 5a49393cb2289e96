"""What the demo's agents read: files of the user's choice, or this project's own sources and git log."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import sharedctx
from sharedctx.errors import ConfigError

_LARGEST = 4 * 2**20
_MOST = 2000
_SKIPPED = {"__pycache__", "node_modules", "build", "dist"}


def gather(paths: Sequence[str]) -> dict[str, Path]:
    """Return files by the key they get, at most 2,000 of up to 4 MiB each; raises ``ConfigError``."""
    found: dict[str, Path] = {}
    for root in [Path(path) for path in paths] or [Path(sharedctx.__file__).parent, Path(__file__).parent.parent]:
        if not root.exists():
            raise ConfigError(f"{root} does not exist: name files or folders")
        files = [root] if root.is_file() else sorted(root.rglob("*"))
        for file in files:
            inner = file.relative_to(root.parent if root.parent != root else root)
            hidden = any(part.startswith(".") or part in _SKIPPED for part in inner.parts)
            if (file == root or not hidden) and file.is_file() and file.stat().st_size <= _LARGEST:
                found.setdefault(f"source/{inner.as_posix()}", file)
    if not found:
        raise ConfigError(f"no file to read below {', '.join(paths)}")
    return dict(list(found.items())[:_MOST])


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
