"""Paths in few rows: those in one folder by their names behind the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_ROW = 300
"""Characters of paths in one row."""


def short(paths: Sequence[str]) -> list[str]:
    """Return the paths, those in the folder of the path before by their names alone."""
    told: list[str] = []
    folder = ""
    for path in paths:
        above, split, name = path.rpartition("/")
        told.append(name if split and above == folder else path)
        folder = above
    return told


def rows(paths: Sequence[str]) -> Iterator[str]:
    """Yield paths in rows behind ``#``, those in one folder by their names behind the first."""
    row = ""
    for path, name in zip(paths, short(paths), strict=True):
        if row and name != path and len(row) < _ROW:
            row += f" {name}"
            continue
        if row:
            yield row
        row = f"# {path}"
    if row:
        yield row
