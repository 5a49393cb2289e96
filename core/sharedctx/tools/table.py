"""The tools that agents get, in one table: every integration renders it in its framework's form.

Arguments come from a model, so that null counts as absent and a number may be spelled as text. Results and errors are
text for the model. Who acts is fixed by the context that is passed (``ctx.bind``), never by an argument.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..context import SharedContext
from ..entries.arguments import check_limit
from ..entry import ContextEntry
from ..errors import DecodeError, InvalidAction, InvalidValue, KeyNotFound, SharedContextError, VersionConflict
from ..handover.staleness import note
from ..views import split_version

if TYPE_CHECKING:
    from ..aio import AsyncSharedContext

_PAGE = 2000
"""Tokens of an expanded piece where none are named."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a tool."""

    name: str
    type: Literal["string", "integer"]
    description: str
    required: bool = False


class Answer(NamedTuple):
    """What a tool says: text for the model, and the error's code if it failed."""

    text: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its name, what it is for, its arguments, and the function ``(context, **arguments) -> text``."""

    name: str
    description: str
    arguments: tuple[Argument, ...]
    function: Callable[..., str]

    def schema(self, *, strict: bool = False) -> dict[str, Any]:
        """Return the JSON Schema of the arguments; ``strict`` requires all and lets optional ones be null."""
        properties: dict[str, Any] = {}
        for argument in self.arguments:
            kind: str | list[str] = [argument.type, "null"] if strict and not argument.required else argument.type
            properties[argument.name] = {"type": kind, "description": argument.description}
        required = [argument.name for argument in self.arguments if strict or argument.required]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def call(self, context: SharedContext, arguments: Mapping[str, Any] | str | None = None) -> Answer:
        """Do what the model asked (arguments as an object or as its JSON) and return the answer.

        A bound context's answer ends with what changed since its participant read it, short differences included.
        Raises no ``SharedContextError``.
        """
        if context.participant is not None:
            context.verbs.session.reads.begin(context.participant)
        try:
            answer = Answer(self.function(context, **self._read(arguments)))
        except VersionConflict as error:
            answer = Answer(f"{error.code}: {_conflict(error)}", error.code)
        except SharedContextError as error:
            answer = Answer(f"{error.code}: {error.message}", error.code)
        if context.participant is not None and (changed := note(context.stale(diffs=True, ask=False))):
            context.served("changes", context.settings.count_tokens(changed), 0)
            return answer._replace(text=f"{answer.text}\n{changed}")
        return answer

    async def acall(self, context: AsyncSharedContext, arguments: Mapping[str, Any] | str | None = None) -> Answer:
        """The same, off the event loop."""
        return await context.sync.store.driver.leave_loop(self.call, context.sync, arguments)

    def _read(self, given: Mapping[str, Any] | str | None) -> dict[str, Any]:
        if isinstance(given, str):
            try:
                given = json.loads(given or "{}")
            except (ValueError, RecursionError) as error:
                raise InvalidValue(f"the arguments are no JSON ({error}): write an object") from None
        if given is None:
            given = {}
        if not isinstance(given, Mapping):
            raise InvalidValue(f"the arguments are {type(given).__name__}: write an object")
        known = {argument.name: argument for argument in self.arguments}
        found = {}
        for name, value in given.items():
            if name not in known:
                raise InvalidValue(f"{self.name} takes no {name!r}: it takes {', '.join(known) or 'no arguments'}")
            if value is not None:
                found[name] = _typed(known[name], value)
        for argument in self.arguments:
            if argument.required and argument.name not in found:
                raise InvalidValue(f"{self.name} needs {argument.name!r}: {argument.description}")
        return found


def _typed(argument: Argument, value: Any) -> Any:
    if argument.type == "string":
        if argument.name == "value" or isinstance(value, str):  # a value may be any JSON
            return value
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    elif isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        return int(value)
    raise InvalidValue(f"{argument.name} {value!r} is no valid {argument.type}: {argument.description}")


def call(context: SharedContext, name: Any, arguments: Mapping[str, Any] | str | None = None) -> Answer:
    """Call a tool by its name; an unknown one is answered with those that there are."""
    tool = TOOLS.get(name) if isinstance(name, str) else None
    if tool is None:
        error = InvalidAction(f"there is no tool {name!r}: use {', '.join(TOOLS)}")
        return Answer(f"{error.code}: {error.message}", error.code)
    return tool.call(context, arguments)


def _conflict(error: VersionConflict) -> str:
    """The conflict in the words of the tools' arguments."""
    return error.message.replace("expect=", "expected_version=")


def _missing(context: SharedContext, key: str) -> KeyNotFound:
    near = context.nearest(key)
    hint = f"the nearest are {', '.join(map(repr, near))}" if near else "list tells what there is"
    return KeyNotFound(f"there is no live value under {key!r}: {hint}")


def _found(context: SharedContext, key: str, version: int | None = None) -> ContextEntry:
    entry = context.get_entry(key, version)
    if entry is None and version is not None and (live := context.get_entry(key)) is not None:
        raise KeyNotFound(f"{key!r} has no version {version}, or no longer: the live one is v{live.version}")
    if entry is None:
        raise _missing(context, key)
    return entry


