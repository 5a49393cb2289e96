"""Metrics: tables of like samples; of the standard view, their ranges, extremes and what stands out."""

from __future__ import annotations

from ...errors import DecodeError
from ..kind import Brief, Draft, Source
from ..metrics.exposition import Block, read, sample
from ..metrics.ranges import Ranges
from ..metrics.table import Reader, Writer
from ..pieces import evenly

_LEGEND = (
    '[[metrics: "@3 type name{a="x",b=?,c^} ? 17?" heads 3 samples, ? is told by their rows (labels, value, time after'
    " 17); c^: as in the heading above; ^: as in the row above; &1 repeats the labels of row &1=; name|_sum: name_sum"
    " of family name; after #: HELP; other lines are plain]]"
)
_FEWEST = 4
_GLANCED = 20


class MetricsKind:
    """What a scrape of Prometheus or OpenMetrics returns, and dumps like it."""

    name = "metrics"

    def fits(self, source: Source) -> float:
        """By the share of lines that are samples or comments on them."""
        lines = [line for line in source.text[:30_000].split("\n")[:-1][:200] if line.strip()]
        told = [line for line in lines if not line.startswith(("# TYPE ", "# HELP ", "# UNIT ", "# EOF"))]
        few = evenly(told, _GLANCED)
        if 2 * sum(sample(line) is not None for line in few) < len(few):
            return 0.0
        samples = sum(sample(line) is not None for line in told)
        labelled = len(lines) - len(told) + sum("{" in line for line in told)
        if samples < _FEWEST or samples < 0.8 * len(told) or not labelled:
            return 0.0
        return 0.95

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Return each family with its range and the samples that stand out."""
        exposition = read(source.lines)
        if sum(len(block.samples) for block in exposition.blocks) < _FEWEST:
            return None
        return Ranges(source, brief, exposition.blocks).draft()

    def pack(self, source: Source) -> str | None:
        """Return the samples as tables, or None where that is not shorter."""
        exposition = read(source.lines)
        writer = Writer(exposition.blocks)
        pieces = [_LEGEND]
        for part in exposition.parts:
            if isinstance(part, Block):
                pieces.append(writer.heading(part, len(part.samples)))
                pieces += writer.rows(part, range(len(part.samples)))
            else:
                pieces.append(f"'{part}" if part.startswith(("@", "'")) else part)
        packed = "\n".join(pieces)
        return packed if len(packed) < len(source.text) else None

    def unpack(self, text: str) -> str:
        """Return the exact text of a packed view. Raises ``DecodeError``."""
        head, found, body = text.partition("\n")
        if not found or not head.startswith("[[metrics: "):
            raise DecodeError("no lossless view of metrics: the first line is no legend")
        return "\n".join(Reader(body.split("\n")).whole())


KIND = MetricsKind()
