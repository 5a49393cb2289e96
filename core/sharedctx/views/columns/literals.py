"""How single values are spelled in packed JSON: numbers as in JSON, strings bare wherever that is unambiguous."""

from __future__ import annotations

import json
import re
from typing import Any

from ...errors import DecodeError

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
WORDS = {"null": None, "true": True, "false": False}
NOT_FINITE = {word: float(word) for word in ("NaN", "Infinity", "-Infinity")}
"""Numbers that JSON itself has not, as Python and pandas spell them."""
_BARE = re.compile(
    r"(?:[^\x00-\x20\x7f-\xa0,;\[\]{}()<>\"'\ud800-\udfff&*^!@%-]|-(?=.))"
    r"[^\x00-\x1f\x7f-\x9f,;\[\]{}()<>\"\ud800-\udfff]*(?<![\s])"
)
_TOKEN = re.compile(r"[^,;\[\]{}()<>\"\n]+")
_NAME = re.compile(r"[\w$][\w./-]*")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_BLOCK = re.compile(r'"""([0-9]{1,12})\n')
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_NOT_RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_LEAST_BLOCK = 160
_AS_IT_IS = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for each text


def quoted(text: str) -> str:
    """A string as JSON spells it; halves of surrogate pairs are escaped."""
    return json.dumps(text) if _SURROGATES.search(text) else _AS_IT_IS(text)


def block(text: str) -> str | None:
    """A long text of several lines as it is, between triple quotes and with its length; None for others."""
    if len(text) < _LEAST_BLOCK or text.count("\n") < 3 or _NOT_RAW.search(text):
        return None
    return f'"""{len(text)}\n{text}"""'


def string(text: str, alone: bool = False) -> str:
    """A string: bare, as a block, or quoted. ``alone``: it stands where numbers are strings too."""
    if len(text) <= 400 and _BARE.fullmatch(text) and text not in WORDS and (alone or not _counts(text)):
        return text
    return block(text) or quoted(text)


def _counts(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None or text in NOT_FINITE


def name(text: str) -> str:
    """The name of a member or of a column."""
    return text if _NAME.fullmatch(text) else quoted(text)


def scalar(value: Any) -> str:
    """A number, true, false or null."""
    if type(value) is float and value - value == 0:
        return repr(value)
    return str(value) if type(value) is int else json.dumps(value)


class Scanner:
    """Reads literals from a text, from left to right; raises ``DecodeError``."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.at = at

    def peek(self) -> str:
        """The next character, empty at the end."""
        return self.text[self.at : self.at + 1]

    def take(self, part: str) -> bool:
        """Skip ``part`` if it comes next."""
        if self.text.startswith(part, self.at):
            self.at += len(part)
            return True
        return False

    def expect(self, part: str) -> None:
        """Skip ``part``, which must come next."""
        if not self.take(part):
            raise self.wrong(f"{part!r} is missing")

    def wrong(self, what: str) -> DecodeError:
        """The error for what comes next."""
        return DecodeError(f"no view of this form: {what} at character {self.at}")

    def match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Take what ``pattern`` finds here."""
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self.wrong(f"{self.text[self.at : self.at + 12]!r} does not belong")
        self.at = found.end()
        return found

    def name(self) -> str:
        """The name of a member or of a column."""
        return self.quoted() if self.peek() == '"' else self.match(_NAME)[0]

    def quoted(self) -> str:
        """A string between quotes."""
        if self.text.startswith('"""', self.at):
            size = int(self.match(_BLOCK)[1])
            text = self.text[self.at : self.at + size]
            self.at += size
            self.expect('"""')
            return text
        try:
            return str(json.loads(self.match(_QUOTED)[0], strict=False))
        except ValueError:
            raise self.wrong("a broken string before this") from None

    def literal(self, alone: bool = False) -> Any:
        """A string, number, true, false or null."""
        if self.peek() == '"':
            return self.quoted()
        token = self.match(_TOKEN)[0]
        if token in WORDS:
            return WORDS[token]
        if not alone and token in NOT_FINITE:
            return NOT_FINITE[token]
        if not alone and NUMBER.fullmatch(token):
            try:
                return json.loads(token)
            except ValueError:
                raise self.wrong("a number too long before this") from None
        return token
