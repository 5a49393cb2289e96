"""What a log is made of: templates of its lines, their counts, and which lines tell of trouble."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import eq, itemgetter

from ...lazy import lazy
from ..pieces import fold, units_with

TIME = re.compile(
    r"[\dA-Z\[](?:(?<=\d)(?:\d{3}[-/]\d\d[-/]\d\d[T _]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?"
    r"|\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d"
    r"|\d[-/.]\d\d[-/.]\d{2,4} \d\d:\d\d(?::\d\d)?|\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    r"|(?<=1)(?<!\w.)\d{9}(?:\.\d{1,9}|\d{3})?\b"
    r"|\d{7}[-T_ ]?\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?)"
    r"|(?<=[A-Z])[a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?"
    r"|(?<=[IWEF])\d{4} \d\d:\d\d:\d\d\.\d{1,9}"
    r"|(?<=\[) {0,6}\d{1,7}\.\d{3,6}\])"
)
"""A time as logs write it; as of all patterns here that search, the first character is a set or one of few, which the
engine looks for before all else."""
LEVEL = re.compile(
    r"[TDINWEFCSl<](?:(?<!\w.)(?:(?<=T)RACE|(?<=D)EBUG|(?<=I)NFO|(?<=N)OTICE|(?<=W)ARN(?:ING)?|(?<=E)RROR|(?<=F)ATAL"
    r"|(?<=C)RITICAL|(?<=S)EVERE)\b|(?<!\w.)(?<=l)evel=\w|(?<=^<)\d{1,3}>)"
)
_SIGN = re.compile(r"[\dA-Zl](?:\d:\d\d|\.\d{3}|\d{8}|[A-Z]{3}|evel=)")
"""What times and levels have, but for a level in angles; found much faster than they are."""
FRAME = re.compile(
    r"\s{0,12}at [\w.$<]{1,300}.{0,200}[(:]|\s{1,12}File \".{1,300}\", line \d|Traceback \(most|Caused by: "
    r"|\s{0,8}\.\.\. \d+ more|goroutine \d+ \[|\t\S{1,300}\.go:\d+|#\d+ {1,3}0x[0-9a-f]|\s{1,8}\d+: +\S{1,200}::"
    r"|\s{1,12}from \S{1,300}:\d+:in "
)
"""A line of a stack trace."""
BUILD = re.compile(
    r"npm (?:ERR!|WARN|error|warn)|> Task :|Step \d+/\d+|#\d+ (?:\[|\d+\.\d|DONE|CACHED)"
    r"|(?:##\[|::)(?:group|error|warning|endgroup|section)"
    r"|\S{1,300}:\d+(?::\d+)?: (?:fatal )?(?:error|warning|note)\b|(?:error|warning)(?:\[\w+\])?: "
    r"|make(?:\[\d+\])?: |\[ {0,2}\d{1,3}%\] "
    r"|\+ \w|(?:Collecting|Downloading|Installing|Compiling|Building|Fetching|Unpacking|Setting up|Get:\d+) \S"
)
"""A line as builds and continuous integration print it."""
HEAD = 48
"""Characters of a line's start in which a time or level makes it the head of a record."""

