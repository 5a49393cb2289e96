"""Commands on versions: history, diff, rollback, watch."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime

import click

from .completion import KEY, KEY_VERSION
from .target import Target, key_version


@click.command()
@click.argument("key", type=KEY)
@click.option("--limit", type=int, default=20, show_default=True, help="At most so many.")
@click.pass_obj
def history(target: Target, key: str, limit: int) -> None:
    """List a key's versions, newest first."""
    with target.store() as store:
        context = target.context(store)
        found = context.history(key, limit)
        if not found:
            target.missing(context, key)
        rows = []
        for entry in found:
            when = datetime.fromtimestamp(entry.timestamp, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
            rows.append((f"v{entry.version}", when, entry.kind, f"{entry.size} B", entry.agent or "-", entry.note))
        listed = [entry.to_dict(tokens=False) for entry in found]
        target.emit_table(listed, ("version", "time", "kind", "size", "writer", "note"), rows)


@click.command()
@click.argument("old", type=KEY_VERSION, metavar="KEY@A")
@click.argument("new", type=KEY_VERSION, metavar="KEY@B")
@click.pass_obj
def diff(target: Target, old: str, new: str) -> None:
    """Show how KEY@B differs from KEY@A."""
    (key, a), (other, b) = key_version(old), key_version(new)
    if key != other:
        raise click.UsageError(f"{old!r} and {new!r} are different keys: compare two versions of one")
    with target.store() as store:
        context = target.context(store)
        with target.looking_for(context, key):
            change = context.diff(key, a, b)
        text = change if isinstance(change, str) else "\n".join(json.dumps(step, ensure_ascii=False) for step in change)
        target.emit({"key": key, "from": a, "to": b, "diff": change}, text.rstrip("\n"))


@click.command()
@click.argument("key_at_version", type=KEY_VERSION, metavar="KEY@VERSION")
@click.pass_obj
def rollback(target: Target, key_at_version: str) -> None:
    """Write the value of KEY@VERSION as the newest version."""
    key, version = key_version(key_at_version)
    with target.store() as store:
        context = target.context(store)
        with target.looking_for(context, key):
            entry = context.rollback(key, version)
        target.emit(entry.to_dict(), f"{key} v{entry.version} has the value of v{version}")


@click.command()
@click.option("--from-rev", type=int, metavar="N", help="From this revision on; default: from now.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Stop after so many quiet seconds.")
@click.pass_obj
def watch(target: Target, from_rev: int | None, timeout: float | None) -> None:
    """Print changes of the session as they are committed."""
    with target.store(make=True) as store:
        try:
            for event in target.context(store).watch(from_rev, timeout):
                text = f"{event.rev}  {event.op}  {event.key} v{event.version}  {event.agent or '-'}"
                target.emit(asdict(event), text)
                sys.stdout.flush()
        except KeyboardInterrupt:
            return
