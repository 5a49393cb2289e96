"""What lossless views of forms share: the forms' names, and how long a text may be."""

from __future__ import annotations

from typing import Final

MOST: Final = 1 << 28
"""Characters: a text that is longer is neither written nor read."""


def letters(number: int) -> str:
    """The name of a form by its number, from 0: A to Z, AA to ZZ and so on."""
    name = ""
    while True:
        number, letter = divmod(number, 26)
        name = chr(65 + letter) + name
        if not number:
            return name
        number -= 1
