"""The README's picture, from a run of the demo and of a chat's checkpoints beside the official saver.

python tests/bench/picture.py docs/measured.svg [--quick]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import NamedTuple

from surroundings import moment

_STYLE = """text{font:14px system-ui,sans-serif;fill:#1c2430}.dim{fill:#667085;font-size:12px}
.big{font-size:17px;font-weight:600}.other{fill:#b9c0cb}.ours{fill:#0f8a6d}
@media(prefers-color-scheme:dark){text{fill:#e7eaee}.dim{fill:#98a2b3}.other{fill:#566070}.ours{fill:#3ecfa5}}"""
_WIDE, _BAR = 860, 560


class Panel(NamedTuple):
    """Two figures of one thing: without and with sharedctx, as numbers and as they are written."""

    title: str
    names: tuple[str, str]
    values: tuple[float, float]
    told: tuple[str, str]


def demo() -> Panel:
    """Tokens that the demo's agents were sent, against full replay."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "from sharedctx_cli import main; main()", "--json", "demo"]
        done = subprocess.run(
            [*command, "--report", str(Path(folder) / "report.html")], capture_output=True, check=True, text=True
        )
    told = json.loads(done.stdout)
    replay, served = told["replay_tokens"], told["served_tokens"]
    agents, files, saved = len(told["handovers"]), told["files"], told["saved_percent"]
    title = f"Tokens that {agents} agents were sent about {files} files: {saved}% saved"
    return Panel(title, ("full replay", "sharedctx"), (replay, served), (f"{replay:,}", f"{served:,}"))


def chat(quick: bool) -> Panel:
    """Bytes on disk after a chat through a graph, beside the official saver."""
    from checkpoints import OURS, SQLITE
    from checkpoints import chat as chatted

    invokes = 20 if quick else 100
    with tempfile.TemporaryDirectory() as folder:
        theirs, ours = (chatted(Path(folder), name, invokes, 2000)["closed MB"] for name in (SQLITE, OURS))
    title = f"Checkpoints of a LangGraph chat of {2 * invokes} messages: {theirs / ours:.0f} times smaller"
    names = ("SqliteSaver", "sharedctx")
    return Panel(title, names, (theirs, ours), (f"{theirs:.1f} MB", f"{ours:.2f} MB"))


def drawn(panels: list[Panel], note: str) -> str:
    """The picture."""
    height = 96 * len(panels) + 26
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" role="img">',
        f"<title>{escape('; '.join(panel.title for panel in panels))}</title><style>{_STYLE}</style>",
    ]
    for at, panel in enumerate(panels):
        top = 96 * at + 20
        most = max(panel.values)
        parts.append(f'<text class="big" x="0" y="{top}">{escape(panel.title)}</text>')
        for row, kind in enumerate(("other", "ours")):
            y = top + 12 + 30 * row
            wide = max(panel.values[row] / most * _BAR, 2)
            parts.append(f'<text x="0" y="{y + 17}">{escape(panel.names[row])}</text>')
            parts.append(f'<rect class="{kind}" x="100" y="{y}" width="{wide:.1f}" height="24" rx="3"/>')
            parts.append(f'<text x="{108 + wide:.1f}" y="{y + 17}">{escape(panel.told[row])}</text>')
    parts.append(f'<text class="dim" x="0" y="{height - 6}">{escape(note)}</text></svg>')
    return "".join(parts) + "\n"


def main() -> None:
    """Measure and draw."""
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("file", type=Path)
    words.add_argument("--quick", action="store_true", help="a shorter chat")
    asked = words.parse_args()
    note = f"Measured by tests/bench/picture.py, {moment()['date'].partition(' ')[0]}, {moment()['python']}."
    asked.file.write_text(drawn([demo(), chat(asked.quick)], note), "utf-8")


if __name__ == "__main__":
    main()
