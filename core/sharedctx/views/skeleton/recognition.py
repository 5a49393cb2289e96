"""Which language a text is written in, from samples of it alone."""

from __future__ import annotations

import re
from functools import lru_cache

from ..pieces import evenly
from .language import Language, is_braced
from .languages import LANGUAGES

_SAMPLES = (8_000, 24_000)
"""Characters from the start that are looked at; more only where the first are mostly comments or one long text."""
_COMMENTS = (" *", "\t*", "//", "/*", "#", "--")
_OPENINGS = ('"""', "'''", 'r"""', "/*", "//", "#!", "# -*-", "--", "{-", "(*")
_REACH = 200
_PLAINLY = 0.7
"""Where so many signs stand to a line, no other language is asked."""
_LIKELY, _SOME = 1.5, 4
"""Of signs that some lines have so many times as many, and so many more, may stand in all."""
_GLANCED, _MANY = 80, 0.15
"""So many lines are looked at first; what has a larger share of lines of another kind is no program."""
_PATCH = re.compile(r"^(?:diff --git |@@ -\d|\*{15}$|Index: )", re.M)
_FOREIGN = re.compile(
    r"diff --git |@@ -\d|--- \S|\+\+\+ \S|index [0-9a-f]{7}|[^\s:]{1,200}:\d+:|\[?\d{4}-\d\d-\d\d[T ]\d\d:"
    r"|<(?!\?php)[/!a-zA-Z]"
    r"|\d{1,3}(?:\.\d{1,3}){3} |[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|[-*] \w|```|\.\. [\w-]+::"
    r"|[ \t]*(?:E  |>  |={3,}|_{3,}|-{5,}|at [\w.$<>]+\(|\"[^\"\n]{0,80}\": )"
)
_CODE_SIGN = re.compile(r"[{};:()\[\],=\\|&]$|=|\w\(|^\s*\w+$|->|::|\$\w|^\s*[@#]\w")


def recognise(text: str) -> tuple[Language, float] | None:
    """Return the language and how sure it is, from 0 to 1; None for what is no program."""
    first, more = _SAMPLES
    sample = _sample(text[:first])
    found = _recognise(sample)
    if found or first >= len(text):
        return found
    lines = sample.split("\n")
    comments = sum(line.startswith(_COMMENTS) for line in lines)
    if comments >= 0.4 * len(lines) or sample.startswith(_OPENINGS):
        return _recognise(_sample(text[:more]))
    return None


def _sample(text: str) -> str:
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    if max(map(len, lines), default=0) > _REACH:
        lines = [line[:_REACH] for line in lines]
    return "\n".join(lines)


@lru_cache(8)  # asked twice for each text: whether it is a program, and which
def _recognise(sample: str) -> tuple[Language, float] | None:
    lines = sample.split("\n")
    if len(lines) < 4 or _is_foreign(lines):
        return None
    if len(_PATCH.findall(sample)) > 1:
        return None
    best: tuple[float, Language, float] | None = None
    braced = is_braced(sample)
    for language in LANGUAGES:
        if language.may_be(sample, braced):
            score, sure = _score(sample, language, best[0] if best else 0.0)
            if language.opens and sample.startswith(language.opens):
                return (language, sure) if score else None
            if score and (best is None or score > best[0]):
                best = score, language, sure
                if score >= _PLAINLY * len(lines):
                    break
    return best and best[1:]


def _is_foreign(lines: list[str]) -> bool:
    """Whether many lines are of something else than a program; of a clear case not all are looked at."""
    some = evenly(lines, _GLANCED)
    share = sum(1 for line in some if _FOREIGN.match(line)) / len(some)
    if len(some) < len(lines) and 0.5 * _MANY < share < 2 * _MANY:
        share = sum(1 for line in lines if _FOREIGN.match(line)) / len(lines)
    return share > _MANY


def _score(sample: str, language: Language, best: float) -> tuple[float, float]:
    """How many signs of a language stand outside of comments and strings, and how sure it is; zeros for none, and where
    they are surely fewer than the best of the languages before."""
    lines = [line for line in language.inert.sub(_bare, sample).split("\n") if line and not line.isspace()]
    fewest = 1 + (len(lines) > 40)
    some = evenly(lines, _GLANCED)
    hints = len(language.hinted(some))
    likely = _LIKELY * hints * len(lines) / max(len(some), 1) + _SOME
    if not hints or 3 * likely < best:
        return 0, 0
    joined = "\n".join(["", *lines, ""])
    starts = [found.start() + 1 for found in language.declarations.finditer(joined)]
    if len(starts) < fewest or 2 * min(len(starts), likely) + likely < best:
        return 0, 0  # seen at once; what follows looks at each line
    declared = {joined[start : joined.index("\n", start)] for start in starts}
    if len(declared) < fewest:
        return 0, 0
    hinted = set(language.hinted(lines))
    score = 2.0 * min(len(declared), len(hinted)) + len(hinted)
    if score < 0.08 * len(lines):
        return 0, 0
    code = prose = 0
    for index, line in enumerate(lines):
        if index in hinted or line in declared or _CODE_SIGN.search(line):
            code += 1
        else:
            prose += _is_prose(line)
    if code < 0.55 * len(lines) or prose > 0.08 * len(lines):
        return 0, 0
    return score, min(0.95, 0.45 + 0.4 * code / len(lines) + min(score / len(lines), 0.3) / 3)


def _bare(found: re.Match[str]) -> str:
    return "" if found[1] else '""'


def _is_prose(line: str) -> bool:
    words = line.split()
    return len(words) > 4 and sum(1 for word in words if word.strip(".,;:!?()'\"`*_").isalpha()) >= 0.7 * len(words)
