"""What a model is given in place of a value, and how its omissions are spelled."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A text for a model.

    ``tokens`` and ``original_tokens`` are counted with the same counter; ``transforms`` name what was done as
    ``kind:strategy:ratio kept`` (empty: untouched); ``refs`` are the references that redeem what was left out;
    ``lossless`` says that the text alone is enough: ``decompress`` gives the data back.
    """

    text: str
    kind: str
    tokens: int
    original_tokens: int
    transforms: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    lossless: bool = True


@dataclass(frozen=True, slots=True)
class Marks:
    """Spells omission markers for one version of one key; without a key, plain notes that promise nothing."""

    key: str | None
    version: int | None
    references: bool = True

    def ref(self, ref: str) -> str:
        """The reference, bound to the version if that is known."""
        return ref if self.version is None else f"v{self.version}:{ref}"

    def omitted(self, what: str, ref: str) -> str:
        """The marker that stands where something was left out."""
        if self.key is None or not self.references:
            return f"[[{what} omitted]]"
        return f"[[{what} omitted: expand({json.dumps(self.key, ensure_ascii=False)}, {json.dumps(self.ref(ref))})]]"
