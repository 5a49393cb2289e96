"""The tests of other packages, out of their source distributions: nothing of them lies in this repository."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tarfile
from pathlib import Path


def unpacked(package: str, folder: Path) -> Path:
    """Download the source distribution of the installed version into ``folder`` and return where it was unpacked."""
    wanted = f"{package}=={importlib.metadata.version(package)}"
    options = ["--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, wanted], check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())
