"""Items of a model's input: what a tool returned in them, and the same items with less of it.

Nothing is changed in place: an item that is shortened is a copy with another ``output``, one that is not is the same
object. Calls, ids, callers, reasoning, hand-offs, images and files stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sharedctx.outputs import is_retrieved

Shorten = Callable[[str, str], str]
"""From a tool's name and a text of its output to the text that stands for it."""

_CALLS = frozenset({"function_call", "custom_tool_call", "shell_call", "local_shell_call", "apply_patch_call"})
_OUTPUTS = frozenset(f"{call}_output" for call in _CALLS)
_TEXTS = frozenset({"input_text", "output_text", "text"})
_SPEAKERS = frozenset({"user", "assistant"})


class Call(NamedTuple):
    """The tool that was called, and with what arguments."""

    tool: str
    arguments: Any


class Calls:
    """What the outputs among some items answer."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._calls: dict[str, Call] = {}
        for item in items:
            kind, call_id = _part(item, "type"), _part(item, "call_id")
            if kind in _CALLS and isinstance(call_id, str):
                tool = str(_part(item, "name") or kind.removesuffix("_call"))
                self._calls[call_id] = Call(tool, _part(item, "arguments"))

    def of(self, item: Mapping[str, Any]) -> Call:
        """Return the call that an output answers."""
        return self._calls.get(str(item.get("call_id")), Call("tool", None))


def _part(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def is_output(item: Any) -> bool:
    """Whether an item is the output of a tool, such as may be shortened."""
    return isinstance(item, Mapping) and item.get("type") in _OUTPUTS


def is_message(item: Any) -> bool:
    """Whether an item is what a user or an assistant said."""
    return isinstance(item, Mapping) and item.get("role") in _SPEAKERS and item.get("type", "message") == "message"


def with_output(item: Mapping[str, Any], calls: Calls, shorten: Shorten) -> Any:
    """Return the item with the texts of its output shortened."""
    call, given = calls.of(item), item.get("output")
    if isinstance(given, str) and is_retrieved(call.tool, call.arguments, given):
        return item
    output = _shortened(given, lambda text: shorten(call.tool, text))
    return item if output is given else {**item, "output": output}


def with_content(item: Mapping[str, Any], shorten: Shorten) -> Any:
    """Return the message with its texts shortened."""
    content = _shortened(item.get("content"), lambda text: shorten("message", text))
    return item if content is item.get("content") else {**item, "content": content}


def _shortened(value: Any, shorten: Callable[[str], str]) -> Any:
    """A text or a list of parts with their texts shortened; the same object where nothing is."""
    if isinstance(value, str):
        return shorten(value)
    if not isinstance(value, list | tuple):
        return value
    parts = [_with_texts(part, shorten) for part in value]
    return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts


def _with_texts(part: Any, shorten: Callable[[str], str]) -> Any:
    if not isinstance(part, Mapping):
        return part
    names = ("text",) if part.get("type") in _TEXTS else ("stdout", "stderr") if "stdout" in part else ()
    found = {name: part[name] for name in names if isinstance(part.get(name), str)}
    made = {name: shorten(text) for name, text in found.items()}
    return part if all(made[name] is found[name] for name in found) else {**part, **made}


def texts(item: Any) -> Iterator[str]:
    """Every text of an item that a model reads; images and files have none."""
    if not isinstance(item, Mapping):
        return
    for name in ("output", "content", "summary", "arguments", "input", "name"):
        value = item.get(name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            for part in value:
                if isinstance(part, Mapping):
                    yield from (part[name] for name in ("text", "stdout", "stderr") if isinstance(part.get(name), str))
