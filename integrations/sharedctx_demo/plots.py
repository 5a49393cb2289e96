"""Plots as SVG for the report, as wide as the page and never smaller in print: bars by agent, and lanes over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from .figures import Handover, Write
from .stage import Death

_ROW = 52
_LANE = 44
_EDGE = 1.5
"""Percent of the width that stays free at both ends of a lane."""


def bars(found: Sequence[Handover]) -> str:
    """Two bars for each agent, under its name and its figures: tokens of full replay, and tokens served."""
    most = max((max(each.replay_tokens, each.served_tokens) for each in found), default=1) or 1
    parts = [_open(_ROW * len(found), "tokens of full replay and tokens served, by agent")]
    for at, each in enumerate(found):
        y = at * _ROW + 14
        saved = f"{each.saved_percent}% saved" if each.saved_percent >= 0 else f"{-each.saved_percent}% more"
        told = f"{each.replay_tokens:,} → {each.served_tokens:,}, {saved}"
        parts += [
            f'<text x="0" y="{y}">{escape(each.title)}</text>',
            f'<text class="figure" x="100%" y="{y}" text-anchor="end">{told}</text>',
            _bar("replay", y + 7, each.replay_tokens / most),
            _bar("served", y + 17, each.served_tokens / most),
        ]
    return "".join([*parts, "</svg>"])


def _bar(kind: str, y: int, share: float) -> str:
    return f'<rect class="{kind}" x="0" y="{y}" width="{100 * share:.2f}%" height="9" rx="2"/>'


def timeline(
    found: Sequence[Write], titles: Mapping[str, str], deaths: Sequence[Death], upstream: Mapping[str, str]
) -> str:
    """A lane for each agent with a dot where it wrote, a cross where its process was killed and a ring where the next
    one went on; a line from each report to the conclusion of the agent that read it (``upstream``, by role)."""
    if not found:
        return ""
    begin = min(each.at for each in found)
    ends = [each.at for each in found] + [death.resumed or death.at for death in deaths]
    length = max(max(ends) - begin, 0.001)
    wrote = {each.participant for each in found}
    known = [name for name in titles if name in wrote]
    lanes = {name: at * _LANE for at, name in enumerate([*known, *sorted(wrote - set(known))])}

    def across(at: float) -> str:
        return f"{_EDGE + (100 - 2 * _EDGE) * (at - begin) / length:.2f}%"

    parts = [_open(_LANE * len(lanes) + 18, "writes of each agent over time")]
    for name, y in lanes.items():
        parts.append(f'<text x="0" y="{y + 13}">{escape(titles.get(name, name))}</text>')
        parts.append(f'<line class="lane" x1="0" y1="{y + 28}" x2="100%" y2="{y + 28}"/>')
    first = {each.key: each for each in reversed(found)}
    for role, before in upstream.items():
        told, read = first.get(f"report/{before}"), first.get(f"conclusion/{role}")
        if told is not None and read is not None:
            parts.append(
                f'<line class="handed" x1="{across(told.at)}" y1="{lanes[told.participant] + 28}" '
                f'x2="{across(read.at)}" y2="{lanes[read.participant] + 28}"><title>'
                f"{escape(role)} read {escape(told.key)}</title></line>"
            )
    for each in found:
        told_of = escape(f"{each.key} v{each.version}, {each.at - begin:.2f} s")
        parts.append(
            f'<circle class="write" cx="{across(each.at)}" cy="{lanes[each.participant] + 28}" r="4">'
            f"<title>{told_of}</title></circle>"
        )
    for death in deaths:
        y = lanes.get(f"agent:{death.role}", 0) + 28
        parts.append(
            f'<text class="death" x="{across(death.at)}" y="{y + 7}" text-anchor="middle">✕'
            f"<title>kill -9, {death.at - begin:.2f} s</title></text>"
        )
        if death.resumed is not None:
            parts.append(f'<circle class="again" cx="{across(death.resumed)}" cy="{y}" r="7"/>')
    foot = _LANE * len(lanes) + 12
    parts.append(f'<text class="figure" x="0" y="{foot}">0 s</text>')
    parts.append(f'<text class="figure" x="100%" y="{foot}" text-anchor="end">{length:.1f} s</text>')
    return "".join([*parts, "</svg>"])


def _open(height: int, label: str) -> str:
    return f'<svg width="100%" height="{height}" role="img" aria-label="{label}">'
