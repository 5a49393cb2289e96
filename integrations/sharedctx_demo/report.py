"""The run as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from sharedctx import SharedContext

from . import plots
from .cast import COLLECTOR, READERS, WRITERS, Member
from .checks import Check
from .figures import Handover, Write, total
from .stage import Death

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #667085; --paper: #fbfbf9; --line: #d9dce1;
  --replay: #c3c9d3; --served: #0f8a6d; --death: #c0392b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --dim: #98a2b3; --paper: #14181d; --line: #323a45;
  --replay: #4a5462; --served: #3ecfa5; --death: #ff7b6b; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 60rem; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
.lead { font-size: 1.1rem; } .dim, .figure { color: var(--dim); fill: var(--dim); }
.headline { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.5rem 0; }
.headline b { display: block; font-size: 2rem; line-height: 1.2; }
svg { display: block; overflow: visible; font: 14px system-ui, sans-serif; } svg text { fill: var(--ink); }
svg .figure { fill: var(--dim); font-size: 13px; } .replay { fill: var(--replay); } .served { fill: var(--served); }
.lane { stroke: var(--line); } .write { fill: var(--served); fill-opacity: .7; }
svg .death { fill: var(--death); font-size: 20px; font-weight: 700; }
.again { stroke: var(--death); stroke-width: 2; fill: none; } .handed { stroke: var(--ink); stroke-opacity: .35; }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin: 0 .35rem 0 1rem; }
table { border-collapse: collapse; width: 100%; overflow-wrap: anywhere; }
td:first-child { min-width: 6rem; } td, th { text-align: left; padding: .3rem .75rem .3rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } td.n, th.n { text-align: right; }
.ok { color: var(--served); } .fail { color: var(--death); font-weight: 600; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
@media (max-width: 40rem) { .pair { display: block; } }
pre { background: color-mix(in srgb, var(--line) 35%, transparent); padding: .75rem; border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; max-height: 24rem; overflow-y: auto; }
"""


_LEGEND = (
    '<h2>Tokens by agent<span class="key" style="background:var(--replay)"></span>full replay'
    '<span class="key" style="background:var(--served)"></span>served</h2>'
)


_TOLD = (
    '<p class="dim">A dot is a version; a line leads from a report to the conclusion of the agent that read it and '
    "expanded what its view left out.</p>"
)


class Told(NamedTuple):
    """What the page tells of: the run's figures, its checks and who was left out."""

    handovers: Sequence[Handover]
    writes: Sequence[Write]
    checks: Sequence[Check]
    deaths: Sequence[Death]
    missing: Sequence[Member]
    conflicts: int
    files: int
    seconds: float
    counter: str


def page(context: SharedContext, told: Told) -> str:
    """Return the page; everything that was stored is escaped."""
    every = total(told.handovers)
    titles = {each.participant: each.title for each in (COLLECTOR, *WRITERS, *READERS)}
    parts = [
        _head(len(told.handovers)),
        "<h1>One session, every framework</h1>",
        _lead(told),
        _headline(told, every),
        _LEGEND,
        plots.bars(told.handovers),
        _counted(told.counter),
        "<h2>Who wrote when</h2>",
        plots.timeline(told.writes, titles, told.deaths, _upstream(told)),
        _TOLD,
        _deaths(told.deaths, titles),
        "<h2>What was promised, and checked</h2>",
        _checks(told.checks),
        _missing(told.missing),
        "<h2>The same entry, whole and as a model was given it</h2>",
        _example(context),
        "<h2>What the agents concluded</h2>",
        _conclusions(context, titles),
        f'<p class="dim">{len(told.writes):,} versions in {told.seconds:.1f} seconds.</p></body></html>',
    ]
    return "".join(parts)


def _head(agents: int) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>sharedctx: one session, {agents} agents</title><style>{_STYLE}</style></head><body>"
    )


def _lead(told: Told) -> str:
    return (
        f'<p class="lead">{len(told.handovers)} agents, each in a process of its own, worked on {told.files:,} files '
        "through one store. Each was given views, expanded what it needed, and read what another had stored.</p>"
    )


def _counted(counter: str) -> str:
    return (
        f'<p class="dim">Counted with {escape(counter)}. Full replay: the whole value at each read. What a killed '
        "process had been served before it was killed is not in these figures.</p>"
    )


def _headline(told: Told, every: Handover) -> str:
    kept = sum(check.kept for check in told.checks)
    figures = {
        "of the tokens saved": f"{every.saved_percent}%",
        "tokens by full replay": f"{every.replay_tokens:,}",
        "tokens served": f"{every.served_tokens:,}",
        "conflicting writes caught": f"{told.conflicts}",
        "promises kept": f"{kept} / {len(told.checks)}",
    }
    cells = "".join(f"<div><b>{figure}</b>{what}</div>" for what, figure in figures.items())
    return f'<div class="headline">{cells}</div>'


def _deaths(deaths: Sequence[Death], titles: dict[str, str]) -> str:
    return "".join(
        f"<p>The process of the {escape(titles[f'agent:{death.role}'])} was killed in the middle of step "
        f"{death.step + 1} (the cross); "
        + (
            f"{death.resumed - death.at:.1f} seconds later a new process, gone on from the last checkpoint, had done "
            "that step (the ring).</p>"
            if death.resumed is not None
            else "no other went on in its place.</p>"
        )
        for death in deaths
    )


def _upstream(told: Told) -> dict[str, str]:
    """Whose report each agent read, by role: that of the one before it."""
    roles = [each.role for each in told.handovers]
    return dict(zip(roles[1:], roles, strict=False))


def _checks(checks: Sequence[Check]) -> str:
    rows = "".join(
        f'<tr><td class="{"ok" if check.kept else "fail"}">{"kept" if check.kept else "BROKEN"}</td>'
        f"<td>{escape(check.promise)}</td></tr>"
        for check in checks
    )
    return f"<table>{rows}</table>"


def _missing(members: Sequence[Member]) -> str:
    if not members:
        return ""
    rows = "".join(f"<li>{escape(each.title)}: <code>{escape(each.cure)}</code></li>" for each in members)
    return f"<p>Not installed here, and left out:</p><ul>{rows}</ul>"


def _example(context: SharedContext) -> str:
    entries = [entry for key in context.keys("source/") if (entry := context.get_entry(key)) is not None]
    fitting = [entry for entry in entries if 1_000 < entry.original_tokens < 20_000 and entry.transforms]
    entry = max(fitting or entries, key=lambda each: each.savings_percent, default=None)
    if entry is None:
        return ""
    whole = str(context.get(entry.key, full=True))
    cut = f"\n… {len(whole) - 6000:,} more characters" if len(whole) > 6000 else ""
    return (
        f"<p><code>{escape(entry.key)}</code>: {entry.original_tokens:,} tokens, as a view {entry.compressed_tokens:,} "
        f"({escape(', '.join(entry.transforms))}).</p>"
        f'<div class="pair"><pre>{escape(whole[:6000] + cut)}</pre>'
        f"<pre>{escape(context.get(entry.key) or '')}</pre></div>"
    )


def _conclusions(context: SharedContext, titles: dict[str, str]) -> str:
    rows = ""
    for participant, title in titles.items():
        said = context.get(f"conclusion/{participant.partition(':')[2]}", full=True)
        if said is not None:
            rows += f"<tr><td>{escape(title)}</td><td>{escape(str(said))}</td></tr>"
    return f"<table>{rows}</table>"
