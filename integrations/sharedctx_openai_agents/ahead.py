"""Views made ahead: stored and shortened when a tool ends, before anybody waits for them."""

from __future__ import annotations

import logging
from typing import Any

from sharedctx.extras import extra
from sharedctx.outputs import Outputs, is_retrieved

with extra("openai-agents", "ViewsAhead"):
    from agents import FunctionTool, RunHooks

from .results import texts

_log = logging.getLogger("sharedctx.openai_agents")


class ViewsAhead(RunHooks[Any]):
    """Run hooks that prepare the large texts of what a tool returns, on another thread than the event loop's."""

    def __init__(self, outputs: Outputs, max_tokens: int | None) -> None:
        self._outputs = outputs
        self._max_tokens = max_tokens

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        """Store the tool's output and make its view; failures are logged and left to the filter.

        What a filter would not shorten is not stored. Shells tell here something else than the model reads.
        """
        try:
            if not isinstance(tool, FunctionTool):
                return
            arguments = getattr(context, "tool_arguments", None)
            if isinstance(result, str) and is_retrieved(tool.name, arguments, result):
                return
            leave = self._outputs.context.store.driver.leave_loop
            for text in texts(result):
                await leave(self._outputs.prepare, tool.name, text, self._max_tokens)
        except Exception:
            _log.exception("the view of an output of %s was not made ahead", tool.name)
