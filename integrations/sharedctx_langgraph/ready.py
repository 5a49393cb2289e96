"""The answer of ``setup``."""

from __future__ import annotations

from collections.abc import Generator


class Ready:
    """There is nothing to wait for; may be awaited, as the official async classes want it."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield
