"""Logs: an example of each template with its count, all that is rare, all distinct errors, first and last lines."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import DecodeError
from ..kind import Brief, Draft, Source
from ..lines.log_forms import RESERVED, divide
from ..lines.log_packed import Reader, Writer
from ..lines.log_survey import BUILD, FRAME, SIMILAR, Survey, Template, alike, common_starts, is_head, trouble_of
from ..lines.odd_values import odd_lines
from ..lines.picks import Picks
from ..packs import MOST
from ..pieces import evenly

_LEGEND = (
    '[[log: "@A .. <> .." is a form of line, "A x y" a line of form A with the cells x and y for <>, " x y" one of the'
    " form before; ^ or no cell: as in the form's line before; <:><:> is a time, told from its first part that is not"
    " as in the time before; <=1> is cell 1 again; &1 repeats the cell &1=; | starts a line as it is; << is <]]"
)
_SAMPLE, _GLANCED = 150, 40
_FEWEST = 8
_RARE = 2
_FORMS = 8
"""Distinct forms of one error template that are shown."""
_FRAMES = 4
_REPEATED = 12
"""So many errors of one template are all shown, if there is room."""
_LONG = 50
_MUST = (0.30, 1500)
_SHOULD = (0.085, 500)
_ALL = (0.1, 600)
_WIDE, _NARROW, _LINE = 600, 100, 0.5
"""The most characters of a line that is not the first or the last; of a budget so many for each token."""
_FIRST_COMMON, _FIRST_RARE = 3, 12
"""Within a budget so many rare templates come before the common ones that are behind the most frequent."""
_ABOUT = " (the gaps between the numbers; x9 to 99: 9 lines like this one, the last is 99; … inside a line: cut)"


def _may_be(lines: Sequence[str]) -> bool:
    """Whether a few of many lines are such that most may be of a log."""
    known = sum(1 for line in lines if is_head(line) or FRAME.match(line) or BUILD.match(line))
    return known >= 0.1 * len(lines) or alike(lines, SIMILAR / 2)


class LogKind:
    """Lines with times or levels, of any common format; stack traces and the output of builds too."""

    name = "log"

    def fits(self, source: Source) -> float:
        """By the share of lines that start with a time or a level, are of a stack trace or a build, or begin alike."""
        lines = [line for line in source.text[:60_000].split("\n")[:1000] if line.strip()]
        if len(lines) < _FEWEST:
            return 0.0
        if not is_head(lines[0]) and not _may_be(evenly(lines, _GLANCED)):
            return 0.0
        step = len(lines) // _SAMPLE | 1  # odd: lines often come in pairs
        sample = lines[::step]
        heads = sum(map(is_head, sample))
        share = heads / len(sample)
        if share >= 0.5:
            return 0.8
        if heads >= 4 and is_head(lines[0]):
            return 0.5
        frames = sum(FRAME.match(line) is not None for line in sample)
        builds = sum(BUILD.match(line) is not None for line in sample)
        if frames >= max(4, 0.25 * len(sample)) or builds + frames + heads >= 0.4 * len(sample):
            return 0.6
        return 0.3 if alike(sample) else 0.0

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Return the lines that say most, with their numbers."""
        if len(source.lines) < _FEWEST:
            return None
        return _Shortening(source, brief).draft()

    def pack(self, source: Source) -> str | None:
        """Return every line as the cells in which it differs from its form, or None where that is not shorter."""
        if len(source.text) > MOST or RESERVED.search(source.text):
            return None
        writer = Writer(divide(source.text, source.lines))
        packed = "\n".join([_LEGEND, *writer.lines(source.lines)])
        return packed if len(packed) < len(source.text) else None

    def unpack(self, text: str) -> str:
        """Return the exact text of a packed view. Raises ``DecodeError``."""
        head, found, body = text.partition("\n")
        if not found or not head.startswith("[[log: "):
            raise DecodeError("no lossless view of a log: the first line is no legend")
        return "\n".join(Reader().lines(body.split("\n")))


