"""The asynchronous client without its server: refused, absent, stood in for, started."""

from __future__ import annotations

import asyncio
import http.server
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

import sharedctx
from sharedctx.errors import BackendUnavailable, ConfigError, Forbidden, InvalidValue, VersionConflict
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


def test_a_server_whose_streams_fail_is_used_without_one() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            while (await reader.readline()).strip():
                pass
            status, body = (b"200 OK", b"{}") if b"/health" in line else (b"500 Oh", b'{"error":"no streams here"}')
            writer.write(b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))
        writer.close()

    async def work() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with ContextClient("atlas", "one", f"http://127.0.0.1:{port}") as me:
                assert not me.is_connected()

    asyncio.run(asyncio.wait_for(work(), 20))


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
                for only_there in (me.get_changes_since(1), me.rollback(1), me.delete_context()):
                    with pytest.raises(BackendUnavailable, match="does not stand in for that"):
                        await only_there
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

    asyncio.run(asyncio.wait_for(work(), 60))


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

    asyncio.run(asyncio.wait_for(work(), 60))


@pytest.mark.parametrize(
    "odd",
    [
        {"server_url": 3003},
        {"server_url": "http://[::1"},
        {"server_url": "http://127.0.0.1:99999"},
        {"max_retries": -1},
        {"max_retries": "3"},
        {"retry_wait": "1"},
        {"retry_wait": -1.0},
        {"ping": 0},
        {"cache_timeout": None},
        {"token": 7},
        {"token": "two\nlines"},
    ],
)
def test_a_client_of_the_wrong_arguments_is_refused_when_it_is_made(odd: dict[str, Any]) -> None:
    [name] = odd
    with pytest.raises(ConfigError, match="address of a server" if name == "server_url" else name):
        ContextClient("atlas", "planner", **odd)


def test_an_expected_version_counts_for_what_stands_in(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "store")

    async def work(fallback: Path) -> None:
        process.start()
        async with client(process, "one", fallback=fallback) as me:
            heard = Heard(me, "disconnected")
            live = (await me.set_context({"a": 1}))["version"]
            await me.get_context(use_cache=False)
            process.kill()
            await heard.until(lambda: bool(heard.all))
            for odd in ("1", True, -1):
                with pytest.raises(InvalidValue, match="expected_version"):
                    await me.set_context({"a": 3}, expected_version=odd)  # type: ignore[arg-type]
            with pytest.raises(VersionConflict, match="was expected"):
                await me.update_context({"modified": {"a": 2}}, expected_version=live + 7)
            with pytest.raises(VersionConflict, match="was expected"):
                await me.set_context({"a": 3}, expected_version=0)
            assert (await me.get_context())["context"] == {"a": 1}
            await me.update_context({"modified": {"a": 2}}, expected_version=live)
            assert (await me.get_context())["context"] == {"a": 2}

    with process:
        process.kill()
        for fallback in (process.store, tmp_path / "copy"):
            asyncio.run(asyncio.wait_for(work(fallback), 30))


class Deaf(http.server.BaseHTTPRequestHandler):
    """Passes requests on to ``upstream``, and once it is ``deaf`` no answer back."""

    upstream = ""
    deaf = False

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        answer = httpx.request(
            self.command, self.upstream + self.path, headers=headers, content=self.rfile.read(length)
        )
        if type(self).deaf:
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        for name in ("etag", "x-sharedctx-store"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_PUT = do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        pass


def test_a_write_whose_answer_was_lost_is_not_done_again_by_what_stands_in(tmp_path: Path) -> None:
    async def work(url: str) -> None:
        me = ContextClient("atlas", "one", url, enable_streaming=False, fallback=tmp_path / "store", retry_wait=30)
        async with me:
            assert (await me.set_context({"a": 1}))["version"] == 1
            Deaf.deaf = True
            written = await me.update_context({"modified": {"a": 2}})
            assert (written["version"], written["offline"]) == (2, True)

    with running(str(tmp_path / "store")) as server, http.server.ThreadingHTTPServer(("127.0.0.1", 0), Deaf) as proxy:
        Deaf.upstream, Deaf.deaf = server.url, False
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        asyncio.run(asyncio.wait_for(work(f"http://127.0.0.1:{proxy.server_address[1]}"), 30))
        proxy.shutdown()
        assert httpx.get(f"{server.url}/context/atlas").json()["version"] == 2


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
        asyncio.run(asyncio.wait_for(work(), 60))
        with sharedctx.open(tmp_path / "store") as store:
            context = store.session()
            assert context.run(Projects(context).names()) == ["atlas"]
    finally:
        stop("127.0.0.1", port)
