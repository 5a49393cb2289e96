"""An evolution as a file: its fields, and under ``history`` every version of every section."""

from __future__ import annotations

import json
import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..backends.steps import Steps
from ..entries.arguments import check_encodable
from ..entries.names import check_participant
from ..errors import ConfigError, InvalidValue
from .context import SECTIONS, STATE, EvolutionContext, Found, check, empty
from .record import STATE_PK, Moment, Record

MAX_BYTES = 256 * 2**20
_YEAR_3000 = 32503680000.0
_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Imported(NamedTuple):
    """What a file says: the context and its whole history in order."""

    context: EvolutionContext
    moments: list[Moment]


def check_id(evolution_id: Any) -> str:
    """Return the id of an evolution if it is spelled as one; raises ``InvalidValue``."""
    if not isinstance(evolution_id, str) or not _ID.fullmatch(evolution_id):
        raise InvalidValue(f"the evolution id {evolution_id!r} is not 1 to 128 of A-Z a-z 0-9 . _ -")
    return evolution_id


def place(folder: str | os.PathLike[str] | None, path: Any) -> Path:
    """Return where ``path`` lies, which is inside ``folder`` when there is one; raises ``InvalidValue``."""
    if not isinstance(path, str | os.PathLike) or not os.fspath(path) or "\0" in str(path):
        raise InvalidValue(f"the path {path!r} names no file")
    check_encodable("the path", os.fspath(path))
    if folder is None:
        return Path(path)
    home = Path(folder).resolve()
    found = (home / path).resolve()
    if not found.is_relative_to(home) or found == home:
        raise InvalidValue(f"{os.fspath(path)!r} is outside the export folder {str(home)!r}: name a file inside it")
    return found


def default_name(evolution_id: str, now: float) -> str:
    """``evolution_{id}_{YYYYmmdd_HHMMSS}.json``, the time in UTC."""
    return f"evolution_{evolution_id}_{datetime.fromtimestamp(now, UTC):%Y%m%d_%H%M%S}.json"


def dump(record: Record, context: EvolutionContext, rev: int) -> Steps[Found]:
    """Return an evolution with its history up to ``rev``, as a file holds it."""
    history: dict[str, list[Found]] = {}
    for pk in (STATE_PK, *SECTIONS):
        for version in (yield from record.history(pk)):
            if version.rev <= rev:
                line = {
                    "version": version.number,
                    "rev": version.rev,
                    "timestamp": version.blob.timestamp,
                    "agent": version.blob.agent,
                    "data": (yield from record.value(version)),
                }
                history.setdefault(pk, []).append(line)
    return {**context.to_dict(), "history": history}


def write(path: Path, data: Found) -> None:
    """Write JSON with indent 2, whole or not at all; raises ``ConfigError``."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".export-")
        try:
            with open(handle, "w", encoding="utf-8") as out:
                out.write(text)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        raise ConfigError(f"the export cannot be written to {str(path)!r}: {error.strerror or error}") from error


def read(path: Path) -> Imported:
    """Read and check a file; raises ``InvalidValue`` saying what is wrong with it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidValue(f"{str(path)!r} has more than {MAX_BYTES} bytes: it is no export")
        data = json.loads(path.read_bytes().decode("utf-8"), parse_constant=_refuse)
    except OSError as error:
        raise InvalidValue(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{str(path)!r} is no export, nothing was imported: {error}") from error
    try:
        return _check(data)
    except InvalidValue as error:
        raise InvalidValue(f"{str(path)!r} is a broken export, nothing was imported: {error}") from error


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _check(data: Any) -> Imported:
    if not isinstance(data, dict):
        raise InvalidValue(f"it holds a {type(data).__name__}, not an object")
    context = EvolutionContext.from_dict(data)
    check_id(context.evolution_id)
    try:
        created = datetime.fromisoformat(context.created_at).timestamp()
    except (ValueError, OverflowError) as error:
        raise InvalidValue(f"created_at {context.created_at!r} is no time") from error
    if "history" not in data:
        return Imported(context, [_first_moment(context, created)])
    if not isinstance(data["history"], dict):
        raise InvalidValue("history is not an object")
    unknown = sorted(set(data["history"]) - {STATE_PK, *SECTIONS})
    if unknown:
        raise InvalidValue(f"history has the unknown section {unknown[0]!r}")
    moments: dict[int, Moment] = {}
    whole = context.to_dict()
    for pk in (STATE_PK, *SECTIONS):
        newest = _check_section(pk, data["history"].get(pk, []), moments)
        wanted = {name: whole[name] for name in ("created_at", *STATE)} if pk == STATE_PK else whole[pk]
        if newest != wanted:
            raise InvalidValue(f"the newest {pk!r} in history is not what the context says")
    ordered = [moments[rev] for rev in sorted(moments)]
    if STATE_PK not in ordered[0].values:
        raise InvalidValue("history does not begin with the evolution's creation")
    return Imported(context, ordered)


def _check_section(pk: str, lines: Any, moments: dict[int, Moment]) -> Any:
    """Put a section's versions among the moments and return the newest value."""
    if not isinstance(lines, list):
        raise InvalidValue(f"history of {pk!r} is not a list")
    newest, last = empty(pk), 0
    for number, line in enumerate(lines, 1):
        fault = _fault(line, number, last)
        if fault:
            raise InvalidValue(f"{fault} of version {number} of {pk!r} is missing or wrong")
        newest, last = _check_value(pk, line["data"]), line["rev"]
        moment = moments.setdefault(last, Moment(float(line["timestamp"]), {}))
        moment.values[pk] = (newest, line["agent"])
    return newest


def _fault(line: Any, number: int, last: int) -> str | None:
    """The name of the first field of a version that is not as it must be."""
    if not isinstance(line, dict) or "data" not in line:
        return "data"
    rev: Any = line.get("rev")
    at: Any = line.get("timestamp")
    if line.get("version") != number:
        return "version"
    if type(rev) is not int or rev <= last:
        return "rev"
    if type(at) not in (int, float) or not 0 <= at < _YEAR_3000:
        return "timestamp"
    return None if _is_writer(line.get("agent")) else "agent"


def _is_writer(agent: Any) -> bool:
    """Whether it is a participant's name, or empty for the owner."""
    try:
        return bool(agent == "" or check_participant(agent))
    except ConfigError:
        return False


def _check_value(pk: str, value: Any) -> Any:
    if pk != STATE_PK:
        return check(pk, value)
    if not isinstance(value, dict) or set(value) != {"created_at", *STATE}:
        raise InvalidValue("a version of 'state' does not have its fields")
    return {name: check(name, each) for name, each in value.items()}


def _first_moment(context: EvolutionContext, created: float) -> Moment:
    """The history of a file that has none: everything was there from the start."""
    whole = context.to_dict()
    values: dict[str, tuple[Any, str]] = {STATE_PK: ({name: whole[name] for name in ("created_at", *STATE)}, "")}
    values |= {pk: (whole[pk], "") for pk in SECTIONS if whole[pk]}
    return Moment(created, values)
