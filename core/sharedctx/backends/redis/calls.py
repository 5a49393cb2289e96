"""Asking the server: bounded attempts, scripts loaded when they are missing, and one error for each way it fails."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from ...errors import BackendUnavailable, ConfigError, DiskFull, SharedContextError
from ...forking import renew_after_fork
from . import wire
from .address import Address
from .scripts import declared, in_cluster

T = TypeVar("T")
Source = str | Callable[[str], str]
"""The text of a script, or what makes it for one run of a server."""

ATTEMPTS: Final = 4
_PAUSES: Final = (0.02, 0.1, 0.4)
"""Seconds before the second, third and fourth attempt."""


_LOCKED: Final = ("already authenticated", "invalid username-password", "Authentication")
"""Parts of what is said to those who have no password or a wrong one, beside the words that errors begin with."""


class Calls:
    """Requests to one address."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._hashes: dict[str, str] = {}
        self._kept: list[tuple[Any, str]] = []
        self._runs: dict[str, str] = {}
        self._closed = False
        renew_after_fork(self)
        try:
            self.client: Any = address.connect()  # a cluster is asked for its shape
        except SharedContextError:
            raise
        except Exception as error:
            raise self.translate(error) from error

    def after_fork(self) -> None:
        """Leave the parent's connections alone."""
        self._kept = []
        self._runs = {}

    def ask(self, command: str, *args: Any, **options: Any) -> Any:
        """Send a command that may be sent twice, as often as needed; raises ``BackendUnavailable`` and its like."""
        return self.attempts(lambda: getattr(self.client, command)(*args, **options))

    def ask_all(self, command: str, *args: Any) -> list[Any]:
        """Send a command that may be sent twice to every primary of a cluster, or to the one server."""
        if not self.address.clustered:
            return [self.ask(command, *args)]
        return list(self.ask(command, *args, target_nodes="primaries").values())

    def ask_together(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Send commands that may be sent twice, in one go where there is one server."""

        def send() -> list[Any]:
            if self.address.clustered:
                return [self.client.execute_command(*command) for command in commands]
            found = self.replies(lambda run: commands)
            for reply in found:
                if isinstance(reply, Exception):
                    raise reply
            return found

        return self.attempts(send)

    def read(self, source: str, base: bytes, *args: Any) -> Any:
        """Run a script that may run twice, as often as needed."""
        return self.attempts(lambda: self.script(source, base, *args))

    def attempts(self, request: Callable[[], T]) -> T:
        """Call ``request`` until it is answered; raises ``BackendUnavailable`` and its like."""
        for attempt in range(ATTEMPTS):
            try:
                return request()
            except SharedContextError:
                raise
            except Exception as error:
                if self._closed:  # by another thread, whatever that did to this one's connection
                    raise self.closed() from error
                if attempt + 1 == ATTEMPTS or not _may_pass(error):
                    raise self.translate(error) from error
            time.sleep(_PAUSES[attempt])
        raise AssertionError("every attempt returns or raises")

    def script(self, source: Source, base: bytes, *args: Any) -> Any:
        """Run a script in the server, loading it where the server does not have it (any more)."""
        for command in ("EVALSHA", "EVAL"):
            try:
                if self.address.clustered:
                    return self._in_cluster(command, source, base, args)
                (reply,) = self.replies(self._sender(command, source, base, args))
                if isinstance(reply, Exception):
                    raise reply
                return reply
            except Exception as error:
                if command == "EVAL" or type(error).__name__ != "NoScriptError":
                    raise
                self._runs.clear()
        raise AssertionError("the second command returns or raises")

    def named(self, command: str, source: Source, run: str) -> tuple[str, str]:
        """The words that begin a command which runs a script, by its name (EVALSHA) or its text, in that run."""
        text = source if isinstance(source, str) else source(run)
        return command, text if command == "EVAL" else self._hash(text)

    def _sender(
        self, command: str, source: Source, base: bytes, args: Sequence[Any]
    ) -> Callable[[str], list[tuple[Any, ...]]]:
        return lambda run: [(*self.named(command, source, run), 1, base, *args)]

    def _in_cluster(self, command: str, source: Source, base: bytes, args: Sequence[Any]) -> Any:
        run = ""
        if not isinstance(source, str):
            node = self.client.get_node_from_key(base)
            run = self._runs.get(node.name, "")
            if not run:
                told = self.client.execute_command("INFO", "server", "replication", target_nodes=node)
                run = self._runs[node.name] = wire.run_of(told)
        text = source if isinstance(source, str) else source(run)
        keys = declared(text, base, args)
        return self.client.execute_command(*self.named(command, in_cluster(text), run), len(keys), *keys, *args)

    def outcome(self, source: Source, base: bytes, *args: Any) -> Any:
        """Run a script once; where the server refuses it, return our error, and raise what may be sent again."""
        try:
            return self.script(source, base, *args)
        except Exception as error:
            if _may_pass(error):
                raise
            return self.translate(error)

    def replies(self, commands: Callable[[str], Sequence[tuple[Any, ...]]]) -> list[Any]:
        """Send commands to the one server in one go and return their replies, an error in the place of each refused.

        ``commands`` makes them for the run of the server that is connected to. On connections that are kept, without
        what the client does around every command: half of a command's time.
        """
        from redis.exceptions import ResponseError

        try:
            connection, run = self._kept.pop()
        except IndexError:
            connection, run = self.client.connection_pool.get_connection(), ""
        answered = False
        try:
            if not run:
                connection.send_command("INFO", "server", "replication")
                run = wire.run_of(connection.read_response())
            made = commands(run)
            connection.send_packed_command([b"".join(map(wire.packed, made))])
            found: list[Any] = []
            for _ in made:
                try:
                    found.append(connection.read_response())
                except ResponseError as error:
                    found.append(error)
            answered = True
            return found
        finally:
            self._kept.append((connection, run))
            if not answered:  # what is still to come is no reply to the next command; and the others may be dead too
                self._give_back()

    def _give_back(self) -> None:
        """Hand the kept connections, closed, to the pool, which asks sentinels anew whom to connect to."""
        self._runs.clear()
        with contextlib.suppress(IndexError):  # until none is left, whoever took it
            while True:
                connection, _ = self._kept.pop()
                connection.disconnect()
                self.client.connection_pool.release(connection)

    def closed(self) -> BackendUnavailable:
        """What is said to those who ask after the close."""
        return BackendUnavailable(f"the store {self.address} is closed: open it again")

    def close(self) -> None:
        """Close all connections; who waits on one is told ``closed``."""
        self._closed = True
        self._give_back()
        self.client.close()

    def _hash(self, source: str) -> str:
        if source not in self._hashes:
            import hashlib

            self._hashes[source] = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
        return self._hashes[source]

    def foreign(self) -> ConfigError:
        """The error for keys that hold what is not ours."""
        return ConfigError(f"{self.address} holds keys of another program under our prefix: choose another ?prefix=")

    def translate(self, error: BaseException) -> SharedContextError:
        """Return our error for one of redis-py, with what to do about it."""
        from redis.exceptions import ClusterError, MovedError, RedisClusterException, RedisError, ResponseError
        from redis.sentinel import MasterNotFoundError

        where, text = str(self.address), str(error)
        if isinstance(error, SharedContextError):
            return error
        if not isinstance(error, RedisError | RedisClusterException | OSError):
            raise error
        if isinstance(error, MasterNotFoundError):  # whose text shows objects
            return BackendUnavailable(
                f"{where} cannot be reached: none of these sentinels answers and knows a primary that runs by the name "
                f"{self.address.primary!r}"
            )
        if isinstance(error, ClusterError) and "TTL exhausted" in text:
            return BackendUnavailable(
                f"{where} is moving this session from one of its nodes to another; nothing was done: repeat it later"
            )
        if "cluster mode" in text.lower() or "cluster support disabled" in text:
            return ConfigError(f"{where} is no cluster ({text}): use redis:// for a single server")
        if isinstance(error, MovedError):
            return ConfigError(f"{where} is a node of a cluster: use redis+cluster://")
        word = text.split(" ", 1)[0].rstrip(":")
        if word == "OOM" or "maxmemory" in text:
            return DiskFull(f"{where} has no memory left (maxmemory): what it holds can be read; free some or raise it")
        if word == "MISCONF":
            return DiskFull(f"{where} cannot persist what it holds and takes no writes: {text}")
        if word == "READONLY" or "read only replica" in text:
            return BackendUnavailable(f"{where} is a read-only replica: use the primary's address, or its sentinels'")
        if word in ("WRONGPASS", "NOAUTH") or any(part in text for part in _LOCKED):
            return BackendUnavailable(f"{where} refuses this user or password: correct them in the address")
        if word == "NOPERM" or "no permissions" in text:
            return BackendUnavailable(f"{where} does not permit this user what is needed ({text}): extend its ACL")
        if "WRONGTYPE" in text:
            return self.foreign()
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return BackendUnavailable(
                f"{where} shows a certificate that is not trusted ({text}): name its authority with "
                "?ssl_ca_certs=FILE, and the host as the certificate does"
            )
        if isinstance(error, ResponseError) and not isinstance(error, RedisClusterException):
            return BackendUnavailable(f"{where} refused a request ({text}): `sharedctx doctor` looks for what is wrong")
        cure = "is the server running?"
        if ("closed" in text or "reset" in text) and not self.address.secure:
            cure += " Does its port want TLS (rediss://)?"
        if "connecting" in text and "imeout" in text and self.address.secure:
            cure += " Does its port speak TLS (else redis://)?"
        return BackendUnavailable(f"{where} cannot be reached or does not answer ({text}): {cure}")


def _may_pass(error: Exception) -> bool:
    """Whether the same request may be answered a moment later."""
    from redis.exceptions import (
        AuthenticationError,
        AuthorizationError,
        BusyLoadingError,
        ClusterError,
        ConnectionError,
        TimeoutError,
        TryAgainError,
    )

    passing = ConnectionError | TimeoutError | BusyLoadingError | TryAgainError | ClusterError | OSError
    return isinstance(error, passing) and not isinstance(error, AuthenticationError | AuthorizationError)
