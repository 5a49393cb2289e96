"""How far the lines of marked-up text are indented, as far as that follows from how elements are nested."""

from __future__ import annotations


class Indents:
    """Foretells the indentation of a line; whoever writes and whoever reads keep one each, in step."""

    def __init__(self) -> None:
        self._steps: dict[str, str] = {}
        self._step = ""
        self._line = ""
        self._open: list[tuple[str, str]] = [("", "")]
        self._base: list[str | None] = [""]

    @property
    def line(self) -> str:
        """The indentation of the line that has begun."""
        return self._line

    def moves(self, indent: str) -> None:
        """The lines of a form end with one that is indented so."""
        self._line = indent

    def opens(self, name: str) -> None:
        """An element begins."""
        self._open.append((name, self._line))
        self._base.append(None)

    def closes(self) -> None:
        """The innermost element ends."""
        self._open.pop()
        self._base.pop()

    def expected(self, closing: bool) -> str:
        """The indentation of the next line; ``closing``: it starts with the end of the innermost element."""
        name, above = self._open[-1]
        base = self._base[-1]
        if closing:
            return above
        return base if base is not None else above + self._steps.get(name, self._step)

    def found(self, indent: str, closing: bool, shifted: bool) -> None:
        """The line has begun; ``shifted``: with an indentation that was not to be expected."""
        self._line = indent
        if closing:
            return
        name, above = self._open[-1]
        if self._base[-1] is None:
            if indent.startswith(above):
                self._step = self._steps[name] = indent[len(above) :]
            self._base[-1] = indent
        elif shifted:
            self._base[-1] = indent


def last_indent(text: str) -> str:
    """The indentation of the last line of a text."""
    line = text[text.rindex("\n") + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]
