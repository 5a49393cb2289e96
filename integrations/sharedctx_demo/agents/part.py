"""An agent's part: its context, what it is to read, and the reports that it sends to the stage."""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import sharedctx
from sharedctx.errors import SharedContextError

from ..cast import Member
from ..survey import Row, survey

log = logging.getLogger("demo")
_PATIENCE = 120


class Part:
    """What one process of the demo works with. A context manager that closes what it opened.

    ``setup`` is what the stage wrote for it: ``address``, ``session``, ``log``, ``participant``, ``sources`` (keys) and
    what its role needs besides.
    """

    def __init__(self, member: Member, setup: dict[str, Any]) -> None:
        self.member = member
        self.setup = setup
        self.sources: list[str] = setup.get("sources", [])
        self.upstream: str = setup.get("upstream", "")
        # What frameworks print goes to the log: the stage's pipe carries reports only.
        self._reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
        kept = os.open(setup["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.dup2(kept, 1)
        os.dup2(kept, 2)
        form = "%(asctime)s %(levelname)s %(process)d %(name)s %(message)s"
        logging.basicConfig(filename=setup["log"], level=logging.WARNING, format=form)
        log.setLevel(logging.INFO)
        self.store = sharedctx.open(setup["address"])
        self.session = self.store.session(setup["session"])
        self.me = self.session.bind(member.participant, face=member.role)

    def __enter__(self) -> Part:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if kind is not None:
            self.say(step="failed", error=f"{kind.__name__}: {error}"[:500])
            with suppress(SharedContextError):  # whoever waits for this agent need not wait any longer
                self.me.put(f"failed/{self.member.role}", str(error) or kind.__name__)
        self.store.close()
        self._reports.close()

    def say(self, **report: Any) -> None:
        """Report one step."""
        self._reports.write(json.dumps(report) + "\n")
        self._reports.flush()

    def source(self, key: str) -> str:
        """A source as text, whole: what the agent's own tool reads. Bytes are read as text with marks for the rest."""
        value = self.session.get(key, full=True)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def report(self, rows: list[Row]) -> str:
        """Write what was found as this agent's report and return its key."""
        key = f"report/{self.member.role}"
        entry = self.me.put(key, rows)
        log.info("%s wrote %s version %d: %d rows", self.member.participant, key, entry.version, len(rows))
        self.say(step=key)
        return key

    def survey(self) -> list[Row]:
        """What this agent notes of all its sources."""
        return [row for key in self.sources for row in survey(key, self.source(key))]

    def wait_for(self, key: str) -> None:
        """Return once a key is there; other processes' writes are seen as they happen.

        Raises ``RuntimeError`` when the agent that was to write it has failed, and ``TimeoutError``.
        """
        if self._there(key):
            return
        for _event in self.session.watch(0, timeout=_PATIENCE):
            if self._there(key):
                return
        raise TimeoutError(f"nobody wrote {key} within {_PATIENCE} seconds")

    def _there(self, key: str) -> bool:
        writer = key.rpartition("/")[2]
        if self.session.get_entry(key) is not None:
            return True
        if self.session.get_entry(f"failed/{writer}") is not None:
            raise RuntimeError(f"{writer} failed before it wrote {key}")
        return False

    def expanded(self, piece: str, key: str) -> None:
        """Report that something which another agent stored was expanded."""
        entry = self.session.get_entry(key)
        self.say(step=f"expanded {key}", expanded=1, of=entry.agent if entry else None, characters=len(piece))


def read_setup(path: str) -> dict[str, Any]:
    """What the stage wrote for this process."""
    setup: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    return setup
