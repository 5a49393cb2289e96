"""A model that answers from a script, and an embedder that counts words: crews without a network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from pydantic import PrivateAttr

from crewai import BaseLLM

WIDTH = 64


def embed(texts: list[str]) -> list[list[float]]:
    """Texts with words in common are near each other."""
    found = []
    for text in texts:
        vector = [0.0] * WIDTH
        for word in re.findall(r"\w+", text.lower()):
            vector[int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16) % WIDTH] += 1.0
        found.append(vector)
    return found


class Scripted(BaseLLM):
    """Answers with what ``script`` returns for the prompt; ``prompts`` are all it was asked."""

    _script: Callable[[str], str] = PrivateAttr()
    _prompts: list[str] = PrivateAttr(default_factory=list)

    def __init__(self, script: Callable[[str], str]) -> None:
        super().__init__(model="scripted")
        self._script = script

    @property
    def prompts(self) -> list[str]:
        return self._prompts

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
        texts = [messages] if isinstance(messages, str) else [str(each.get("content")) for each in messages]
        self._prompts.append("\n".join(texts))
        return self._script(self._prompts[-1])

    async def acall(self, messages: Any, *args: Any, **kwargs: Any) -> str:
        return self.call(messages)

    def supports_function_calling(self) -> bool:
        return False


def answer(text: str) -> str:
    """A last answer, as crewai's agents give it."""
    return f"Thought: I now can give a great answer\nFinal Answer: {text}"


def use(tool: str, **arguments: Any) -> str:
    """A call of a tool."""
    import json

    return f"Thought: I need more\nAction: {tool}\nAction Input: {json.dumps(arguments)}"
