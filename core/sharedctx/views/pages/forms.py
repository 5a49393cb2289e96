"""Forms of elements: a text with places for cells, made of what several elements have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from ..columns.layout import Column
from ..packs import letters
from .following import derive, shared, told
from .shapes import WORDLESS, Shapes, pays, relative
from .tree import Break, Element, Line, Node, Tag

_HOLE = re.compile(r"\{([^{}]*)\}")
_BARE_TAG = 8

Frame = list[tuple[str, str]]
"""The pieces of a node, each with its sort: what every one of its shape has (``""``), a ``value`` or a ``text``, which
may differ, a ``break`` between lines, or what a ``rich`` one holds."""


@dataclass(eq=False)
class Form:
    """What elements share.

    ``template`` has ``{}`` for each cell in turn and ``{2}`` for the second again. ``rich``: the last cell is what the
    element holds, markup and all. ``last``: how much further than its first line its last one is indented, None where
    that is the same line.
    """

    template: str
    rich: bool
    uses: int
    last: str | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """How a node is told: its form and its cells."""

    form: Form
    cells: list[str]


class Forms:
    """The forms of a tree, and by its identity each node that is told by one; none has a name that is ``taken``."""

    def __init__(self, top: list[Node], taken: Set[str]) -> None:
        self.told: dict[int, Told] = {}
        self.all: list[Form] = []
        whole, tags = Shapes(top).groups()
        for nodes in whole:
            self._group(nodes, False)
        for each in tags:
            if each[0].values or len(each[0].parts[0]) > _BARE_TAG:
                self._group(each, isinstance(each[0], Element))
        self._name(taken)

    def _group(self, nodes: Sequence[Tag | Line], rich: bool) -> None:
        frames = [list(_pieces(node, rich)) for node in nodes]
        rows = [[piece for piece, sort in each if sort in ("value", "text")] for each in frames]
        self._build(nodes, *_at_fragments(frames[0], rows), rich)

    def _build(self, nodes: Sequence[Tag | Line], frame: Frame, rows: list[list[str]], rich: bool) -> None:
        """One form for all nodes, or several where some share more than others."""
        sorts = [sort for _, sort in frame if sort in ("value", "text")]
        columns = [
            Column(str(at) if sort == "value" else f"t{at}", (str(at),), list(values))
            for at, (sort, values) in enumerate(zip(sorts, zip(*rows, strict=True), strict=True))
        ]
        values = [column for column, sort in zip(columns, sorts, strict=True) if sort == "value"]
        follow = derive(columns, values, len(rows))
        groups = shared(values, sum(len(piece) for piece, sort in frame if not sort))
        if not groups and all(follow):
            self._settle(nodes, frame, columns, rich)
            return
        parts = [[at for at in group if follow[at]] for group in groups] or [
            [at for at, fits in enumerate(follow) if fits]
        ]
        seen = {at for part in parts for at in part}
        for part in (*parts, [at for at in range(len(nodes)) if at not in seen]):
            if 1 < len(part) < len(nodes):
                self._build([nodes[at] for at in part], frame, [rows[at] for at in part], rich)

    def _settle(self, nodes: Sequence[Tag | Line], frame: Frame, columns: list[Column], rich: bool) -> None:
        spelled = [column for column in columns if column.spelled]
        own = {id(column): number for number, column in enumerate(spelled, 1)}
        named = {column.path[0]: column for column in columns}
        places = iter(columns)
        pieces: list[str] = []
        for piece, sort in frame:
            if sort in ("value", "text"):
                column = next(places)
                pieces.append(_resolved(column, column, own, named))
            else:
                pieces.append("{}" if sort == "rich" else piece.replace("\n", "\\n") if sort else _plain(piece))
        template = "".join(pieces)
        if not pays(len(template), len(spelled), len(nodes)):
            return
        last = next((piece[1:] for piece, sort in reversed(frame) if sort == "break"), None)
        form = Form(template, rich, len(nodes), last)
        self.all.append(form)
        for at, node in enumerate(nodes):
            self.told[id(node)] = Told(form, [told(column, at) for column in spelled])

    def _name(self, taken: Set[str]) -> None:
        """The forms that are used most have the shortest names."""
        self.all.sort(key=lambda form: -form.uses)
        number = 0
        for form in self.all:
            while (name := letters(number)) in taken:
                number += 1
            form.name = name
            number += 1


def _pieces(node: Tag | Line, rich: bool) -> Iterator[tuple[str, str]]:
    line = node.line

    def inside(nodes: Sequence[Node]) -> Iterator[tuple[str, str]]:
        for at, each in enumerate(nodes):
            if isinstance(each, str):
                yield each, "" if WORDLESS.fullmatch(each) else "text"
            elif isinstance(each, Break):
                yield f"\n{relative(nodes, at, line)}", "break"
            elif isinstance(each, Line):
                yield from inside(each.children)
            elif isinstance(each, Tag):
                yield from tag(each)

    def tag(each: Tag) -> Iterator[tuple[str, str]]:
        yield f"<{each.parts[0]}", ""
        for value, after in zip(each.values, each.parts[1:], strict=True):
            yield '="', ""
            yield value, "value"
            yield f'"{after}', ""
        yield ">", ""
        if isinstance(each, Element):
            if rich:
                yield "", "rich"
            else:
                yield from inside(each.children)
            yield f"</{each.name}>", ""

    return tag(node) if isinstance(node, Tag) else inside(node.children)


def _at_fragments(frame: Frame, rows: list[list[str]]) -> tuple[Frame, list[list[str]]]:
    """Divide values that are addresses with a fragment: what stands on either side may follow from other cells."""
    made: Frame = []
    columns: list[Sequence[str]] = []
    values = iter(zip(*rows, strict=True))
    for piece, sort in frame:
        made.append((piece, sort))
        if sort in ("value", "text"):
            column = next(values)
            halves = [value.partition("#") for value in column] if sort == "value" else []
            if halves and all(start and mark and "#" not in end for start, mark, end in halves):
                made += [("#", ""), ("", "value")]
                columns += [[start for start, _, _ in halves], [end for _, _, end in halves]]
            else:
                columns.append(column)
    return made, [list(row) for row in zip(*columns, strict=True)] if columns else rows


def _resolved(column: Column, place: Column, own: dict[int, int], named: dict[str, Column]) -> str:
    """What stands in a template at the place of a column."""
    cell = "{}" if column is place else f"{{{own.get(id(column))}}}"
    if column.rule == "const":
        return _plain(column.given)
    if column.rule == "same":
        return _resolved(column.given, place, own, named)
    if column.rule == "template":
        return "".join(
            (_resolved(named[piece], place, own, named) if piece else cell) if at % 2 else _plain(piece)
            for at, piece in enumerate(_HOLE.split(column.given.text))
        )
    return cell


def _plain(text: str) -> str:
    """Text in a template, on one line: ``\\n`` ends a line and indents the next, ``\\N`` only ends one."""
    return text.replace("\\", "\\\\").replace("\n", "\\N").replace("{", "{{").replace("}", "}}")
