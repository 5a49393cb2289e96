"""The server's metrics, as JSON and for Prometheus."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from sharedctx.backends.steps import Steps
from sharedctx.errors import DecodeError, KeyNotFound, SharedContextError
from sharedctx.evolution import EvolutionStore
from sharedctx.projects.sweeping import last_used

from .calls import Call
from .replies import Reply, iso, json_reply
from .service import Service

_TEXT = (b"content-type", CONTENT_TYPE_LATEST.encode())
_COUNTERS = {
    "requests": "Requests and stream handshakes.",
    "reads": "Contexts asked for.",
    "cache_hits": "Reads answered by 304.",
    "writes": "Versions written.",
    "conflicts": "Writes refused because another came first.",
    "refused": "Requests refused.",
    "errors": "Requests that failed.",
    "bytes_saved": "Bytes that compression of replies saved.",
    "tokens_saved": "Tokens that differences, windows and 304 spared readers.",
    "deliveries": "Messages put to subscribers.",
    "dropped": "Subscribers dropped because they were too slow.",
    "swept": "Contexts that went because of a limit.",
}
_SAVINGS = {
    "calls": "Readings that went to models, in all sessions of the store, by framework and kind of hand-over.",
    "served_tokens": "Tokens that models were served.",
    "replay_tokens": "Tokens that the whole originals would have cost each time.",
}
_PHASES = {
    "count": ("evolution_phase_runs", "Evolutions of this store in which the phase ended, by phase."),
    "mean": ("evolution_phase_mean_seconds", "How long a phase took, over the evolutions of this store."),
}
_MOST_PHASES = 20


class Metrics:
    """The route /metrics."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._registry = CollectorRegistry(auto_describe=False)
        self._gauges: list[tuple[str, str, float]] = []
        self._savings: dict[tuple[str, str], list[int]] = {}
        self._phases: dict[str, dict[str, float]] = {}
        self._registry.register(self)

    async def metrics(self, call: Call) -> Reply:
        """Return JSON, or the Prometheus text where ``Accept`` prefers text."""
        accept = call.headers.get(b"accept", b"").decode("latin-1")
        if "text/plain" in accept or "openmetrics" in accept:
            self._gauges = await self._measured()
            return Reply(200, generate_latest(self._registry), (), _TEXT)
        return json_reply(await self._facts(call))

    async def _facts(self, call: Call) -> dict[str, Any]:
        service, meter = self._service, self._service.meter
        sizes = await service.store.driver.leave_loop(service.context.run, self._sizes(call.agent()))
        return {
            "totalRequests": meter.requests,
            "cacheHits": meter.cache_hits,
            "compressionSaved": meter.bytes_saved,
            "activeConnections": meter.connections,
            "tokensSaved": meter.tokens_saved,
            "activeContexts": len(sizes),
            "totalVersions": sum(each["versions"] for each in sizes),
            "memoryUsage": _memory(),
            "uptime": round(meter.uptime, 3),
            "contextSizes": sizes,
        }

    def _sizes(self, participant: str | None) -> Steps[list[dict[str, Any]]]:
        service = self._service
        used = yield from last_used(service.projects)
        readable = set((yield from service.projects.names(participant)))
        found = []
        for project in sorted(readable):
            try:
                head = yield from service.projects.live(project)
                versions = yield from service.projects.versions(project)
            except (KeyNotFound, DecodeError):
                continue
            found.append(
                {
                    "projectId": project,
                    "versions": len(versions),
                    "subscribers": service.hub.subscribers(project),
                    "lastAccessed": iso(used.get(project, head.blob.timestamp)),
                    "size": head.blob.size,
                }
            )
        return found

    async def _measured(self) -> list[tuple[str, str, float]]:
        service = self._service
        found: list[tuple[str, str, float]] = []
        try:
            facts = await service.store.driver.leave_loop(service.store.stats)
            found.append(("store_bytes", "Bytes of the store.", float(facts["bytes"])))
            found.append(("contexts", "Contexts that live.", float(len(await service.run(service.projects.names())))))
            self._savings = await service.run(service.store.savings.totals())
            evolutions = await EvolutionStore(store=service.store).metrics()
            self._phases = evolutions["phase_durations"]
            for name, value in evolutions.items():
                if isinstance(value, int | float):
                    found.append((f"evolution_{name}", "A figure of the evolutions of this store.", float(value)))
        except SharedContextError:
            found.append(("store_answers", "Whether the store answers.", 0.0))
        else:
            found.append(("store_answers", "Whether the store answers.", 1.0))
        return found

    def collect(self) -> Iterator[Metric]:
        """Every figure as Prometheus takes it; keys and agents are never labels, the 20 commonest phases are."""
        meter = self._service.meter
        for name, words in _COUNTERS.items():
            yield CounterMetricFamily(f"sharedctx_{name}", words, value=getattr(meter, name))
        after = meter.bytes_after or 1
        ratio = meter.bytes_before / after if meter.bytes_before else 1.0
        own = [
            ("connections", "Streams that are open.", meter.connections),
            ("cache_hit_ratio", "Share of reads answered by 304.", meter.cache_hits / (meter.reads or 1)),
            ("compression_ratio", "Size of replies over their compressed size.", ratio),
            ("watch_lag_seconds", "From a version's commit until it was put to subscribers.", meter.lag),
            ("memory_bytes", "Most memory this process has used.", _memory()),
            ("uptime_seconds", "Since the start.", meter.uptime),
            ("start_time_seconds", "When it started.", time.time() - meter.uptime),
        ]
        for at, (name, words) in enumerate(_SAVINGS.items()):
            savings = CounterMetricFamily(f"sharedctx_savings_{name}", words, labels=("face", "kind"))
            for labels, sums in sorted(self._savings.items()):
                savings.add_metric(labels, sums[at])
            yield savings
        common = sorted(self._phases, key=lambda phase: (-self._phases[phase]["count"], phase))[:_MOST_PHASES]
        for figure, (name, words) in _PHASES.items():
            gauge = GaugeMetricFamily(f"sharedctx_{name}", words, labels=("phase",))
            for phase in common:
                gauge.add_metric((phase,), self._phases[phase][figure])
            yield gauge
        for name, words, value in (*own, *self._gauges):
            yield GaugeMetricFamily(f"sharedctx_{name}", words, value=value)


def _memory() -> int:
    """The most memory that this process has used, in bytes."""
    with contextlib.suppress(ImportError):  # Windows has no such figure
        import resource

        found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return found if sys.platform == "darwin" else found * 1024
    return 0
