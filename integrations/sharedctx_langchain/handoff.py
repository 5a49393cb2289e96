"""A hand-off by packet: the next agent of a graph is given what it should know in place of the conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from sharedctx.context import SharedContext
from sharedctx.entries.names import check_participant
from sharedctx.errors import InvalidAction, SharedContextError
from sharedctx.extras import extra
from sharedctx.handover import is_packet
from sharedctx.opening import check_context
from sharedctx.outputs import check_view_tokens, keep_conversation
from sharedctx.wire import part, parts

from .tools import FACE

with extra("langchain", "packet_handoff"):
    from langchain_core.messages import HumanMessage
    from langchain_core.tools import BaseTool, StructuredTool, ToolException
    from langgraph.prebuilt import InjectedState
    from langgraph.types import Command, Send


def packet_handoff(
    context: SharedContext,
    to: str,
    *,
    max_tokens: int = 2000,
    priorities: Mapping[str, float] | None = None,
    prefix: str = "",
    participant: str | None = None,
    receiver: str | None = None,
    name: str | None = None,
    description: str | None = None,
) -> BaseTool:
    """Return a tool by which an agent hands its task over to the node ``to`` of the graph around it.

    The node is given the agent's state with two messages in place of the conversation: a packet of the session, of at
    most ``max_tokens`` and made for ``receiver`` (default: ``to``), and the task that the model wrote. The conversation
    is stored whole as ``output/{participant}/conversation-{hash}``, so that the packet holds, shortens or names it
    beside the session's other entries; ``context_expand`` of a ``ContextToolkit`` redeems the rest. The graph's own
    state keeps what it has, and gets what the node returns. ``participant`` is who hands over (default: the context's
    own, else "handoff"); ``priorities`` and ``prefix`` are those of ``SharedContext.packet``.

    What goes wrong is text for the model, which may try again. Raises ``ConfigError`` or ``Forbidden`` when made.
    """
    check_context(context)
    check_view_tokens("max_tokens", max_tokens)
    giver = context.bind(check_participant(participant or context.participant or "handoff"), face=FACE)
    whom = check_participant(receiver or to)

    def hand_over(
        task: Annotated[str, "what the next agent is to do, and why"], state: Annotated[Any, InjectedState]
    ) -> Command[Any]:
        try:
            messages = state if isinstance(state, list) else parts(state, "messages")
            _alone(messages, to)
            keep_conversation(giver, [_plain(each) for each in messages if not is_packet(part(each, "content"))])
            packet = giver.packet(
                for_agent=whom, task=task, max_tokens=max_tokens, priorities=priorities, prefix=prefix
            )
        except SharedContextError as error:
            raise ToolException(f"{error.code}: {error.message}") from error
        given: Any = [HumanMessage(packet.text), HumanMessage(task)]
        if isinstance(state, Mapping):
            given = {**state, "messages": given}
        return Command(goto=[Send(to, given)], graph=Command.PARENT)

    async def ahand_over(
        task: Annotated[str, "what the next agent is to do, and why"], state: Annotated[Any, InjectedState]
    ) -> Command[Any]:
        return await giver.store.driver.leave_loop(hand_over, task, state)

    return StructuredTool.from_function(
        hand_over,
        ahand_over,
        name=name or f"transfer_to_{to}",
        description=description or f"Hand the work over to {to}, who is told what it should know of it.",
        handle_tool_error=True,
    )


def _alone(messages: Sequence[Any], to: str) -> None:
    """Raise ``InvalidAction`` where other tools are called beside, whose answers would be lost."""
    if messages and len(parts(messages[-1], "tool_calls")) > 1:
        raise InvalidAction(f"hand over by a call of its own: the answers of the others would not reach {to}")


def _plain(message: Any) -> dict[str, Any]:
    """What a message says and calls."""
    calls = [{"name": call["name"], "args": call["args"]} for call in parts(message, "tool_calls")]
    told = {"type": part(message, "type"), "name": part(message, "name"), "content": part(message, "content")}
    return {name: value for name, value in {**told, "tool_calls": calls}.items() if value}