_DAY = re.compile(r"^[A-Z][a-z]{2} [ \d]\d (?=\d\d:\d\d)", re.M)
"""A month and a day: they differ where a log goes on into the next, and days of one digit have a blank more."""
_HEX = re.compile(r"[0-9a-f-](?<![0-9A-Za-z_-][0-9a-f-])(?:(?<=[0-9])|(?=[a-f-]*\d))[0-9a-fA-F-]{7,}+(?![0-9A-Za-z_])")
"""Its first character is a set, which the engine looks for before all else."""
_NUMBER = re.compile(r"\d\w*")
_NUMBER_IN_ASCII = re.compile(r"\d\w*", re.ASCII)
"""The same where a text is ASCII, found in half of the time."""
_ZEROS = str.maketrans("123456789", "0" * 9)
"""What makes lines equal that differ in digits alone: they have one mask."""
_JOINED = re.compile(r"\*(?:[-.:,/+]\*)+")
_ACCESS = re.compile(r'\S{1,60} \S{1,60} .{1,80}\[[^\]]{10,40}\] "([A-Z]{3,10}) ([^"]{0,4000})" ([1-5])(\d\d) ')
_STATUS = re.compile(r"[A-Z]{3,10} ([1-5])\d\d( .+)?")
_SEVERE = re.compile(
    r"[EFCSAPTl:\[epf](?:(?<!\w.)(?:(?<=E)(?:RROR|MERG)|(?<=F)(?:ATAL|AILED|AILURE)|(?<=C)(?:RITICAL|RIT)|(?<=S)EVERE"
    r"|(?<=A)LERT|(?<=P)ANIC)\b|(?<=E)(?:rror|xception)\b|(?<=T)raceback|(?<=C)aused by|(?<=^[EF])\*|(?<=:) [EF]\* "
    r"|(?<!\w.)(?:(?<=l)evel=(?:error|fatal|crit|panic)|(?:(?<=e)rror|(?<=p)anic|(?<=f)atal)[:\[])"
    r"|(?<=\[)(?:error|crit|alert|emerg)\])"
)
_TROUBLE = re.compile(
    r"[efpcswdrtauiknob](?:(?<=e)(?:rror|xception)|(?<=f)a(?:tal|il)|(?<=p)anic|(?<=c)(?:ritical|annot|rash|orrupt)"
    r"|(?<=s)evere|(?<=w)arn|(?<=d)enied|(?<=r)e(?:fused|ject)|(?<=t)ime(?:d )?-?out|(?<=a)bort"
    r"|(?<=u)n(?:able|reachable|expected|available)|(?<=i)nvalid|(?<=k)illed|(?<!\w.)(?<=w)\* |(?<=o)ut of memory"
    r"|(?<!\w.)(?<=n)ot found\b|(?<!\w.)(?<=o)om\b)"
)
"""In lower case."""
_STEMS = (
    "err", "fatal", "panic", "exception", "fail", "crit", "severe", "warn", "denied", "refused", "timeout",
    "timed", "time-out", "abort", "unable", "cannot", "unreachable", "invalid", "crash", "killed", "corrupt",
    "reject", "unexpected", "w* ", "e* ", "f* ", "out of memory", "unavailable", "not found", "oom", "emerg",
    "alert", "traceback", "caused by",
)  # fmt: skip
"""In lower case a part of every trouble,"""
_STARTS = re.compile(r"[EF]\*|[A-Z]{3,10} [1-5]")
"""but for those that are told by how a mask starts."""
_SCANNED = 20_000
_COMPARED = 2000
_WORDS = 40
_GROUPS = 12
_ALIKE = 0.7


@dataclass(slots=True)
class Template:
    """Lines that differ in numbers and single words; ``trouble`` is 2 for errors and 1 for hints of some."""

    words: list[str]
    lines: list[int] = field(default_factory=list)
    masks: dict[str, int] = field(default_factory=dict)
    trouble: int = 0


class Survey:
    """The templates of a text's lines. Linear in the text."""

    def __init__(self, text: str, lines: list[str]) -> None:
        self.lines = lines
        self.masks = self._mask(text)

    def _mask(self, text: str) -> list[str]:
        forms = text.translate(_ZEROS).split("\n") if text.isascii() else self.lines
        known = dict.fromkeys(forms)
        masks = list(map(dict(zip(known, _masked("\n".join(known)), strict=True)).__getitem__, forms))
        asked = [(index, line) for index, line in enumerate(self.lines) if ' "' in line and "[" in line]
        found = [(index, access) for index, line in asked if (access := _ACCESS.match(line, 0, 5000)) is not None]
        troubled = set(units_with([access[2] for _, access in found], _STEMS, any_case=True))
        for place, (index, access) in enumerate(found):
            hint = _TROUBLE.search(_low(access[2])) if place in troubled else None
            told = "" if hint is None else f" {access[2][slice(*hint.span())]}"
            masks[index] = f"{access[1]} {access[3]}{access[4]}{told}"
        return masks

    @lazy
    def templates(self) -> list[Template]:
        """The templates, in the order of their first lines."""
        counts = Counter(self.masks)
        buckets: dict[tuple[int, str], list[Template]] = defaultdict(list)
        of: dict[str, Template] = {}
        masks = list(counts)
        troubled = set(units_with([mask[:_SCANNED] for mask in masks], _STEMS, any_case=True))
        for index, mask in enumerate(masks):
            words = mask[:_COMPARED].split(" ", _WORDS)
            bucket = buckets[len(words), words[0]]
            for template in bucket[:_GROUPS]:
                if len(words) > 3 and sum(map(eq, template.words, words)) >= _ALIKE * len(words):
                    template.words = [a if a == b else "*" for a, b in zip(template.words, words, strict=True)]
                    break
            else:
                template = Template(words)
                bucket.append(template)
            of[mask] = template
            if index in troubled or _STARTS.match(mask):
                template.trouble = max(template.trouble, trouble_of(mask)[0])
        found: dict[int, Template] = {}
        for index, mask in enumerate(self.masks):
            template = of[mask]
            template.lines.append(index)
            template.masks.setdefault(mask, index)
            found.setdefault(id(template), template)
        return list(found.values())

    @lazy
    def heads(self) -> list[bool]:
        """Whether each line starts a record: has a time or level at its start. All do where none has."""
        found = list(_heads(self.lines))
        return found if any(found) else [True] * len(found)


