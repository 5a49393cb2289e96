"""Two crews whose only path to each other is memory; offline as it is, with any model by one line.

Run it with ``python examples/crewai_memory.py [DIRECTORY]``. To use a model, set ``MODEL = "openai/gpt-5"`` or another
name that crewai knows, with its key in the environment.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from typing import Any

os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")
os.environ.setdefault("CREWAI_DISABLE_VERSION_CHECK", "true")
os.environ.setdefault("CREWAI_TESTING", "true")
os.environ.setdefault("CREWAI_TRACING_ENABLED", "false")  # else crewai waits 5 s for an answer

import sharedctx
from crewai import Agent, BaseLLM, Crew, Memory, Task
from sharedctx_crewai import ContextMemory

MODEL: str | None = None


class Offline(BaseLLM):
    """Answers with the port that the prompt tells of the gateway; the memory, which asks what to keep: nothing."""

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
        prompt = messages if isinstance(messages, str) else "\n".join(str(each["content"]) for each in messages)
        if "Extract memory statements" in prompt:
            return '{"memories": []}'
        found = re.search(r"gateway .* port (\d+)", prompt)
        return f"Thought: I know enough\nFinal Answer: {found[1] if found else 'nobody told me'}"

    def supports_function_calling(self) -> bool:
        return False


def embed(texts: list[str]) -> list[list[float]]:
    """Vectors without a model: texts with words in common are near each other."""
    found = []
    for text in texts:
        vector = [0.0] * 64
        for word in re.findall(r"\w+", text.lower()):
            vector[hashlib.sha256(word.encode()).digest()[0] % 64] += 1.0
        found.append(vector)
    return found


def memory(store: sharedctx.Store) -> Memory:
    """A crew's memory; every field is given when it is written, so that no model is asked to fill it in."""
    return Memory(
        storage=ContextMemory(store), embedder=embed, llm=MODEL or Offline(model="offline"), consolidation_threshold=1.0
    )


def main(directory: str) -> None:
    with sharedctx.open(directory) as store:
        scouts = memory(store)
        scouts.remember("the gateway listens on port 7390", scope="/net", categories=["ports"], importance=0.9)
        (match,) = scouts.recall("the port of the gateway", depth="shallow", limit=1)
        scouts.update(match.record.id, content="the gateway listens on port 7391")
        scouts.close()

        planner = Agent(role="Planner", goal="plan", backstory="plans", llm=MODEL or Offline(model="offline"))
        task = Task(description="On which port does the gateway listen?", expected_output="a port", agent=planner)
        crew = Crew(agents=[planner], tasks=[task], memory=memory(store))
        print("the planner says:", crew.kickoff().raw)

        kept = ContextMemory(store)
        for state in kept.history(match.record.id):
            print(f"v{state.version}:", state.record.content if state.record else "deleted")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(folder)
