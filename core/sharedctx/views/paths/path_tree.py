"""An ordered list of paths as an indented tree of directories, many names on one line; exact both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...errors import DecodeError

_WIDTH = 400
"""Characters of names after which a directory is named again on a new line: a reader needs it near."""
_DEEPEST = 40
_WORD = re.compile(r'(?P<quoted>"(?:[^"\\]|\\.)*")(?P<mark>/\.?|)(?: |$)|(?P<bare>[^ "][^ ]*)(?: |$)')


@dataclass(frozen=True, slots=True)
class Leaf:
    """One path of the list: its place there, and what is left of it under its directory; ``size`` paths if cut off."""

    index: int
    name: str
    size: int = 1


@dataclass(frozen=True, slots=True)
class Branch:
    """``size`` adjacent paths from ``index`` on that start with ``name/``; ``listed``: the first is ``name`` itself."""

    name: str
    index: int
    size: int
    listed: bool
    inner: tuple[Leaf | Branch, ...]


def grow(paths: Sequence[str]) -> tuple[Leaf | Branch, ...]:
    """Divide paths, in their order, into adjacent runs under a common directory."""
    return _grow([path.split("/", _DEEPEST) for path in paths], 0, len(paths), 0)


def _grow(paths: list[list[str]], start: int, end: int, depth: int) -> tuple[Leaf | Branch, ...]:
    found: list[Leaf | Branch] = []
    while start < end:
        name, listed = paths[start][depth], len(paths[start]) == depth + 1
        stop = start + 1
        while stop < end and len(paths[stop]) > depth + 1 and paths[stop][depth] == name:
            stop += 1
        if stop == start + 1:
            found.append(Leaf(start, "/".join(paths[start][depth:])))
        else:
            inner = _grow(paths, start + listed, stop, depth + 1)
            only = inner[0]
            if not listed and len(inner) == 1 and isinstance(only, Branch):
                found.append(Branch(f"{name}/{only.name}", start, stop - start, only.listed, only.inner))
            else:
                found.append(Branch(name, start, stop - start, listed, inner))
        start = stop
    return tuple(found)


def word(name: str, heads: bool = False) -> str:
    """A name as it stands on a line; ``heads``: it is the first there and must not look like a directory."""
    plain = name and " " not in name and name[0] != '"' and name.isprintable()
    return name if plain and not (heads and name.endswith(("/", "/."))) else json.dumps(name, ensure_ascii=False)


def _every(leaves: Sequence[Leaf]) -> list[str]:
    return [leaf.name for leaf in leaves]


def render(
    tree: Sequence[Leaf | Branch], say: Callable[[Sequence[Leaf]], list[str]] = _every, depth: int = 0
) -> Iterator[str]:
    """The lines of a tree: ``name/`` (``name/.`` if the directory is itself in the list), then names in it; what is
    inside stands below, one space deeper. ``say`` gives the names to show for adjacent leaves."""
    run: list[Leaf] = []
    for each in tree:
        if isinstance(each, Leaf):
            run.append(each)
            continue
        yield from _wrapped(None, say(run), depth)
        run = []
        yield from _branch(each, say, depth)
    yield from _wrapped(None, say(run), depth)


def _branch(branch: Branch, say: Callable[[Sequence[Leaf]], list[str]], depth: int) -> Iterator[str]:
    name = word(branch.name)
    plain = f"{name}/"
    head = f"{name}/." if branch.listed else plain
    run: list[Leaf] = []
    said = False
    for each in branch.inner:
        if isinstance(each, Leaf):
            run.append(each)
            continue
        if run or not said:
            yield from _wrapped(plain if said else head, say(run), depth)
        said, run = True, []
        yield from _branch(each, say, depth + 1)
    if run or not said:
        yield from _wrapped(plain if said else head, say(run), depth)


def _wrapped(head: str | None, names: Sequence[str], depth: int) -> Iterator[str]:
    indent = " " * depth
    words = [head] if head else []
    width = 0
    for name in names:
        if width > _WIDTH:
            yield indent + " ".join(words)
            words, width = ([head.removesuffix(".")] if head else []), 0
        words.append(word(name, not words))
        width += len(name)
    if words:
        yield indent + " ".join(words)


def read(lines: Sequence[str]) -> list[str]:
    """Return the paths of rendered lines, in their order; raises ``DecodeError``."""
    paths: list[str] = []
    above: list[str] = []
    for line in lines:
        rest = line.lstrip(" ")
        depth = len(line) - len(rest)
        if depth > len(above) or depth > 2 * _DEEPEST:
            raise DecodeError(f"{line[:60]!r} stands deeper than the directory above it")
        prefix = above[depth - 1] if depth else ""
        at, first = 0, True
        while at < len(rest):
            found = _WORD.match(rest, at)
            if found is None:
                raise DecodeError(f"{rest[at : at + 60]!r} is no name of a listing")
            name, mark = _spelled(found, first)
            if mark:
                del above[depth:]
                above.append(f"{prefix}{name}/")
                prefix = above[depth]
                if mark == "/.":
                    paths.append(prefix[:-1])
            else:
                paths.append(prefix + name)
            at, first = found.end(), False
        if first or rest.endswith(" "):
            raise DecodeError("a line of a listing has no names")
    return paths


def _spelled(found: re.Match[str], first: bool) -> tuple[str, str]:
    if found["quoted"]:
        try:
            name = json.loads(found["quoted"])
        except ValueError:
            raise DecodeError(f"{found[0][:60]!r} is no quoted name") from None
        return str(name), found["mark"] if first else ""
    name = found["bare"]
    for mark in ("/", "/."):
        if first and name.endswith(mark):
            return name.removesuffix(mark), mark
    return name, ""
