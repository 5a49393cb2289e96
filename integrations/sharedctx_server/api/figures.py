"""Routes of figures: tokens saved, over time and by participant, and who has read what."""

from __future__ import annotations

from typing import Any

from sharedctx.backends.steps import Steps
from sharedctx.projects import Projects, key_of
from sharedctx.served.savings import Minute, Saving

from ..calls import Call, Refusal
from ..replies import Reply, json_reply
from ..service import Service
from .reading import Reading, Readings

_MINUTE = 60
_READERS = 1000


class Figures:
    """The routes /api/savings, /api/savings/timeline and /api/readers. Figures of all are the owner's to read;
    a participant sees its own."""

    def __init__(self, service: Service, readings: Readings) -> None:
        self._service = service
        self._readings = readings

    async def savings(self, call: Call) -> Reply:
        """Return tokens served against full replay: in all, by participant, and by participant, face and kind; and
        the tokens of the live entries against those of their views."""
        reading = await self._readings.of(call)
        leave = self._service.store.driver.leave_loop
        stats = await leave(reading.context.run, reading.context.verbs.stats(reading.participant))
        served = await leave(reading.context.run, self._served(reading))
        by_name: dict[str | None, list[Saving]] = {}
        for one in served:
            by_name.setdefault(one.participant, []).append(one)
        return json_reply(
            {
                "session": reading.context.session,
                "counter": stats.counter,
                "entries": {name: value for name, value in stats.to_dict().items() if name != "served"},
                "total": _summed(served),
                "participants": [{"participant": name, **_summed(found)} for name, found in by_name.items()],
                "served": [{**one._asdict(), **_saved(one)} for one in served],
            }
        )

    def _served(self, reading: Reading) -> Steps[list[Saving]]:
        report = yield from self._service.store.savings.report(reading.context.session)
        return [one for one in report if reading.participant in (None, one.participant)]

    async def timeline(self, call: Call) -> Reply:
        """Return the same over time: ``since=`` seconds since the epoch, ``step=`` seconds, whole minutes (60)."""
        reading = await self._readings.of(call)
        since, step = call.number("since") or 0, call.number("step") or _MINUTE
        if step % _MINUTE:
            raise Refusal(400, f"step={step} is not a number of whole minutes in seconds")
        leave = self._service.store.driver.leave_loop
        found = await leave(reading.context.run, self._service.store.savings.timeline(reading.context.session, since))
        sums: dict[tuple[int, str | None], list[Minute]] = {}
        for one in found:
            if reading.participant in (None, one.participant):
                sums.setdefault((one.at - one.at % step, one.participant), []).append(one)
        points = [{"at": at, "participant": who, **_summed(minutes)} for (at, who), minutes in sums.items()]
        return json_reply({"session": reading.context.session, "step": step, "points": points})

    async def readers(self, call: Call) -> Reply:
        """Return who read which entry or project up to which version, and when, the latest first: of entries what
        named participants read, from any process, in the last week."""
        reading = await self._readings.of(call)
        leave = self._service.store.driver.leave_loop
        return json_reply(await leave(reading.context.run, self._who_read(reading)))

    def _who_read(self, reading: Reading) -> Steps[dict[str, Any]]:
        session = reading.context.session
        allows = yield from reading.context.verbs.session.rights.judge(reading.participant)
        accesses = yield from Projects(reading.context).accesses.all()
        found = [(each.participant or None, key_of(each.project), each.version, each.at) for each in accesses]
        found += yield from self._service.store.savings.readers(session)
        told = sorted((each for each in found if allows("read", each[1])), key=lambda each: -each[3])
        names = ("participant", "key", "version", "at")
        return {"session": session, "readers": [dict(zip(names, each, strict=True)) for each in told[:_READERS]]}


def _saved(one: Saving | Minute) -> dict[str, int]:
    return {"saved_tokens": one.replay_tokens - one.served_tokens}


def _summed(found: list[Saving] | list[Minute]) -> dict[str, Any]:
    calls, served, replay = (
        sum(getattr(one, name) for one in found) for name in ("calls", "served_tokens", "replay_tokens")
    )
    percent = round(100 * (replay - served) / replay, 1) if replay else 0.0
    return {
        "calls": calls,
        "served_tokens": served,
        "replay_tokens": replay,
        "saved_tokens": replay - served,
        "savings_percent": percent,
    }
