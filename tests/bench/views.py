"""The views benchmark: tokens saved and facts kept, kind by kind, beside rivals.

python tests/bench/views.py [--rivals] [--corpus DIR --needles FILE] [--markdown docs/benchmarks.md] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from contestants import HEADROOM, LOSSLESS, RIVALS, STANDARD, Abroad, Contestant, Failed, ours
from facts import Item, given
from figures import Table, Target, number, replace_section
from finds import finds
from records import records
from scores import ANSWER, Answer, Scores, beaten, follow_up, follow_up_table, scored, speeds, table
from surroundings import installed, load, machine, moment
from transcripts import transcripts

from sharedctx.tokens import TokenCounter, counter


def options() -> argparse.Namespace:
    """Read the command line."""
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("--quick", action="store_true", help="one small item of every kind")
    words.add_argument("--corpus", type=Path, metavar="DIR", help="a folder with manifest.json instead of own material")
    words.add_argument("--needles", type=Path, metavar="FILE", help="the facts of that folder")
    words.add_argument("--seed", type=int, default=1, help="of the own material")
    words.add_argument("--rivals", action="store_true", help="install the rivals in environments of their own")
    words.add_argument("--cache", type=Path, metavar="DIR", help="where those are kept (default: the user's cache)")
    words.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    words.add_argument("--markdown", type=Path, metavar="FILE", help="replace the tables of that page")
    words.add_argument("--section", default="views", metavar="NAME", help="of that page (default: views)")
    asked = words.parse_args()
    if (asked.corpus is None) != (asked.needles is None):
        words.error("--corpus and --needles go together")
    return asked


def material(asked: argparse.Namespace) -> list[Item]:
    """The items of this run."""
    if asked.corpus is not None:
        return given(asked.corpus, asked.needles)
    scale, each = (0.1, 1) if asked.quick else (1.0, 3)
    return [*records(asked.seed, scale, each), *transcripts(asked.seed, scale, each), *finds(asked.seed, scale, each)]


def about(items: Sequence[Item], count: TokenCounter, own: bool) -> dict[str, str]:
    """What this run is of and happens in."""
    facts = {**moment(), "sharedctx": installed("sharedctx"), **machine()}
    if not count.name.startswith("estimate"):
        facts["quicktok-v1"] = installed("quicktok-v1")
    lookups = sum(not needle.critical for each in items for needle in each.needles)
    facts["material"] = f"{'own' if own else 'given'}, {len(items)} items"
    facts["characters"] = f"{sum(len(each.text) for each in items):,}"
    facts["tokens"] = f"{sum(count(each.text) for each in items):,}"
    facts["facts"] = f"{sum(len(each.needles) for each in items) - lookups} critical, {lookups} to look up"
    return facts


def contestants(asked: argparse.Namespace, facts: dict[str, str]) -> list[Contestant]:
    """Those of this process and the rivals that can be had; the others are told of in ``facts``."""
    found = ours()
    cache = asked.cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sharedctx-bench"
    for rival in RIVALS if asked.rivals else ():
        what = f"{rival.name}, {rival.package}"
        try:
            started = Abroad(rival, cache)
        except Failed as error:
            facts[what] = str(error)
        else:
            facts[what] = started.version
            found.append(started)
    return found


def compete(items: Sequence[Item], found: Sequence[Contestant], count: TokenCounter) -> dict[str, Scores]:
    """Let all contestants have every item, in turns."""
    scores = {contestant.name: Scores() for contestant in found}
    for each in items:
        for contestant in found:
            scores[contestant.name].each.append(scored(contestant, each, count))
    return scores


def targets(scores: dict[str, Scores], answers: Sequence[Answer]) -> list[Target]:
    """What the totals should be."""
    standard, lossless = scores[STANDARD], scores[LOSSLESS]
    wanted = [
        Target("standard, saved of all tokens", standard.saved, 75, " %", least=True),
        Target("standard, saved, mean of items", standard.mean_saved, 66, " %", least=True),
        Target("standard, critical facts shown", standard.recall(True) or 0, 97, " %", least=True),
        Target("lossless, saved of all tokens", lossless.saved, 42, " %", least=True),
        Target("lossless, saved, mean of items", lossless.mean_saved, 37, " %", least=True),
        Target("lossless, critical facts shown", lossless.recall(True) or 0, 99, " %", least=True),
        Target("lossless, look-up facts shown", lossless.recall(False) or 0, 98, " %", least=True),
        Target("standard, processor time for a million characters", standard.speed, 300, " ms"),
    ]
    if answers:
        found = 100 * fmean(answer.found for answer in answers)
        wanted += [
            Target("facts found by one question", found, 98, " %", least=True),
            Target("longest answer to one", max(answer.tokens for answer in answers), ANSWER, " tokens"),
        ]
    return wanted


def target_table(wanted: Sequence[Target], worse: str) -> Table:
    """The targets beside what was reached."""
    rows = [[*cells[:3], cells[4]] for cells in (target.cells() for target in wanted)]
    return Table(
        "Targets of views", ["what", "target", "reached", ""], rows, f"Printed, never asserted. {worse}".strip()
    )


def verdict(scores: dict[str, Scores], items: Sequence[Item]) -> str:
    """The kinds in which a standard view is worse than Headroom's in both, as a sentence."""
    if HEADROOM not in scores:
        return ""
    kinds = beaten(scores[STANDARD], scores[HEADROOM], items)
    return f"A standard view saves less than {HEADROOM} and also shows fewer facts in: {', '.join(kinds) or 'no kind'}."


def figures(scores: dict[str, Scores]) -> list[dict[str, Any]]:
    """Every score, unrounded."""
    return [
        {
            "contestant": name,
            "item": score.item.name,
            "kind": score.item.kind,
            "tokens": score.before,
            "view_tokens": score.after,
            "ms": score.ms,
            "critical": sum(needle.critical for needle in score.item.needles),
            "lookup": sum(not needle.critical for needle in score.item.needles),
            "missed": [asdict(needle) for needle in score.missed],
            "failure": score.failure,
        }
        for name, each in scores.items()
        for score in each.each
    ]


def main() -> None:
    """Make the views, print what they are worth."""
    asked = options()
    since = time.monotonic()
    count = counter()
    items = material(asked)
    facts = about(items, count, own=asked.corpus is None)
    found = contestants(asked, facts)
    try:
        scores = compete(items, found, count)
    finally:
        for contestant in found:
            contestant.close()
    for name, each in scores.items():
        failures = [score for score in each.each if score.failure]
        if failures:
            facts[f"{name}, failed"] = f"{len(failures)} of {len(items)} items, left untouched: {failures[0].failure}"
    answers = follow_up(scores[STANDARD], count, print)
    facts["load at the end"] = load()
    facts["run"] = f"{'quick' if asked.quick else 'full'}, {number(time.monotonic() - since)} s"
    wanted = targets(scores, answers)
    run = Table("Run of views", ["what", "value"], [[name, value] for name, value in facts.items()])
    tables = [
        run,
        target_table(wanted, verdict(scores, items)),
        table(scores, items),
        speeds(scores, items),
        follow_up_table(answers),
    ]
    for each_table in tables:
        print(each_table.plain())
    if asked.json is not None:
        goals = [{**asdict(target), "met": target.met} for target in wanted]
        whole = {
            "run": facts,
            "targets": goals,
            "figures": figures(scores),
            "follow_up": [asdict(answer) for answer in answers],
        }
        asked.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    if asked.markdown is not None:
        replace_section(asked.markdown, asked.section, tables)


if __name__ == "__main__":
    main()
