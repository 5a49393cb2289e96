"""Contestants: whatever makes a view of a text, here or in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Protocol

from rival import WARM_UP, parsed

from sharedctx.views import compress

STANDARD, LOSSLESS, HEADROOM, TOON = "sharedctx standard", "sharedctx lossless", "Headroom", "TOON"
PATIENCE = 180
"""Seconds that a rival may take for one text."""


class Failed(Exception):
    """A contestant could not be started, or made no view."""


class Contestant(Protocol):
    """Makes views; ``name`` heads its column."""

    @property
    def name(self) -> str: ...

    def view(self, text: str) -> tuple[str, float]:
        """Return the view and the milliseconds of processor time it took. Raises ``Failed``."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Here:
    """A function of this process."""

    name: str
    function: Callable[[str], str]

    def view(self, text: str) -> tuple[str, float]:
        since = time.process_time()
        found = self.function(text)
        return found, (time.process_time() - since) * 1e3

    def close(self) -> None:
        """Nothing to close."""


def minified(text: str) -> str:
    """JSON without spaces, line by line where it was lines; other text as it is."""

    def spell(value: object) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    value = parsed(text)
    if value is None:
        return text
    try:
        json.loads(text)
    except ValueError:
        return "".join(spell(each) + "\n" for each in value)
    return spell(value)


def ours() -> list[Contestant]:
    """The contestants that need nothing installed, warmed up."""
    found = [
        Here(STANDARD, lambda text: compress(text, key="value").text),
        Here(LOSSLESS, lambda text: compress(text, key="value", mode="lossless").text),
        Here("untouched", lambda text: text),
        Here("minified JSON", minified),
    ]
    for contestant in found:
        for text in WARM_UP:
            contestant.view(text)
    return list(found)


@dataclass(frozen=True)
class Rival:
    """A package of the index: what of it is installed, pinned, and under which name its column stands."""

    name: str
    package: str
    requirements: tuple[str, ...]


RIVALS = (
    Rival(TOON, "toons", ("toons==0.9.0",)),
    Rival(HEADROOM, "headroom-ai", ("headroom-ai[code,html]==0.42.0", "onnxruntime==1.24.*", "magika")),
)


class Abroad:
    """A rival in its own environment, made once under ``cache``; its settings and files stay there too."""

    def __init__(self, rival: Rival, cache: Path) -> None:
        self.name = rival.name
        home = cache / "-".join((rival.package, rival.requirements[0].rpartition("==")[2]))
        python = _environment(home, rival.requirements)
        surroundings = {
            **os.environ,
            "HOME": str(home),
            "USERPROFILE": str(home),
            "HEADROOM_OFFLINE": "1",
            "HEADROOM_TELEMETRY": "off",
            "HF_HUB_OFFLINE": "1",
        }
        for name in ("PYTHONPATH", "PYTHONHOME"):
            surroundings.pop(name, None)
        self._said = (home / "said.txt").open("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            [str(python), str(Path(__file__).with_name("rival.py")), rival.package],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
            env=surroundings,
        )
        try:
            self.version = str(self._answer()["version"])
        except Failed:
            self.close()
            raise

    def view(self, text: str) -> tuple[str, float]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(text) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise Failed("it has ended") from None
        answer = self._answer()
        if "error" in answer:
            raise Failed(str(answer["error"]))
        return str(answer["view"]), float(str(answer["ms"]))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def _answer(self) -> dict[str, object]:
        assert self._process.stdout is not None
        late = Timer(PATIENCE, self._process.kill)
        late.start()
        line = self._process.stdout.readline()
        late.cancel()
        if not line:
            self._said.seek(0)
            raise Failed(_last_line(self._said.read()) or f"no answer within {PATIENCE} s")
        found: dict[str, object] = json.loads(line)
        return found


def _environment(home: Path, requirements: Sequence[str]) -> Path:
    """The interpreter of an environment that has the requirements; installs them the first time."""
    python = home / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = home / "installed.txt"
    wanted = "\n".join(requirements)
    if not done.is_file() or done.read_text(encoding="utf-8") != wanted:
        try:
            venv.create(home / "venv", clear=True, with_pip=True)
            command = [str(python), "-m", "pip", "install", "--quiet", *requirements]
            installed = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            raise Failed(f"cannot be installed: {error}") from None
        if installed.returncode:
            errors = [line for line in installed.stderr.splitlines() if line.startswith("ERROR")]
            raise Failed(f"cannot be installed: {errors[-1] if errors else _last_line(installed.stderr)}")
        done.write_text(wanted, encoding="utf-8")
    return python


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
