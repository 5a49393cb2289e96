"""Stores every file as it is, text as text and the rest as bytes."""

from __future__ import annotations

from pathlib import Path

from .part import Part, log


def play(part: Part) -> None:
    """Store the files that the setup names by key."""
    for key, path in part.setup["files"].items():
        data = Path(path).read_bytes()
        try:
            value: str | bytes = data.decode()
        except UnicodeDecodeError:
            value = data
        entry = part.me.put(key, value)
        log.info("stored %s version %d, %d bytes, sha256 %s", key, entry.version, entry.size, entry.hash[:12])
        part.say(step=key, original_tokens=entry.original_tokens)
