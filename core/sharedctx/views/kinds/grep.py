"""Search results (``path:line:match``, ripgrep's headings): by file, each match once, context behind a reference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from ...errors import DecodeError
from ..fitting import afford, by_rank, rate, relevances, wanted, within
from ..kind import Brief, Draft, Source
from ..paths.matches import BARE, CONTEXT, LOOKS_LIKE_PATH, NUMBERED, PATH, REACH, Found, Row, read, read_headings
from ..paths.rows import rows, short
from ..pieces import evenly

_LEGEND = '[[grep: "# path", then its lines as "number:match"; "12,15:" is the same match at lines 12 and 15]]'
_PACKED = re.compile(r"([1-9]\d{0,8}(?:,[1-9]\d{0,8})*)([:-])")
_ANY_NUMBER = re.compile(r":[1-9]\d{0,8}:|^[1-9]\d{0,8}[:-]", re.M)
_BARE_SHARE = 0.85
_GLANCED, _ROWS = 40, 0.04
"""So many lines are looked at first; where context stands around matches, few of them are rows."""
_AGAIN = 500
"""Characters of rows after which a path is named again: a reader of a long list needs it near."""


def _may_be(lines: list[str]) -> bool:
    """Whether lines may be what a search prints, seen quickly: some have a number between or before colons and dashes,
    or most a colon."""
    some = evenly(lines, _GLANCED)
    if sum(map(_is_row, some)) < _ROWS * len(some):
        return False
    text = "\n".join(lines)
    return _ANY_NUMBER.search(text) is not None or sum(":" in line for line in lines) >= _BARE_SHARE * len(lines)


def _is_row(line: str) -> bool:
    """Whether a line starts with a path or the number of a line."""
    found = PATH.match(line) or BARE.match(line)
    return NUMBERED.match(line) is not None or (found is not None and LOOKS_LIKE_PATH.fullmatch(found[1]) is not None)


def merged(rows: list[Row], strip: bool) -> list[str]:
    """The rows as text; the same text at several lines once, if the numbers rise."""
    texts = [row.text.strip() if strip else row.text for row in rows]
    if any(a.number is None or b.number is None or a.number >= b.number for a, b in pairwise(rows)):
        return [_said(row, text) for row, text in zip(rows, texts, strict=True)]
    if len(rows) == 1:
        return [_said(rows[0], texts[0])]
    places: dict[tuple[str, str], list[str]] = {}
    for row, text in zip(rows, texts, strict=True):
        places.setdefault((row.mark, text), []).append(str(row.number))
    return [f"{','.join(numbers)}{mark}{text}" for (mark, text), numbers in places.items()]


def _said(row: Row, text: str) -> str:
    return f" {text}" if row.number is None else f"{row.number}{row.mark}{text}"


def _listed(path: str, rows: list[str]) -> Iterator[str]:
    since = _AGAIN
    for row in rows:
        if since >= _AGAIN:
            yield f"# {path}"
            since = 0
        yield row
        since += len(row)


def _spelled(
    heads: dict[int, str], units: list[tuple[int, str]], chosen: Iterable[int], note: str, ref: str, brief: Brief
) -> Draft:
    """The chosen units, each under the path of its group if it has one."""
    shown: dict[int, list[str]] = {group: [] for group in heads}
    for unit in chosen:
        shown.setdefault(units[unit][0], []).append(units[unit][1])
    out = [brief.marks.omitted(note, ref)]
    bare: list[str] = []  # paths of which no row is shown
    for group in sorted(shown):
        told = shown[group]
        if group in heads and not told:
            bare.append(heads[group])
            continue
        out += rows(bare)
        bare = []
        out += _listed(heads[group], told) if group in heads else told
    out += rows(bare)
    return Draft("\n".join(out), "by-file", (brief.marks.ref(ref),))


class GrepKind:
    """Search results as grep, ripgrep, ag and compilers print them."""

    name = "grep"

    def fits(self, source: Source) -> float:
        """Of the first lines, how many name a path and a line."""
        sample = [line[:REACH] for line in source.text[:40_000].split("\n")[:400] if line.strip()]
        if len(sample) < 3 or not _may_be(sample):
            return 0.0
        rows = numbered = headings = 0
        bare: list[str] = []
        for line, after in zip(sample, [*sample[1:], ""], strict=True):
            found = PATH.match(line)
            if (found and LOOKS_LIKE_PATH.fullmatch(found[1])) or (rows and (CONTEXT.search(line) or line == "--")):
                rows += 1
            elif (named := BARE.match(line)) and LOOKS_LIKE_PATH.fullmatch(named[1]):
                bare.append(named[1])
            if NUMBERED.match(line):
                numbered += 1
            elif NUMBERED.match(after) and LOOKS_LIKE_PATH.fullmatch(line):
                headings += 1
        share = max(rows, headings and numbered + headings) / len(sample)
        if share >= 0.6:
            return 0.9 if share >= 0.85 else 0.6
        return 0.7 if len(bare) >= _BARE_SHARE * len(sample) and any(a == b for a, b in pairwise(bare)) else 0.0

    def _read(self, source: Source) -> list[Found]:
        """The rows by file, in order of the files' first rows; lines that are no rows stay between them."""
        found = list(read(source.lines))
        if not any(each.path for each in found):
            found = list(read_headings(source.lines))
        files: dict[str, Found] = {}
        kept: list[Found] = []
        for each in found:
            if each.path is None:
                if each.raw.strip() and each.raw != "--":
                    kept.append(each)
            elif each.path in files:
                files[each.path].rows += each.rows
            else:
                files[each.path] = each
                kept.append(each)
        return kept

    def shorten(self, source: Source, brief: Brief) -> Draft | None:
        """Every match under its file, without indentation; context lines and what is over the budget by reference."""
        found = self._read(source)
        files = [each for each in found if each.path is not None]
        if not files:
            return None
        heads: dict[int, str] = {}
        units: list[tuple[int, str]] = []  # the group, its row
        first: list[float] = []  # what a unit matters by its place
        context = 0
        for group, each in enumerate(found):
            if each.path is None:
                units.append((group, each.raw))
                first.append(1.0)
                continue
            heads[group] = each.path
            kept = [row for row in each.rows if row.mark == ":" or wanted(row.text, brief)]
            context += len(each.rows) - len(kept)
            for place, row in enumerate(merged(kept, True)):
                units.append((group, row))
                first.append(1 / (1 + place))
        ref = f"lines:1-{len(source.lines)}"
        note = f"{context} context lines and indentation" if context else "indentation"
        whole = _spelled(heads, units, range(len(units)), note, ref, brief)
        if brief.budget is None or brief.count(whole.text) <= brief.budget:
            return whole
        total = sum(len(each.rows) for each in found)
        fixed = brief.count(brief.marks.omitted(f"{total} of {total} lines and indentation", ref)) + 8
        price = rate(source.text, brief)
        paths = [len(path) * price + 2 for path in short(list(heads.values()))]
        costs = [len(row) * price + 1 for _, row in units]
        found_in = relevances([row for _, row in units], brief)
        order = by_rank([10 * told + rank for told, rank in zip(found_in, first, strict=True)])

        def attempt(tokens: float) -> Draft:
            left = tokens - fixed
            named = afford(paths, range(len(paths)), left * 0.7)
            left -= sum(paths[place] for place in named)
            kept = {group: path for place, (group, path) in enumerate(heads.items()) if place in named}
            chosen = [
                unit for unit in sorted(afford(costs, order, left)) if (at := units[unit][0]) in kept or at not in heads
            ]
            note = f"{len(units) - len(chosen)} of {len(units)} different lines, context and indentation"
            return _spelled(kept, units, chosen, note, ref, brief)

        return within(brief, brief.budget, attempt)

    def pack(self, source: Source) -> str | None:
        """The exact text with each path named once for its rows; None where that is not shorter."""
        out = [_LEGEND]
        for each in read(source.lines):
            if each.path is not None:
                out += _listed(each.path, merged(each.rows, False))
            elif each.raw == "--":
                out.append(each.raw)
            else:
                out.append(f"= {each.raw}")
        packed = "\n".join(out)
        return packed if len(packed) < len(source.text) else None

    def unpack(self, text: str) -> str:
        """Return the exact text of a lossless view; raises ``DecodeError``."""
        legend, *rows = text.split("\n")
        if legend != _LEGEND or not rows:
            raise DecodeError("this is no lossless view of search results: its first line is not the legend")
        out: list[str] = []
        run: list[tuple[int, str]] = []
        merges: list[str] = []  # rows of the run that stand for several lines: only then is it in order of number
        path: str | None = None

        def close() -> None:
            if merges:
                run.sort(key=lambda each: each[0])
            out.extend(line for _, line in run)
            run.clear()
            merges.clear()

        for row in rows:
            found = _PACKED.match(row)
            if found:
                if path is None:
                    raise DecodeError("a row of search results stands before the path that it belongs to")
                text = row[found.end() :]
                numbers = found[1].split(",")
                if len(numbers) > 1:
                    merges.append(row)
                run += [(int(number), f"{path}{found[2]}{number}{found[2]}{text}") for number in numbers]
            elif row.startswith(" "):
                if path is None:
                    raise DecodeError("a row of search results stands before the path that it belongs to")
                run.append((0, f"{path}:{row[1:]}"))
            elif row.startswith("# "):
                if row[2:] != path:
                    close()
                path = row[2:]
            elif row == "--" or row.startswith("= "):
                close()
                out.append(row if row == "--" else row[2:])
            else:
                raise DecodeError(f"{row[:60]!r} is no row of a lossless view of search results")
        close()
        return "\n".join(out)


KIND = GrepKind()
