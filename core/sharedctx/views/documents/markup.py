"""Reading Markdown and reStructuredText into blocks, line by line and forgivingly: no text is an error."""

from __future__ import annotations

import math
import re

from .blocks import Block

_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(?=\S)")
RULE = re.compile(r"([=\-~^\"'`*+#:._])\1{2,}[ \t\r]*$")
_RULES = "=-~^\"'`*+#:._"
FENCE = re.compile(r"[ \t]{0,12}(`{3,}|~{3,})")
ITEM = re.compile(r"[ \t]{0,40}(?:[-*+•]|\(?\d{1,4}[.)]|#\.)[ \t]{1,20}\S")
DIRECTIVE = re.compile(r"[ \t]{0,40}\.\.[ \t]{1,20}([A-Za-z][\w:-]{0,40}?)::")
_NOTES = frozenset(
    ["note", "warning", "important", "caution", "danger", "attention", "tip", "hint", "error", "deprecated"]
)
_CODES = frozenset(["code-block", "code", "sourcecode", "parsed-literal", "doctest", "prompt", "highlight", "console"])
_HIDDEN = frozenset(["image", "raw", "toctree", "contents", "include", "index", "figure", "meta", "regendoc"])
_TARGET = re.compile(r"[ \t]{0,40}(?:\.\.(?:[ \t]|$)|\[[^\]\n]{1,100}\]:[ \t])")
_HTML = re.compile(r"[ \t]{0,40}<(?:[a-zA-Z/!])")
_ENTRY = re.compile(r"[ \t]{0,40}(?:[-*+]|\d{1,4}\.)[ \t]{1,20}\[[^\]\n]{1,200}\]\(#[^)\n]{0,200}\)[ \t\r]*$")
_TABLE = re.compile(r"[ \t]{0,12}(?:\||\+[-=+]{3,}|=+[ \t]+=+)")
_RULED = re.compile(r"[ \t|+:=-]+$")
_LINK = re.compile(r"(!?)\[([^\[\]\n]{0,300})\]\([^()\[\]\n]{0,500}\)")
_TAG = re.compile(
    r"<!--[^<>]{0,300}-->|</?(?:p|div|br|img|a|picture|source|center|hr|h[1-6]|details|summary|table|t[rdh]|tbody|thead"
    r"|su[bp]|span|[biu]|em|strong|li|[uo]l|small|font|kbd|video)(?:\s[^<>]{0,1000})?/?>",
    re.I,
)
_WORD = re.compile(r"[^\W\d_]{2}")
_LINE = 2_000


def heading(line: str) -> tuple[int, str] | None:
    """The level and the text of a Markdown heading, or None."""
    found = _ATX.match(line)
    if found is None or len(line) > _LINE:
        return None
    return len(found[1]), line[found.end() :].strip().rstrip("#").rstrip()


def plain(text: str) -> str:
    """A paragraph without line breaks, link targets, pictures and tags."""
    if "](" in text:
        text = _LINK.sub(lambda found: "" if found[1] else found[2], _LINK.sub(_without_picture, text))
    return " ".join((_TAG.sub("", text) if "<" in text else text).split())


def _without_picture(found: re.Match[str]) -> str:
    return "" if found[1] else found[0]


def read(lines: list[str], enough: float = math.inf) -> list[Block]:
    """Return the blocks of a document; empty lines, rules and comments are of none. Behind ``enough`` characters of
    text only headings are read."""
    return _Reader(lines, enough).blocks()


