"""The gist of a paragraph: its first sentence, and those that warn or that a query asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..fitting import wanted
from ..kind import Brief
from ..pieces import units_with

_END = re.compile(r"[.!?:][)\"'\u201d\u2019*_`\]]{0,4}\s+(?=[^\sa-z])|[\u3002\uff01\uff1f]")
_SHORT = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|al|no|fig|eq|dr|mr|ms|st|approx|resp|[a-z])|\.\.)[.][)\"'*_`]*$", re.I
)
_WARNS = re.compile(
    r"\b(?:errors?|fatal|fail(?:s|ed|ure|ures)?|invalid|exceptions?|critical|denied|refused|timeouts?|warnings?|caution"
    r"|never|deprecated|panics?|traceback|crash\w{0,4}|insecure|breaking|must not)\b",
    re.I,
)
_STEMS = (
    "error", "fatal", "fail", "invalid", "exception", "critical", "denied", "refused", "timeout", "warning", "caution",
    "never", "deprecated", "panic", "traceback", "crash", "insecure", "breaking", "must not",
)  # fmt: skip
"""In lower case a part of every warning."""
_LEAST = 25
"""A first sentence shorter than this says too little: the next one is added."""


def sentences(text: str) -> list[str]:
    """Divide a paragraph into its sentences, which joined with nothing between give it back."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if text[end.start()] == ":" or _SHORT.search(text, max(start, end.start() - 12), end.end() - 1):
            continue
        found.append(text[start : end.end()])
        start = end.end()
    if start < len(text):
        found.append(text[start:])
    return found


def warning(texts: Sequence[str]) -> set[int]:
    """The places of the texts that may warn: the others do not."""
    return set(units_with(texts, _STEMS, any_case=True))


def gist(text: str, brief: Brief, cut: str = "…", *, warns: bool = True) -> str:
    """The text with what is no first, warning or asked-for sentence replaced by ``cut``; ``warns``: it may warn."""
    found = sentences(text)
    kept: list[str] = []
    gap = ""
    size = 0
    for place, sentence in enumerate(found):
        leads = size < _LEAST or (place == len(found) - 1 and sentence.endswith(":") and len(sentence) < 100)
        if leads or (warns and _WARNS.search(sentence)) or wanted(sentence, brief):
            if gap:
                kept.append(cut + " ")
            kept.append(sentence)
            gap = ""
            size += len(sentence)
        else:
            gap += sentence
    if gap and len(gap.strip()) > 3 * len(cut):
        kept.append(cut)
    else:
        kept.append(gap)
    return "".join(kept).rstrip()
