"""The asynchronous client: cache, events, conflicts, streams that go on, and what stands in for an absent server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from sharedctx.errors import InvalidValue, KeyNotFound, ValueTooLarge, VersionConflict
from sharedctx_server import ContextClient
from sharedctx_server.testing import Running

from .heard import Found, Heard, client


def run(server: Running, work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 60))  # type: ignore[arg-type]


def test_a_context_is_written_changed_and_read(server: Running) -> None:
    async def work() -> None:
        async with client(server) as me:
            with pytest.raises(KeyNotFound):
                await me.get_context()
            written = await me.set_context({"a": 1, "b": [1, 2]})
            assert written["version"] == 1
            assert written["isNew"]
            changed = await me.update_context({"modified": {"a": 2}, "added": {"c": "x"}, "removed": ["b"]})
            assert changed["version"] == 2
            found = await me.get_context(use_cache=False)
            assert found["context"] == {"a": 2, "c": "x"}
            assert (await me.get_context(version=1))["context"] == {"a": 1, "b": [1, 2]}
            assert (await me.get_context(since=1))["changes"]["removed"] == ["b"]
            back = await me.rollback(1)
            assert back["version"] == 3
            assert (await me.get_context(use_cache=False))["context"] == {"a": 1, "b": [1, 2]}
            assert await me.delete_context() == {"projectId": "atlas", "deleted": True}
            with pytest.raises(KeyNotFound):
                await me.get_context(use_cache=False)

    run(server, work)


def test_over_http_no_certificates_are_read(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssl.create_default_context", lambda *_, **__: pytest.fail("certificates are read"))

    async def work() -> None:
        async with client(server) as me:
            assert (await me.set_context({"a": 1}))["version"] == 1

    run(server, work)


def test_differences_are_made_and_applied_by_top_level_names() -> None:
    old, new = {"a": 1, "b": {"x": 1}, "c": 0}, {"b": {"x": 2}, "c": 0, "d": None}
    diff = ContextClient.create_diff(old, new)
    assert diff == {"added": {"d": None}, "modified": {"b": {"x": 2}}, "removed": ["a"], "unchanged": ["c"]}
    assert ContextClient.apply_diff(old, diff) == new
    with pytest.raises(InvalidValue, match="no such name"):
        ContextClient.apply_diff({}, diff)


def test_what_was_read_is_not_asked_for_again_while_it_is_fresh(server: Running) -> None:
    async def work() -> None:
        me = client(server, enable_streaming=False)
        heard = Heard(me, "cache_hit", "context_received", "context_updated", "context_set")
        await me.set_context({"a": 1})
        asked = server.service.meter.writes
        assert (await me.get_context())["context"] == {"a": 1}
        await me.update_context({"modified": {"a": 2}})
        assert (await me.get_context())["context"] == {"a": 2}
        assert (server.service.meter.reads, server.service.meter.writes) == (0, asked + 1)
        async with client(server, "other", enable_streaming=False) as other:
            await other.set_context({"a": 3})
        assert (await me.get_context())["context"] == {"a": 2}
        assert (await me.get_context(use_cache=False))["context"] == {"a": 3}
        assert (await me.get_context(use_cache=False))["context"] == {"a": 3}
        assert server.service.meter.cache_hits == 1
        await me.clear_cache()
        assert (await me.get_context())["version"] == 3
        names = [name for name, _ in heard.all]
        assert names.count("context_received") == 2
        assert names.count("cache_hit") == 4
        assert names[:2] == ["context_set", "cache_hit"]
        stats = await me.get_stats()
        assert stats["activeContexts"] == 1
        assert stats["client"]["cacheHits"] == 4
        await me.disconnect()

    run(server, work)


def test_a_cache_that_is_too_old_asks_whether_it_still_holds(server: Running) -> None:
    async def work() -> None:
        me = client(server, enable_streaming=False, cache_timeout=0.0)
        await me.set_context({"a": 1})
        assert (await me.get_context())["context"] == {"a": 1}
        assert server.service.meter.cache_hits == 1
        await me.disconnect()

    run(server, work)


def test_the_writes_of_others_are_told_once_and_in_order_and_ones_own_are_not(server: Running) -> None:
    async def work() -> None:
        async with client(server, "one") as one, client(server, "two") as two:
            heard = Heard(one, "context_updated_realtime")
            both = Heard(two, "context_updated_realtime")
            for turn in range(10):
                await one.update_context({"added": {"one": turn}})
                await two.update_context({"added": {"two": turn}})
            await heard.until(lambda: len(heard.all) == 10)
            await both.until(lambda: len(both.all) == 10)
            assert heard.versions == list(range(2, 21, 2))
            assert both.versions == list(range(1, 20, 2))
            assert heard.all[0][1]["changes"]["added"] == {"two": 0}
            assert heard.all[0][1]["agentId"] == "two"
            asked = server.service.meter.requests
            assert (await one.get_context())["context"] == (await two.get_context())["context"] == {"one": 9, "two": 9}
            assert server.service.meter.requests == asked

    run(server, work)


def test_writers_at_the_same_time_end_in_the_same_state(server: Running) -> None:
    async def work() -> None:
        clients = [client(server, f"agent{n}") for n in range(5)]
        await clients[0].set_context({})
        await asyncio.gather(*(each.connect() for each in clients))
        heard = [Heard(each, "context_updated_realtime", "diff_applied") for each in clients]

        async def write(n: int) -> None:
            for turn in range(20):
                await clients[n].update_context({"added": {f"name{n}": turn}})

        await asyncio.gather(*(write(n) for n in range(5)))
        for each in heard:
            told = [data["version"] for name, data in each.all if name == "diff_applied"]
            await each.until(lambda each=each: any(data["version"] == 101 for _, data in each.all))
            told = [data["version"] for name, data in each.all if name == "diff_applied"]
            assert told == list(range(2, 102))
            foreign = [data["version"] for name, data in each.all if name == "context_updated_realtime"]
            assert len(foreign) == len(set(foreign)) == 80
        states = [(await each.get_context())["hash"] for each in clients]
        assert set(states) == {httpx.get(server.url + "/context/atlas").json()["hash"]}
        await asyncio.gather(*(each.disconnect() for each in clients))

    run(server, work)


def test_two_processes_of_one_name_miss_nothing_of_each_other(server: Running) -> None:
    async def work() -> None:
        async with client(server, "same") as one, client(server, "same") as two:
            heard = Heard(two, "context_updated_realtime", "diff_applied")
            await one.set_context({"a": 1})
            await one.update_context({"modified": {"a": 2}})
            await heard.until(lambda: 2 in heard.versions)
            assert (await two.get_context())["context"] == {"a": 2}

    run(server, work)


def test_of_two_who_build_on_one_version_the_second_is_told(server: Running) -> None:
    async def work() -> None:
        async with client(server, "one") as one, client(server, "two") as two:
            await one.set_context({"a": 1}, expected_version=0)
            await two.update_context({"added": {"b": 1}}, expected_version=1)
            with pytest.raises(VersionConflict) as caught:
                await one.update_context({"added": {"c": 1}}, expected_version=1)
            assert caught.value.actual == 2
            assert caught.value.agent == "two"

    run(server, work)


def test_a_handler_that_fails_stops_nothing(server: Running) -> None:
    async def work() -> None:
        async with client(server) as me:

            def fail(_: Found) -> None:
                raise RuntimeError("mine")

            heard = Heard(me, "error", "context_set")
            end = me.on("context_set", fail)
            await me.set_context({"a": 1})
            await heard.until(lambda: len(heard.all) == 2)
            assert {name for name, _ in heard.all} == {"error", "context_set"}
            end()
            await me.set_context({"a": 2})
            assert [name for name, _ in heard.all].count("error") == 1
            with pytest.raises(InvalidValue, match="no event 'nothing'"):
                me.on("nothing", fail)

    run(server, work)


def test_a_handler_may_write(server: Running) -> None:
    async def work() -> None:
        async with client(server, "one") as one, client(server, "two") as two:

            async def answer(data: Found) -> None:
                if "question" in data["changes"]["added"]:
                    await two.update_context({"added": {"answer": 42}})

            two.on("context_updated_realtime", answer)
            heard = Heard(one, "context_updated_realtime")
            await one.set_context({"question": "?"})
            await heard.until(lambda: len(heard.all) == 1)
            assert (await one.get_context())["context"] == {"answer": 42, "question": "?"}

    run(server, work)


def test_a_removal_is_told_and_what_is_made_anew_too(server: Running) -> None:
    async def work() -> None:
        async with client(server, "one") as one, client(server, "two") as two:
            await one.set_context({"a": 1})
            heard = Heard(two, "context_deleted", "context_updated_realtime", "connected")
            await one.delete_context()
            await heard.until(lambda: any(name == "connected" for name, _ in heard.all))
            await one.set_context({"b": 1})
            await heard.until(lambda: any(data.get("version") == 3 for _, data in heard.all))
            assert [data["version"] for name, data in heard.all if name == "context_deleted"] == [2]
            assert (await two.get_context())["context"] == {"b": 1}

    run(server, work)


def test_one_call_gives_what_takes_the_fewest_tokens(server: Running) -> None:
    async def work() -> None:
        async with client(server, "writer") as writer, client(server, "reader") as reader:
            documents = {f"part{n}": f"what part {n} is about, at some length. " * 40 for n in range(10)}
            await writer.set_context({"currentTask": "mend the parser", **documents})
            window = await reader.optimize_context(1000)
            assert window["kind"] == "window"
            assert window["tokens"] <= 1000 < window["totalTokens"]
            assert window["content"]["currentTask"] == "mend the parser"
            for name in documents:
                reference = window["content"][name]
                if isinstance(reference, dict):
                    assert await reader.fetch(reference["location"]) == documents[name]
            for odd in ("/context/other?version=1", None):
                with pytest.raises(InvalidValue, match="no location in the project"):
                    await reader.fetch(odd)  # type: ignore[arg-type]
            whole = await writer.optimize_context(100_000)
            assert (whole["kind"], whole["tokens"]) == ("snapshot", whole["totalTokens"])
            await writer.update_context({"modified": {"currentTask": "test the parser"}})
            for me in (reader, writer):
                diff = await me.optimize_context(500)
                assert diff["kind"] == "diff"
                assert diff["tokens"] < 60
                assert "test the parser" in diff["text"]
            longer = {"modified": {"part0": documents["part0"] + "And one word more."}}
            await reader.update_context(longer)
            patch = await writer.optimize_context(100_000)
            assert patch["kind"] == "diff"
            assert (await reader.optimize_context(100_000))["kind"] == "diff"
            nothing = await writer.optimize_context(500)
            assert nothing["content"] == {"changes": {}, "fromVersion": 3, "version": 3}

    run(server, work)


def test_what_is_far_too_large_is_refused_and_not_taken_for_a_server_that_is_away(server: Running) -> None:
    async def work() -> None:
        async with client(server) as me:
            await me.set_context({"a": 1})
            with pytest.raises(ValueTooLarge, match="too large"):
                await me.set_context({"a": "x" * 25 * 2**20})
            assert (await me.get_context(use_cache=False))["version"] == 1

    asyncio.run(work())
