"""Anthropic's memory tool over a session: its files are entries, versioned and shared with every other face.

The file ``/memories/plan.md`` is the key ``memories/plan.md``; its text is what ``ctx.get(key, full=True)`` returns.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

from sharedctx.context import SharedContext
from sharedctx.entries.names import check_key
from sharedctx.entry import ContextEntry
from sharedctx.errors import (
    ConfigError,
    InvalidAction,
    InvalidKey,
    InvalidValue,
    KeyNotFound,
    SharedContextError,
    VersionConflict,
)
from sharedctx.opening import check_context
from sharedctx.wire import part, plain

from .results import tool_result

FACE = "anthropic"
_ROOT = "/memories"
_DEPTH = 2
_PAGE = 16_000
"""Characters of a file that a view shows at once."""
_PIECE = re.compile(r"(/.+):(v\d{1,15}):chars:(\d{1,15})-(\d{1,15})", re.ASCII)
"""What a view names the rest of a long line by, in place of a path."""


class MemoryTool:
    """The memory tool for one agent: pass ``definition()`` to the API and its calls to ``handle_tool_use``.

    ``participant`` is who writes (a bound context has its own); its grants apply. Raises ``ConfigError``.
    """

    def __init__(self, context: SharedContext, participant: str | None = None) -> None:
        check_context(context)
        who = context.participant if participant is None else participant
        if who is None:
            raise ConfigError("the memory tool needs to know who acts: pass participant=, or a bound context")
        self._context = context.bind(who, face=FACE)
        self._commands: dict[str, Callable[[Mapping[str, Any]], str]] = {
            "view": self._view,
            "create": self._create,
            "str_replace": self._str_replace,
            "insert": self._insert,
            "delete": self._delete,
            "rename": self._rename,
        }

    def definition(self) -> dict[str, Any]:
        """Return the tool for ``tools=[...]``; the API knows its arguments."""
        return {"type": "memory_20250818", "name": "memory"}

    def handle_tool_use(self, block: Any, *, cut: bool = False) -> dict[str, Any] | None:
        """Return the tool_result of a tool_use block of the memory tool; None for another tool's."""
        if part(block, "type") != "tool_use" or part(block, "name") != "memory":
            return None
        try:
            if cut:
                raise InvalidValue("the call was cut off before its end, and nothing was done: make it again")
            return tool_result(block, self.run(plain(part(block, "input"))), False)
        except SharedContextError as error:
            return tool_result(block, f"Error: {error.message}", True)

    def run(self, command: Any) -> str:
        """Do one command (``{"command": "view", "path": "/memories"}``) and return what the model is told.

        Raises ``SharedContextError`` saying what is wrong.
        """
        name = command.get("command") if isinstance(command, Mapping) else None
        if not isinstance(name, str) or name not in self._commands:
            raise InvalidAction(f"there is no command {name!r}: use {', '.join(self._commands)}")
        return self._commands[name](command)

    def _view(self, command: Mapping[str, Any]) -> str:
        path = _path(command, "path")
        entry = self._entry(path)
        if entry is None:
            piece = _PIECE.fullmatch(path)
            return self._listing(path) if piece is None else self._piece(*piece.groups())
        lines = self._text(path, entry).split("\n")
        first, last = 1, len(lines)
        wanted = command.get("view_range")
        if wanted is not None:
            first, last = _range(wanted, len(lines))
        numbered = [f"{number:6}\t{lines[number - 1]}" for number in range(first, last + 1)]
        shown = max(bisect_right(list(accumulate(len(line) + 1 for line in numbered)), _PAGE), 1)
        cut = len(numbered[0]) - _PAGE
        if cut > 0:
            end = sum(len(line) + 1 for line in lines[: first - 1]) + len(lines[first - 1])
            numbered[0] = f"{numbered[0][:_PAGE]}\n{_more(path, f'v{entry.version}', end - cut, end)}"
        if shown < len(numbered):
            rest = f"[{first + shown}, {last}]"
            numbered[shown:] = [f"[lines {first + shown} to {last} are not shown: view them with view_range {rest}]"]
        return "\n".join([f"Here's the content of {path} with line numbers:", *numbered])

    def _piece(self, path: str, version: str, start: str, end: str) -> str:
        first, last = int(start), int(end)
        text = self._context.expand(path[1:], f"{version}:chars:{first}-{min(last, first + _PAGE)}")
        rest = [_more(path, version, first + _PAGE, last)] if last > first + _PAGE and len(text) == _PAGE else []
        return "\n".join([f"Here're characters {first} to {first + len(text)} of {path}:", text, *rest])

    def _listing(self, path: str) -> str:
        keys = self._below(path)
        if not keys and path != _ROOT:
            raise _missing(path)
        sizes: dict[str, int] = {}
        for key in keys:
            entry = self._context.get_entry(key)
            inner = key[len(path) :].split("/")
            for depth in range(1, min(len(inner), _DEPTH) + 1):
                shown = "/".join(inner[:depth]) + ("/" if depth < len(inner) else "")
                sizes[shown] = sizes.get(shown, 0) + (entry.size if entry is not None else 0)
        lines = [f"{size}\t{path}/{shown}" for shown, size in sorted(sizes.items())]
        total = sum(size for shown, size in sizes.items() if "/" not in shown.rstrip("/"))
        return "\n".join([f"Here're the files and directories in {path}, with bytes:", f"{total}\t{path}", *lines])

    def _create(self, command: Mapping[str, Any]) -> str:
        path, text = _path(command, "path", file=True), _text(command, "file_text")
        self._check_free(path)
        try:
            self._context.put(path[1:], text, expect=0)
        except VersionConflict:
            raise InvalidValue(f"File {path} already exists: edit it by str_replace or insert, or delete it") from None
        return f"File created successfully at: {path}"

    def _str_replace(self, command: Mapping[str, Any]) -> str:
        old, new = _text(command, "old_str"), _text(command, "new_str")
        path = _path(command, "path", file=True)

        def replace(text: str) -> str:
            count = text.count(old) if old else 0
            if count != 1:
                found = f"{count} times" if count else "nowhere"
                raise InvalidValue(
                    f"no replacement was made: old_str stands {found} in {path}; give text that is unique"
                )
            return text.replace(old, new)

        self._edit(path, replace)
        return f"The memory file {path} has been edited."

    def _insert(self, command: Mapping[str, Any]) -> str:
        path, added, at = _path(command, "path", file=True), _text(command, "insert_text"), command.get("insert_line")

        def insert(text: str) -> str:
            lines = text.split("\n")
            if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at <= len(lines):
                raise InvalidValue(f"insert_line {at!r} is not a number from 0 to {len(lines)}")
            return "\n".join([*lines[:at], added.removesuffix("\n"), *lines[at:]])

        self._edit(path, insert)
        return f"The file {path} has been edited."

    def _delete(self, command: Mapping[str, Any]) -> str:
        path = _path(command, "path", file=True)
        keys = [path[1:]] if self._entry(path) is not None else self._below(path)
        if not keys:
            raise _missing(path)
        for key in keys:
            self._context.delete(key)
        return f"Successfully deleted {path}"

    def _rename(self, command: Mapping[str, Any]) -> str:
        old, new = _path(command, "old_path", file=True), _path(command, "new_path", file=True)
        if new.startswith(f"{old}/"):
            raise InvalidValue(f"{old} cannot be moved into itself")
        if self._entry(new) is not None:
            raise InvalidValue(f"the destination {new} already exists")
        self._check_free(new)
        keys = [old[1:]] if self._entry(old) is not None else self._below(old)
        if not keys:
            raise _missing(old)
        moves = {key: check_key(new[1:] + key[len(old) - 1 :]) for key in keys}
        rights, who = self._context.verbs.session.rights, self._context.participant
        for key, to in moves.items():  # what may not be is told before anything is done
            self._context.run(rights.guard(who, "delete", key))
            self._context.run(rights.guard(who, "write", to))
        for key, to in moves.items():
            self._move(key, to)
        return f"Successfully renamed {old} to {new}"

    def _move(self, old: str, new: str) -> None:
        """Write the new entry, then delete the old one; again when another agent changed the old one between."""
        version = 0
        while (entry := self._context.get_entry(old)) is not None:
            value = self._context.get(old, full=True, version=entry.version)
            try:
                version = self._context.put(new, value, expect=version).version
            except VersionConflict:
                raise InvalidValue(f"the destination /{new} already exists") from None
            try:
                self._context.delete(old, expect=entry.version)
                return
            except (VersionConflict, KeyNotFound):
                continue

    def _check_free(self, path: str) -> None:
        """Refuse a file where a directory is, and below a file."""
        if self._below(path):
            raise InvalidKey(f"{path} already exists as a directory: choose another name")
        parts = path.split("/")
        for above in ("/".join(parts[:depth]) for depth in range(3, len(parts))):
            if self._entry(above) is not None:
                raise InvalidKey(f"{above} is a file, not a directory: choose another name")

    def _edit(self, path: str, change: Callable[[str], str]) -> None:
        """Change a file's text as it is now, again when another agent came between."""
        while True:
            entry = self._entry(path)
            if entry is None:
                raise _missing(path)
            try:
                self._context.put(path[1:], change(self._text(path, entry)), expect=entry.version)
                return
            except VersionConflict:
                continue

    def _entry(self, path: str) -> ContextEntry | None:
        return None if path == _ROOT else self._context.get_entry(path[1:])

    def _text(self, path: str, entry: ContextEntry) -> str:
        value = self._context.get(path[1:], full=True, version=entry.version)
        if not isinstance(value, str):
            raise InvalidValue(f"{path} holds {entry.kind}, not text: read it with another tool")
        return value

    def _below(self, path: str) -> list[str]:
        return self._context.keys(f"{path[1:]}/")


