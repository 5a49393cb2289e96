"""A CrewAI crew of two: the first reads whole sources, the second is handed a view of that and expands it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

os.environ.update(
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_DISABLE_VERSION_CHECK="true",
    CREWAI_TESTING="true",
    CREWAI_TRACING_ENABLED="false",  # else crewai waits 5 s for an answer
    OTEL_SDK_DISABLED="true",
)

from crewai.tools import tool
from pydantic import PrivateAttr

from crewai import Agent, BaseLLM, Crew, Task
from sharedctx_crewai import ContextTools, compress_handoffs

from ..script import OUTPUTS, Call, Play, Script, colleague, marker
from .part import Part

_OBSERVED = "\nObservation: "
_REMINDER = "\n\n\nYou ONLY have access to the following tools"  # crewai adds it to every third result


class Scripted(BaseLLM):
    """Plays a script from what its tools gave, one call a turn, in the words of crewai's agents."""

    _begin: Callable[[str], Play] = PrivateAttr()
    _begun: bool = PrivateAttr(default=False)
    _script: Script = PrivateAttr()
    _calls: list[Call] = PrivateAttr(default_factory=list)
    _answers: list[str] = PrivateAttr(default_factory=list)

    def __init__(self, begin: Callable[[str], Play]) -> None:
        super().__init__(model="scripted")
        self._begin = begin

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
        """The next call, or the last words."""
        texts = [messages] if isinstance(messages, str) else [str(each["content"]) for each in messages]
        if not self._begun:
            self._begun = True
            self._script = Script(self._begin("\n".join(texts)))
        else:
            result = next(text for text in reversed(texts) if _OBSERVED in text).partition(_OBSERVED)[2]
            self._answers.append(result.partition(_REMINDER)[0].strip())
        if not self._calls:
            answers, self._answers = self._answers, []
            made = self._script.turn(answers)
            if isinstance(made, str):
                return f"Thought: I now can give a great answer\nFinal Answer: {made}"
            self._calls = list(made)
        one = self._calls.pop(0)
        return f"Thought: I need more\nAction: {one.tool}\nAction Input: {json.dumps(one.arguments)}"

    def supports_function_calling(self) -> bool:
        """It writes its calls as text."""
        return False


def _reader(part: Part) -> Callable[[str], Play]:
    def begin(_: str) -> Play:
        texts = yield [Call("read_source", {"key": key}) for key in part.sources]
        part.say(step="read sources")
        return "\n\n".join(texts)

    return begin


def _author(part: Part) -> Callable[[str], Play]:
    def begin(prompt: str) -> Play:
        found = marker(prompt, OUTPUTS)
        if found is not None:
            yield [found]
        part.report(part.survey())
        part.wait_for(part.upstream)
        said = f"was handed {len(part.sources)} sources as one view, expanded {int(found is not None)}"
        return (yield from colleague(part.member.role, said, part.upstream))

    return begin


def play(part: Part) -> None:
    """Run the crew once."""

    @tool("read_source")
    def read_source(key: str) -> str:
        """Read a source whole."""
        return part.source(key)

    reader = Agent(
        role="Reader",
        goal="read",
        backstory="reads sources whole",
        llm=Scripted(_reader(part)),
        tools=[read_source],
        max_iter=80,
    )
    author = Agent(
        role="Author",
        goal="conclude",
        backstory="expands what matters",
        llm=Scripted(_author(part)),
        tools=ContextTools(part.me),
        max_iter=80,
    )
    reading = Task(description="Read the sources.", expected_output="their text", agent=reader)
    writing = Task(description="Conclude.", expected_output="a conclusion", agent=author, context=[reading])
    with compress_handoffs(crew := Crew(agents=[reader, author], tasks=[reading, writing]), part.me, max_tokens=900):
        crew.kickoff()
    part.say(step="conferred")
