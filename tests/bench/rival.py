"""The other side of a rival: runs in the rival's own environment, reads texts as JSON lines, answers with views.

python rival.py NAME, where NAME is one of VIEWERS
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any


def headroom() -> Callable[[str], str]:
    """Its one-call interface, told to compress a message of the user and to protect none: what saves most there."""
    import headroom

    def view(text: str) -> str:
        messages = [{"role": "user", "content": text}]
        options = {"compress_user_messages": True, "protect_recent": 0, "protect_analysis_context": False}
        found: Any = headroom.compress(messages, model="gpt-4o", **options).messages[-1]["content"]
        return str(found)

    return view


def toons() -> Callable[[str], str]:
    """TOON of what is JSON or lines of JSON; other text as it is."""
    import toons

    def view(text: str) -> str:
        value = parsed(text)
        return text if value is None else str(toons.dumps(value))

    return view


def parsed(text: str) -> Any:
    """The array or object that a text spells, or the list of those that its lines spell; None for other text."""
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            return None
    return value if isinstance(value, dict | list) and value else None


VIEWERS = {"headroom-ai": headroom, "toons": toons}
WARM_UP = (
    "warm up " * 50,
    json.dumps([{"name": f"row {at}", "size": at % 7, "note": "nothing to see"} for at in range(200)]),
    "\n".join(f"2026-01-01 00:00:{at % 60:02} INFO worker {at} is ready" for at in range(300)),
    Path(__file__).read_text(encoding="utf-8"),
    "\n\n".join(
        f"# Part {at}\n\nWords of [part](#{at}).\n\n```sh\nrun part {at}\n```\n\n- a `point`" for at in range(60)
    ),
    "name,size\n" + "".join(f"row{at},{at % 7}\n" for at in range(300)),
    "<html><body>" + "<h2>Part</h2><p>Words of a <a href='x.html'>part</a>.</p>\n" * 100 + "</body></html>",
)
"""Texts of several kinds, so that nobody is timed while it loads."""


def main() -> None:
    """Answer every line; whatever the rival prints goes to the error stream."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    view = VIEWERS[sys.argv[1]]()
    for text in WARM_UP:
        view(text)
    print(json.dumps({"version": version(sys.argv[1])}), file=answers, flush=True)
    for line in sys.stdin:
        text = json.loads(line)
        since = time.process_time()
        try:
            found = view(text)
            answer: dict[str, Any] = {"view": found, "ms": (time.process_time() - since) * 1e3}
        except Exception as error:  # a rival's failure is a finding
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
