"""``sharedctx crewai``: the memories of crews in any store; needs no crewai."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from sharedctx import SharedContext
from sharedctx.entries.arguments import check_limit
from sharedctx.errors import ConfigError, KeyNotFound
from sharedctx.search import FullText, Match, passages

from .filters import Wanted, moment
from .records import is_stored
from .shelf import Shelf

_SNIPPET = 60


def _records(context: SharedContext, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Stored records, newest first."""
    items = context.run(Shelf(context, {}).matching(wanted))
    for item in sorted(items, key=lambda item: moment(item.read_facts()[2]), reverse=True):
        data = context.get(item.key, full=True)
        if is_stored(data):
            yield {"key": item.key, "version": item.version, **data}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SNIPPET else line[: _SNIPPET - 1] + "…"


@click.group()
def group() -> None:
    """Memories of crewai's crews in this session."""


@group.command()
@click.argument("scope", default="/")
@click.option("--category", "categories", multiple=True, metavar="NAME", help="Only with this one, or one of several.")
@click.pass_obj
def ls(target: Any, scope: str, categories: tuple[str, ...]) -> None:
    """List the memories below SCOPE, newest first."""
    with target.store() as store:
        found = list(_records(target.context(store), Wanted.of(scope, categories)))
        rows = [(each["id"], each["scope"], ",".join(each["categories"]), _short(each["content"])) for each in found]
        target.emit_listing(store, found, ("id", "scope", "categories", "content"), rows)


@group.command()
@click.argument("record_id")
@click.option("--history", is_flag=True, help="All its versions, newest first.")
@click.pass_obj
def show(target: Any, record_id: str, history: bool) -> None:
    """Print a memory, or its history."""
    with target.store() as store:
        context = target.context(store)
        shelf = Shelf(context, {})
        context.run(shelf.index.sync())
        places = context.run(shelf.former.places(record_id))
        if not places or (not history and not shelf.index.find(record_id)):
            raise KeyNotFound(
                f"there is no memory {record_id!r} in session {context.session!r}: `crewai ls` lists them"
            )
        chosen = places[::-1] if history else places[-1:]
        found = [
            {
                "key": place.key,
                "version": place.number,
                "record": context.get(place.key, full=True, version=place.number),
            }
            for place in chosen
        ]
        lines = [f"{each['key']} v{each['version']}\n{_text(each['record'])}" for each in found]
        target.emit(found if history else found[0], "\n\n".join(lines))


def _text(record: Any) -> str:
    if record is None:
        return "deleted"
    if not is_stored(record):
        return record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)
    facts = {name: record[name] for name in ("categories", "importance", "source", "created_at", "metadata")}
    return f"{record['content']}\n{json.dumps(facts, ensure_ascii=False)}"


@group.command()
@click.argument("query")
@click.option("--limit", type=int, default=10, show_default=True, help="At most so many.")
@click.pass_obj
def search(target: Any, query: str, limit: int) -> None:
    """Find memories by the words of QUERY."""
    most = check_limit(limit)
    with target.store() as store:
        records = {record["key"]: record for record in _records(target.context(store), Wanted())}
    texts = FullText()
    pieces = {key: [piece.text for piece in passages(record["content"])] for key, record in records.items()}
    for key, piece in pieces.items():
        texts.put(key, piece)
    best: dict[str, Match] = {}
    for match in texts.search(query, max(1, sum(map(len, pieces.values())))):
        best.setdefault(match.name, match)
    matches = list(best.values())[:most]
    found = [{"score": match.score, **records[match.name]} for match in matches]
    shown = [_short(pieces[match.name][match.number]) for match in matches]
    rows = [(each["id"], each["scope"], text) for each, text in zip(found, shown, strict=True)]
    target.emit_table(found, ("id", "scope", "content"), rows)


@group.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="-")
@click.option("--scope", default="/", show_default=True, help="Only those below this one.")
@click.pass_obj
def export(target: Any, file: Path, scope: str) -> None:
    """Write the memories to FILE (- for the terminal), one JSON object a line."""
    with target.store() as store, _written(file) as out:
        for record in _records(target.context(store), Wanted.of(scope)):
            out.write(json.dumps(record, ensure_ascii=out.isatty()) + "\n")


@contextmanager
def _written(file: Path) -> Iterator[TextIO]:
    """A file that takes its place when all is written, so that one there before is lost for a whole one only."""
    if file == Path("-"):
        yield sys.stdout
        return
    try:
        handle, draft = tempfile.mkstemp(dir=file.absolute().parent, prefix=".export-")
        try:
            with open(handle, "w", encoding="utf-8") as out:
                yield out
            os.replace(draft, file)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        raise ConfigError(f"{str(file)!r} cannot be written ({error.strerror}): name a file elsewhere") from None
