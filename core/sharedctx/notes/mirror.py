"""A readable copy of one session's notes: ``context.json`` beside the store ``context.sharedctx``."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import BackendUnavailable, ConfigError

_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What an existing file holds: notes as (key, value, written_by), and whether they are archived."""

    notes: tuple[tuple[str, str, str], ...]
    archived: bool


@dataclass(frozen=True, slots=True)
class Mirror:
    """The file at ``path``; the truth lies in the directory ``store``."""

    path: str
    store: str

    @staticmethod
    def at(storage_path: str | os.PathLike[str] | None) -> Mirror | None:
        """Return the mirror that a storage path names, or None where it names a store."""
        if storage_path is None or not (text := os.fspath(storage_path)).endswith(".json") or "://" in text:
            return None
        path = os.path.realpath(os.path.expanduser(text))
        return Mirror(path, path.removesuffix(".json") + ".sharedctx")

    def load(self, session: str) -> Imported | None:
        """Read what is to be imported, or None where there is no file.

        Raises ``ConfigError`` for a file of another form or session; it is then left as it is.
        """
        try:
            with open(self.path, encoding="utf-8") as file:
                found = json.load(file)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError(f"{self.path} cannot be imported ({error}): mend it, or move it away") from None
        try:
            named = found["session_id"]
            notes = tuple(
                (str(entry["key"]), entry["value"], str(entry.get("written_by") or "unknown"))
                for entry in found["entries"]
            )
            archived = bool(found.get("archived", False))
        except (KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"{self.path} is no {{session_id, archived, entries: [{{key, value, ...}}]}} ({error!r}): mend it, or "
                "move it away"
            ) from None
        if named != session:
            raise ConfigError(f"{self.path} holds the session {named!r}, not {session!r}: open that one")
        return Imported(notes, archived)

    def save(self, content: Callable[[], dict[str, Any]]) -> None:
        """Write ``content()`` to the file, again while another process changes it meanwhile.

        Raises ``BackendUnavailable`` when the file cannot be written; the store has what was written all the same.
        """
        found = content()
        for _ in range(_ROUNDS):
            try:
                self._replace(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
            except OSError as error:
                raise BackendUnavailable(
                    f"the mirror {self.path} cannot be written ({error.strerror}); the store has the notes: make "
                    "room or give the right to write, and write again"
                ) from error
            if (now := content()) == found:
                return
            found = now

    def _replace(self, text: str) -> None:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(self.path), prefix=".sharedctx-", suffix=".tmp")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(temporary, self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
