"""Answers of models as JSON and back: plain data that can become generations and messages, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sharedctx.errors import DecodeError, InvalidValue
from sharedctx.extras import extra

with extra("langchain", "ContextLLMCache"):
    from langchain_core.messages import BaseMessage, message_to_dict, messages_from_dict
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk

_KINDS: dict[str, type[Generation]] = {
    kind.__name__: kind for kind in (Generation, GenerationChunk, ChatGeneration, ChatGenerationChunk)
}


def written_answers(generations: Sequence[Generation]) -> list[dict[str, Any]]:
    """Return what a model answered as plain data; raises ``InvalidValue`` for what could not be read again."""
    made = []
    for generation in generations:
        kind = type(generation).__name__
        if _KINDS.get(kind) is not type(generation):
            raise InvalidValue(f"a {kind} cannot be kept: only {', '.join(_KINDS)} can")
        plain: dict[str, Any] = {"kind": kind, "text": generation.text, "info": generation.generation_info}
        if isinstance(generation, ChatGeneration):
            plain["message"] = message_to_dict(generation.message)
        made.append(plain)
    if read_answers(made) is None:
        raise InvalidValue("no answer was given: there is nothing to keep")
    return made


def read_answers(stored: Any) -> list[Generation] | None:
    """Return the generations that were written; None for nothing. Raises ``DecodeError`` for anything else."""
    if not stored:
        return None
    try:
        return [_generation(plain) for plain in stored]
    except Exception as error:  # pydantic's own and whatever validators raise, of data that anybody may have written
        raise DecodeError(f"what is stored is no answer of a model: {type(error).__name__}") from error


def _generation(plain: dict[str, Any]) -> Generation:
    kind = _KINDS[plain["kind"]]
    if issubclass(kind, ChatGeneration):
        message: BaseMessage = messages_from_dict([plain["message"]])[0]
        return kind(message=message, generation_info=plain["info"])
    return kind(text=plain["text"], generation_info=plain["info"])