class _Shortening:
    def __init__(self, source: Source, brief: Brief) -> None:
        self._brief = brief
        self._survey = Survey(source.text, source.lines)
        without = common_starts(source.lines) if brief.budget is not None else []
        self._picks = Picks(source, brief, without)
        whole = brief.count(source.text) if brief.budget is None else 0
        self._narrow = _WIDE if brief.budget is None else max(_NARROW, int(brief.budget * _LINE))
        self._must = int(max(whole * _MUST[0], _MUST[1])) if brief.budget is None else brief.budget
        self._should = int(max(whole * _SHOULD[0], _SHOULD[1])) if brief.budget is None else brief.budget
        self._all = int(max(whole * _ALL[0], _ALL[1])) if brief.budget is None else brief.budget

    def draft(self) -> Draft | None:
        survey, picks = self._survey, self._picks
        lines = survey.lines
        last = len(lines) - 1
        while last > 0 and not lines[last].strip():
            last -= 1
        self._wanted()
        common = [each for each in survey.templates if len(each.lines) > _RARE]
        rare = [each for each in survey.templates if len(each.lines) <= _RARE and "".join(each.words).strip()]
        troubles = sorted((each for each in survey.templates if each.trouble), key=_worst)
        for each in troubles[:1]:
            self._add(each.lines[0])
        picks.add(0, self._must)
        picks.add(last, self._must)
        for each in troubles:
            self._add(each.lines[0])
        for index in self._conclusions():
            self._add(index)
        for each in troubles:
            for index in list(each.masks.values())[1:_FORMS]:
                self._add(index)
            self._add(each.lines[-1])
        for at, each in enumerate(sorted(common, key=lambda each: -len(each.lines))):
            if at == _FIRST_COMMON and self._brief.budget is not None:
                self._rare(rare[:_FIRST_RARE])
            picks.add(each.lines[0], self._should, width=self._narrow)
            if len(each.lines) > _RARE:
                picks.note(each.lines[0], f" x{len(each.lines)} to {each.lines[-1] + 1}")
        picks.patient()
        for each in common:
            for index in odd_lines(lines, each.lines):
                picks.add(index, self._should)
        picks.patient()
        self._rare(rare)
        for each in troubles:
            if each.trouble > 1:
                self._frames(each.lines[0])
        for each in common:
            picks.add(each.lines[-1], self._should)
        picks.patient()
        for each in troubles:
            if each.trouble > 1 and len(each.lines) <= _REPEATED:
                for index in each.lines:
                    picks.add(index, self._all)
        return picks.draft("templates", _ABOUT)

    def _rare(self, rare: list[Template]) -> None:
        """The lines of rare templates, those that start a record first."""
        heads = self._survey.heads
        for wants_head in (True, False):
            for each in rare:
                for index in each.lines:
                    if heads[index] == wants_head:
                        self._picks.add(index, self._should, width=self._narrow)
        self._picks.patient()

    def _conclusions(self) -> list[int]:
        """Lines that end a stack trace by what was raised, one of each sort: names need not end in Error."""
        lines, masks = self._survey.lines, self._survey.masks
        found: dict[str, int] = {}
        for index in range(2, len(lines)):
            line, before = lines[index], lines[index - 1]
            if line[:1].isalpha() and before[:1] in (" ", "\t"):
                traced = FRAME.match(before) or FRAME.match(lines[index - 2])
                if traced and not FRAME.match(line):
                    found.setdefault(masks[index], index)
        return list(found.values())

    def _wanted(self) -> None:
        wanted = self._brief.wanted
        if not wanted:
            return
        found = []
        for index, line in enumerate(self._survey.lines):
            low = line.lower()
            number = sum(word in low for word in wanted)
            if number:
                found.append((-number, index, min(low.find(word) for word in wanted if word in low)))
        for _, index, spot in sorted(found):
            self._picks.add(index, self._must * 3 // 4, spot=spot)
        self._picks.patient()

    def _add(self, index: int) -> None:
        line = self._survey.lines[index]
        self._picks.add(index, self._must, spot=trouble_of(line)[1] if len(line) > _LONG else 0)

    def _frames(self, index: int) -> None:
        """The start and the end of the stack trace below an error."""
        heads, lines = self._survey.heads, self._survey.lines
        end = index + 1
        while end < len(lines) and end - index < 200 and not heads[end] and lines[end].strip():
            end += 1
        for place in [*range(index + 1, min(index + 1 + _FRAMES, end)), end - 1]:
            if place > index:
                self._picks.add(place, self._should)


def _worst(template: Template) -> tuple[int, int, int]:
    return -template.trouble, len(template.lines), template.lines[0]


KIND = LogKind()
