"""What participants may do in a session: its grants, and the reach of single notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..access import Grants, Reach, Right
from ..backends import steps
from ..backends.base import Put, Row
from ..backends.steps import Steps
from ..errors import Forbidden, KeyNotFound, VersionConflict
from ..versions.codec import Kind
from ..versions.collection import Collection
from ..versions.log import Draft, VersionLog
from ..versions.witness import Act
from .names import NOTES, RESERVED

_GRANTS = "grants"
_NONE = Grants({})
_REACHES = RESERVED + "reach"

Judge = Callable[[Right, str], bool]


class Rights:
    """Judges keys for participants; None is the owner, who may do everything. As steps."""

    def __init__(self, log: VersionLog, entries: VersionLog) -> None:
        self._log = log
        self._entries = entries
        self._reaches = Collection(entries.space, _REACHES)
        self.space = log.space
        self._held: tuple[Row | None, Grants] = (None, _NONE)

    def grants(self) -> Steps[Grants]:
        """Return the grants as they stand, the caller's own."""
        return Grants.load((yield from self._grants()).dump())

    def _grants(self) -> Steps[Grants]:
        """The same, shared: the row is read each time, and parsed again only when it is another."""
        rows: list[Row] = yield steps.Call("scan", (self.space, _GRANTS, 1, None), steps.NEWEST)
        if not rows:
            return _NONE
        held, grants = self._held
        if rows[0] != held:
            head = self._log.read_row(rows[0])
            grants = Grants.load((yield from self._log.content(head))) if head.blob.live else _NONE
            self._held = (rows[0], grants)
        return grants

    def set_grants(self, change: Callable[[Grants], Grants]) -> Steps[Grants]:
        """Change the grants; of changes made at the same time none is lost."""
        now = yield from steps.now()
        while True:
            head = yield from self._log.head(_GRANTS)
            grants = change(_NONE if head is None else Grants.load((yield from self._log.content(head))))
            draft = Draft(Kind.JSON, grants.dump())
            try:
                yield from self._log.append(_GRANTS, draft, now, expect=head.number if head else 0)
                return grants
            except VersionConflict:
                continue

    def grant(self, by: str | None, participant: str, rights: dict[Right, Sequence[str]]) -> Steps[Grants]:
        """Set the rule for a participant pattern anew.

        The owner and administrators of all keys may; those of some keys where old and new rule name such keys alone.
        """
        rule = Grants({}).with_rule(participant, rights).rules[participant]
        said = "; ".join(f"{right} {', '.join(keys)}" for right, keys in rule.items() if keys)
        return (
            yield from self._change(
                by, Act("grant", "", detail=f"{participant}: {said or 'nothing'}"), participant, rule
            )
        )

    def revoke(self, by: str | None, participant: str) -> Steps[Grants]:
        """Drop the rule for a participant pattern, which gives back what it took: for administrators of all keys."""
        return (yield from self._change(by, Act("revoke", "", detail=participant), participant, None))

    def _change(
        self, by: str | None, act: Act, participant: str, rule: dict[str, tuple[str, ...]] | None
    ) -> Steps[Grants]:
        now = yield from steps.now()

        def change(old: Grants) -> Grants:
            if by is not None and not old.allows(by, "admin", ""):
                held = old.rules.get(participant)
                if rule is None or held is None or not (old.administers(by, held) and old.administers(by, rule)):
                    raise Forbidden(f"{by!r} may not change the grants of {participant!r}: ask the owner, or for admin")
            return old.without(participant) if rule is None else Grants({**old.rules, participant: rule})

        try:
            change((yield from self._grants()))
        except Forbidden:
            yield from self.refused(by, "admin", "", f"{act.action} {act.detail}")
            raise
        yield from self._entries.note([act], by or "", now)
        return (yield from self.set_grants(change))

    def reach(self, key: str) -> Steps[Reach]:
        """Return who may read and write a note; a deleted one keeps its reach."""
        found = yield from self._reaches.get(key)
        return Reach() if found is None else Reach.load(found)

    def reach_op(self, key: str, reach: Reach) -> Put:
        """Return what a commit writes to give a note this reach."""
        return self._reaches.put(key, reach._asdict())

    def allows(self, participant: str | None, right: Right, key: str) -> Steps[bool]:
        """Return whether the participant has the right on the key."""
        if participant is None:
            return True
        if not (yield from self._grants()).allows(participant, right, key):
            return False
        return not key.startswith(NOTES) or (yield from self.reach(key)).allows(participant, write=right != "read")

    def judge(self, participant: str | None) -> Steps[Judge]:
        """Return what judges many keys for the participant, as things stand."""
        if participant is None:
            return lambda right, key: True
        grants = yield from self._grants()
        reaches = {key: Reach.load(found) for key, found in (yield from self._reaches.all()).items()}

        def allows(right: Right, key: str) -> bool:
            reach = reaches.get(key)
            own = reach is None or reach.allows(participant, write=right != "read")
            return own and grants.allows(participant, right, key)

        return allows

    def refused(self, participant: str | None, right: Right, key: str, what: str = "") -> Steps[None]:
        """Tell the audit log what a participant tried."""
        act = Act("denied", key, detail=what or right)
        yield from self._entries.note([act], participant or "", (yield from steps.now()))

    def guard(self, participant: str | None, right: Right, key: str) -> Steps[None]:
        """Raise unless the participant has the right on the key; a denied read reads as absent."""
        if (yield from self.allows(participant, right, key)):
            return
        if right == "read":
            raise KeyNotFound(f"there is no live value under {key!r}")
        yield from self.refused(participant, right, key)
        raise Forbidden(f"{participant!r} may not {right} {key!r}: ask for the grant, or use another key")
