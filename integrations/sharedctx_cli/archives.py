"""Commands on a session as a file: export, import."""

from __future__ import annotations

import click

from .display import waiting
from .target import Target


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.pass_obj
def export(target: Target, file: str) -> None:
    """Write the session to a new FILE: all versions, times and writers, grants, the rows of its audit log.

    With --as only what that participant may read.
    """
    with target.store() as store, waiting("exporting", hidden=target.as_json):
        made = target.context(store).export(file)
    target.emit(made._asdict(), f"{made.path}: {made.versions} versions of {made.keys} keys, {made.bytes} bytes")


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--to", metavar="ID", help="The session to make (default: as it was called).")
@click.option("--max-bytes", type=click.IntRange(1), metavar="N", help="What its values may take (default: 8 GiB).")
@click.pass_obj
def import_(target: Target, file: str, to: str | None, max_bytes: int | None) -> None:
    """Bring in a session from a FILE that export wrote; it is checked whole before anything is written."""
    with target.store(make=True) as store, waiting("importing", hidden=target.as_json):
        made = store.import_session(file, to, most_bytes=max_bytes)
    target.emit(made._asdict(), f"session {made.session}: {made.versions} versions of {made.keys} keys")
