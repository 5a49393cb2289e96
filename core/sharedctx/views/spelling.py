"""References as models retype them: in other case, with spaces and quotes, as a pasted call or marker."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

FORMS = "lines:12-40, rows:0-9, path:$.a[0], regex:PATTERN, query:WORDS, chars:0-500, from:500:REFERENCE or all"
_QUOTES = str.maketrans("\u201c\u201d\u201e\u201f\u2033\u2018\u2019\u201a\u201b\u2032\uff1a", "\"\"\"\"\"''''':")
_DASHES = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-------")
_CALL = re.compile(r"\bexpand\s{0,9}\((.*)\)[\s\]`.;]*", re.DOTALL | re.IGNORECASE)
_CUT_CALL = re.compile(r"\bexpand\s{0,9}\((.*)", re.DOTALL | re.IGNORECASE)
_SAID = re.compile(r"\A(?:ref(?:erence)?|expand)\s{0,9}[:=]\s{0,9}", re.IGNORECASE)
_AROUND = " \t\r\n\"'`*<>()[]{}.,;:!?\u2026\u2018\u2019\u201c\u201d"
"""What may stand around a reference that ends in a number; in patterns and query words it means something."""
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_ARGUMENTS = re.compile(
    rf"(?:(?:key\s{{0,9}}=\s{{0,9}})?(?P<key>{_QUOTED}|[\w./-]{{1,512}})\s{{0,9}},\s{{0,9}})?"
    rf"""(?:ref\s{{0,9}}=\s{{0,9}})?(?P<ref>{_QUOTED}|[^"'\s\u2018-\u201f].*)""",
    re.DOTALL,
)
_MORE = re.compile(r'\[\[\d+ more characters: ("(?:[^"\\]|\\.)*")\]\]')
_NOTE = re.compile(r"\[\[(.{1,200}?)(?: omitted)?\]\]")
_VERSION = re.compile(r"v ?(\d{1,15})(?:\s{0,9}[:\uff1a]|\s)\s{0,9}(.*)", re.DOTALL | re.ASCII | re.IGNORECASE)
_FORM = re.compile(
    r"(lines?|rows?|path|regex|query|chars?|characters?|from|all)\b\s{0,9}[:=\uff1a]?\s{0,9}[\[(]?(.*)",
    re.DOTALL | re.I,
)
_STRICT = re.compile(r"(?:v(\d{1,15}):)?((?:from:\d{1,15}:)*(?:regex|query|path):.*)", re.DOTALL | re.ASCII)
_EXACT = re.compile(r"(regex|query|path)(?:\s{0,9}[:=]|\s)(.*)", re.DOTALL | re.IGNORECASE)
STEP = re.compile(
    r'\.([^\W\d][\w-]*)|\["((?:[^"\\]|\\.)*)"\]|\[(\d{1,12})\]|\[(\d{1,12}):(\d{1,12})\]'
    r"|\['([^']*)'\]|\[[\u201c\u201d]([^\u201c\u201d]*)[\u201c\u201d]\]|\[[\u2018\u2019]([^\u2018\u2019]*)[\u2018\u2019]\]"
)
"""One step of a path: a name, a name in quotes of any make, a place, a stretch."""
_PLACE = re.compile(r"\[\s{1,9}(\d{1,12})\s{0,9}\]|\[(\d{1,12})\s{1,9}\]|\.(\d{1,12})(?=[.\[]|\Z)")
_LATER = re.compile(r"from\s{0,9}:?\s{0,9}(\d{1,15})\s{0,9}:(.*)", re.DOTALL | re.ASCII | re.IGNORECASE)
_SPAN = re.compile(
    r"L?(\d{1,15})(?:\s{0,9}(?:-|:|~|\.\.\.?|to|through|and)\s{0,9}L?(\d{1,15}))?"
    r"(?:\s{1,9}of\s{1,9}\d{1,15})?(?:\s{1,9}omitted)?",
    re.ASCII | re.IGNORECASE,
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
    if strict is not None and (len(spelled) > _LONGEST or _leads(strict[2])):
        return Reference(None, int(strict[1]) if strict[1] else None, strict[2])
    if len(spelled) > _LONGEST:
        return Reference(None, None, spelled)
    key = None
    text = _unwrapped(_SAID.sub("", _unwrapped(spelled)))
    if not _EXACT.match(_VERSION.sub(r"\2", text, count=1)):
        key, text = _pasted(text)
        text = text.lstrip(_AROUND) or text
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
        call = _CALL.search(each) or _CUT_CALL.search(each)
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
        return f"path:{_path(text)}"
    exact = _EXACT.fullmatch(text)
    if exact is not None:
        form, rest = exact[1].lower(), exact[2]
        return f"{form}:{_path(rest) if form == 'path' else rest}"
    bare_text = text.strip(_AROUND)
    form = _FORM.fullmatch(bare_text)
    if form is None:
        bare = _SPAN.fullmatch(bare_text.translate(_DASHES)) if bare_text[:1] in ("L", "l") else None
        return f"lines:{_span(bare)}" if bare else text
    name = form[1].lower()
    name = _NAMES.get(name, name)
    if name == "all":
        return "all" if not form[2].strip(" .") else text
    span = _SPAN.fullmatch(form[2].strip().translate(_DASHES).translate(_QUOTES).strip("\"'"))
    return f"{name}:{_span(span)}" if span and name in ("lines", "rows", "chars") else text


def _leads(ref: str) -> bool:
    """Whether a reference that is spelled strictly is no path, or one that parses."""
    form, _, path = ref.rpartition("path:") if ref.startswith(("path:", "from:")) else ("", "", "")
    return not path or "regex:" in form or "query:" in form or _parses(path)


def _parses(path: str) -> bool:
    at = 1
    while at < len(path):
        found = STEP.match(path, at)
        if found is None:
            return False
        at = found.end()
    return path.startswith("$")


def _path(path: str) -> str:
    """A path with its ``$``, places in brackets, nothing behind its end; as it is where that does not parse."""
    path = path.strip()
    if _parses(path):
        return path
    made = path if path.startswith("$") else f"${'' if path[:1] in ('.', '[') else '.'}{path}"
    made = made.rstrip(_AROUND.replace("]", ""))
    while made.endswith("]") and made.count("]") > made.count("["):
        made = made[:-1]
    made = _PLACE.sub(lambda found: f"[{found[1] or found[2] or found[3]}]", made)
    return made if _parses(made) else path


def _span(found: re.Match[str]) -> str:
    return str(int(found[1])) if found[2] is None else f"{int(found[1])}-{int(found[2])}"
