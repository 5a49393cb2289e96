"""EvolutionContext: everything about one evolution at one moment, and which sections it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..entries.arguments import check_encodable
from ..errors import InvalidValue

Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EvolutionContext:
    """One evolution as it was read; times are ISO 8601 in UTC. Change it through its store."""

    evolution_id: str
    created_at: str
    target_path: str
    focus_areas: list[str]
    phase: str = "initialization"
    cycle: int = 0
    original_analysis: Found = field(default_factory=dict)
    external_research: Found = field(default_factory=dict)
    improvement_plan: Found = field(default_factory=dict)
    objectives: list[Any] = field(default_factory=list)
    implementation_log: Found = field(default_factory=dict)
    changes_made: list[Any] = field(default_factory=list)
    current_state: Found = field(default_factory=dict)
    evaluation_results: Found = field(default_factory=dict)
    patterns_learned: list[Any] = field(default_factory=list)
    improvements: Found = field(default_factory=dict)
    metrics_before: Found = field(default_factory=dict)
    metrics_after: Found = field(default_factory=dict)
    success_rate: float = 0.0
    status: str = "initialized"
    current_phase: str = "initialization"
    error_log: list[str] = field(default_factory=list)
    rollback_points: list[Any] = field(default_factory=list)

    def to_dict(self) -> Found:
        """Return all fields as plain JSON values of their own."""
        return asdict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> EvolutionContext:
        """Read what ``to_dict`` gave; fields that are missing get their defaults, other keys are left out.

        Raises ``InvalidValue`` for a field of a wrong type.
        """
        if not isinstance(data, Mapping):
            raise InvalidValue(f"an evolution context is a mapping, not {type(data).__name__}")
        missing = [name for name in REQUIRED if name not in data]
        if missing:
            raise InvalidValue(f"an evolution context needs {', '.join(missing)}")
        return EvolutionContext(**{name: check(name, data[name]) for name in FIELDS if name in data})


FIELDS = tuple(each.name for each in fields(EvolutionContext))
REQUIRED = FIELDS[:4]
IDENTITY = ("evolution_id", "created_at")
"""Fields that never change."""
STATE = ("target_path", "focus_areas", "phase", "cycle", "success_rate", "status", "current_phase")
"""Fields that are kept together, in the partition of the same name."""
SECTIONS = tuple(name for name in FIELDS if name not in (*IDENTITY, *STATE))
"""Fields with a partition, and so a history, of their own."""
_TEXT = frozenset({"evolution_id", "created_at", "target_path", "phase", "status", "current_phase"})
_LISTS = frozenset(
    {"focus_areas", "objectives", "changes_made", "patterns_learned", "error_log", "rollback_points"},
)
_LISTS_OF_TEXT = frozenset({"focus_areas", "error_log"})
_NUMBERS = frozenset({"cycle", "success_rate"})


def empty(section: str) -> Any:
    """What a section is before anything was stored."""
    return [] if section in _LISTS else {}


def check(name: str, value: Any) -> Any:
    """Return ``value`` if the field may hold it; raises ``InvalidValue``."""
    if name in _TEXT:
        return check_text(name, value)
    if name in _NUMBERS:
        return check_rate(value) if name == "success_rate" else check_count(name, value)
    if not isinstance(value, list if name in _LISTS else dict):
        kind = "list" if name in _LISTS else "dict"
        raise InvalidValue(f"{name} is a {kind}, not {type(value).__name__}: pass {empty(name)!r} for none")
    if name in _LISTS_OF_TEXT:
        for each in value:
            check_text(f"each of {name}", each)
    return value


def check_text(name: str, value: Any) -> str:
    """Return non-empty text; raises ``InvalidValue``."""
    if not isinstance(value, str) or not value:
        raise InvalidValue(f"{name} is non-empty text, not {value!r}")
    return check_encodable(name, value)


def check_count(name: str, value: Any) -> int:
    """Return a whole number from 0 up; raises ``InvalidValue``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidValue(f"{name} is a whole number from 0 up, not {value!r}")
    return value


def check_rate(value: Any) -> float:
    """Return a number from 0 to 1; raises ``InvalidValue``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidValue(f"success_rate is a number from 0 to 1, not {value!r}")
    return value


def check_kind(name: str, value: Any, *kinds: type) -> Any:
    """Return ``value`` if it is of one of ``kinds``; raises ``InvalidValue``."""
    if isinstance(value, bool) or not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise InvalidValue(f"{name} is a {wanted}, not {type(value).__name__}")
    return value


def finished(status: str) -> bool:
    """Whether a status says that nothing runs any more and nothing is about to."""
    return status != "initialized" and not status.startswith("running_")