class _Reader:
    def __init__(self, lines: list[str], enough: float) -> None:
        self.lines = lines
        self.enough = enough
        self.at = 0
        self.found: list[Block] = []
        self.levels: dict[str, int] = {}
        self.base = 0  # the indentation of a directive's content, which is no code
        self.literal = False  # an indented block is code: a paragraph ended in "::"

    def blocks(self) -> list[Block]:
        if self.lines[0].rstrip() == "---" and "---" in (line.rstrip() for line in self.lines[1:60]):
            end = next(at for at in range(1, 60) if self.lines[at].rstrip() == "---")
            self.add("code", end + 1, "\n".join(self.lines[: end + 1]))
        while self.at < len(self.lines):
            if self.enough < 0:
                self.headings()
            elif self.lines[self.at].strip():
                self.block()
            else:
                self.at += 1
        return self.found

    def headings(self) -> None:
        """Read headings alone from here on, those that stand in no fence."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            fence = FENCE.match(line) if line.lstrip(" \t")[:1] in ("`", "~") else None
            title = heading(line) if line[:4].lstrip(" ")[:1] == "#" else None
            if fence:
                known = len(self.found)
                self.fenced(fence[1])
                del self.found[known:]
            elif title:
                self.add("heading", self.at + 1, plain(title[1]), title[0])
            elif not (line and line[0] not in " \t" and self.below() in _RULES and self.ruled() and self.underlined()):
                self.at += 1

    def below(self) -> str:
        """The first character of the line below, a blank where there is none."""
        return self.lines[self.at + 1][:1] or " " if self.at + 1 < len(self.lines) else " "

    def ruled(self) -> bool:
        """Whether a rule stands below a line that is none."""
        below = self.lines[self.at + 1 : self.at + 2]
        return (
            bool(below)
            and len(below[0]) < _LINE
            and RULE.match(below[0]) is not None
            and not RULE.match(self.lines[self.at][:_LINE])
        )

    def add(self, kind: str, end: int, text: str, level: int = 1) -> None:
        shown = kind if text or kind == "extra" else "extra"
        self.found.append(Block(shown, self.at + 1, end, text, level))  # type: ignore[arg-type]
        self.enough -= len(text)
        self.at = end

    def block(self) -> None:
        line = self.lines[self.at]
        indent = len(line) - len(line.lstrip(" \t"))
        if indent < self.base:
            self.base = 0
        fence = FENCE.match(line)
        title = heading(line)
        if fence:
            self.fenced(fence[1])
        elif title and indent < 4:
            self.add("heading", self.at + 1, plain(title[1]), title[0])
        elif indent >= self.base + 4 or (self.literal and indent > self.base) or (line[0] == "\t" and not self.base):
            self.indented(indent)
        elif not self.underlined():
            self.other(line, indent)
        self.literal = bool(self.found) and self.found[-1].kind != "code" and self.found[-1].text.endswith("::")

    def fenced(self, mark: str) -> None:
        end = self.at + 1
        while end < len(self.lines) and not (
            self.lines[end].lstrip(" \t").startswith(mark) and not self.lines[end].strip(" \t\r" + mark[0])
        ):
            end += 1
        end = min(end + 1, len(self.lines))
        self.add("code", end, "\n".join(self.lines[self.at : end]))

    def indented(self, indent: int) -> None:
        """An indented block: code, or inside a list the rest of an item."""
        line = self.lines[self.at]
        if not self.literal and (ITEM.match(line) or (self.found and self.found[-1].kind == "item" and indent < 8)):
            self.other(line, indent)
            return
        end = last = self.at
        while end < len(self.lines):
            text = self.lines[end]
            if text.strip():
                if len(text) - len(text.lstrip(" \t")) < indent:
                    break
                last = end
            end += 1
        self.add("code", last + 1, "\n".join(text[indent:] for text in self.lines[self.at : last + 1]))

    def underlined(self) -> bool:
        """A heading by a rule under it, and maybe one over it; a rule alone."""
        line = self.lines[self.at]
        below = self.lines[self.at + 1 : self.at + 3]
        rule = RULE.match(line) if len(line) < _LINE else None
        if rule:
            over = len(below) == 2 and below[0].strip() and len(below[0]) < _LINE and below[1].rstrip() == line.rstrip()
            if over:
                level = self.levels.setdefault(rule[1] * 2, len(self.levels) + 1)
                self.add("heading", self.at + 3, plain(below[0]), min(level, 6))
            else:
                self.add("extra", self.at + 1, "")
            return True
        under = RULE.match(below[0]) if below and len(below[0]) < _LINE and len(line) < 200 else None
        if under and line[0] not in " \t|" and 2 * len(below[0].strip()) >= len(line.strip()) and not ITEM.match(line):
            level = self.levels.setdefault(under[1], len(self.levels) + 1)
            self.add("heading", self.at + 2, plain(line), min(level, 6))
            return True
        return False

    def other(self, line: str, indent: int) -> None:
        named = DIRECTIVE.match(line)
        if named:
            self.directive(named, indent)
        elif _TARGET.match(line):
            self.add("extra", self.deeper(indent), "")
        elif _ENTRY.match(line):
            end = self.at
            while end < len(self.lines) and _ENTRY.match(self.lines[end]):
                end += 1
            self.add("extra" if end - self.at > 2 else "item", end, plain(" ".join(self.lines[self.at : end])))
        elif _TABLE.match(line):
            end = self.at
            while end < len(self.lines) and self.lines[end].strip():
                end += 1
            rows = (text for text in self.lines[self.at : end] if not _RULED.match(text))
            self.add("table", end, "\n".join(" ".join(row.split()) for row in rows))
        else:
            self.paragraph(line, indent)

    def deeper(self, indent: int) -> int:
        """Where the lines that are indented deeper end; empty lines between them are theirs."""
        end = last = self.at + 1
        while end < len(self.lines):
            text = self.lines[end]
            if text.strip():
                if len(text) - len(text.lstrip(" \t")) <= indent:
                    break
                last = end + 1
            end += 1
        return last

    def directive(self, named: re.Match[str], indent: int) -> None:
        line = self.lines[self.at]
        end = self.deeper(indent)
        if named[1] in _CODES:
            body = [text for text in self.lines[self.at + 1 : end] if text.strip()]
            inner = min((len(text) - len(text.lstrip(" \t")) for text in body), default=0)
            code = [text[inner:] for text in self.lines[self.at + 1 : end]]
            self.add("code", end, "\n".join([line.strip()[3:], *code]))
        elif named[1] in _HIDDEN:
            self.add("extra", end, "")
        else:
            first = self.at + 1
            while first < end and not self.lines[first].strip():
                first += 1
            stop = first
            while stop < end and self.lines[stop].strip():
                stop += 1
            text = plain(" ".join([line.strip()[3:], *self.lines[first:stop]]))
            self.add("note" if named[1] in _NOTES else "text", max(stop, self.at + 1), text)
            self.base = indent + 1

    def paragraph(self, line: str, indent: int) -> None:
        """Lines up to an empty one or the start of another block."""
        item = ITEM.match(line) is not None
        end = self.at + 1
        while end < len(self.lines):
            text = self.lines[end]
            if not text.strip() or ITEM.match(text) or FENCE.match(text) or heading(text) or DIRECTIVE.match(text):
                break
            if _TABLE.match(text) and not item:
                break
            end += 1
        text = plain("\n".join(self.lines[self.at : end]))
        if _HTML.match(line) and not _WORD.search(text):
            text = ""
        quoted = line.lstrip().startswith(">") and re.match(r"> ?(?:\[!\w+\]|\*\*\w+)", line.lstrip())
        self.add("note" if quoted else "item" if item else "text", end, " " * min(indent, 4) + text if text else "")