def _more(path: str, version: str, start: int, end: int) -> str:
    return f"[{end - start} more characters are not shown: view them with path {path}:{version}:chars:{start}-{end}]"


def _missing(path: str) -> KeyNotFound:
    return KeyNotFound(f"The path {path} does not exist. Please provide a valid path.")


def _text(command: Mapping[str, Any], name: str) -> str:
    found = command.get(name)
    if not isinstance(found, str):
        raise InvalidValue(f"{command.get('command')} needs {name!r} as text")
    return found


def _path(command: Mapping[str, Any], name: str, *, file: bool = False) -> str:
    given = _text(command, name)
    segments = [segment for segment in given.split("/") if segment]
    if not given.startswith("/") or segments[:1] != [_ROOT[1:]] or {".", ".."} & set(segments):
        raise InvalidKey(f"the path {given!r} does not lie in {_ROOT}: paths start with {_ROOT}/")
    if file and len(segments) == 1:
        raise InvalidKey(f"{_ROOT} is the directory of all memories: name a file in it")
    return "/" + "/".join(segments)


def _range(wanted: Any, lines: int) -> tuple[int, int]:
    if not isinstance(wanted, list) or len(wanted) != 2 or not all(type(each) is int for each in wanted):
        raise InvalidValue(f"view_range {wanted!r} is not two line numbers")
    first, last = max(wanted[0], 1), lines if wanted[1] == -1 else min(wanted[1], lines)
    if first > last:
        raise InvalidValue(f"view_range {wanted!r} lies outside the {lines} lines")
    return first, last
