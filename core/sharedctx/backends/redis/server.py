"""What the server says of itself: version, clock, whether it keeps what it acknowledges; and the store's own id."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Final

from ...errors import BackendUnavailable, ConfigError
from .calls import Calls

_FORMAT: Final = 1
_LEAST: Final = 7


def check(calls: Calls, durable: bool) -> None:
    """Raise ``ConfigError`` unless the server is new enough, and keeps every acknowledged write if it has to."""
    info = _info(calls, "server")
    version = str(info.get("redis_version", "0"))
    if int(version.split(".")[0]) < _LEAST:
        raise ConfigError(f"{calls.address} is Redis {version}: sharedctx needs {_LEAST} or later, or Valkey")
    if durable and (found := _settings(calls)) is not None and not found[0]:
        raise ConfigError(
            f"{calls.address} acknowledges writes before they lie on disk ({found[1]}): set appendonly yes and "
            "appendfsync always, or leave durable=True out"
        )


def identify(calls: Calls) -> str:
    """Return the store's id, made on first use; raises ``ConfigError`` for a store of a newer format."""
    key = f"{calls.address.prefix}:store"

    form, own = calls.ask("hmget", key, "format", "id")
    if not form or not own:
        calls.ask("hsetnx", key, "format", _FORMAT)
        calls.ask("hsetnx", key, "id", os.urandom(16).hex())
        form, own = calls.ask("hmget", key, "format", "id")
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
    return float(calls.ask("get", key) or 0.0)


def describe(calls: Calls) -> dict[str, Any]:
    """Return durability, bytes and version."""
    facts = {**_info(calls, "server"), **_info(calls, "memory"), **_info(calls, "replication")}
    found = _settings(calls)
    return {
        "durability": "not known: the server does not show its settings" if found is None else found[1],
        "bytes": int(facts.get("used_memory", 0)),
        "server": f"Valkey {facts['valkey_version']}"
        if "valkey_version" in facts
        else f"Redis {facts['redis_version']}",
        "role": str(facts.get("role", "")),
    }


def faults(calls: Calls) -> list[str]:
    """Return what the server tells of its persistence and memory that is wrong."""
    found = []
    facts = _info(calls, "persistence")
    for name, what in (
        ("aof_last_write_status", "the last write to its append-only file failed"),
        ("aof_last_bgrewrite_status", "the last rewrite of its append-only file failed"),
        ("rdb_last_bgsave_status", "the last snapshot failed"),
    ):
        if facts.get(name, "ok") != "ok":
            found.append(f"{calls.address}: {what}: see the server's log")
    facts = _info(calls, "memory")
    policy = str(facts.get("maxmemory_policy", "noeviction"))
    if int(facts.get("maxmemory", 0)) and policy != "noeviction":
        found.append(
            f"{calls.address}: it removes rows when it is full (maxmemory-policy {policy}): set it to noeviction"
        )
    return found


def _info(calls: Calls, section: str) -> dict[str, Any]:
    reply = calls.ask("info", section)
    if reply and all(isinstance(each, dict) for each in reply.values()) and calls.address.clustered:
        reply = next(iter(reply.values()))
    return dict(reply)


def _settings(calls: Calls) -> tuple[bool, str] | None:
    """Whether a power cut loses nothing, and what is lost in words; None where the server does not say."""
    settings: dict[str, str] = {}
    with contextlib.suppress(BackendUnavailable):
        for name in ("appendonly", "appendfsync", "save"):
            reply = calls.ask("config_get", name)
            settings |= {str(key): str(value) for key, value in reply.items()}
    if "appendonly" not in settings:
        return None
    if settings["appendonly"] != "yes":
        snapshots = settings.get("save")
        return False, f"snapshots only (save {snapshots!r})" if snapshots else "none: gone when the server stops"
    match settings.get("appendfsync"):
        case "always":
            return True, "append-only file, flushed at every write"
        case "everysec":
            return False, "append-only file, flushed every second: a power cut loses up to a second or two"
    return False, "append-only file, flushed when the system likes"
