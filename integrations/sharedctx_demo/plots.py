"""Plots as SVG for the report: bars of replay against served, and a line of writes for each agent over time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .figures import Handover, Write
from .stage import Death

_WIDE = 860
_NAMES = 210
_ROW = 34


def bars(found: Sequence[Handover]) -> str:
    """Two bars for each agent: tokens of full replay, and tokens served."""
    most = max((each.replay_tokens for each in found), default=1) or 1
    scale = (_WIDE - _NAMES - 220) / most
    height = _ROW * len(found) + 10
    parts = [f'<svg viewBox="0 0 {_WIDE} {height}" role="img" aria-label="tokens of full replay and tokens served">']
    for at, each in enumerate(found):
        told = f"{each.replay_tokens:,} → {each.served_tokens:,} ({each.saved_percent}% saved)"
        y = at * _ROW + 6
        replay, served = max(each.replay_tokens * scale, 1), max(each.served_tokens * scale, 1)
        parts += [
            f'<text x="{_NAMES - 10}" y="{y + 15}" text-anchor="end">{escape(each.title)}</text>',
            f'<rect class="replay" x="{_NAMES}" y="{y}" width="{replay:.1f}" height="10" rx="2"/>',
            f'<rect class="served" x="{_NAMES}" y="{y + 12}" width="{served:.1f}" height="10" rx="2"/>',
            f'<text class="figure" x="{_NAMES + max(replay, served) + 8:.1f}" y="{y + 15}">{told}</text>',
        ]
    return "".join([*parts, "</svg>"])


def timeline(found: Sequence[Write], titles: dict[str, str], deaths: Sequence[Death]) -> str:
    """A line for each agent with a dot where it wrote; a cross where its process was killed."""
    if not found:
        return ""
    begin = min(each.at for each in found)
    length = max(max(each.at for each in found) - begin, 0.001)
    lanes = {name: at for at, name in enumerate(dict.fromkeys(each.participant for each in found))}
    scale = (_WIDE - _NAMES - 30) / length
    height = _ROW * len(lanes) + 30
    parts = [f'<svg viewBox="0 0 {_WIDE} {height}" role="img" aria-label="writes of each agent over time">']
    for name, lane in lanes.items():
        y = lane * _ROW + 18
        parts.append(f'<text x="{_NAMES - 10}" y="{y + 4}" text-anchor="end">{escape(titles.get(name, name))}</text>')
        parts.append(f'<line class="lane" x1="{_NAMES}" y1="{y}" x2="{_WIDE - 20}" y2="{y}"/>')
    for each in found:
        x, y = _NAMES + (each.at - begin) * scale, lanes[each.participant] * _ROW + 18
        told = escape(f"{each.key} v{each.version}, {each.at - begin:.2f} s")
        parts.append(f'<circle class="write" cx="{x:.1f}" cy="{y}" r="3.5"><title>{told}</title></circle>')
    for death in deaths:
        lane = lanes.get(f"agent:{death.role}", 0)
        x, y = _NAMES + (death.at - begin) * scale, lane * _ROW + 18
        cross = f"M{x - 6:.1f} {y - 6}l12 12m0 -12l-12 12"
        parts.append(f'<path class="death" d="{cross}"><title>kill -9, {death.at - begin:.2f} s</title></path>')
    parts.append(f'<text class="figure" x="{_NAMES}" y="{height - 2}">0 s</text>')
    parts.append(f'<text class="figure" x="{_WIDE - 20}" y="{height - 2}" text-anchor="end">{length:.1f} s</text>')
    return "".join([*parts, "</svg>"])