def _masked(text: str) -> list[str]:
    """The lines of a text with its numbers and dates masked."""
    masked = _DAY.sub("* * ", text) if _DAY.match(text) else text
    masked = _HEX.sub("*", masked)
    return _JOINED.sub("*", (_NUMBER_IN_ASCII if text.isascii() else _NUMBER).sub("*", masked)).split("\n")


def _heads(lines: Sequence[str]) -> Iterator[bool]:
    """``is_head`` of each line: most times stand where that of a line before does, and are looked for there first."""
    at = 0
    for line in lines:
        if TIME.match(line, at, HEAD) is not None:
            yield True
            continue
        head = is_head(line)
        if head and (time := TIME.search(line, 0, HEAD)) is not None:
            at = time.start()
        yield head


def is_head(line: str) -> bool:
    """Whether a line starts with a time or a level."""
    if line[:1] != "<" and _SIGN.search(line, 0, HEAD) is None:
        return False
    return TIME.search(line, 0, HEAD) is not None or LEVEL.search(line, 0, HEAD) is not None


_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d]+")
_SHAPED, SIMILAR, _FIRST = 20, 0.5, 40


def alike(lines: Sequence[str], least: float = SIMILAR) -> bool:
    """Whether most lines, or another share of them, start in one form that has numbers, as those of programs that
    write no usual time."""
    if len(lines) < _SHAPED:
        return False
    starts = "\n".join([line[:_FIRST] for line in lines])
    shaped = _LETTERS.sub("a", _DIGITS.sub("0", starts)).split("\n")
    shapes = Counter(" ".join(line.split(" ")[:3]) for line in shaped)
    shape, times = shapes.most_common(1)[0]
    joined = any("0" in word and len(word) > 1 for word in shape.split(" "))  # 10.1.2, node-7: no plain numbering
    return joined and times >= least * len(lines)


def trouble_of(mask: str) -> tuple[int, int]:
    """2 for an error, 1 for a hint of trouble, else 0; and where that stands."""
    status = _STATUS.fullmatch(mask)
    if status is not None:
        return (2 if status[1] == "5" else 1 if status[1] == "4" or status[2] else 0), 0
    severe = _SEVERE.search(mask, 0, _SCANNED)
    if severe is not None:
        return 2, severe.start()
    hint = _TROUBLE.search(_low(mask[:_SCANNED]))
    return (1, hint.start()) if hint is not None else (0, 0)


def _low(text: str) -> str:
    """The text in lower case as patterns without case take it, every character in its place."""
    return fold(text).replace("\u0131", "i").replace("\u017f", "s")


_COLUMNS, _COMMON, _LEAST, _SURVEYED = 8, 0.9, 10, 200


def common_starts(lines: Sequence[str]) -> list[str]:
    """Return the runs of words, such as a date and a host, that nearly all lines have at one place of their starts."""
    step = len(lines) // _SURVEYED + 1
    rows = [line.split(" ", _COLUMNS) for line in lines[::step] if line.strip()]
    found: list[str] = []
    run = ""
    for column in range(_COLUMNS):
        words = Counter(row[column] for row in rows if len(row) > column + 1)
        word, times = max(words.items(), key=itemgetter(1), default=("", 0))
        if word and times >= _COMMON * len(rows):
            run += f"{word} "
            continue
        found += [run] if len(run) >= _LEAST else []
        run = ""
    return [*found, run] if len(run) >= _LEAST else found
