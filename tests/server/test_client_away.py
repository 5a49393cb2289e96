"""The asynchronous client without its server: refused, absent, stood in for, started."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

import sharedctx
from sharedctx.errors import BackendUnavailable, Forbidden
from sharedctx.projects import Projects
from sharedctx_server import ContextClient
from sharedctx_server.background import stop
from sharedctx_server.testing import running

from .heard import Heard, client
from .processes import ServerProcess, free_port


def test_a_server_that_refuses_says_why() -> None:
    with running(token="a token of sixteen") as server:

        async def work() -> None:
            me = client(server)
            heard = Heard(me, "error")
            with pytest.raises(Forbidden, match="bearer token"):
                await me.get_context()
            await heard.until(lambda: len(heard.all) == 1)
            assert not me.is_connected()
            await me.disconnect()
            async with client(server, token="a token of sixteen") as me:
                await me.set_context({"a": 1})
                assert me.is_connected()

        asyncio.run(work())


def test_without_a_server_it_says_so_after_a_few_tries() -> None:
    async def work() -> None:
        me = ContextClient("atlas", "planner", f"http://127.0.0.1:{free_port()}", max_retries=2, retry_wait=0.001)
        with pytest.raises(BackendUnavailable, match="does not answer"):
            await me.get_context()
        await me.disconnect()

    asyncio.run(work())


def test_a_copy_stands_in_and_is_in_step_again_when_the_server_is_back(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "store")

    async def work() -> None:
        copy = tmp_path / "copy"
        with process:
            async with client(process, "one", fallback=copy) as me:
                await me.set_context({"kept": 1, "ours": 1, "both": 1})
                heard = Heard(me, "disconnected", "connected", "conflict")
                process.kill()
                await heard.until(lambda: bool(heard.all))
                found = await me.get_context(use_cache=False)
                assert found["offline"]
                assert found["context"] == {"kept": 1, "ours": 1, "both": 1}
                assert (await me.update_context({"modified": {"ours": 2, "both": 2}}))["offline"]
                assert (await me.get_context())["context"]["ours"] == 2
                assert (await me.optimize_context(500))["content"]["ours"] == 2
                with sharedctx.open(process.store) as store:
                    context = store.session()
                    state = context.get("project/atlas/context", full=True)
                    context.put("project/atlas/context", {**state, "theirs": 3, "both": 3}, agent="other")
                process.start()
                await heard.until(lambda: any(name == "connected" for name, _ in heard.all))
                found = await me.get_context(use_cache=False)
                assert found["context"] == {"kept": 1, "ours": 2, "theirs": 3, "both": 2}
                assert found["version"] == 3
                await heard.until(lambda: any(name == "conflict" for name, _ in heard.all))
                assert next(data["names"] for name, data in heard.all if name == "conflict") == ["both"]
                assert (await me.update_context({"removed": ["kept"]}))["version"] == 4
            process.kill()
            async with client(process, "one", fallback=copy) as me:
                assert (await me.get_context())["context"] == {"ours": 2, "theirs": 3, "both": 2}
                await me.update_context({"added": {"late": 1}})
            process.start()
            async with client(process, "one", fallback=copy) as me:
                found = await me.get_context()
                assert found["context"] == {"ours": 2, "theirs": 3, "both": 2, "late": 1}
                assert found["version"] == 5

    asyncio.run(asyncio.wait_for(work(), 15))


def test_the_servers_own_store_stands_in_with_its_own_versions(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "store")

    async def work() -> None:
        with process:
            async with client(process, "one", fallback=process.store) as me:
                await me.set_context({"a": 1})
                heard = Heard(me, "disconnected", "connected")
                process.kill()
                await heard.until(lambda: bool(heard.all))
                assert (await me.update_context({"modified": {"a": 2}}))["version"] == 2
                assert (await me.get_context(version=1))["context"] == {"a": 1}
                process.start()
                await heard.until(lambda: len(heard.all) == 2)
                found = await me.get_context(use_cache=False)
                assert (found["version"], found["context"]) == (2, {"a": 2})

    asyncio.run(asyncio.wait_for(work(), 15))


def test_a_server_is_started_where_none_answers(tmp_path: Path) -> None:
    port = free_port()

    async def work() -> None:
        me = ContextClient(
            "atlas", "one", f"http://127.0.0.1:{port}", autostart=True, fallback=tmp_path / "store", retry_wait=0.05
        )
        async with me:
            assert (await me.set_context({"a": 1}))["version"] == 1
            assert httpx.get(f"http://127.0.0.1:{port}/context/atlas").json()["context"] == {"a": 1}

    try:
        asyncio.run(asyncio.wait_for(work(), 15))
        with sharedctx.open(tmp_path / "store") as store:
            context = store.session()
            assert context.run(Projects(context).names()) == ["atlas"]
    finally:
        stop("127.0.0.1", port)
