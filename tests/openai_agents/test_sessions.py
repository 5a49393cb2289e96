"""ContextSession: verbatim, shared, trimmed by groups, with history and branches."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from agents import Agent, Runner, SessionSettings, function_tool
from agents.memory import Session
from agents.run_internal.session_persistence import rewind_session_items

import sharedctx
from sharedctx import SharedContext, Store
from sharedctx.errors import BackendUnavailable, ConfigError, InvalidKey, InvalidValue, KeyNotFound, SessionExists
from sharedctx.testing.clock import ManualClock
from sharedctx_openai_agents import ContextSession


def user(words: str) -> dict[str, Any]:
    return {"role": "user", "content": words}


def group(number: int, size: int = 1) -> list[Any]:
    return [
        user(f"question {number}"),
        {"type": "reasoning", "id": f"rs_{number}", "summary": []},
        {"type": "function_call", "call_id": f"c{number}", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": f"c{number}", "output": "word " * size},
        {"role": "assistant", "content": f"answer {number}"},
    ]


def test_it_is_a_session_of_the_sdk(store: Store) -> None:
    session = ContextSession(store, "s")
    assert isinstance(session, Session)
    assert isinstance(session.session_settings, SessionSettings)
    assert ContextSession(store, "s", session_settings={"limit": 2}).session_settings.limit == 2
    with SharedContext("mine", path=None, store=store) as context:
        assert ContextSession(context).session_id == "mine"
    with pytest.raises(ConfigError):
        ContextSession(store, "s", path="elsewhere")
    with pytest.raises(ConfigError):
        ContextSession(store, "s", max_tokens=0)
    with pytest.raises(ConfigError):
        ContextSession(store, "s", max_tokens=10, count_tokens=4)  # type: ignore[arg-type]


def test_items_come_back_as_they_went_in(store: Store) -> None:
    async def main() -> None:
        session = ContextSession(store, "a/b ü")
        items: list[Any] = [
            user("ünï\ud800 \x00 \U0001f600"),
            {"type": "function_call_output", "call_id": "c", "output": "x" * 100_000, "n": 1.5, "none": None},
            *group(1),
        ]
        await session.add_items(items[:2], wrapper=None)
        await session.add_items([])
        await session.add_items(items[2:])
        assert await session.get_items() == items
        assert await session.get_items(3) == items[-3:]
        assert await session.get_items(limit=0) == []
        assert await session.get_items(limit=-1) == items
        with pytest.raises(InvalidValue, match="not JSON"):
            await session.add_items([{"role": "user", "content": object()}])  # type: ignore[typeddict-item]
        assert await ContextSession(store, "a/b").get_items() == []

    asyncio.run(main())


def test_the_last_item_is_popped_until_none_is_left(store: Store) -> None:
    async def main() -> None:
        session = ContextSession(store, "s")
        await session.add_items([user("1"), user("2")])
        await session.add_items([user("3")])
        assert [(await session.pop_item())["content"] for _ in range(2)] == ["3", "2"]
        await session.add_items([user("4")])
        assert [item["content"] for item in await session.get_items()] == ["1", "4"]
        assert [(await session.pop_item())["content"] for _ in range(2)] == ["4", "1"]
        assert await session.pop_item() is None
        assert await session.get_items() == []

    asyncio.run(main())


def test_clearing_leaves_nothing_behind(store: Store) -> None:
    async def main() -> None:
        session = ContextSession(store, "s")
        await session.add_items([user("secret")])
        await session.clear_session()
        assert await session.get_items() == []
        rows = [row for pk in store.backend.pks("items:s") for row in store.backend.scan("items:s", pk)]
        assert not any(b"secret" in row.value for row in rows)
        await session.add_items([user("new")])
        assert await session.get_items() == [user("new")]

    asyncio.run(main())


def test_many_items_are_read_in_order(store: Store) -> None:
    async def main() -> None:
        session = ContextSession(store, "s")
        for n in range(700):
            await session.add_items([user(str(n))])
        assert [item["content"] for item in await session.get_items()] == [str(n) for n in range(700)]
        assert [item["content"] for item in await session.get_items(600)] == [str(n) for n in range(100, 700)]

    asyncio.run(main())


def test_the_sdk_rewinds_what_it_added(store: Store) -> None:
    async def main() -> None:
        session = ContextSession(store, "s")
        await session.add_items(group(1))
        await session.add_items(group(2, 5000))
        await rewind_session_items(session, group(2, 5000))
        assert await session.get_items() == group(1)

    asyncio.run(main())


def test_groups_expire_as_a_whole_and_are_purged(store: Store, clock: ManualClock) -> None:
    async def main() -> None:
        session = ContextSession(store, "s", ttl=60)
        first, second = group(1), group(2)
        await session.add_items(first[:3])
        clock.advance(30)
        await session.add_items(first[3:])
        await session.add_items(second)
        assert len(await session.get_items()) == 10
        clock.advance(30)
        assert await session.get_items() == second
        assert await session.get_items(limit=7) == second
        assert await ContextSession(store, "s").get_items() == second
        clock.advance(30)
        assert await session.get_items() == []
        assert await session.pop_item() is None
        for n in range(40):
            await session.add_items([user(str(n))])
        assert len(store.backend.scan("items:s", "items")) <= 41
        assert len(await session.get_items()) == 40

    asyncio.run(main())


def test_a_limit_never_shows_the_rest_of_an_expired_group(store: Store, clock: ManualClock) -> None:
    async def main() -> None:
        session = ContextSession(store, "s", ttl=60)
        await session.add_items(group(1)[:3])
        clock.advance(59)
        await session.add_items(group(1)[3:])
        clock.advance(1)
        assert await session.get_items(limit=1) == []
        assert await session.get_items() == []

    asyncio.run(main())


def test_a_budget_gives_whole_groups(store: Store) -> None:
    async def main() -> None:
        session = ContextSession(store, "s", max_tokens=300)
        for n in range(6):
            await session.add_items(group(n, 50))
        found = await session.get_items()
        assert found == [*group(4, 50), *group(5, 50)]
        await session.add_items(group(6, 5000))
        assert await session.get_items() == group(6, 5000)
        assert len(await ContextSession(store, "s").get_items()) == 35

    asyncio.run(main())


def test_history_and_branches(store: Store) -> None:
    async def main() -> None:
        session = ContextSession(store, "s")
        await session.add_items(group(1))
        await session.add_items(group(2))
        await session.pop_item()
        history = await session.history()
        assert [(moment.version, moment.change, moment.items) for moment in history] == [
            (3, "pop", 0),
            (2, "add", 5),
            (1, "add", 5),
        ]
        assert await session.items_at(1) == group(1)
        assert await session.items_at(2) == [*group(1), *group(2)]
        with pytest.raises(KeyNotFound, match="no version 9"):
            await session.items_at(9)

        branch = await session.branch(1)
        assert branch.session_id == "s.2"
        await branch.add_items(group(7))
        assert await branch.get_items() == [*group(1), *group(7)]
        assert len(await session.get_items()) == 9
        assert (await (await session.branch()).get_items())[-1] == group(2)[-2]
        named = await session.branch(2, session_id="other")
        assert await named.get_items() == [*group(1), *group(2)]
        with pytest.raises(SessionExists, match="'other' exists"):
            await session.branch(session_id="other")

    asyncio.run(main())


def test_runs_remember(play: SimpleNamespace, store: Store) -> None:
    @function_tool
    async def look() -> str:
        """Look."""
        return "seen"

    async def main() -> None:
        model = play.Model([play.think("rs_1"), play.call("look", "c1")], [play.say("done")], [play.say("yes")])
        agent = Agent(name="A", model=model, tools=[look])
        session = ContextSession(store, "s")
        await Runner.run(agent, "look", session=session)
        await Runner.run(agent, "did you?", session=session)
        kinds = [item.get("type", item.get("role")) for item in model.inputs[-1]]
        assert kinds == ["user", "reasoning", "function_call", "function_call_output", "message", "user"]

    asyncio.run(main())


def test_a_cancelled_change_is_done_or_not_begun(store: Store) -> None:
    async def main() -> None:
        session = ContextSession(store, "s")
        task = asyncio.create_task(session.add_items([user("1")]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await session.get_items() == [user("1")]

    asyncio.run(main())


def test_what_was_opened_here_is_closed_here(tmp_path: Path, store: Store) -> None:
    async def main() -> None:
        with ContextSession.from_path(tmp_path / "store", "s") as session:
            await session.add_items([user("1")])
        with pytest.raises(BackendUnavailable):
            await session.get_items()
        with ContextSession.from_url("memory://", "s") as session:
            assert await session.get_items() == []
        ContextSession(store, "s").close()
        assert await ContextSession(store, "s").get_items() == []

    asyncio.run(main())


def test_every_backend_keeps_a_session(address: str) -> None:
    async def main(store: Store) -> None:
        session = ContextSession(store, "s", ttl=3600)
        await session.add_items(group(1, 5000))
        await session.add_items(group(2))
        assert await session.pop_item() == group(2)[-1]
        branch = await session.branch(1)
        assert await branch.get_items() == group(1, 5000)
        assert await session.get_items(4) == group(2)[:-1]
        await session.clear_session()
        assert await session.get_items() == []

    with sharedctx.open(address) as store:
        asyncio.run(main(store))


def test_the_doctor_reads_sessions(store: Store) -> None:
    session = ContextSession(store, "s")
    asyncio.run(session.add_items(group(1, 3000)))
    asyncio.run(session.add_items(group(2, 3000)))
    assert store.doctor() == []


@pytest.mark.parametrize("odd", [{"role": "user"}, "hello", 5, None, ["hello"], [None], [user("1"), 2.5]])
def test_what_are_no_items_is_refused_and_nothing_is_added(store: Store, odd: Any) -> None:
    session = ContextSession(store, "s")
    with pytest.raises(InvalidValue, match=r"pass (a list of )?dicts"):
        asyncio.run(session.add_items(odd))
    assert asyncio.run(session.get_items()) == []


def test_odd_numbers_are_refused_by_name(store: Store) -> None:
    session = ContextSession(store, "s")
    asyncio.run(session.add_items([user("1")]))
    for odd in ("3", 1.5, True, float("nan")):
        for ask in (session.get_items, session.history):
            with pytest.raises(InvalidValue, match="limit"):
                asyncio.run(ask(odd))  # type: ignore[arg-type, operator]
    with pytest.raises(InvalidValue, match="before"):
        asyncio.run(session.history(before="3"))  # type: ignore[arg-type]
    with pytest.raises(InvalidKey, match="not empty"):
        asyncio.run(session.branch(session_id=""))
