"""docs/benchmarks.md and the README's picture, all of it: every benchmark, run here and now.

python tests/bench/page.py [--quick] [--only NAME]...

A benchmark that fails leaves its part of the page as it was, and this command exits with 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"


class Bench(NamedTuple):
    """A benchmark: its script's name and arguments, and whether it writes its part of the page itself."""

    name: str
    title: str
    arguments: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    writes: bool = False


BENCHES = (
    Bench("core", "Puts, gets, histories, crowds, event loops", ("--markdown", str(PAGE)), ("--quick",), True),
    Bench("views", "Views", ("--rivals", "--markdown", str(PAGE)), ("--quick",), True),
    Bench("handover", "Windows, packets, staleness, ledger"),
    Bench("evolution", "Evolution contexts"),
    Bench("servers", "Redis and Valkey"),
    Bench("checkpoints", "LangGraph's checkpoints", (), ("--quick",)),
    Bench("memories", "LangGraph's store", (), ("--quick",)),
    Bench("crewai_memory", "CrewAI's memory beside LanceDB"),
    Bench("openai_agents", "Hand-offs and sessions of the OpenAI Agents SDK"),
    Bench("langchain_agents", "An agent of LangChain over ten calls"),
    Bench("server", "The context server beside a bare echo"),
    Bench("picture", "The README's picture", (str(ROOT / "docs" / "measured.svg"),), ("--quick",), True),
)


def run(bench: Bench, quick: bool) -> str | None:
    """Run one and return what it printed; None when it failed, which is told."""
    command = [sys.executable, "-W", "ignore", str(HERE / f"{bench.name}.py"), *bench.arguments]
    command += bench.quick if quick else ()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "110"})
    if done.returncode:
        print(f"{bench.name} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
        return None
    return done.stdout


def keep(bench: Bench, printed: str) -> None:
    """Put what a benchmark printed into its part of the page, which is made where there is none."""
    begin, end = f"<!-- {bench.name}: begin -->", f"<!-- {bench.name}: end -->"
    page = PAGE.read_text("utf-8")
    if begin not in page:
        script = f"```sh\n.venv/bin/python tests/bench/{bench.name}.py\n```"
        page = f"{page.rstrip()}\n\n## {bench.title}\n\n{script}\n\n{begin}\n{end}\n"
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    body = printed.strip("\n").replace("```", "'''")
    PAGE.write_text(f"{head}{begin}\n\n```text\n{body}\n```\n\n{end}{tail}", "utf-8")


def main() -> None:
    """Run all, one after the other."""
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("--quick", action="store_true", help="a first look, where a benchmark has one")
    words.add_argument("--only", action="append", choices=[bench.name for bench in BENCHES], metavar="NAME")
    asked = words.parse_args()
    failed = False
    for bench in BENCHES:
        if asked.only and bench.name not in asked.only:
            continue
        since = time.monotonic()
        printed = run(bench, asked.quick)
        print(f"{bench.name}: {'failed' if printed is None else 'done'}, {time.monotonic() - since:.0f} s", flush=True)
        if printed is None:
            failed = True
        elif not bench.writes:
            keep(bench, printed)
    sys.exit(failed)


if __name__ == "__main__":
    main()
