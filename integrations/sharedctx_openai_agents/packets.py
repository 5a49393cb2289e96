"""A hand-off by packet: the next agent is given what it should know of the session in place of the conversation."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sharedctx.context import SharedContext
from sharedctx.entries.arguments import check_words
from sharedctx.entries.names import check_participant
from sharedctx.errors import ConfigError
from sharedctx.extras import extra
from sharedctx.handover import is_packet
from sharedctx.handover.window import check_priorities
from sharedctx.opening import check_context
from sharedctx.outputs import check_view_tokens, keep_conversation
from sharedctx.settings import check_bound

from .filters import FACE
from .items import is_message, texts

with extra("openai-agents", "PacketHandoffFilter"):
    from agents.items import HandoffOutputItem

if TYPE_CHECKING:
    from agents import HandoffInputData

_TASK = 400
_log = logging.getLogger("sharedctx.openai_agents")


class PacketHandoffFilter:
    """Gives the next agent a packet of the session and the user's last message: an ``input_filter``.

    What was said and done since the last hand-off is stored whole as ``output/{participant}/conversation-{hash}``, so
    that the packet of at most ``max_tokens`` holds, shortens or names it beside the session's other entries; the tools
    of ``context_tools`` redeem the rest. The packet is made for the participant that ``participants`` gives for the
    next agent's name (default: the name itself), of what it may read; ``priorities`` and ``prefix`` are those of
    ``SharedContext.packet``. Sessions and results keep the conversation.

    Whatever fails here is logged, and the conversation handed over as it is. Raises ``ConfigError`` and
    ``InvalidValue`` when made with odd arguments.
    """

    def __init__(
        self,
        context: SharedContext,
        *,
        max_tokens: int = 2000,
        priorities: Mapping[str, float] | None = None,
        prefix: str = "",
        participant: str | None = None,
        participants: Mapping[str, str] | None = None,
    ) -> None:
        check_bound("max_tokens", max_tokens)
        check_view_tokens("max_tokens", max_tokens)
        check_context(context)
        given = context.participant if participant is None else participant
        self._context = context.bind(check_participant("handoff" if given is None else given), face=FACE)
        self._max_tokens = max_tokens
        check_priorities({} if priorities is None else priorities)
        self._priorities = priorities
        self._prefix = check_words("prefix", prefix)
        self._participants = _names({} if participants is None else participants)

    async def __call__(self, data: HandoffInputData) -> HandoffInputData:
        """Return the hand-off's data with a packet and the task in place of the model's part of it."""
        try:
            return await self._context.store.driver.leave_loop(self._packed, data)
        except Exception:
            _log.exception("the hand-off by packet failed: the conversation is handed over as it is")
            return data

    def _packed(self, data: HandoffInputData) -> HandoffInputData:
        history = data.input_history
        past: list[Any] = [{"role": "user", "content": history}] if isinstance(history, str) else list(history)
        given = data.new_items if data.input_items is None else data.input_items
        said = [item for item in past if not (is_message(item) and is_packet(item.get("content")))]
        asked = [item for item in said if is_message(item) and item.get("role") == "user"][-1:]
        done = [item.to_input_item() for item in (*data.pre_handoff_items, *given)]
        keep_conversation(self._context, [*said, *done])
        packet = self._context.packet(
            for_agent=self._receiver(data.new_items),
            task=" ".join(texts(asked[0]))[:_TASK] if asked else "",
            max_tokens=self._max_tokens,
            priorities=self._priorities,
            prefix=self._prefix,
        )
        return data.clone(input_history=(*packet.messages(), *asked), pre_handoff_items=(), input_items=())

    def _receiver(self, items: Iterable[Any]) -> str:
        (target,) = [item.target_agent.name for item in items if isinstance(item, HandoffOutputItem)][-1:]
        return self._participants.get(target, target)


def _names(given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"participants {given!r:.60} are no mapping from names of agents to those of your grants")
    return {name: check_participant(participant) for name, participant in given.items()}
