"""What others write to a copy is theirs, whenever they do: while it is made, or after its maker was killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import Store
from sharedctx.copying import copy
from sharedctx.errors import ConfigError

ROWS = 100
KILLED = """
import os, sys, sharedctx
from sharedctx.copying import copy
with sharedctx.open(sys.argv[1]) as source, sharedctx.open(sys.argv[2]) as target:
    copy(source, target, lambda done, of: os._exit(9) if done == int(sys.argv[3]) else None)
"""


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Store]:
    with sharedctx.open(tmp_path / "source") as store:
        for n in range(ROWS):
            store.session("s").put(f"key{n % 7}", f"value {n}")
        yield store


def test_what_others_write_while_it_is_made_is_kept(source: Store, tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "target") as target:

        def meddle(done: int, of: int) -> None:
            if done == 5:
                target.session("s").put("mine", "not of the source")

        for _ in range(2):
            with pytest.raises(ConfigError, match="written to in the session 's' since"):
                copy(source, target, meddle)
        assert target.session("s").get("mine") == "not of the source"


@pytest.mark.parametrize("rows", [1, 20, 63, 64, 90])
def test_what_others_write_after_its_maker_was_killed_is_kept(source: Store, tmp_path: Path, rows: int) -> None:
    addresses = [str(tmp_path / "source"), str(tmp_path / "target")]
    done = subprocess.run([sys.executable, "-c", KILLED, *addresses, str(rows)], check=False)
    assert done.returncode == 9
    with sharedctx.open(addresses[1]) as target:
        assert target.session("s").get("key0") is not None
        target.session("s").put("mine", "not of the source")
        with pytest.raises(ConfigError, match="written to in the session 's' since"):
            copy(source, target)
        assert target.session("s").get("mine") == "not of the source"


def test_neighbouring_rows_are_read_together(source: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    scan = source.backend.scan
    monkeypatch.setattr(source.backend, "scan", lambda *given, **more: (asked.append(given), scan(*given, **more))[1])
    with sharedctx.open("memory://") as target:
        copy(source, target)
    assert len(asked) < ROWS
