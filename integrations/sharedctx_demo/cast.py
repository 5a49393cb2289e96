"""Who plays in the demo: each agent, the framework that it is of, and how to install that."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple


class Member(NamedTuple):
    """An agent with a process of its own: ``role`` names its module in ``agents`` and its entries in the session."""

    role: str
    title: str
    packages: tuple[str, ...] = ()
    extra: str | None = None

    @property
    def participant(self) -> str:
        """The name that its writes carry."""
        return f"agent:{self.role}"

    @property
    def missing(self) -> str | None:
        """The first package that is not installed, or None."""
        return next((name for name in self.packages if find_spec(name) is None), None)

    @property
    def cure(self) -> str:
        """The command that installs what it needs."""
        return f"pip install 'sharedctx[{self.extra}]'"


COLLECTOR = Member("collector", "collector")
WRITERS = (Member("writer_one", "first writer"), Member("writer_two", "second writer"))
READERS = (
    Member("analyst", "analyst (no framework)"),
    Member("langgraph", "LangGraph graph", ("langgraph",), "langgraph"),
    Member("langchain", "LangChain agent", ("langchain", "langchain_core"), "langchain"),
    Member("openai_agents", "OpenAI Agents, a hand-off", ("agents",), "openai-agents"),
    Member("crewai", "CrewAI crew", ("crewai", "numpy"), "crewai"),
    Member("openai", "raw OpenAI loop"),
    Member("anthropic", "raw Anthropic loop"),
)
"""Each studies sources of its own, then reads the report of the one before it."""
