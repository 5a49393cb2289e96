"""``sharedctx demo``: run the agents, show their progress, check everything, print what it cost."""

from __future__ import annotations

import json
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any

import click

import sharedctx
from sharedctx import SharedContext
from sharedctx.errors import ConfigError, SharedContextError

from ..display import progress, show
from ..target import Target
from . import material
from .agents import ROUNDS

HANDOVERS = 3


def _agent(role: str, address: str, session: str, log: Path, argument: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sharedctx_cli.demo.agents", role, address, session, str(log), argument]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _follow(label: str, agents: list[subprocess.Popen[str]], steps: int, quiet: bool) -> Counter[str]:
    """Show the agents' progress until they end; returns the sums of what they reported."""
    sums: Counter[str] = Counter()
    with (
        progress(label, steps, hidden=quiet) as advance,
        selectors.DefaultSelector() as waiting,
    ):
        for agent in agents:
            waiting.register(agent.stdout or sys.stdin, selectors.EVENT_READ)
        while waiting.get_map():
            for ready, _ in waiting.select():
                stream: IO[str] = ready.fileobj  # type: ignore[assignment]
                line = stream.readline()
                if not line:
                    waiting.unregister(stream)
                    continue
                sums.update({name: value for name, value in json.loads(line).items() if name != "step"})
                advance()
    for agent in agents:
        if agent.wait() != 0:
            sums["failed"] += 1
    return sums


def _checks(context: SharedContext, files: dict[str, Path], failed: int) -> dict[str, bool]:
    """Compare everything that was stored with what it came from, in this process, which wrote none of it."""
    whole = 0
    for key, path in files.items():
        value: Any = context.get(key, full=True)
        data = path.read_bytes()
        whole += (value.encode() if isinstance(value, str) else value) == data
    conclusions = context.get("conclusions", full=True) or []
    versions = [entry.version for entry in context.history("conclusions", limit=10 * ROUNDS)]
    return {
        "every agent finished": failed == 0,
        f"originals byte for byte: {whole} of {len(files)}": whole == len(files),
        f"no update lost: {len(conclusions)} of {2 * ROUNDS} conclusions": len(set(conclusions)) == 2 * ROUNDS,
        f"versions without gap: {len(versions)}": versions == list(range(2 * ROUNDS, 0, -1)),
    }


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.pass_obj
def demo(target: Target, paths: tuple[str, ...]) -> None:
    """Let agents in separate processes work on real files through one store.

    A collector stores what it reads (default: this project's sources, its git log and the run's own log); an analyst
    gets compressed views and expands what it needs; two writers compete for one key. Exits 1 when a check fails.
    """
    folder = Path(tempfile.mkdtemp(prefix="sharedctx-demo-"))
    try:
        ok = _run(target, paths, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if ok else 1)


def _run(target: Target, paths: tuple[str, ...], folder: Path) -> bool:
    address = target.address or str(folder / "store")
    if address.startswith("memory:"):
        raise ConfigError(f"{address} is of one process, and the demo runs several: name a directory, or nothing")
    session = f"demo-{int(time.time())}-{folder.name[-6:]}"
    log = folder / "run.log"
    started = time.monotonic()
    files, skipped = material.gather(paths)
    if not paths and material.git_log(folder / "git.log"):
        files["source/git.log"] = folder / "git.log"
    manifest = folder / "manifest.json"

    def collect(which: dict[str, Path]) -> Counter[str]:
        manifest.write_text(json.dumps({key: str(path) for key, path in which.items()}), "utf-8")
        agent = _agent("collector", address, session, log, str(manifest))
        return _follow("collector stores", [agent], len(which), target.as_json)

    sums = collect(files)
    shutil.copy(log, folder / "collector.log")
    files["source/run.log"] = folder / "collector.log"
    sums += collect({"source/run.log": files["source/run.log"]})
    sums += _follow("analyst reads", [_agent("analyst", address, session, log, "")], len(files), target.as_json)
    rivals = [_agent("writer", address, session, log, name) for name in ("one", "two")]
    sums += _follow("writers compete", rivals, 2 * ROUNDS + 2, target.as_json)

    with sharedctx.open(address) as store:
        context = store.session(session)
        try:
            checks = _checks(context, files, sums["failed"])
            checks[f"conflicts caught: {sums['conflicts']}"] = sums["conflicts"] > 0
        except SharedContextError as error:
            checks = {f"check stopped: {error.message}": False}
        keys = context.keys()
        counter = context.settings.count_tokens.name
        replay = HANDOVERS * sums["original_tokens"]
        figures = {
            "files": len(files),
            "files_skipped": skipped,
            "original_tokens": sums["original_tokens"],
            "replay_tokens": replay,
            "served_tokens": sums["served_tokens"],
            "saved_percent": round(100 * (1 - sums["served_tokens"] / replay), 1) if replay else 0.0,
            "expanded": sums["expanded"],
            "conflicts_caught": sums["conflicts"],
            "versions": sum(entry.version for key in keys if (entry := context.get_entry(key))),
            "counter": counter,
            "seconds": round(time.monotonic() - started, 1),
        }
    target.emit_table({**figures, "checks": checks}, ("figure", "value"), _rows(figures))
    if not target.as_json:
        for name, passed in checks.items():
            show(f"{'ok  ' if passed else 'FAIL'} {name}")
    return all(checks.values())


def _rows(figures: dict[str, Any]) -> list[tuple[str, str]]:
    named = {
        "files stored": f"{figures['files']:,}",
        "files skipped, over 4 MiB or 2,000 files": f"{figures['files_skipped']:,}",
        "tokens of the originals": f"{figures['original_tokens']:,}",
        f"tokens of full replay, {HANDOVERS} hand-overs": f"{figures['replay_tokens']:,}",
        "tokens served by views and expand": f"{figures['served_tokens']:,}",
        "saved": f"{figures['saved_percent']}%",
        "omissions expanded": f"{figures['expanded']:,}",
        "versions written": f"{figures['versions']:,}",
        "conflicts caught": f"{figures['conflicts_caught']:,}",
        "counted with": figures["counter"],
        "seconds": str(figures["seconds"]),
    }
    width = max(map(len, named.values()))
    return [(name, value.rjust(width)) for name, value in named.items()]
