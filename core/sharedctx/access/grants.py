"""Who may do what with which keys: rules by participant, kept with the session."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import InvalidValue
from .patterns import check_pattern, check_patterns, matches

Right = Literal["read", "write", "delete", "rollback", "admin"]
RIGHTS: tuple[Right, ...] = ("read", "write", "delete", "rollback", "admin")


@dataclass(frozen=True, slots=True)
class Grants:
    """Rules ``{participant pattern: {right: (key patterns)}}``.

    A participant that no rule names may do everything but administer. "admin" on keys is every right on them, and that
    of changing their grants and reading their audit log; on ``*`` it is the owner's.
    """

    rules: dict[str, dict[str, tuple[str, ...]]]

    def allows(self, participant: str, right: Right, key: str) -> bool:
        """Whether any rule for ``participant`` gives ``right`` on ``key``."""
        mine = [rule for pattern, rule in self.rules.items() if matches(pattern, participant)]
        if not mine:
            return right != "admin"
        return any(
            matches(pattern, key) for rule in mine for given in {right, "admin"} for pattern in rule.get(given, ())
        )

    def administers(self, participant: str, rule: Mapping[str, Sequence[str]] | None = None) -> bool:
        """Whether ``participant`` is an administrator at all, or of every key that a rule names."""
        mine = [
            pattern
            for name, held in self.rules.items()
            if matches(name, participant)
            for pattern in held.get("admin", ())
        ]
        if rule is None:
            return bool(mine)
        return all(any(matches(own, keys) for own in mine) for given in rule.values() for keys in given)

    def with_rule(self, participant: str, rights: dict[Right, Sequence[str]]) -> Grants:
        """Return these grants with the rule for this participant pattern set anew; raises ``InvalidValue``."""
        check_pattern("the participant", participant)
        given: dict[str, tuple[str, ...]] = {right: check_patterns(right, found) for right, found in rights.items()}
        return Grants({**self.rules, participant: given})

    def without(self, participant: str) -> Grants:
        """Return these grants without the rule for this participant pattern."""
        return Grants({name: rule for name, rule in self.rules.items() if name != participant})

    def dump(self) -> bytes:
        """The rules as JSON."""
        return json.dumps(self.rules, sort_keys=True).encode()

    @staticmethod
    def checked(rules: Any) -> Grants:
        """Make grants of rules that come from elsewhere; raises ``InvalidValue``."""
        grants = Grants({})
        if not isinstance(rules, dict):
            raise InvalidValue(f"{rules!r:.60} are no rules of grants")
        for participant, rule in rules.items():
            if not isinstance(rule, dict) or not rule.keys() <= set(RIGHTS):
                raise InvalidValue(f"the rule for {participant!r:.60} has no such rights")
            grants = grants.with_rule(participant, rule)
        return grants

    @staticmethod
    def load(data: bytes) -> Grants:
        """Read what ``dump`` wrote."""
        return Grants(
            {name: {right: tuple(keys) for right, keys in rule.items()} for name, rule in json.loads(data).items()}
        )
