"""Commands on a Redis of one's own: start, stop, status."""

from __future__ import annotations

from pathlib import Path

import click

from sharedctx.backends.redis.local import PORT, LocalServer

from .target import Target

_folder = click.option(
    "--dir", "folder", default=".sharedctx-redis", show_default=True, metavar="DIR", help="Where its files lie."
)


@click.group()
def redis() -> None:
    """Run a Redis or Valkey of your own on this machine, for several machines' worth of processes."""


@redis.command()
@_folder
@click.option(
    "--port", type=click.IntRange(1, 65535), help=f"Where it listens.  [default: that of the last time, or {PORT}]"
)
@click.pass_obj
def start(target: Target, folder: str, port: int | None) -> None:
    """Start a server on loopback that keeps what it holds in DIR, unless it runs; print its address."""
    server = LocalServer(Path(folder))
    ran = server.pid is not None
    url = server.start(port)
    target.emit({"url": url, "pid": server.pid, "started": not ran}, url)


@redis.command()
@_folder
@click.pass_obj
def stop(target: Target, folder: str) -> None:
    """Stop the server; what it holds stays in DIR."""
    stopped = LocalServer(Path(folder)).stop()
    target.emit({"stopped": stopped}, "stopped" if stopped else f"no server runs in {folder}")


@redis.command()
@_folder
@click.pass_obj
def status(target: Target, folder: str) -> None:
    """Tell whether the server runs; exits 1 when it does not."""
    server = LocalServer(Path(folder))
    pid = server.pid
    facts = {"running": pid is not None, "pid": pid, "url": server.url if pid is not None else None}
    target.emit(facts, f"{facts['url']} process {pid}" if pid is not None else f"no server runs in {folder}")
    if pid is None:
        raise click.exceptions.Exit(1)
