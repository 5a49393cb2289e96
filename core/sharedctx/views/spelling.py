"""References as models retype them: in other case, with spaces and quotes, as a pasted call or marker."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

FORMS = "lines:12-40, rows:0-9, path:$.a[0], regex:PATTERN, query:WORDS, chars:0-500, from:500:REFERENCE or all"
_QUOTES = str.maketrans("\u201c\u201d\u201e\u201f\u2033\u2018\u2019\u201a\u201b\u2032\uff1a", "\"\"\"\"\"''''':")
_DASHES = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-------")
_CALL = re.compile(r"\bexpand\s{0,9}\((.*)\)[\s\]`.;]*", re.DOTALL | re.IGNORECASE)
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_ARGUMENTS = re.compile(
    rf"(?:(?:key\s{{0,9}}=\s{{0,9}})?(?P<key>{_QUOTED})\s{{0,9}},\s{{0,9}})?"
    rf"""(?:ref\s{{0,9}}=\s{{0,9}})?(?P<ref>{_QUOTED}|[^"'\s\u2018-\u201f].*)""",
    re.DOTALL,
)
_MORE = re.compile(r'\[\[\d+ more characters: ("(?:[^"\\]|\\.)*")\]\]')
_NOTE = re.compile(r"\[\[(.{1,200}?)(?: omitted)?\]\]")
_VERSION = re.compile(r"v ?(\d{1,15})\s{0,9}[:\uff1a]\s{0,9}(.*)", re.DOTALL | re.ASCII | re.IGNORECASE)
_FORM = re.compile(
    r"(lines?|rows?|path|regex|query|chars?|characters?|from|all)\b\s{0,9}[:\uff1a]?\s{0,9}(.*)", re.DOTALL | re.I
)
_STRICT = re.compile(r"(?:v(\d{1,15}):)?((?:from:\d{1,15}:)*(?:regex|query|path):.*)", re.DOTALL | re.ASCII)
_EXACT = re.compile(r"(regex|query|path)\s{0,9}:(.*)", re.DOTALL | re.IGNORECASE)
_LATER = re.compile(r"from\s{0,9}:?\s{0,9}(\d{1,15})\s{0,9}:(.*)", re.DOTALL | re.ASCII | re.IGNORECASE)
_SPAN = re.compile(
    r"L?(\d{1,15})(?:\s{0,9}(?:-|\.\.\.?|to|through)\s{0,9}L?(\d{1,15}))?[.,;]?", re.ASCII | re.IGNORECASE
)
_LONGEST = 4000
_NAMES = {"line": "lines", "row": "rows", "char": "chars", "character": "chars", "characters": "chars"}


class Reference(NamedTuple):
    """A reference as it is spelled in markers, with the key and version it was written for where they are named."""

    key: str | None
    version: int | None
    ref: str


def read_reference(spelled: str) -> Reference:
    """Return the reference that was meant; one that cannot be told is returned as it stands.

    Patterns, query words and names in paths are never changed, only what stands around them.
    """
    strict = _STRICT.fullmatch(spelled)
    if strict is not None:
        return Reference(None, int(strict[1]) if strict[1] else None, strict[2])
    if len(spelled) > _LONGEST:
        return Reference(None, None, spelled)
    key = None
    text = _unwrapped(spelled)
    if not _EXACT.match(_VERSION.sub(r"\2", text, count=1)):
        key, text = _pasted(text)
    version = _VERSION.fullmatch(text)
    number = int(version[1]) if version else None
    return Reference(key, number, _plain(_unwrapped(version[2] if version else text)))


def _unwrapped(text: str) -> str:
    """Without blanks and one pair of quotes around it."""
    text = text.strip()
    straight = text.translate(_QUOTES)
    if len(text) > 1 and straight[0] == straight[-1] and straight[0] in "\"'`":
        return text[1:-1].strip()
    return text


def _pasted(text: str) -> tuple[str | None, str]:
    """The key and the reference in a pasted call or marker; text of another form comes back as it is."""
    for each in (text, text.translate(_QUOTES)):
        call = _CALL.search(each)
        found = _ARGUMENTS.fullmatch(call[1].strip(" \t\r\n,")) if call else None
        if found is not None:
            key = found["key"]
            return None if key is None else _string(key), _string(found["ref"])
    more = _MORE.fullmatch(text)
    if more is not None:
        return None, _string(more[1])
    note = _NOTE.fullmatch(text)
    return None, note[1].strip() if note else text


def _string(spelled: str) -> str:
    """What a quoted argument says."""
    if spelled[0] not in "\"'":
        return spelled
    try:
        inner = spelled[1:-1]
        value = json.loads(spelled if spelled[0] == '"' else json.dumps(inner.replace("\\'", "'")))
    except ValueError:
        return spelled[1:-1]
    return value if isinstance(value, str) else spelled


def _plain(text: str) -> str:
    """The reference with its form in lower case and its numbers without blanks."""
    later = _LATER.fullmatch(text)
    if later is not None:
        return f"from:{int(later[1])}:{_plain(later[2].strip())}"
    if text.startswith("$"):
        return f"path:{text}"
    exact = _EXACT.fullmatch(text)
    if exact is not None:
        form, rest = exact[1].lower(), exact[2]
        return f"{form}:{rest.strip() if form == 'path' else rest}"
    form = _FORM.fullmatch(text)
    if form is None:
        bare = _SPAN.fullmatch(text.translate(_DASHES)) if text[:1] in "Ll" else None
        return f"lines:{_span(bare)}" if bare else text
    name = form[1].lower()
    name = _NAMES.get(name, name)
    if name == "all":
        return "all" if not form[2].strip(" .") else text
    span = _SPAN.fullmatch(form[2].strip().translate(_DASHES).translate(_QUOTES).strip("\"'"))
    return f"{name}:{_span(span)}" if span and name in ("lines", "rows", "chars") else text


def _span(found: re.Match[str]) -> str:
    return str(int(found[1])) if found[2] is None else f"{int(found[1])}-{int(found[2])}"
