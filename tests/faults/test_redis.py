"""Servers that die, stall, fill up, refuse or lose connections: nothing is doubled, nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import sharedctx
from sharedctx.backends.base import Head, Put
from sharedctx.backends.redis import RedisBackend
from sharedctx.errors import BackendUnavailable, ConditionFailed, DiskFull

redis = pytest.importorskip("redis", reason="redis is not installed: pip install 'sharedctx[redis]'")


@contextlib.contextmanager
def opened(url: str) -> Iterator[RedisBackend]:
    backend = RedisBackend(url)
    try:
        yield backend
    finally:
        backend.close()


@pytest.mark.parametrize("cuts", [1, 2, 3])
def test_a_write_whose_reply_is_lost_is_done_once(proxied: tuple[Any, str], cuts: int) -> None:
    proxy, url = proxied
    with opened(url) as backend:
        for n in range(1, 6):
            proxy.cuts = cuts
            assert backend.commit("s", [Put("p", b"%d" % n, when=Head(n - 1)), Put("p", b"x", sk=str(n))])[1][0] == n
        assert [row.value for row in backend.scan("s", "p")] == [b"1", b"2", b"3", b"4", b"5"]


def scripts_run(server: Any) -> int:
    told = server.ask("INFO", "commandstats")
    return sum(int(facts["calls"]) for name, facts in told.items() if name.startswith("cmdstat_eval"))


def until_more_scripts_ran(server: Any, before: int) -> None:
    end = time.monotonic() + 30
    while scripts_run(server) <= before:
        assert time.monotonic() < end, "what was kept back never arrived"


@pytest.mark.parametrize("later", [0, 1])
def test_a_write_that_arrives_after_it_was_sent_again_is_done_once(
    server: Any, make_proxy: Callable[[int], Any], later: int
) -> None:
    server.start()
    proxy = make_proxy(server.port)
    with opened(f"redis://127.0.0.1:{proxy.port}?timeout=0.3") as backend:
        backend.commit("s", [Put("p", b"1")])
        proxy.hold()
        backend.commit("s", [Put("p", b"2")])
        for _ in range(later):
            backend.commit("s", [Put("p", b"3")])
        before = scripts_run(server)
        proxy.release()
        until_more_scripts_ran(server, before)
        assert [row.value for row in backend.scan("s", "p")] == [b"1", b"2", b"3"][: 2 + later]


@pytest.mark.parametrize("forgotten", ["the scripts", "nothing, but the space is new"])
def test_a_group_that_arrives_in_two_pieces_keeps_its_order(
    server: Any, make_proxy: Callable[[int], Any], forgotten: str
) -> None:
    url = server.start()
    proxy = make_proxy(server.port)
    with opened(f"redis://127.0.0.1:{proxy.port}") as backend, opened(url) as other:
        backend.commit("s", [Put("p", b"first")])
        if forgotten == "the scripts":
            server.ask("SCRIPT", "FLUSH")
        space = "s" if forgotten == "the scripts" else "new"
        before = scripts_run(server)
        proxy.hold(20_000)
        with ThreadPoolExecutor(1) as threads:
            group = [(space, [Put("p", b"%d" % n * 5000)], None) for n in range(9)]
            written = threads.submit(backend.commit_many, group)
            until_more_scripts_ran(server, before)
            other.commit(space, [Put("q", b"meanwhile")])
            proxy.release()
            assert not [result for result in written.result(30) if isinstance(result, Exception)]
        assert [row.value[:1] for row in backend.scan(space, "p")][-9:] == [b"%d" % n for n in range(9)]


@pytest.mark.parametrize("cuts", [1, 3])
def test_a_group_whose_replies_are_lost_is_done_once(proxied: tuple[Any, str], cuts: int) -> None:
    proxy, url = proxied
    with opened(url) as backend:
        backend.commit("s", [Put("p", b"first")])
        proxy.cuts = cuts
        results = backend.commit_many([("s" if n % 2 else "t", [Put("p", b"%d" % n)], None) for n in range(40)])
        assert not [result for result in results if isinstance(result, Exception)]
        assert [row.value for row in backend.scan("s", "p")] == [b"first", *(b"%d" % n for n in range(1, 40, 2))]
        assert [row.sk for row in backend.scan("t", "p")] == list(range(1, 21))


def test_a_connection_that_is_always_cut_is_told_after_a_few_attempts(proxied: tuple[Any, str]) -> None:
    proxy, url = proxied
    with opened(url) as backend:
        proxy.cuts = 1000
        with pytest.raises(BackendUnavailable, match="is the server running"):
            backend.commit("s", [Put("p", b"x")])
        used = 1000 - proxy.cuts
        assert used <= 5
        proxy.cuts = 0
        backend.commit("s", [Put("p", b"y")])
        assert [row.value for row in backend.scan("s", "p")] in ([b"y"], [b"x", b"y"])


def test_a_conflict_is_still_one_when_its_reply_was_lost(proxied: tuple[Any, str]) -> None:
    proxy, url = proxied
    with opened(url) as backend:
        backend.commit("s", [Put("p", b"x")])
        proxy.cuts = 1
        with pytest.raises(ConditionFailed):
            backend.commit("s", [Put("p", b"y", when=Head(0))])
        assert len(backend.scan("s", "p")) == 1


def test_a_killed_server_has_all_that_it_acknowledged_when_it_is_back(server: Any) -> None:
    url = server.start()
    with opened(url) as backend:
        acknowledged = [backend.commit("s", [Put("p", b"%d" % n)])[0] for n in range(50)]
        server.kill()
        with pytest.raises(BackendUnavailable, match="is the server running"):
            backend.commit("s", [Put("p", b"never")])
        with pytest.raises(BackendUnavailable):
            backend.scan("s", "p")
        server.start()
        assert [row.rev for row in backend.scan("s", "p")] == acknowledged
        backend.commit("s", [Put("p", b"after")])
        assert [row.value for row in backend.scan("s", "p")][-1] == b"after"
        assert backend.verify() == []


def test_a_watch_goes_on_without_a_gap_when_the_server_was_restarted(server: Any) -> None:
    with sharedctx.open(server.start()) as store:
        ctx = store.session("s")
        start = ctx.rev()
        ctx.put("k", "one")
        (first,) = ctx.changes(start)
        server.kill()
        server.start()
        ctx.put("k", "two")
        ctx.put("k", "three")
        seen = [event.version for event in ctx.watch(first.rev, timeout=0.0)]
        assert seen == [2, 3]


def test_a_server_that_stands_still_is_told_and_its_write_is_done_at_most_once(server: Any) -> None:
    server.start()
    with opened(f"redis://127.0.0.1:{server.port}?timeout=0.2") as backend:
        backend.commit("s", [Put("p", b"1")])
        server.signal(signal.SIGSTOP)
        with pytest.raises(BackendUnavailable):
            backend.commit("s", [Put("p", b"2")])
        server.signal(signal.SIGCONT)
        backend.commit("s", [Put("p", b"3")])
        values = [row.value for row in backend.scan("s", "p")]
        assert values in ([b"1", b"3"], [b"1", b"2", b"3"], [b"1", b"3", b"2"])


def test_scripts_that_the_server_forgot_are_loaded_again(server: Any) -> None:
    with opened(server.start()) as backend:
        backend.commit("s", [Put("p", b"1")])
        server.ask("SCRIPT", "FLUSH")
        backend.commit("s", [Put("p", b"2")])
        server.ask("SCRIPT", "FLUSH")
        assert len(backend.commit_many([("s", [Put("p", b"3")], None), ("s", [Put("p", b"4")], None)])) == 2
        server.ask("SCRIPT", "FLUSH")
        assert [row.value for row in backend.scan("s", "p")] == [b"1", b"2", b"3", b"4"]


def test_a_full_server_says_so_and_can_be_read(server: Any) -> None:
    with opened(server.start()) as backend:
        backend.commit("s", [Put("p", b"x" * 1000)])
        server.ask("CONFIG", "SET", "maxmemory", "1")
        server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        with pytest.raises(DiskFull, match="maxmemory"):
            backend.commit("s", [Put("p", b"y" * 1000)])
        (failed,) = backend.commit_many([("s", [Put("p", b"y" * 1000)], None)])
        assert isinstance(failed, DiskFull)
        assert [row.value for row in backend.scan("s", "p")] == [b"x" * 1000]
        server.ask("CONFIG", "SET", "maxmemory", "0")
        assert backend.commit("s", [Put("p", b"z")])[1] == [2]


def test_a_replica_is_told_to_be_read_only(server: Any, redis_url: str) -> None:
    with opened(server.start()) as backend:
        backend.commit("s", [Put("p", b"x")])
        server.ask("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(BackendUnavailable, match="read-only replica"):
            backend.commit("s", [Put("p", b"y")])
        assert [row.value for row in backend.scan("s", "p")] == [b"x"]
