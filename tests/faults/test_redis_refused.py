"""Servers and addresses that cannot be used are refused with one clear error."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import sharedctx
from sharedctx.backends.base import NEXT, Put
from sharedctx.backends.redis import RedisBackend
from sharedctx.errors import BackendUnavailable, ConfigError, SharedContextError

redis = pytest.importorskip("redis", reason="redis is not installed: pip install 'sharedctx[redis]'")


@contextlib.contextmanager
def opened(url: str) -> Iterator[RedisBackend]:
    backend = RedisBackend(url)
    try:
        yield backend
    finally:
        backend.close()


def test_a_wrong_password_is_told_without_showing_it(server: Any) -> None:
    server.start("--requirepass", "right")
    for url in ("redis://127.0.0.1:{}", "redis://:wrong-one@127.0.0.1:{}"):
        with pytest.raises(BackendUnavailable, match="user or password") as told:
            RedisBackend(url.format(server.port))
        assert "wrong-one" not in str(told.value)
    with opened(f"redis://:right@127.0.0.1:{server.port}") as backend:
        backend.commit("s", [Put("p", b"x")])
        assert "right" not in str(backend.describe())


def test_a_user_who_may_not_run_scripts_is_told_what_is_missing(server: Any) -> None:
    server.start()
    server.ask("ACL", "SETUSER", "guest", "on", ">pw", "~*", "+@all", "-evalsha", "-eval")
    guest = f"redis://guest:pw@127.0.0.1:{server.port}"
    with opened(guest) as backend, pytest.raises(BackendUnavailable, match="ACL"):
        backend.commit("s", [Put("p", b"x")])


def test_keys_of_another_program_under_our_prefix_are_told(server: Any) -> None:
    with opened(server.start() + "?prefix=other") as backend:
        server.ask("SET", "other:{s}:m", "not ours")
        with pytest.raises(ConfigError, match="prefix"):
            backend.commit("s", [Put("p", b"x")])


@pytest.mark.parametrize("place", ["f", "p", "x:k", "t:k"])
def test_a_write_that_meets_a_key_of_another_program_is_not_half_done(server: Any, place: str) -> None:
    with opened(server.start()) as backend:
        server.ask("SET", f"sharedctx:{{s}}:{place}", "not ours")
        row = Put("k", b"x", "one" if place == "t:k" else NEXT, expires=1e12)
        with pytest.raises(ConfigError, match="another program"):
            backend.commit("s", [row])
        (failed,) = backend.commit_many([("s", [row], None)])
        assert isinstance(failed, ConfigError)
        server.ask("DEL", f"sharedctx:{{s}}:{place}")
        assert backend.scan("s", "k") == backend.scan("s", "k", "") == []
        assert backend.commit("s", [row])[1] in ([1], ["one"])


@pytest.mark.parametrize(
    "words", [("SET", "sharedctx:clock", "noon"), ("HSET", "sharedctx:store", "format", "x", "id", "y")]
)
def test_a_store_whose_own_rows_make_no_sense_is_refused(server: Any, words: tuple[str, ...]) -> None:
    with opened(server.start()):
        pass
    server.ask(*words)
    with pytest.raises(ConfigError, match="another program"), opened(server.local.url) as backend:
        backend.now()


def test_a_session_that_the_server_removed_in_part_is_not_written_to_until_it_is_deleted(server: Any) -> None:
    with sharedctx.open(server.start()) as store:
        before = store.session("s").put("k", "one")
        server.ask("DEL", "sharedctx:{session:s}:m")
        with pytest.raises(BackendUnavailable, match="removed part of space 'session:s'"):
            store.session("s").put("k", "two")
        store.delete_session("s")
        after = store.session("s").put("k", "anew")
        assert after.version == 1
        assert after.rev > before.rev
        assert [event.version for event in store.session("s").changes(before.rev)] == [1]


def test_a_server_that_is_too_old_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(65536):
                    for _ in range(data.count(b"*") or 1):
                        if b"INFO" in data:
                            body = b"# Server\r\nredis_version:6.0.16\r\n"
                            connection.sendall(b"$%d\r\n%s\r\n" % (len(body), body))
                        else:
                            connection.sendall(b"-ERR unknown command\r\n" if b"HELLO" in data else b"+OK\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(ConfigError, match=r"6\.0\.16"):
            RedisBackend(f"redis://127.0.0.1:{listener.getsockname()[1]}?protocol=2")
        thread.join(10)


def test_a_store_of_a_newer_format_is_refused(server: Any) -> None:
    with opened(server.start()):
        pass
    server.ask("HSET", "sharedctx:store", "format", 9)
    with pytest.raises(ConfigError, match="upgrade"):
        RedisBackend(server.local.url)


def test_what_the_server_loses_is_told_and_durable_asks_for_better(server: Any) -> None:
    with opened(server.start("--appendfsync", "everysec")) as backend:
        assert "every second" in backend.describe()["durability"]
    with pytest.raises(ConfigError, match="appendfsync always"):
        sharedctx.open(server.local.url, durable=True)
    server.ask("CONFIG", "SET", "appendfsync", "always")
    with sharedctx.open(server.local.url, durable=True) as store:
        assert store.stats()["durability"] == "append-only file, flushed at every write"


def test_a_server_that_removes_rows_when_it_is_full_is_a_fault(server: Any) -> None:
    with opened(server.start()) as backend:
        server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        assert backend.verify() == []
        server.ask("CONFIG", "SET", "maxmemory", "100mb")
        (fault,) = backend.verify()
        assert "allkeys-lru" in fault
        assert "noeviction" in fault
        assert "allkeys-lru" in backend.describe()["durability"]
    server.ask("CONFIG", "SET", "appendfsync", "always")
    with pytest.raises(ConfigError, match="noeviction"):
        RedisBackend(server.local.url, durable=True)


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://host:port",
        "redis://host:0",
        "redis://host/notadb",
        "redis://host?prefix=a{b",
        "redis://host?timeout=soon",
        "redis://one,two",
        "redis+sentinel://host:26379",
        "redis://[::1",
        "redis://host:6379:1",
        "redis://host/1.5",
        "redis://host/0/more",
        "redis://host?timeout=0",
        "redis://host?prefix=",
        "redis://host?prefix=a&prefix=b",
        "redis://:secret#1@host",
        "redis+cluster://host/3",
        "redis://127.0.0.1?nonsense=1",
        "redis://127.0.0.1?decode_responses=1",
        "redis://127.0.0.1?health_check_interval=often",
        "redis://127.0.0.1?health_check_interval=-1",
        "redis://127.0.0.1?socket_connect_timeout=inf",
        "redis://127.0.0.1?socket_timeout=nan",
        "rediss://127.0.0.1?ssl_ca_certs=/nowhere/ca.pem",
    ],
)
def test_an_address_that_makes_no_sense_is_a_clear_error(url: str) -> None:
    with pytest.raises(SharedContextError) as told:
        RedisBackend(url)
    assert told.value.code == "CONFIG_ERROR", told.value
    assert "secret" not in str(told.value)
    with pytest.raises(SharedContextError, match=re.escape(str(told.value))):
        sharedctx.open(url)
