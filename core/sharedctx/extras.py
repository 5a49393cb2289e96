"""Packages that only some users install, and what to say when one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import PackageNotInstalled


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Import a framework inside this block: where it is missing, ``PackageNotInstalled`` says how to install it.

    ``name`` is our extra that brings the framework, ``what`` the thing that needs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise PackageNotInstalled(
            f"{what} needs the package {error.name!r}: pip install 'sharedctx[{name}]'", name=error.name
        ) from error
