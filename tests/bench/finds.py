"""Finds: texts that lie on any machine with Python: its sources and documentation, packages, this repository."""

from __future__ import annotations

import difflib
import html
import importlib.util
import pydoc
import random
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from importlib.metadata import distributions
from itertools import islice
from pathlib import Path

from facts import Item, critical, item, sample

REPOSITORY = Path(__file__).resolve().parents[2]
STDLIB = Path(sysconfig.get_paths()["stdlib"])
_SIZE = 90_000
_SOURCES = ("argparse", "socketserver", "queue", "zipfile", "tarfile", "configparser", "shutil", "logging.config")
_DOCUMENTED = ("json", "pathlib", "argparse", "collections", "subprocess", "csv")
_WORDS = ("raise ValueError", "def __init__", "yield from", "isinstance(")


def finds(seed: int, scale: float, each: int) -> Iterator[Item]:
    """Yield up to ``each`` items of every kind that can be found here, cut to ``scale`` of 90,000 characters."""
    size = int(_SIZE * scale)
    for number in range(each):
        made = random.Random(f"{seed}/finds/{number}")
        yield _code(made, _SOURCES[number % len(_SOURCES)], size)
        yield _diff(made, _SOURCES[-1 - number % len(_SOURCES)], number, size)
        yield _grep(made, _WORDS[number % len(_WORDS)], size)
        yield _page(made, _DOCUMENTED[number % len(_DOCUMENTED)], size)
    made = random.Random(f"{seed}/finds")
    yield _listing(made, size)
    yield from islice((_prose(made, name, text, size) for name, text in _writings()), each)
    commits = _commits(size)
    if commits is not None:
        yield commits


def _cut(text: str, size: int) -> str:
    """The text up to the last whole line within ``size``."""
    return text if len(text) <= size else text[: text.rindex("\n", 0, size) + 1]


def _source(module: str) -> str:
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).read_text(encoding="utf-8")


def _code(made: random.Random, module: str, size: int) -> Item:
    text = _cut(_source(module), size)
    lines = text.splitlines()
    facts = [
        *critical("signature", [line for line in lines if re.match(r"\s*(?:class|def|async def) \w+", line)], 16),
        *critical("raises", [line for line in lines if re.match(r"\s*raise \w+\(", line)], 5),
        *sample(made, [line for line in lines if line.startswith("        ") and "=" in line], 12),
    ]
    return item(f"{module}.py", "code", text, facts)


def _diff(made: random.Random, module: str, number: int, size: int) -> Item:
    """The real difference of the last commit on even turns where there is one, else one of a source edited here."""
    text = _git("show", "--stat", "--patch", f"HEAD~{number}") if number % 2 == 0 else ""
    if text.count("\n@@ ") < 3:
        before = _source(module).splitlines(keepends=True)
        after = list(before)
        for at in sorted(made.sample(range(len(before)), 30), reverse=True):
            after[at : at + made.randint(0, 2)] = [f"    changed_{made.getrandbits(24):06x} = {made.random()}\n"]
        text = "".join(difflib.unified_diff(before, after, f"a/{module}.py", f"b/{module}.py"))
    text = _cut(text, size)
    lines = text.splitlines()
    changed = [line[1:] for line in lines if re.match(r"[+-](?![+-])\s*\w", line)]
    facts = [
        *critical("file", [line[6:] for line in lines if line.startswith("+++ b/")], 8),
        *critical("change", changed, 14),
        *sample(made, [line for line in lines if line.startswith(" ")], 8),
    ]
    return item(f"{number}.diff", "diff", text, facts)


def _grep(made: random.Random, word: str, size: int) -> Item:
    hits = [
        f"{path.relative_to(STDLIB).as_posix()}:{at}:{line}"
        for path in sorted(STDLIB.glob("*/*.py"))
        if path.parent.name not in {"site-packages", "test", "idlelib"}
        for at, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if word in line
    ]
    text = _cut("\n".join(hits) + "\n", size // 2)
    lines = text.splitlines()
    names = [Path(line.partition(":")[0]).name for line in lines]
    facts = [*critical("file", names, 12), *sample(made, [line.split(":", 1)[1] for line in lines], 14)]
    return item(f"grep {word}", "grep", text, facts)


def _listing(made: random.Random, size: int) -> Item:
    paths = [path.relative_to(STDLIB) for path in sorted(STDLIB.glob("*/*.py"))]
    paths = [path for path in paths if path.parts[0] != "site-packages"]
    text = _cut("".join(f"./{path.as_posix()}\n" for path in paths), size // 2)
    shown = [Path(line) for line in text.splitlines()]
    facts = [
        *critical("dir", [path.parts[0] for path in shown], 10),
        *sample(made, [path.name for path in shown if len(path.name) > 8], 14),
    ]
    return item("listing", "grep", text, facts)


def _page(made: random.Random, module: str, size: int) -> Item:
    body = pydoc.html.docmodule(importlib.import_module(module))
    text = pydoc.html.page(module, _cut(body, size))
    heads = [re.sub(r"<[^>]+>", " ", found) for found in re.findall(r'<a name="[^"]+">(.*?)</a>', text)]
    plain = [html.unescape(re.sub(r"<[^>]+>", " ", line)).replace("\xa0", " ") for line in text.splitlines()]
    facts = [*critical("heading", heads, 14), *sample(made, [line for line in plain if line.count(" ") > 5], 12)]
    return item(f"{module}.html", "html", text, facts)


def _writings() -> Iterator[tuple[str, str]]:
    """Markdown of this repository, then the descriptions of installed packages, the longest first."""
    for path in sorted(REPOSITORY.glob("docs/*.md")):
        if path.name != "benchmarks.md":
            yield path.name, path.read_text(encoding="utf-8")
    texts = {each.metadata["Name"]: each.read_text("METADATA") or "" for each in distributions()}
    described = sorted((-len(text), name, text) for name, text in texts.items())
    yield from ((name, text) for _, name, text in described if "\n# " in text or "\n## " in text)


def _prose(made: random.Random, name: str, text: str, size: int) -> Item:
    text = _cut(text, size)
    lines = text.splitlines()
    facts = [
        *critical("heading", [line for line in lines if line.startswith("#")], 14),
        *sample(made, [line for line in lines if line.count(" ") > 6 and line[0].isalpha()], 12),
    ]
    return item(f"{name} (prose)", "markdown", text, facts)


def _commits(size: int) -> Item | None:
    """What was committed here, as a log; none outside a repository."""
    text = _cut(_git("log", "-n", "300", "--format=%h %ad %s", "--date=iso"), size)
    lines = text.splitlines()
    if len(lines) < 50:
        return None
    facts = [*critical("first-last", (lines[0], lines[-1])), *sample(random.Random(1), lines, 12)]
    return item("commits", "log", text, facts)


def _git(*words: str) -> str:
    program = shutil.which("git")
    if program is None:
        return ""
    done = subprocess.run([program, "-C", str(REPOSITORY), *words], capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace")
