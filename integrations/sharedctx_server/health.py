"""Whether the server is well, and whether its store takes writes."""

from __future__ import annotations

import time
from importlib.metadata import version

from sharedctx.backends import steps
from sharedctx.errors import SharedContextError
from sharedctx.versions.collection import Collection

from .background import STORE_HEADER, mark
from .calls import Call
from .replies import Reply, iso, json_reply
from .service import Service

_VERSION = version("sharedctx")
_CONNECTED = 0.8
_SPACE = "probes"
_PROBE = Collection(_SPACE, "servers")
_PROBE_EVERY = 1.0


class Health:
    """The routes /health and /ready, which need no token."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._probed = float("-inf")
        self._fault: str | None = None

    async def health(self, call: Call) -> Reply:
        """Tell whether all is well: ``healthy``, or ``degraded`` with the reasons."""
        service = self._service
        reasons, contexts = [], 0
        started = time.monotonic()
        try:
            contexts = len(await service.run(service.projects.names()))
        except SharedContextError as error:
            reasons.append(f"the store does not answer: {error.code}")
        took = time.monotonic() - started
        if took > service.settings.slow_store:
            reasons.append(f"the store is slow: it took {took * 1000:.0f} ms to list the projects")
        here, lost = service.meter.connections, service.meter.recently_lost()
        if lost and here / (here + lost) < _CONNECTED:
            reasons.append(f"{lost} of {here + lost} clients lost their connection in the last five minutes")
        body = {
            "status": "degraded" if reasons else "healthy",
            "timestamp": iso(service.now()),
            "version": _VERSION,
            "contexts": contexts,
            "connections": here,
        }
        headers = ((STORE_HEADER.encode(), mark(service.store).encode()),)
        return json_reply({**body, "reasons": reasons} if reasons else body, headers=headers)

    async def ready(self, call: Call) -> Reply:
        """Tell whether the store takes writes, by writing a row of the server's own at most once a second."""
        if time.monotonic() - self._probed > _PROBE_EVERY:
            put = _PROBE.put(str(self._service.settings.port), {"at": self._service.now()})
            try:
                await self._service.run(steps.commit(_SPACE, (put,)))
                self._fault = None
            except SharedContextError as error:
                self._fault = error.code
            self._probed = time.monotonic()
        ready = self._fault is None and not self._service.stopping
        why = "the server is stopping" if self._service.stopping else f"the store takes no writes: {self._fault}"
        body = {"ready": ready, "timestamp": iso(self._service.now())}
        return json_reply(body if ready else {**body, "reason": why}, 200 if ready else 503)
