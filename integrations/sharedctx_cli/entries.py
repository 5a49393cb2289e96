"""Commands on entries: ls, get, put, expand, rm, erase."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import click

from sharedctx import ContextEntry, SharedContext
from sharedctx.errors import ConfigError, DecodeError, InvalidValue, KeyNotFound

from .completion import KEY
from .display import show
from .target import Target, key_version, names_version


@click.command()
@click.argument("prefix", default="")
@click.pass_obj
def ls(target: Target, prefix: str) -> None:
    """List live keys with version, size and writer."""
    with target.store() as store:
        context = target.context(store)
        entries = [entry for key in context.keys(prefix) if (entry := _entry(context, key)) is not None]
        rows = [
            (entry.key, f"v{entry.version}", entry.kind, f"{entry.size} B", entry.agent or "-") for entry in entries
        ]
        listed = [entry.to_dict(tokens=False) for entry in entries]
        target.emit_listing(store, listed, ("key", "version", "kind", "size", "writer"), rows)


def _entry(context: SharedContext, key: str) -> ContextEntry | None:
    """The live entry; a damaged one as history tells it, so that it hides no other."""
    try:
        return context.get_entry(key)
    except DecodeError:
        return next(iter(context.history(key, limit=1)), None)


@click.command()
@click.argument("key", type=KEY)
@click.option("--full", is_flag=True, help="The exact original instead of the view; bytes go out raw.")
@click.option("--version", type=int, help="An older version.")
@click.pass_obj
def get(target: Target, key: str, full: bool, version: int | None) -> None:
    """Print an entry's view, or with --full its original; KEY@VERSION is an older one."""
    with target.store() as store:
        context = target.context(store)
        entry = context.get_entry(key, version)
        if entry is None and version is None and names_version(key):  # a key of that very name comes first
            key, version = key_version(key)
            entry = context.get_entry(key, version)
        with target.looking_for(context, key):
            if entry is None:
                raise KeyNotFound(f"{key!r} has no live version" + (f" {version}" if version is not None else ""))
        value: Any = context.get(key, full=full, version=entry.version)
        if target.as_json:
            plain = base64.b64encode(value).decode() if isinstance(value, bytes) else value
            target.emit({**entry.to_dict(), "value": plain}, "")
        elif isinstance(value, bytes):
            sys.stdout.buffer.write(value)
        elif isinstance(value, str):
            show(value, newline=not full)
        else:
            show(json.dumps(value, ensure_ascii=False))


def _read(value: str) -> bytes:
    if value == "-":
        return sys.stdin.buffer.read()
    if value.startswith("@"):
        try:
            with open(value[1:], "rb") as file:
                return file.read()
        except OSError as error:
            raise ConfigError(f"cannot read {value[1:]}: {error.strerror}") from error
    return value.encode("utf-8", "surrogateescape")


def _typed(data: bytes, kind: str) -> Any:
    if kind == "bytes":
        return data
    try:
        text = data.decode()
        return json.loads(text) if kind == "json" else text
    except ValueError as error:
        raise InvalidValue(f"the value is not {kind} ({error}); choose another --type") from error
    except RecursionError:
        raise InvalidValue("the value is nested too deeply: flatten it, or put it as --type text") from None


@click.command()
@click.argument("key", type=KEY)
@click.argument("value")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["text", "json", "bytes"]),
    default="text",
    show_default=True,
    help="What VALUE is.",
)
@click.option("--expect", type=int, metavar="N", help="Only while version N is the live one (0: none).")
@click.option("--ttl", type=float, metavar="SECONDS", help="Seconds to live.")
@click.pass_obj
def put(target: Target, key: str, value: str, kind: str, expect: int | None, ttl: float | None) -> None:
    """Write VALUE (text, - for stdin, @FILE for a file) as the key's next version."""
    with target.store(make=True) as store:
        entry = target.context(store).put(key, _typed(_read(value), kind), expect=expect, ttl=ttl)
        saved = f"{entry.original_tokens} tokens, view {entry.compressed_tokens}"
        target.emit(entry.to_dict(), f"{entry.key} v{entry.version}: {saved}")


@click.command()
@click.argument("key", type=KEY)
@click.argument("ref", default="all")
@click.option("--max-tokens", type=int, metavar="N", help="At most so many, from 50 up; the rest by a reference.")
@click.pass_obj
def expand(target: Target, key: str, ref: str, max_tokens: int | None) -> None:
    """Print what a view left out: lines:12-40, rows:0-9, path:$.a[0], regex:..., query:..."""
    with target.store() as store:
        context = target.context(store)
        with target.looking_for(context, key):
            text = context.expand(key, ref, max_tokens=max_tokens)
        target.emit({"key": key, "ref": ref, "text": text}, text)


@click.command()
@click.argument("key", type=KEY)
@click.option("--expect", type=int, metavar="N", help="Only while version N is the live one.")
@click.pass_obj
def rm(target: Target, key: str, expect: int | None) -> None:
    """Remove the live value; its history stays."""
    with target.store() as store:
        context = target.context(store)
        with target.looking_for(context, key):
            version = context.delete(key, expect=expect)
        target.emit({"deleted": key, "previous_version": version}, f"deleted {key} v{version}; its history stays")


@click.command()
@click.argument("key", type=KEY)
@click.pass_obj
def erase(target: Target, key: str) -> None:
    """Remove a key with its whole history, for good."""
    with target.store() as store:
        context = target.context(store)
        with target.looking_for(context, key):
            count = context.erase(key)
        target.emit({"erased": key, "versions": count}, f"erased {key} with {count} versions")
