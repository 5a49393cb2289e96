"""What function tools return, and the texts that a model is given of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sharedctx.extras import extra

with extra("openai-agents", "offload_tool"):
    from agents import ToolOutputFileContent, ToolOutputImage, ToolOutputText

_KEPT = (("image", ("image_url", "file_id")), ("file", ("file_data", "file_url", "file_id")))


def texts(result: Any) -> Iterator[str]:
    """Every text that a model is given of a result; images and files have none."""
    if isinstance(result, str):
        yield result
    elif _is_part(result):
        yield from [_text(result)] if _is_text(result) else []
    elif _is_parts(result):
        for part in result:
            yield from texts(part)
    else:
        yield str(result)


def with_texts(result: Any, shorten: Callable[[str], str | None]) -> Any:
    """Return a result with the texts for which ``shorten`` gives others replaced, in the form that it had.

    What is no text is told to ``shorten`` as its JSON, which a view can be made of, where it is JSON. Nothing is
    changed in place, and the same object is returned where nothing is shortened.
    """
    if isinstance(result, str):
        made = shorten(result)
        return result if made is None else made
    if _is_part(result):
        made = shorten(_text(result)) if _is_text(result) else None
        if made is None:
            return result
        return {**result, "text": made} if isinstance(result, Mapping) else result.model_copy(update={"text": made})
    if _is_parts(result):
        parts = [with_texts(part, shorten) for part in result]
        return result if all(new is old for new, old in zip(parts, result, strict=True)) else parts
    made = shorten(_spelled(result))
    return result if made is None else made


def _is_part(result: Any) -> bool:
    """Whether the SDK takes it for a text, image or file."""
    if isinstance(result, ToolOutputText | ToolOutputImage | ToolOutputFileContent):
        return True
    if not isinstance(result, dict):
        return False
    kind = result.get("type")
    return _is_text(result) or any(kind == name and any(map(result.get, fields)) for name, fields in _KEPT)


def _is_parts(result: Any) -> bool:
    return isinstance(result, list | tuple) and bool(result) and all(map(_is_part, result))


def _is_text(part: Any) -> bool:
    if isinstance(part, dict):
        return part.get("type") == "text" and isinstance(part.get("text"), str)
    return isinstance(part, ToolOutputText)


def _text(part: Any) -> str:
    found: str = part["text"] if isinstance(part, dict) else part.text
    return found


def _spelled(result: Any) -> str:
    try:
        if hasattr(result, "model_dump_json"):
            return str(result.model_dump_json())
        return json.dumps(result, ensure_ascii=False) if isinstance(result, dict | list | tuple) else str(result)
    except (TypeError, ValueError, RecursionError):
        return str(result)