def _line(entry: ContextEntry) -> str:
    if entry.kind in ("gone", "damaged"):
        return f"v{entry.version}  {entry.note or entry.kind}{_by(entry)}"
    when = datetime.fromtimestamp(entry.timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"v{entry.version}  {entry.kind}  {entry.size} bytes  {when}{_by(entry)}"


def _by(entry: ContextEntry) -> str:
    return f"  by {entry.agent}" if entry.agent else ""


def _list(context: SharedContext, prefix: str = "", after: str = "", limit: int = 50) -> str:
    limit = check_limit(limit)
    keys = [key for key in context.keys(prefix) if key > after]
    lines = []
    for key in keys[:limit]:
        try:
            entry = context.get_entry(key)
        except DecodeError as error:
            lines.append(f"{key}  damaged: {error.message}")
            continue
        if entry is not None:
            lines.append(f"{key}  {_line(entry)}")
    if len(keys) > limit:
        lines.append(f"{len(keys) - limit} more: list them with after={keys[limit - 1]!r}")
    return "\n".join(lines) or (f"no keys start with {prefix!r}" if prefix else "there are no keys yet")


def _read(
    context: SharedContext,
    key: str,
    version: int | None = None,
    max_tokens: int | None = None,
    query: str | None = None,
) -> str:
    entry = _found(context, key, version)
    view = context.get(key, version=entry.version, max_tokens=max_tokens, query=query)
    if view is None:
        raise _missing(context, key)
    return f"{key} v{entry.version}{_by(entry)}\n{view}"


def _write(context: SharedContext, key: str, value: Any, expected_version: int | None = None) -> str:
    entry = context.put(key, value, expect=expected_version)
    return f"wrote {key} v{entry.version}, {entry.size} bytes"


def _delete(context: SharedContext, key: str, expected_version: int | None = None) -> str:
    if expected_version is None:
        _found(context, key)
    return f"deleted {key} v{context.delete(key, expect=expected_version)}; its history stays"


def _expand(context: SharedContext, key: str, ref: str, max_tokens: int = _PAGE) -> str:
    try:
        return context.expand(key, ref, max_tokens=max_tokens)
    except KeyNotFound:
        _found(context, key, split_version(ref)[0])
        raise


def _search(context: SharedContext, query: str, prefix: str = "", limit: int = 5) -> str:
    hits = context.search(query, prefix=prefix, limit=limit)
    lines = [
        f"{hit.key} v{hit.version}: {hit.snippet}\n  expand({json.dumps(hit.key, ensure_ascii=False)}, "
        f"{json.dumps(hit.ref)})"
        for hit in hits
    ]
    return "\n".join(lines) or f"nothing has any word of {query!r}"


def _history(context: SharedContext, key: str, limit: int = 10) -> str:
    lines = [_line(entry) for entry in context.history(key, limit=limit)]
    if not lines:
        raise _missing(context, key)
    return "\n".join(lines)


_KEY = Argument("key", "string", "the entry's key, as list gives it", True)
_PREFIX = Argument("prefix", "string", "only keys that start with this")
_EXPECTED = Argument(
    "expected_version", "integer", "do it only while this is the live version (0: there is none); else VERSION_CONFLICT"
)

TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "list",
            "List the keys of the shared context with version, kind, size, time and writer. Values are not shown.",
            (
                _PREFIX,
                Argument("after", "string", "go on after this key"),
                Argument("limit", "integer", "at most so many, 50 if not given"),
            ),
            _list,
        ),
        Tool(
            "read",
            "Read an entry by its key, compressed. What is left out is marked with the expand call that gives it.",
            (
                _KEY,
                Argument("version", "integer", "an older version"),
                Argument("max_tokens", "integer", "at most so many tokens, from 50 up"),
                Argument("query", "string", "words whose places are kept"),
            ),
            _read,
        ),
        Tool(
            "write",
            "Write what others should know as an entry, seen at once; each write is a new version, older ones stay.",
            (_KEY, Argument("value", "string", "the text to store", True), _EXPECTED),
            _write,
        ),
        Tool("delete", "Remove an entry that no longer holds; its history stays.", (_KEY, _EXPECTED), _delete),
        Tool(
            "expand",
            "Read what a view left out, exactly: lines, rows, a JSON path, a pattern or words of an entry.",
            (
                _KEY,
                Argument(
                    "ref",
                    "string",
                    "lines:12-40, rows:0-9, path:$.items[3].name, regex:PATTERN, query:WORDS or all; v3: before it "
                    "names a version",
                    True,
                ),
                Argument("max_tokens", "integer", f"a page of at most so many tokens, {_PAGE} if not given"),
            ),
            _expand,
        ),
        Tool(
            "search",
            "When no key is known: find the places that fit some words best, each with the expand call that gives it.",
            (
                Argument("query", "string", "the words", True),
                _PREFIX,
                Argument("limit", "integer", "at most so many places, 5 if not given"),
            ),
            _search,
        ),
        Tool(
            "history",
            "See how an entry came about: its versions, newest first, with time and writer.",
            (_KEY, Argument("limit", "integer", "at most so many, 10 if not given")),
            _history,
        ),
    )
}

__all__ = ["TOOLS", "Answer", "Argument", "Tool", "call"]
