"""Whatever is put, read, listed, thinned and copied: the same comes back as from LangGraph's own saver in memory."""

from __future__ import annotations

import copy
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

pytest.importorskip(
    "langgraph.checkpoint.base", reason="LangGraph is not installed: pip install 'sharedctx[langgraph]'"
)

from langgraph.checkpoint.memory import InMemorySaver

from sharedctx_langgraph import ContextSaver

from .made import checkpoint, config

CHANNELS = ("messages", "note", "count")
TEXT = st.text("abc ", max_size=30).map(lambda text: text * 90) | st.text(max_size=12)
SPECIAL = ("__error__", "__interrupt__", "__resume__")


def facts(found: Any) -> Any:
    """What of a checkpoint two savers must agree on."""
    if found is None:
        return None
    return (
        found.config["configurable"]["checkpoint_id"],
        found.config["configurable"]["checkpoint_ns"],
        found.checkpoint,
        found.metadata,
        found.parent_config,
        found.pending_writes,
    )


class Both(RuleBasedStateMachine):
    """Does everything twice."""

    def __init__(self) -> None:
        super().__init__()
        self.ours = ContextSaver.from_url("memory://")
        self.cold: list[ContextSaver] = []
        self.theirs = InMemorySaver()
        self.ids: list[str] = []
        self.states: dict[str, dict[str, Any]] = {}

    def teardown(self) -> None:
        self.ours.close()

    def _any(self, at: int) -> str | None:
        return self.ids[at % len(self.ids)] if self.ids else None

    @rule(at=st.integers(-1, 50), changes=st.dictionaries(st.sampled_from(CHANNELS), TEXT | st.none(), max_size=3))
    def put(self, at: int, changes: dict[str, Any]) -> None:
        """Put a checkpoint on any other; a channel is changed, emptied, or left."""
        parent = None if at < 0 else self._any(at)
        id = f"{len(self.ids):04d}"
        state = copy.deepcopy(self.states[parent]) if parent else {"values": {}, "versions": {}}
        new = {}
        for channel, value in changes.items():
            state["versions"][channel] = new[channel] = f"{id}.{channel}"
            state["values"].pop(channel, None)
            if value is not None:
                before = self.states[parent]["values"].get(channel, []) if parent else []
                state["values"][channel] = [*before, value] if channel == "messages" else value
        made = checkpoint(id, state["values"], state["versions"])
        for saver in (self.ours, self.theirs):
            saver.put(config(id=parent), copy.deepcopy(made), {"source": "loop", "step": len(self.ids) % 3}, dict(new))
        self.ids.append(id)
        self.states[id] = state

    @rule(
        at=st.integers(0, 50),
        task=st.sampled_from("xyz"),
        path=st.sampled_from(("", "~p", "a")),
        writes=st.lists(st.tuples(st.sampled_from((*CHANNELS, *SPECIAL)), TEXT), min_size=1, max_size=3),
    )
    def write(self, at: int, task: str, path: str, writes: list[tuple[str, str]]) -> None:
        """Add writes to a checkpoint."""
        if (id := self._any(at)) is not None:
            for saver in (self.ours, self.theirs):
                saver.put_writes(config(id=id), writes, task, path)

    @rule()
    def forget(self) -> None:
        """Read from the rows alone from here on."""
        self.ours._threads._memory.clear()
        self.ours.store.contents.after_fork()

    @rule(
        before=st.integers(0, 50) | st.none(), limit=st.integers(0, 6) | st.none(), step=st.integers(0, 2) | st.none()
    )
    def listed(self, before: int | None, limit: int | None, step: int | None) -> None:
        """The same checkpoints are listed, in the same order."""
        bound: Any = None if before is None else config(id=self._any(before))
        wanted = None if step is None else {"step": step}
        found = [
            [facts(each) for each in saver.list(config(), before=bound, limit=limit, filter=wanted)]
            for saver in (self.ours, self.theirs)
        ]
        assert found[0] == found[1]

    @rule(at=st.integers(0, 50), channels=st.sets(st.sampled_from(CHANNELS)))
    def history(self, at: int, channels: set[str]) -> None:
        """A channel's history is the same."""
        if (id := self._any(at)) is not None:
            asked = sorted(channels)
            ours = self.ours.get_delta_channel_history(config=config(id=id), channels=asked)
            assert ours == self.theirs.get_delta_channel_history(config=config(id=id), channels=asked)

    @rule()
    def copied(self) -> None:
        """A copy reads like its original, and goes without a trace of it."""
        self.ours.copy_thread("t", "copy")
        copies = [facts(each)[2:4] for each in self.ours.list(config("copy"))]
        assert copies == [facts(each)[2:4] for each in self.ours.list(config())]
        self.ours.delete_thread("copy")

    @rule(keep=st.integers(1, 8))
    def kept(self, keep: int) -> None:
        """A thinned copy reads like the rest of its original."""
        self.ours.copy_thread("t", "thin")
        self.ours.retain(keep_last=keep, thread_ids=["thin"])
        left = {each.checkpoint["id"]: facts(each)[2:4] for each in self.ours.list(config("thin"))}
        whole = {each.checkpoint["id"]: facts(each)[2:4] for each in self.ours.list(config())}
        assert set(self.ids[-keep:]) <= left.keys()
        assert left == {id: whole[id] for id in left}
        self.ours.delete_thread("thin")

    @invariant()
    def newest(self) -> None:
        assert facts(self.ours.get_tuple(config())) == facts(self.theirs.get_tuple(config()))


TestBoth = Both.TestCase
TestBoth.settings = settings(max_examples=40, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow])
