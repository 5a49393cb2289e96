"""``sharedctx langgraph``: look at threads, thin them out, bring them over from other savers."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from sharedctx.errors import BackendUnavailable, ConfigError, KeyNotFound, PackageNotInstalled

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def _age(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Read seconds, or a number with a unit: 90s, 15m, 12h, 30d, 2w."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw]?)", value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no age: write seconds, or 90s, 15m, 12h, 30d, 2w")
    return float(found[1]) * _UNITS[found[2] or "s"]


@click.group()
def group() -> None:
    """LangGraph's threads: list them, thin them out, import them."""


@group.command()
@click.pass_obj
def threads(target: Any) -> None:
    """List the threads with their checkpoints, writes and bytes."""
    from .saver import ContextSaver

    with target.store() as store:
        held = ContextSaver(store).threads()
    columns = ("thread", "checkpoints", "writes", "bytes")
    rows = [(thread, *(facts[name] for name in columns[1:])) for thread, facts in held.items()]
    target.emit_table([dict(zip(columns, row, strict=True)) for row in rows], columns, rows)


@group.command()
@click.option("--keep-last", type=click.IntRange(min=1), metavar="N", help="Keep the newest N of each namespace.")
@click.option("--max-age", callback=_age, metavar="AGE", help="Remove what is older: 90s, 15m, 12h, 30d, 2w.")
@click.option("--thread", "chosen", multiple=True, metavar="ID", help="Only this thread; repeatable.")
@click.option("--dry-run", is_flag=True, help="Say what would go, remove nothing.")
@click.pass_obj
def prune(target: Any, keep_last: int | None, max_age: float | None, chosen: tuple[str, ...], dry_run: bool) -> None:
    """Remove old checkpoints and expired threads; what the kept ones are rebuilt from stays."""
    from .saver import ContextSaver

    with target.store() as store:
        removed = ContextSaver(store).retain(
            keep_last=keep_last, max_age=max_age, thread_ids=list(chosen) or None, dry_run=dry_run
        )
    verb = "would remove" if dry_run else "removed"
    text = (
        f"{verb} {removed.checkpoints} checkpoints and {removed.writes} writes ({removed.bytes} bytes), "
        f"{removed.threads} threads whole; {removed.kept} checkpoints stay in threads that were thinned"
    )
    target.emit({**asdict(removed), "dry_run": dry_run}, text)


@group.command(name="import")
@click.argument("source")
@click.option("--thread", "chosen", multiple=True, metavar="ID", help="Only this thread; repeatable.")
@click.pass_obj
def import_(target: Any, source: str, chosen: tuple[str, ...]) -> None:
    """Copy threads from SOURCE: a file of the SQLite saver, a postgres:// address, or another sharedctx store."""
    from .saver import ContextSaver

    with target.store(make=True) as store, _opened(source) as other, _bar(hidden=target.as_json) as progress:
        done = ContextSaver(store).import_threads(other, thread_ids=list(chosen) or None, progress=progress)
    if missing := len(set(chosen)) - done.threads if chosen else 0:
        raise KeyNotFound(
            f"{missing} of the {len(set(chosen))} threads named are not in {source}; "
            f"{done.checkpoints} checkpoints of the others were imported"
        )
    text = f"imported {done.checkpoints} checkpoints and {done.writes} writes of {done.threads} threads"
    target.emit(done._asdict(), text)


@contextlib.contextmanager
def _bar(*, hidden: bool) -> Iterator[Any]:
    with click.progressbar(length=1, label="checkpoints", file=sys.stderr, hidden=hidden) as bar:

        def show(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield show


@contextlib.contextmanager
def _opened(source: str) -> Iterator[Any]:
    """Open the saver that a source names."""
    if source.startswith(("postgres://", "postgresql://")):
        with _package("langgraph-checkpoint-postgres", "a postgres:// address"):
            import psycopg
            from langgraph.checkpoint.postgres import PostgresSaver
        try:
            with PostgresSaver.from_conn_string(source) as postgres:
                yield postgres
        except psycopg.errors.UndefinedTable as error:
            raise ConfigError(f"the database holds no tables of the Postgres saver ({error}): name another") from error
        except psycopg.Error as error:
            raise BackendUnavailable(f"the Postgres server cannot be read ({error}): is it running?") from error
        return
    if source.startswith(("redis://", "rediss://", "dynamodb://", "disk://")):
        from .saver import ContextSaver

        with ContextSaver.from_url(source) as saver:
            yield saver
        return
    if os.path.isdir(source):
        from .saver import ContextSaver

        if not os.path.isfile(os.path.join(source, "cache.db")):
            raise ConfigError(f"there is no store in {source}: name another directory")
        with ContextSaver.from_path(source) as saver:
            yield saver
        return
    if not os.path.isfile(source):
        raise ConfigError(f"{source} is no file of the SQLite saver, no store and no postgres:// address")
    with _package("langgraph-checkpoint-sqlite", source):
        from langgraph.checkpoint.sqlite import SqliteSaver
    with contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, check_same_thread=False)) as con:
        sqlite = SqliteSaver(con)
        sqlite.is_setup = True  # it would write tables
        try:
            yield sqlite
        except sqlite3.Error as error:
            raise ConfigError(f"{source} is no file of the SQLite saver ({error}): name another") from error


@contextlib.contextmanager
def _package(name: str, source: str) -> Iterator[None]:
    """Import the official saver inside this block: where it is missing, say how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise PackageNotInstalled(f"{source} is read by {name}: pip install {name}", name=error.name) from error
