"""``sharedctx crewai``: the memories of crews in any store; needs no crewai."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from sharedctx import SharedContext
from sharedctx.errors import KeyNotFound

from .address import ROOT
from .filters import Wanted, moment
from .shelf import Shelf

_SNIPPET = 60


def _records(context: SharedContext, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Stored records, newest first."""
    items = context.run(Shelf(context, {}).matching(wanted))
    for item in sorted(items, key=lambda item: moment(item.read_facts()[2]), reverse=True):
        data = context.get(item.key, full=True)
        if isinstance(data, dict) and "content" in data:
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
        target.emit_table(found, ("id", "scope", "categories", "content"), rows)


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
        if not places or (not history and shelf.index.find(record_id) is None):
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


def _text(record: dict[str, Any] | None) -> str:
    if record is None:
        return "deleted"
    facts = {name: record[name] for name in ("categories", "importance", "source", "created_at", "metadata")}
    return f"{record['content']}\n{json.dumps(facts, ensure_ascii=False)}"


@group.command()
@click.argument("query")
@click.option("--limit", type=int, default=10, show_default=True, help="At most so many.")
@click.pass_obj
def search(target: Any, query: str, limit: int) -> None:
    """Find memories by the words of QUERY."""
    with target.store() as store:
        hits = target.context(store).search(query, prefix=f"{ROOT}/", limit=limit)
        found = [{"key": hit.key, "version": hit.version, "score": hit.score, "snippet": hit.snippet} for hit in hits]
        rows = [(hit.key, hit.snippet) for hit in hits]
        target.emit_table(found, ("key", "snippet"), rows)


@group.command()
@click.argument("file", type=click.File("w", encoding="utf-8"), default="-")
@click.option("--scope", default="/", show_default=True, help="Only those below this one.")
@click.pass_obj
def export(target: Any, file: Any, scope: str) -> None:
    """Write the memories to FILE (- for the terminal), one JSON object a line."""
    with target.store() as store:
        for record in _records(target.context(store), Wanted.of(scope)):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
