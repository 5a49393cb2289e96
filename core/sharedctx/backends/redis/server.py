"""What the server says of itself: version, clock, whether it keeps what it acknowledges; and the store's own id."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Final

from ...errors import BackendUnavailable, ConfigError
from . import wire
from .calls import Calls

_FORMAT: Final = 1
_LEAST: Final = 7


def check(calls: Calls, durable: bool) -> None:
    """Raise ``ConfigError`` unless the server is new enough, and keeps every acknowledged write if it has to."""
    for info in calls.ask_all("info", "server"):
        version = str(info.get("redis_version", "0"))
        if int(version.split(".")[0]) < _LEAST:
            raise ConfigError(f"{calls.address} is Redis {version}: sharedctx needs {_LEAST} or later, or Valkey")
    if durable and (evicting := _evicting(calls)):
        raise ConfigError(f"{calls.address} {evicting[0]}: set it to noeviction, or leave durable=True out")
    if durable and (found := _settings(calls)) is not None and not found[0]:
        raise ConfigError(
            f"{calls.address} acknowledges writes before they lie on disk ({found[1]}): set appendonly yes and "
            "appendfsync always, or leave durable=True out"
        )


def identify(calls: Calls) -> str:
    """Return the store's id, made on first use; raises ``ConfigError`` for a store of a newer format."""
    key = wire.own(calls.address.prefix)
    form, own = calls.ask("hmget", key, "format", "id")
    if not form or not own:
        calls.ask("hsetnx", key, "format", _FORMAT)
        calls.ask("hsetnx", key, "id", os.urandom(16).hex())
        form, own = calls.ask("hmget", key, "format", "id")
    if not form.isdigit():
        raise calls.foreign()
    if int(form) > _FORMAT:
        raise ConfigError(
            f"{calls.address} holds a store of format {int(form)}, this sharedctx reads {_FORMAT}: upgrade"
        )
    return str(own.decode())


def now(calls: Calls, key: bytes) -> float:
    """Return the server's clock, or the mark that it must not fall behind."""
    seconds, micros = calls.ask("time")
    return max(int(seconds) + int(micros) / 1e6, mark(calls, key))


def mark(calls: Calls, key: bytes) -> float:
    """Return the latest time at which something was found expired."""
    try:
        return float(calls.ask("get", key) or 0.0)
    except ValueError:
        raise calls.foreign() from None


def describe(calls: Calls) -> dict[str, Any]:
    """Return durability, bytes and version; of a cluster those of all its primaries, and the least durable."""
    told = calls.ask_all("info", "server")
    found = _settings(calls)
    kept = "not known: the server does not show its settings" if found is None else found[1]
    facts = {
        "durability": "; ".join([kept, *(f"it {evicting}" for evicting in dict.fromkeys(_evicting(calls)))]),
        "bytes": sum(int(each.get("used_memory", 0)) for each in calls.ask_all("info", "memory")),
        "server": ", ".join(sorted({_version(each) for each in told})),
        "role": ", ".join(sorted({str(each.get("role", "")) for each in calls.ask_all("info", "replication")})),
    }
    return facts | ({"nodes": len(told)} if calls.address.clustered else {})


def faults(calls: Calls) -> list[str]:
    """Return what the server tells of its persistence and memory that is wrong, each fault once."""
    found = []
    for facts in calls.ask_all("info", "persistence"):
        for name, what in (
            ("aof_last_write_status", "the last write to its append-only file failed"),
            ("aof_last_bgrewrite_status", "the last rewrite of its append-only file failed"),
            ("rdb_last_bgsave_status", "the last snapshot failed"),
        ):
            if facts.get(name, "ok") != "ok":
                found.append(f"{calls.address}: {what}: see the server's log")
    found += [f"{calls.address}: it {evicting}: set it to noeviction" for evicting in _evicting(calls)]
    return list(dict.fromkeys(found))


def _evicting(calls: Calls) -> list[str]:
    """What is said of servers that make room for what is new."""
    policies = (
        str(facts.get("maxmemory_policy", "noeviction"))
        for facts in calls.ask_all("info", "memory")
        if int(facts.get("maxmemory", 0))
    )
    return [
        f"removes rows when it is full (maxmemory-policy {policy})" for policy in policies if policy != "noeviction"
    ]


def _version(info: dict[str, Any]) -> str:
    return f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info.get('redis_version', '?')}"


def _settings(calls: Calls) -> tuple[bool, str] | None:
    """Whether a power cut loses nothing, and what is lost in words, of the server that keeps least; None where one does
    not say."""
    nodes: list[dict[str, str]] = []
    with contextlib.suppress(BackendUnavailable):
        for name in ("appendonly", "appendfsync", "save"):
            replies = calls.ask_all("config_get", name)
            nodes = nodes or [{} for _ in replies]
            for node, reply in zip(nodes, replies, strict=False):
                node |= {str(key): str(value) for key, value in reply.items()}
    if not nodes or not all("appendonly" in node for node in nodes):
        return None
    kept, _, told = min(map(_kept, nodes))
    return kept, told


def _kept(settings: dict[str, str]) -> tuple[bool, int, str]:
    """Whether a power cut loses nothing, how little else it loses, and that in words."""
    if settings["appendonly"] != "yes":
        snapshots = settings.get("save")
        if snapshots:
            return False, 1, f"snapshots only (save {snapshots!r})"
        return False, 0, "none: gone when the server stops"
    match settings.get("appendfsync"):
        case "always":
            return True, 4, "append-only file, flushed at every write"
        case "everysec":
            return False, 3, "append-only file, flushed every second: a power cut loses up to a second or two"
    return False, 2, "append-only file, flushed when the system likes"
