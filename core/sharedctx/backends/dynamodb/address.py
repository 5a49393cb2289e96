"""From a URL to a client of DynamoDB."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

from ...errors import ConfigError
from ...extras import extra
from ...forking import late_imports
from ..urls import parameters_of, parts_of

_PREFIX: Final = "sharedctx"
_TIMEOUT: Final = 5.0
_POLL: Final = 0.1
_KNOWN: Final = ("region", "endpoint", "profile", "prefix", "timeout", "poll")
_TABLE: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_CONNECTIONS: Final = 32


@dataclass(frozen=True)
class Address:
    """Where a store lies: ``dynamodb://TABLE[?region=..&endpoint=..&profile=..&prefix=..&timeout=..&poll=..]``.

    ``region`` and ``profile`` are those of AWS (default: its environment and files, which also hold the credentials),
    ``endpoint`` is the URL of another server that speaks DynamoDB. ``prefix`` names the store among others in the
    table (default "sharedctx"), ``timeout`` is the seconds that one answer may take (5), ``poll`` the most seconds
    between two looks for news while somebody waits (0.1).
    """

    table: str
    region: str | None
    endpoint: str | None
    profile: str | None
    prefix: str
    timeout: float
    poll: float

    @staticmethod
    def parse(url: str) -> Address:
        """Read a URL; raises ``ConfigError``."""
        parts = parts_of(url)
        if "@" in parts.netloc:
            raise ConfigError("credentials are no part of a dynamodb:// address: AWS's environment or files hold them")
        table = unquote(parts.netloc)
        if not _TABLE.fullmatch(table) or parts.path.strip("/"):
            raise ConfigError(
                f"{table + parts.path!r} is no name of a table: write dynamodb://my-table?region=eu-west-1"
            )
        query = parameters_of(parts)
        if odd := sorted(query.keys() - set(_KNOWN)):
            raise ConfigError(f"the address of {table!r} has the parameter {odd[0]!r}: there are {', '.join(_KNOWN)}")
        prefix = query.get("prefix", _PREFIX)
        if not _NAME.fullmatch(prefix):
            raise ConfigError(f"the prefix {prefix!r} is no name: use letters, digits, '.', '_' and '-'")
        endpoint = query.get("endpoint")
        if endpoint is not None and not _is_web(endpoint):
            raise ConfigError(f"the endpoint {endpoint!r} is no URL: write, for example, http://127.0.0.1:8000")
        return Address(
            table=table,
            region=query.get("region"),
            endpoint=endpoint,
            profile=query.get("profile"),
            prefix=prefix,
            timeout=_seconds("timeout", query.get("timeout"), _TIMEOUT),
            poll=_seconds("poll", query.get("poll"), _POLL),
        )

    def __str__(self) -> str:
        said = {"region": self.region, "endpoint": self.endpoint, "profile": self.profile}
        query = {name: value for name, value in said.items() if value}
        if self.prefix != _PREFIX:
            query["prefix"] = self.prefix
        return f"dynamodb://{quote(self.table)}{'?' + urlencode(query, safe=':/') if query else ''}"

    def connect(self) -> Any:
        """Return a client that sends nothing again by itself; raises ``ConfigError``, ``PackageNotInstalled``."""
        with late_imports, extra("dynamodb", "a store on DynamoDB"):
            import boto3
            import botocore.session
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        config = Config(
            connect_timeout=self.timeout,
            read_timeout=self.timeout,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=_CONNECTIONS,
        )
        try:
            core = botocore.session.Session(profile=self.profile)
            core.register_component("data_loader", _loader())
            session = boto3.session.Session(botocore_session=core, region_name=self.region)
            return session.client("dynamodb", endpoint_url=self.endpoint, config=config)
        except (BotoCoreError, ValueError) as error:  # no region, no such profile, an endpoint that is none
            raise ConfigError(f"the address {self} does not name a DynamoDB: {error}") from None


@cache
def _loader() -> Any:
    """What reads botocore's description of DynamoDB: once for all clients."""
    from botocore.loaders import Loader

    return Loader()


def _is_web(endpoint: str) -> bool:
    parts = parts_of(endpoint)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _seconds(what: str, text: str | None, usual: float) -> float:
    try:
        number = usual if text is None else float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise ConfigError(f"the {what} {text!r} in the address is no number above 0")
    return number
