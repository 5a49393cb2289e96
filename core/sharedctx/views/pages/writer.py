"""Writing marked-up text with few repetitions, which ``reader`` reads back exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from .forms import Forms, Told
from .indents import Indents, last_indent
from .shapes import blank
from .tree import Again, Break, Element, Line, Node, Raw, Tag

_SPECIAL = re.compile(r"[<>|]|\\(?=[<>|\\n=/\n]|\Z)")
_MOST_ESCAPES = 3
_LEAST_ROWS = 4


def escaped(text: str) -> str:
    """Text with a backslash before what would be read as something else."""
    return _SPECIAL.sub(r"\\\g<0>", text)


class Writer:
    """Spells one tree."""

    def __init__(self, forms: Forms, repeated: Set[str]) -> None:
        self._told = forms.told
        self._repeated = repeated
        self._names: dict[str, int] = {}
        self._indents = Indents()

    def whole(self, top: list[Node]) -> str:
        """The text of a tree."""
        return "".join(self._nodes(top, True))

    def _nodes(self, nodes: Sequence[Node], top: bool) -> list[str]:
        out: list[str] = []
        heads: dict[int, str] = {}
        for at, node in enumerate(nodes):
            if isinstance(node, str):
                out.append(self._text(node))
            elif isinstance(node, Break):
                last = at + 1 == len(nodes)
                if blank(nodes, at) or (last and top):
                    out.append("\n" + node.indent)
                else:
                    out.append(self._break(node.indent, last))
            elif isinstance(node, Raw):
                out.append(_raw(node.text))
            elif isinstance(node, Again):
                if "\n" in node.text:
                    self._indents.moves(last_indent(node.text))
                out.append(f"<&{self._names[node.text]}>")
            elif node.repeated:
                out.append(self._named(node.repeated, "".join(self._marked(node, heads, 0))))
            else:
                out += self._marked(node, heads, len(out))
        return _in_rows(out, heads) if len(heads) >= _LEAST_ROWS else out

    def _marked(self, node: Tag | Line, heads: dict[int, str], place: int) -> list[str]:
        told = self._told.get(id(node))
        if told is not None and (told.form.last is None or node.line == self._indents.line):
            if told.cells and not node.repeated:
                heads[place] = f"<{told.form.name} "
            return [self._form(node, told)]
        if isinstance(node, Line):
            return self._nodes(node.children, False)
        if not isinstance(node, Element):
            return [f"<{escaped(node.inner)}/>"]
        bare = not node.values and node.parts[0] == node.name
        head = f"<{node.name}" if bare else f"<{escaped(node.inner)}|"
        if bare and not node.repeated:
            heads[place] = f"{head} "
        return [head + self._content(node, node.name, bare)]

    def _text(self, text: str) -> str:
        """A text or a cell; a name in its place where it stood before."""
        if text not in self._repeated:
            return escaped(text)
        if text in self._names:
            return f"<&{self._names[text]}>"
        return self._named(text, escaped(text))

    def _named(self, text: str, spelled: str) -> str:
        number = self._names[text] = len(self._names) + 1
        return f"<&{number} {spelled}>"

    def _break(self, indent: str, closing: bool) -> str:
        expected = self._indents.expected(closing)
        follows = indent.startswith(expected)
        self._indents.found(indent, closing, not follows)
        return f"\n{indent[len(expected) :]}" if follows else f"\n\\={indent}:"

    def _form(self, node: Tag | Line, told: Told) -> str:
        form = told.form
        cells = "|".join([self._text(cell).replace("\n", "\\n") for cell in told.cells])
        if form.rich and isinstance(node, Element):
            head = f"<{form.name} {cells}|" if told.cells else f"<{form.name}"
            return head + self._content(node, form.name, not told.cells)
        if form.last is not None:
            self._indents.moves(self._indents.line + form.last)
        return f"<{form.name} {cells}>" if told.cells else f"<{form.name}>"

    def _content(self, node: Element, name: str, apart: bool) -> str:
        self._indents.opens(name)
        content = "".join(self._nodes(node.children, False))
        self._indents.closes()
        if apart and content[:1] != "\n":
            content = f" {content}"
        return f"{content[:-1]}\\/>" if content[-1:] == "/" else f"{content}>"


def _raw(text: str) -> str:
    spelled = escaped(text)
    return f"<#{len(text)} {text}>" if "\n" in text or len(spelled) > len(text) + _MOST_ESCAPES else spelled


def _in_rows(pieces: list[str], heads: dict[int, str]) -> list[str]:
    """Elements of one name that follow one another, each on a line or all on one, as lines below their name. ``heads``
    are the beginnings of those pieces that may be rows."""
    out: list[str] = []
    at = 0
    while at < len(pieces):
        head = heads.get(at)
        step = 2 if head and pieces[at + 1 : at + 2] == ["\n"] else 1
        places: list[int] = []
        place = at
        while head and heads.get(place) == head and pieces[place].startswith(head) and "\n" not in pieces[place]:
            places.append(place)
            if step == 2 and pieces[place + 1 : place + 2] != ["\n"]:
                break
            place += step
        if head is None or len(places) < _LEAST_ROWS:
            out.append(pieces[at])
            at += 1
            continue
        out.append(f"<{'*' if step == 2 else '+'}{head[1:-1]}\n")
        out += [f"{pieces[place][len(head) : -1]}\n" for place in places]
        out.append(">")
        at = places[-1] + 1
    return out
