"""Commands on the store: stats, sessions, doctor, backup, copy, keygen."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

import sharedctx
from sharedctx import copying
from sharedctx.backends.keyring import VARIABLE, generate
from sharedctx.errors import ConfigError

from .display import growing, waiting
from .target import Target


@click.command()
@click.pass_obj
def stats(target: Target) -> None:
    """Show the store's facts and the session's measured savings."""
    with target.store() as store:
        found = target.context(store).stats()
        data = {"store": store.stats(), "session": found.to_dict()}
        figures = {part: {name: facts[name] for name in facts if name != "served"} for part, facts in data.items()}
        rows = [(part, name, str(value)) for part, facts in figures.items() for name, value in facts.items()]
        for line in found.served:
            tokens = f"{line.served_tokens} of {line.replay_tokens} tokens"
            given = f" from {line.giver}" if line.giver else ""
            rows.append((line.participant or "-", f"{line.face} {line.kind}{given}", tokens))
        target.emit_table(data, ("of", "figure", "value"), rows)


@click.command()
@click.pass_obj
def sessions(target: Target) -> None:
    """List the sessions that hold anything."""
    with target.store() as store:
        found = store.sessions()
        target.emit(found, "\n".join(found))


@click.command()
@click.option("--repair", is_flag=True, help="Remove rows that other programs wrote into the store; back it up first.")
@click.pass_obj
def doctor(target: Target, repair: bool) -> None:
    """Check the storage and every stored version; exits 1 when something is wrong."""
    with target.store() as store:
        with waiting("checking", hidden=target.as_json):
            removed = store.repair() if repair else []
            faults = store.doctor()
        facts = store.stats()
        lines = [f"{name}: {value}" for name, value in facts.items()]
        lines += [f"removed: {each}" for each in removed]
        lines += faults or ["no fault found"]
        target.emit({"faults": faults, **({"removed": removed} if repair else {}), **facts}, "\n".join(lines))
        if faults:
            sys.exit(1)


@click.command()
@click.argument("directory")
@click.pass_obj
def backup(target: Target, directory: str) -> None:
    """Write a consistent copy of the store to a new DIRECTORY."""
    with target.store() as store:
        with waiting("copying", hidden=target.as_json):
            store.backup(directory)
        target.emit({"backup": directory}, f"copied to {directory}")


@click.command()
@click.argument("source")
@click.argument("destination", metavar="TARGET")
@click.pass_obj
def copy(target: Target, source: str, destination: str) -> None:
    """Copy the store SOURCE into TARGET (directories or URLs): all sessions, versions, times and writers.

    Both are compared at the end. Run it again to go on after an interruption, or to bring over what is new.
    """
    given = Target(source, target.session, None, target.as_json)
    if given.empty():
        raise ConfigError(f"there is no store in {source}: name the directory or URL of one")
    with given.store() as here, sharedctx.open(destination) as there:
        with growing("copying", hidden=target.as_json) as progress:
            done = copying.copy(here, there, progress)
        target.emit(asdict(done), f"{done.rows} rows of {done.spaces} spaces, {done.written} of them new: all equal")


@click.command()
@click.argument("name", default="key1")
@click.pass_obj
def keygen(target: Target, name: str) -> None:
    """Print a new key with the id NAME, to encrypt a new store with."""
    key = generate(name)
    target.emit({"key": key, "variable": VARIABLE}, key)
