"""What a reader has already, for the snippets of the README: a graph, a crew, agents, a model, a response.

By the package whose snippet needs it: what that needs to be installed, and the code that makes it.
"""

from __future__ import annotations

LANGGRAPH = """
from langgraph.graph import START, MessagesState, StateGraph
builder = StateGraph(MessagesState)
builder.add_node("answer", lambda state: {"messages": []})
builder.add_edge(START, "answer")
"""

CREWAI = """
import os
os.environ.update(CREWAI_DISABLE_TELEMETRY="true", CREWAI_TESTING="true", CREWAI_TRACING_ENABLED="false")
from crewai import Agent, BaseLLM, Crew, Task


class Scripted(BaseLLM):
    def call(self, messages, *args, **kwargs):
        return "Thought: I know\\nFinal Answer: " + "a long answer " * 500

    def supports_function_calling(self):
        return False


agents = [Agent(role=role, goal="g", backstory="b", llm=Scripted(model="scripted")) for role in ("reader", "writer")]
reading = Task(description="read", expected_output="text", agent=agents[0])
crew = Crew(agents=agents, tasks=[reading, Task(description="write", expected_output="text", agent=agents[1],
                                                context=[reading])])
"""

AGENTS = """
from agents import Agent, ModelResponse, Usage, set_tracing_disabled
from agents.models.interface import Model
from openai.types.responses import ResponseOutputMessage, ResponseOutputText

set_tracing_disabled(True)


class Scripted(Model):
    async def get_response(self, *args, **kwargs):
        text = ResponseOutputText(type="output_text", text="done", annotations=[], logprobs=[])
        said = ResponseOutputMessage(id="1", type="message", role="assistant", status="completed", content=[text])
        return ModelResponse(output=[said], usage=Usage(), response_id=None)

    def stream_response(self, *args, **kwargs):
        raise TypeError("not streamed")


triage = Agent(name="triage", model=Scripted())
"""

LANGCHAIN = """
from langchain_core.language_models.fake_chat_models import FakeListChatModel
model = FakeListChatModel(responses=["done"])
"""

ANTHROPIC = """
response = {"role": "assistant", "stop_reason": "tool_use", "content": [
    {"type": "tool_use", "id": "1", "name": "shared_context", "input": {"action": "read", "key": "findings"}}]}
"""

GIVEN: dict[str, tuple[str | None, str]] = {
    "sharedctx_langgraph": ("langgraph", LANGGRAPH),
    "sharedctx_crewai": ("crewai", CREWAI),
    "sharedctx_openai_agents": ("agents", AGENTS),
    "sharedctx_langchain": ("langchain", LANGCHAIN),
    "sharedctx_anthropic": (None, ANTHROPIC),
}
