"""From a URL to a connection: one server, a primary that sentinels name, or a cluster; with or without TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

from ...errors import ConfigError
from ...extras import extra
from ..urls import parameters_of, parts_of

SCHEMES = ("redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel")
_PREFIX = "sharedctx"
_TIMEOUT = 5.0
_LONGEST = 1e6
_OPTIONS = ("client_name", "health_check_interval", "protocol", "sentinel_username", "sentinel_password")
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True)
class Address:
    """Where a store lies: ``hosts`` of (name, port), and what the rest of the URL says.

    ``redis://[user:password@]host[:port][/db]``, ``redis+cluster://host,host``,
    ``redis+sentinel://host:26379,host:26379/primary[/db]``; ``rediss`` for TLS. ``?prefix=`` names the store among
    others on the server (default "sharedctx"), ``?timeout=`` is the seconds that one answer may take (5);
    ``ssl_...``, ``socket_...``, ``client_name``, ``health_check_interval`` and ``protocol`` go to redis-py,
    ``sentinel_username`` and ``sentinel_password`` to sentinels that want them.
    """

    scheme: str
    hosts: tuple[tuple[str, int], ...]
    user: str | None
    password: str | None = field(repr=False)
    db: int
    primary: str
    prefix: str
    timeout: float
    options: dict[str, str] = field(repr=False)

    @staticmethod
    def parse(url: str) -> Address:
        """Read a URL; raises ``ConfigError``, which does not show the password."""
        parts = parts_of(url)
        if parts.scheme not in SCHEMES:
            raise ConfigError(f"{parts.scheme}:// is no address of a Redis: use one of {', '.join(SCHEMES)}")
        login, _, places = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        sentinel = parts.scheme.endswith("+sentinel")
        path = [unquote(piece) for piece in parts.path.split("/") if piece]
        query = parameters_of(parts)
        prefix = query.pop("prefix", _PREFIX)
        timeout = _seconds(query.pop("timeout", str(_TIMEOUT)))
        for name, value in query.items():
            if name in _FILES and not Path(value).is_file():
                raise ConfigError(f"{name} in the address names no file: {value!r}")
            if name not in _OPTIONS and not name.startswith(("ssl_", "socket_")):
                raise ConfigError(f"an address of a Redis has no parameter {name!r}: see docs/redis.md")
        if not prefix or set(prefix) & set("{}"):
            raise ConfigError(f"the prefix {prefix!r} is empty or has a brace: name it with letters and digits")
        if sentinel and not path:
            raise ConfigError("the address of sentinels needs the primary's name: redis+sentinel://host:26379/mymaster")
        primary = path.pop(0) if sentinel else ""
        if path and parts.scheme.endswith("+cluster"):
            raise ConfigError(f"a cluster has no databases: leave {'/' + path[0]!r} out, ?prefix= keeps stores apart")
        if len(path) > 1:
            raise ConfigError(f"the address of a Redis has {'/' + path[1]!r} after its database: leave it out")
        return Address(
            scheme=parts.scheme,
            hosts=tuple(_host(place, 26379 if sentinel else 6379) for place in places.split(",")),
            user=unquote(user) or None,
            password=unquote(password) or None,
            db=_database(path[0] if path else "0"),
            primary=primary,
            prefix=prefix,
            timeout=timeout,
            options=query,
        )

    def __str__(self) -> str:
        """The address without its password."""
        login = "" if self.user is None and self.password is None else f"{quote(self.user or '')}:***@"
        hosts = ",".join(f"{name}:{port}" for name, port in self.hosts)
        path = "/".join(piece for piece in (self.primary, str(self.db) if self.db else "") if piece)
        query = urlencode({"prefix": self.prefix}) if self.prefix != _PREFIX else ""
        return f"{self.scheme}://{login}{hosts}{'/' + path if path else ''}{'?' + query if query else ''}"

    @property
    def clustered(self) -> bool:
        """Whether keys are spread over several servers."""
        return self.scheme.endswith("+cluster")

    @property
    def secure(self) -> bool:
        """Whether it is spoken to by TLS."""
        return self.scheme.startswith("rediss")

    def connect(self) -> Any:
        """Return a client, which connects at its first use; it never sends anything again by itself."""
        with extra("redis", "a store on Redis"):
            import redis
            from redis.backoff import NoBackoff
            from redis.connection import URL_QUERY_ARGUMENT_PARSERS
            from redis.retry import Retry
        try:
            options = {name: URL_QUERY_ARGUMENT_PARSERS.get(name, str)(text) for name, text in self.options.items()}
            for name in ("socket_timeout", "socket_connect_timeout", "health_check_interval"):
                if not 0 <= options.get(name, 0) < _LONGEST:
                    raise ValueError(f"{name} {options[name]} is no number of seconds from 0 up")
        except ValueError as error:
            raise ConfigError(f"the address {self} has a parameter that cannot be read: {error}") from None
        asked = {
            name.removeprefix("sentinel_"): options.pop(name) for name in list(options) if name.startswith("sentinel_")
        }
        common: dict[str, Any] = {
            "socket_timeout": self.timeout,
            "socket_connect_timeout": self.timeout,
            **({"ssl": True} if self.secure else {}),
            **options,
        }
        settings = {
            "username": self.user,
            "password": self.password,
            "max_connections": 2**31,  # each watched session waits on one
            **common,
        }
        once = Retry(NoBackoff(), 0)
        try:
            if self.clustered:
                from redis.cluster import ClusterNode, RedisCluster

                nodes = [ClusterNode(name, port) for name, port in self.hosts]
                return RedisCluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 1), **settings)
            if self.primary:
                from redis.sentinel import Sentinel

                sentinels = Sentinel(list(self.hosts), sentinel_kwargs={"retry": once, **common, **asked})
                return sentinels.master_for(self.primary, db=self.db, retry=once, **settings)
            (name, port), *more = self.hosts
            if more:
                raise ConfigError(f"{self} names several servers: use redis+cluster:// or redis+sentinel://")
            return redis.Redis(name, port, db=self.db, retry=once, **settings)
        except TypeError as error:
            raise ConfigError(f"the address {self} has a parameter that redis-py does not know: {error}") from None


def _host(place: str, port: int) -> tuple[str, int]:
    name, colon, number = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        name, number = place, str(port)
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name.replace(":", "")
    if not bare or (bare != name and name[0] != "[") or not number.isdecimal() or not 0 < int(number) < 65536:
        raise ConfigError(f"{place!r} is not HOST:PORT: write, for example, localhost:{port}")
    return bare, int(number)


def _database(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise ConfigError(f"the database {text!r} in the address is no number from 0 up")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < _LONGEST:
        raise ConfigError(f"the timeout {text!r} in the address is no number above 0")
    return number
