"""Hand-overs between tasks in fewer tokens: what is too long is stored whole and passed on as a view of it."""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
import weakref
from typing import TYPE_CHECKING, Any

from sharedctx import SharedContext
from sharedctx.entries.arguments import check_number
from sharedctx.errors import InvalidValue
from sharedctx.extras import extra
from sharedctx.views.plain import LEAST_TOKENS

if TYPE_CHECKING:
    from crewai import Crew

_log = logging.getLogger(__name__)
_DIVIDER = "\n\n----------\n\n"
_TASK = 400
"""Characters of a task's description that a packet names, and is made for."""
_WORD = re.compile(r"[\W_]+")


class Handoffs:
    """The hooks of ``compress_handoffs``; ``undo`` takes them and the tools they added away. A context manager."""

    def __init__(self, crew: Crew | None, context: SharedContext, max_tokens: int, packets: bool) -> None:
        self._crew = crew
        self._context = context
        self._max_tokens = max_tokens
        self._hand_over = self._packet if packets else self._compress
        self._given: dict[int, tuple[weakref.ref[Any], Any]] = {}
        self._warned = False

    def start(self, event: Any) -> None:
        """Give the tool to all who may be handed something, while crewai has not yet gathered their tools."""
        crew = event.crew
        if crew is None:
            return
        if self._crew is not None and crew is not self._crew:
            self._tell_of_copies(crew)
            return
        for task in crew.tasks:
            if task.context:
                self._equip(task.agent, task)

    def _tell_of_copies(self, crew: Any) -> None:
        """Warn once where a crew of the same agents and tasks is another one, as those that crewai copies are."""
        if self._warned or self._crew is None or crew.key != self._crew.key:
            return
        self._warned = True
        _log.warning(
            "a crew like the one whose hand-overs are compressed runs without that: kickoff_for_each, train and test "
            "run copies of a crew; pass None to compress those of all crews"
        )

    def step(self, event: Any) -> str | None:
        """Return what a task is handed in fewer tokens, None where it may stay as it is."""
        given = event.payload if event.kind == "task" else None
        if not isinstance(given, str) or not given.strip() or not self._concerns(event.task):
            return None
        try:
            handed = self._hand_over(given, event.task, event.agent_role or "agent")
        except Exception:  # a crew goes on with what it would have had
            _log.warning("the hand-over to %r was not compressed", event.agent_role, exc_info=True)
            return None
        if handed is not None:
            self._equip(event.agent, event.task)
        return handed

    def _concerns(self, task: Any) -> bool:
        return self._crew is None or any(own.id == task.id for own in self._crew.tasks)

    def _compress(self, handed: str, task: Any, role: str) -> str | None:
        count = self._context.settings.count_tokens
        if count(handed) <= self._max_tokens:
            return None
        pieces = handed.split(_DIVIDER)
        sizes = [count(piece) for piece in pieces]
        left, open_ = self._max_tokens, len(pieces)
        for size in sorted(sizes):  # the short ones whole, an equal share of the rest for each long one
            if size * open_ > left:
                break
            left, open_ = left - size, open_ - 1
        share = max(left // max(open_, 1), LEAST_TOKENS)
        makers = self._makers(task)
        made = [
            piece if size <= share else self._view(piece, makers.get(piece), task, role, share)
            for piece, size in zip(pieces, sizes, strict=True)
        ]
        return _DIVIDER.join(made)

    def _packet(self, handed: str, task: Any, role: str) -> str:
        """What the agent should know of the session for its task, what it is handed first."""
        makers = self._makers(task)
        handing = [self._stored(piece, makers.get(piece))[0] for piece in handed.split(_DIVIDER)]
        context = self._context
        packet = context.bind(context.participant or "crew", face="crewai").packet(
            for_agent=self._reader(role),
            task=" ".join(str(task.description).split())[:_TASK],
            max_tokens=self._max_tokens,
            priorities=dict.fromkeys(handing, 1.0),
        )
        return packet.text

    def _makers(self, task: Any) -> dict[str, str]:
        crew = self._crew or getattr(task.agent, "crew", None)
        tasks = getattr(crew, "tasks", ())
        return {
            each.output.raw: each.agent.role for each in tasks if each.output is not None and each.agent is not None
        }

    def _stored(self, piece: str, maker: str | None) -> tuple[str, int]:
        """The key and version under which an output stands whole."""
        name = _slug(maker or "task")
        key = f"output/{name}/{name}-{hashlib.sha256(piece.encode('utf-8', 'replace')).hexdigest()[:12]}"
        entry = self._context.get_entry(key)
        if entry is None:
            entry = self._context.put(key, piece, agent=None if self._context.participant else name)
        return key, entry.version

    def _reader(self, role: str) -> str:
        return self._context.participant or f"agent:{_slug(role)}"

    def _view(self, piece: str, maker: str | None, task: Any, role: str, max_tokens: int) -> str:
        context = self._context
        key, version = self._stored(piece, maker)
        giver = context.bind(context.participant or _slug(maker or "task"), face="crewai")
        reader = self._reader(role)
        words = _words(task.description)
        view = context.run(context.verbs.show(reader, key, version, max_tokens, words))
        if view is None:
            raise InvalidValue(f"{key!r} cannot be read by {role!r}: grant it, or compress by another context")
        giver.served("handoff", view.tokens, view.original_tokens, reader)
        return f"{view.text}\n[shortened: the tool expand gives the rest of {key!r}, ref all for the whole]"

    def _equip(self, agent: Any, task: Any) -> None:
        """Let the agent expand what it is handed."""
        from .tools import ContextTools

        bound = self._context
        if agent is not None and bound.participant is None:
            bound = bound.bind(f"agent:{_slug(agent.role)}", face="crewai")
        owners = [agent, task] if task.tools else [agent]  # a task without tools uses its agent's
        for owner in owners:
            if owner is None:
                continue
            if any(tool.name == "expand" for tool in owner.tools or []):
                continue
            (tool,) = ContextTools(bound, ["expand"])
            owner.tools = [*(owner.tools or []), tool]
            self._give_back_later(owner, tool)

    def _give_back_later(self, owner: Any, tool: Any) -> None:
        """Remember who was given the tool for as long as it is there: in a service crews come and go."""
        given, place = self._given, id(owner)
        given[place] = (weakref.ref(owner, lambda _: given.pop(place, None)), tool)

    def undo(self) -> None:
        """Hand over as before."""
        from crewai.hooks.dispatch import InterceptionPoint, unregister

        unregister(InterceptionPoint.PRE_STEP, self.step)
        unregister(InterceptionPoint.EXECUTION_START, self.start)
        for reference, tool in list(self._given.values()):
            owner = reference()
            if owner is not None:
                owner.tools = [each for each in owner.tools or [] if each is not tool]
        self._given.clear()

    def __enter__(self) -> Handoffs:
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


def compress_handoffs(
    crew: Crew | None, context: SharedContext, *, max_tokens: int = 2000, packets: bool = False
) -> Handoffs:
    """Hand over between tasks in at most about ``max_tokens`` (from 50 up), of this crew or of all in the process.

    Its copies, which ``kickoff_for_each``, ``train`` and ``test`` run, are other crews: None is for these, too.

    Longer outputs are stored whole as ``output/{agent}/...`` and passed on as views whose gaps the tool ``expand``
    fills, which the receiving agents are given. With ``packets`` all outputs are stored, and a task is handed a packet
    of at most ``max_tokens``: of all that its agent may read of the session, with the outputs handed to it first. Task
    outputs themselves stay as they are. When something goes wrong, the crew goes on with the whole. Raises
    ``InvalidValue``.
    """
    check_number("max_tokens", max_tokens, LEAST_TOKENS)
    if not isinstance(context, SharedContext):
        raise InvalidValue(f"{type(context).__name__} is no SharedContext: pass one, such as store.session()")
    if crew is not None and not hasattr(crew, "tasks"):
        raise InvalidValue(f"{type(crew).__name__} is no crew: pass one, or None for all of the process")
    with extra("crewai", "compressing hand-overs"):
        from crewai.hooks.dispatch import InterceptionPoint, register

    handoffs = Handoffs(crew, context, max_tokens, packets)
    register(InterceptionPoint.EXECUTION_START, handoffs.start)
    register(InterceptionPoint.PRE_STEP, handoffs.step)
    return handoffs


def _slug(text: str) -> str:
    return _WORD.sub("-", unicodedata.normalize("NFC", text.lower())).strip("-")[:40] or "agent"


def _words(text: str | None) -> str | None:
    return " ".join(re.findall(r"\w{4,}", text or "")[:12]) or None
