"""``sharedctx demo``: run the agents, show their progress, check everything, print what it cost."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import sharedctx
from sharedctx.errors import ConfigError, Internal
from sharedctx_cli.display import show, table
from sharedctx_cli.target import Target

from . import figures, material, report
from .agents.writer_agent import ROUNDS
from .cast import COLLECTOR, READERS, WRITERS, Member
from .checks import Evidence, verify
from .display import Display
from .stage import Stage

_STUDIED = 8
_SHARE = 3


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--report", "page", type=click.Path(dir_okay=False, path_type=Path), help="Where the HTML report goes.")
@click.pass_obj
def demo(target: Target, paths: tuple[str, ...], page: Path | None) -> None:
    """Let agents of every installed framework work on real files through one session, each in a process of its own.

    They read this project's sources, its git log and the run's own log, or the files of PATH. Each is given compressed
    views, expands what it needs, and reads what another framework's agent stored; two writers compete for one key; the
    LangGraph graph is killed and resumes. Exits 1 when a check fails. Models are scripted: no key is needed.
    """
    folder = Path(tempfile.mkdtemp(prefix="sharedctx-demo-"))
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that nothing is left behind
    try:
        kept = _run(target, paths, folder, page)
    finally:
        signal.signal(signal.SIGTERM, before)
        for inner in folder.iterdir():
            if inner.name != "report.html":
                shutil.rmtree(inner) if inner.is_dir() else inner.unlink()
        if not any(folder.iterdir()):
            folder.rmdir()
    sys.exit(0 if kept else 1)


def _run(target: Target, paths: tuple[str, ...], folder: Path, page: Path | None) -> bool:
    address = target.address or str(folder / "store")
    if address.startswith("memory:"):
        raise ConfigError(f"{address} is of one process, and the demo runs several: name a directory, or nothing")
    session = f"demo-{int(time.time())}-{folder.name[-6:]}"
    with sharedctx.open(address) as store:  # what cannot be reached is told before anybody plays
        store.sessions()
    started = time.monotonic()
    files, skipped = material.gather(paths)
    if not paths and material.git_log(folder / "git.log"):
        files["source/git.log"] = folder / "git.log"
    readers = [each for each in READERS if each.missing is None]
    missing = [each for each in READERS if each.missing is not None]
    with Display(hidden=target.as_json) as display:
        stage = Stage(folder, address, session, folder / "run.log", display)
        _play(stage, files, readers)
    with sharedctx.open(address) as store:
        context = store.session(session)
        conflicts = sum(report.get("conflicts", 0) for report in stage.reports)
        stored = {report["stored"]: report["digest"] for report in stage.reports if "stored" in report}
        skipped += sum("left_out" in report for report in stage.reports)
        handed = figures.handovers(context, readers)
        checks = verify(
            Evidence(context, stored, readers, stage.failed, conflicts, stage.deaths, lines=len(WRITERS) * ROUNDS)
        )
        written = figures.writes(context)
        told = report.Told(
            handovers=handed,
            writes=written,
            checks=checks,
            deaths=stage.deaths,
            missing=missing,
            conflicts=conflicts,
            files=len(stored),
            seconds=time.monotonic() - started,
            counter=context.settings.count_tokens.name,
        )
        place = page or folder / "report.html"
        place.write_text(report.page(context, told), "utf-8")
    _emit(target, told, session, skipped, place, stage.failed)
    return all(check.kept for check in checks)


def _play(stage: Stage, files: dict[str, Path], readers: Sequence[Member]) -> None:
    """Store the files, then the log of that; then let all others work at once."""
    stage.run([(COLLECTOR, {"files": {key: str(path) for key, path in files.items()}})])
    kept = stage.log.with_name("collector.log")
    shutil.copy(stage.log, kept)
    files["source/run.log"] = kept
    stage.run([(COLLECTOR, {"files": {"source/run.log": str(kept)}})])
    stored = [report["stored"] for report in stage.reports if "stored" in report]
    if not stored:
        raise Internal(f"no file could be stored: {stage.failed.get(COLLECTOR.role, 'none could be read any more')}")
    largest = sorted(stored, key=lambda key: (-files[key].stat().st_size, key))
    parts: list[tuple[Member, dict[str, Any]]] = [(each, {}) for each in WRITERS]
    for at, member in enumerate(readers):
        setup: dict[str, Any] = {"upstream": f"report/{readers[at - 1].role}"}
        if member.role == "analyst":
            setup["sources"] = stored
        elif member.role == "langgraph":
            setup["sources"] = largest[:_STUDIED]
            setup["dies_at"] = min(_STUDIED, len(largest)) // 2
        else:
            first = (at * _SHARE) % len(largest)
            setup["sources"] = (largest + largest)[first : first + min(_SHARE, len(largest))]
        parts.append((member, setup))
    stage.run(parts)


def _emit(
    target: Target, told: report.Told, session: str, skipped: int, place: Path, failed: Mapping[str, str]
) -> None:
    every = figures.total(told.handovers)
    if target.as_json:
        click.echo(
            json.dumps(
                {
                    "session": session,
                    "files": told.files,
                    "files_skipped": skipped,
                    "replay_tokens": every.replay_tokens,
                    "served_tokens": every.served_tokens,
                    "saved_percent": every.saved_percent,
                    "expanded": every.expanded,
                    "handovers": figures.as_json(told.handovers),
                    "versions": len(told.writes),
                    "conflicts_caught": told.conflicts,
                    "killed": [death._asdict() for death in told.deaths],
                    "failed": dict(failed),
                    "not_installed": {each.role: each.cure for each in told.missing},
                    "counter": told.counter,
                    "seconds": round(told.seconds, 1),
                    "report": str(place),
                    "checks": {check.promise: check.kept for check in told.checks},
                },
                ensure_ascii=False,
            )
        )
        return
    columns = ("agent", "calls", "full replay", "served", "saved", "expanded")
    table(columns, figures.as_rows(told.handovers), headed=True)
    skips = f", {skipped:,} unreadable, larger or further ones left out" if skipped else ""
    show(
        f"{told.files:,} files{skips}; {len(told.writes):,} versions; tokens counted with {told.counter}; "
        f"{told.seconds:.1f} s"
    )
    for check in told.checks:
        show(f"{'ok  ' if check.kept else 'FAIL'} {check.promise}")
    for role, why in failed.items():
        show(f"FAIL {role}: {why}")
    for each in told.missing:
        show(f"skip {each.title} (not installed): {each.cure}")
    show(f"report: {place}")
