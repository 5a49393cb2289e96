"""Several processes write to one index: none loses what another wrote, and a killed one nothing it acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sharedctx

from .indexed import Indexed

WRITER = Path(__file__).with_name("writer.py")
PRELUDE = "import numpy, sharedctx.search"
COUNT = 120


def test_an_open_reader_finds_what_other_processes_write_at_once(
    tmp_path: Path, fork_server: Callable[[str], Any]
) -> None:
    with sharedctx.open(tmp_path) as store:
        reader = Indexed(store.session())
        assert reader.keys() == []
        server = fork_server(PRELUDE)
        for writer in [server.start(WRITER, tmp_path, name, COUNT) for name in "xyz"]:
            for line in writer.stdout:
                known = reader.keys()
                assert line.decode().strip() in known
            writer.finish()
        assert reader.keys() == sorted(f"{name}-{n}" for name in "xyz" for n in range(COUNT))
        rows = store.backend.scan(reader.index.space, reader.index.pk, "", limit=1000)
        assert len(rows) < 100


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path, fork_server: Callable[[str], Any]) -> None:
    acknowledged: list[str] = []
    for turn in range(6):
        writer = fork_server(PRELUDE).start(WRITER, tmp_path / "store", f"w{turn}", 0)
        for line, _ in zip(writer.stdout, range(20 + 13 * turn), strict=False):
            acknowledged.append(line.decode().strip())
        writer.kill()
        code, rest, _ = writer.end()
        assert code == -9
        acknowledged += [line.decode().strip() for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
    with sharedctx.open(tmp_path / "store") as store:
        reader = Indexed(store.session())
        keys = reader.keys()
        assert set(acknowledged) <= set(keys)
        assert keys == store.session().keys()
        assert all(len(reader.index.vectors(key)) == 1 for key in keys)
        assert store.doctor() == []
