"""OpenTelemetry spans of reads, searches, writes and removals, by the names of the GenAI memory conventions.

Off until ``begin()`` is called or ``SHAREDCTX_TRACING`` is set; ``opentelemetry-api`` is imported then, not before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .errors import ConfigError
from .extras import extra

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

SWITCH = "SHAREDCTX_TRACING"
"""The variable that turns spans on in a process: ``on``, or ``values`` for those with what was read and written."""

_Made = TypeVar("_Made", bound=Callable[..., Any])
_Work = TypeVar("_Work", bound=Generator[Any, Any, Any])
_QUERY = "gen_ai.memory.query.text"
_CONTENT = "gen_ai.memory.record.content"

_tracer: Tracer | None = None
_values = False


class Placed(Protocol):
    """What has steps that are traced."""

    @property
    def place(self) -> str:
        """The store and session that the spans name."""
        ...


def begin(*, values: bool = False, provider: TracerProvider | None = None) -> None:
    """Make a span of every operation from now on, in this process, with the given provider or OpenTelemetry's own.

    Spans carry store, key, participant, version and the class of an error; what was read, written and searched for
    only with ``values``. Raises ``PackageNotInstalled`` where ``opentelemetry-api`` is missing.
    """
    global _tracer, _values
    with extra("tracing", "tracing"):
        from opentelemetry import trace

        _tracer = trace.get_tracer("sharedctx", tracer_provider=provider)
    _values = values


def end() -> None:
    """Make no further spans."""
    global _tracer
    _tracer = None


def is_on() -> bool:
    """Whether spans are made."""
    return _tracer is not None


def spanned(
    operation: str, *, reads: bool = False, writes: bool = False, asks: bool = False
) -> Callable[[_Made], _Made]:
    """Trace a method that returns steps, asked for by participant and key, or where it ``asks`` by participant and
    query. Where it ``reads`` the result is a value, where it ``writes`` the argument after the key.

    The span's parent is the one that is current where the steps are made, whatever thread drives them.
    """

    def decorate(make: _Made) -> _Made:
        @wraps(make)
        def start(self: Placed, participant: str | None, key: str, *args: Any, **more: Any) -> Any:
            work = make(self, participant, key, *args, **more)
            if _tracer is None:
                return work
            about: dict[str, Any] = {}
            if _values or not asks:
                about[_QUERY if asks else "gen_ai.memory.record.id"] = str(key)
            if writes and _values:
                about[_CONTENT] = _text(args[0])
            return _spanning(operation, self.place, participant, work, about, reads=reads)

        return start  # type: ignore[return-value]

    return decorate


def handed(place: str, participant: str | None, query: object, work: _Work) -> _Work:
    """Trace steps that hand a part of a session over, by what is asked for first if anything is."""
    if _tracer is None:
        return work
    about = {_QUERY: query} if _values and isinstance(query, str) and query else {}
    return _spanning("search_memory", place, participant, work, about, reads=True)  # type: ignore[return-value]


def _spanning(
    operation: str, place: str, participant: str | None, work: Any, about: dict[str, Any], *, reads: bool
) -> Generator[Any, Any, Any]:
    assert _tracer is not None
    named = {"gen_ai.operation.name": operation, "gen_ai.memory.store.id": place, **about}
    if participant is not None:
        named["gen_ai.agent.name"] = participant
    return _followed(_tracer.start_span(operation, attributes=named), work, reads=reads)


def _followed(span: Span, work: Generator[Any, Any, Any], *, reads: bool) -> Generator[Any, Any, Any]:
    from opentelemetry.trace import StatusCode

    try:
        result = yield from work
        version = getattr(result, "version", None)
        if version is not None:
            span.set_attribute("sharedctx.version", getattr(version, "number", version))
        if reads and _values and result is not None:
            span.set_attribute(_CONTENT, _text(getattr(result, "text", result)))
        return result
    except BaseException as error:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        span.end()


def _text(value: Any) -> str:
    encoded = getattr(value, "encoded", value)  # states and differences of projects keep their JSON
    if isinstance(encoded, bytes):
        return f"{len(encoded)} bytes" if encoded is value else encoded.decode()
    return encoded if isinstance(encoded, str) else json.dumps(encoded, ensure_ascii=False, default=str)


if (_asked := os.environ.get(SWITCH, "off")) != "off":
    if _asked not in ("on", "values"):
        raise ConfigError(f"{SWITCH}={_asked!r} is none of on, values, off")
    begin(values=_asked == "values")
