"""ContextOffloadMiddleware: large tool results stay whole in the context, agents and their checkpoints keep views."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sharedctx.context import SharedContext
from sharedctx.extras import extra
from sharedctx.outputs import check_view_tokens
from sharedctx.wire import parts

from .results import Results, changed, check_names
from .tools import context_tool
from .turns import Turns, turn_of

with extra("langchain", "ContextOffloadMiddleware"):
    from langchain.agents.middleware import AgentMiddleware
    from langchain_core.messages import ToolMessage
    from langgraph.prebuilt.tool_node import ToolCallRequest
    from langgraph.types import Command

_log = logging.getLogger("sharedctx.langchain")


class ContextOffloadMiddleware(AgentMiddleware[Any, Any, Any]):
    """Keeps large tool results in a shared context and gives the model their views, with a tool to read more.

    ``create_agent(model, tools, middleware=[ContextOffloadMiddleware(ctx)])``. The results of the calls of one message
    cost at most ``max_tokens`` together (of many calls, those that get fewer than 50 tokens become a line with the
    reference); the tool ``context_expand`` redeems the markers in views, in pages of ``page_tokens``. The state of the
    agent, and with it every checkpoint, has the views only. Artifacts, images and files stay as they are; what tools
    of the shared context returned is not shortened, nor is what a tool of ``exclude_tools`` did or what a
    ``return_direct`` one answers to the user. ``participant`` writes and reads the results (default: the context's own,
    else "handoff").

    Whatever fails here is logged, and the result given as it is. Raises ``ConfigError`` when made with odd numbers.
    """

    def __init__(
        self,
        context: SharedContext,
        *,
        max_tokens: int = 150,
        page_tokens: int = 500,
        participant: str | None = None,
        exclude_tools: Sequence[str] = (),
    ) -> None:
        super().__init__()
        check_view_tokens("page_tokens", page_tokens)
        self._results = Results(context, max_tokens, participant)
        self._turns = Turns(max_tokens)
        self._excluded = check_names(exclude_tools)
        self.tools = [context_tool(self._results.outputs.context, "expand", max_tokens=page_tokens)]

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]]
    ) -> ToolMessage | Command[Any]:
        """Let the tool run and return its result, as a view if it is large."""
        return self._offloaded(request, handler(request))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]
    ) -> ToolMessage | Command[Any]:
        """The same for event loops: the view is made off the loop."""
        result = await handler(request)
        leave = self._results.outputs.context.store.driver.leave_loop
        return await leave(self._offloaded, request, result)

    def _offloaded(self, request: ToolCallRequest, result: ToolMessage | Command[Any]) -> ToolMessage | Command[Any]:
        call = request.tool_call
        if call["name"] in self._excluded or (request.tool is not None and request.tool.return_direct):
            return result

        def change(message: ToolMessage) -> ToolMessage:
            own = message.tool_call_id == call["id"]
            turn = turn_of(_messages(request.state), message.tool_call_id)
            arguments = call["args"] if own else None
            return self._results.shortened(message, message.name or call["name"], arguments, turn, self._turns)

        try:
            made: ToolMessage | Command[Any] = changed(result, change)
            return made
        except Exception:
            _log.exception("a result of %s is given as it is: it could not be offloaded", call["name"])
            return result


def _messages(state: Any) -> list[Any]:
    """The messages of an agent's state, in whatever form a tool node was given it."""
    return state if isinstance(state, list) else parts(state, "messages")
