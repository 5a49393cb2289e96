"""Stores every file as it is when it is read, text as text and the rest as bytes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from .part import Part, log


def play(part: Part) -> None:
    """Store the files that the setup names by key."""
    for key, path in part.setup["files"].items():
        try:
            data = Path(path).read_bytes()
        except OSError as error:  # gone or closed to us since it was listed
            log.warning("left out %s: %s", path, error)
            part.say(step=f"left out {key}", left_out=key)
            continue
        try:
            value: str | bytes = data.decode()
        except UnicodeDecodeError:
            value = data
        entry = part.me.put(key, value)
        log.info("stored %s version %d, %d bytes, sha256 %s", key, entry.version, entry.size, entry.hash[:12])
        part.say(step=key, stored=key, digest=sha256(data).hexdigest())
