"""Damaged, foreign and full: one clear error for what is hurt, everything else still reads."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from diskcache import Cache

import sharedctx
from sharedctx import SharedContext
from sharedctx.errors import (
    BackendUnavailable,
    ConfigError,
    DecodeError,
    DiskFull,
    SharedContextError,
    UnsafeRow,
)
from sharedctx.notes import SharedContextStore
from sharedctx_cli.target import Target

from .rows import change


@pytest.mark.parametrize(
    ("sql", "args"),
    [
        ("UPDATE Cache SET mode = 4, value = ? WHERE key LIKE '%k03%'", (pickle.dumps(os.getcwd),)),
        ("UPDATE Cache SET mode = 2, filename = ? WHERE key LIKE '%k03%'", ("../../etc/passwd",)),
    ],
)
def test_a_foreign_row_is_never_loaded_and_hides_nothing(path: Path, sql: str, args: tuple[object, ...]) -> None:
    change(path, sql, args)
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        with pytest.raises(UnsafeRow, match="k03"):
            ctx.get("k03")
        assert ctx.get("k04", full=True) == "value 4 " * 300
        assert any("k03" in fault for fault in store.doctor())


def test_text_that_is_no_utf_8_fails_alone(path: Path) -> None:
    with sharedctx.open(path) as store:
        store.session("s").put("k03", "second")
    change(path, "UPDATE Cache SET value = CAST(x'ff61' AS TEXT) WHERE key LIKE '%k03-500000000000001'")
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        with pytest.raises(UnsafeRow, match="'k03' version 2"):
            ctx.get("k03")
        assert [entry.kind for entry in ctx.history("k03")] == ["damaged", "text"]
        assert ctx.get("k03", full=True, version=1) == "value 3 " * 300
        assert ctx.put("k03", "third").version == 3
        assert ctx.get("k03") == "third"
        assert len(store.doctor()) == 1


def test_a_flipped_bit_is_found_and_only_that_version_is_lost(path: Path) -> None:
    with sharedctx.open(path) as store:
        store.session("s").put("k03", "second")
    change(
        path,
        "UPDATE Cache SET value = substr(value, 1, 60) || x'00' || substr(value, 62)"
        " WHERE key LIKE '%k03-500000000000001'",
    )
    change(path, "UPDATE Cache SET value = CAST(value AS BLOB) WHERE key LIKE '%k03-500000000000001'")
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        with pytest.raises(DecodeError, match="'k03' version 2"):
            ctx.get("k03")
        assert ctx.get("k03", full=True, version=1) == "value 3 " * 300
        assert [entry.kind for entry in ctx.history("k03")] == ["damaged", "text"]
        assert len(ctx.keys()) == 20


def test_a_blob_moved_to_another_key_does_not_read(path: Path) -> None:
    change(path, "UPDATE Cache SET value = (SELECT value FROM Cache WHERE key LIKE '%k04%') WHERE key LIKE '%k03%'")
    with sharedctx.open(path) as store, pytest.raises(DecodeError, match="checksum"):
        store.session("s").get("k03")


def test_a_damaged_record_of_a_session_is_told_and_its_neighbours_read(path: Path) -> None:
    notes = SharedContextStore("s", path)
    notes.write("plan", "first do this")
    notes.write("scope", "only that", readable_by=["planner"])
    notes.close()
    flip = "UPDATE Cache SET value = CAST(substr(value, 1, length(value) - 1) || '?' AS BLOB) WHERE key LIKE ?"
    change(path, flip, ("%reach%scope%",))
    with sharedctx.open(path) as store:
        ctx = store.session("s")
        assert ctx.get("notes/plan", full=True) == "first do this"
        with pytest.raises(DecodeError, match=r"notes/scope.*checksum"):
            ctx.bind("coder").get("notes/scope")
        assert len(store.doctor()) == 1
        assert "notes/scope" in store.doctor()[0]


def test_a_truncated_database_says_so(path: Path) -> None:
    size = (path / "cache.db").stat().st_size
    os.truncate(path / "cache.db", size // 2)

    def read_all() -> None:
        with sharedctx.open(path) as store:
            for n in range(20):
                store.session("s").get(f"k{n:02}", full=True)

    with pytest.raises(SharedContextError, match="damaged"):
        read_all()


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir(mode=0o700)
    (folder / "cache.db").write_bytes(b"this is something else" * 500)
    with pytest.raises(BackendUnavailable, match="store"):
        sharedctx.open(folder)
    assert (folder / "cache.db").read_bytes() == b"this is something else" * 500


def test_another_programs_diskcache_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir(mode=0o700)
    with Cache(str(folder)) as cache:
        cache["k"] = "v"
        before = dict(cache._sql("SELECT key, value FROM Settings").fetchall())
    with pytest.raises(ConfigError, match="another program"):
        sharedctx.open(folder)
    with Cache(str(folder)) as cache:
        assert cache["k"] == "v"
        assert cache.cull_limit == before["cull_limit"]


def test_a_store_of_a_newer_format_is_refused(path: Path) -> None:
    change(path, "UPDATE Cache SET value = 99 WHERE key = '-format'")
    with pytest.raises(ConfigError, match="upgrade"):
        sharedctx.open(path)


def test_a_directory_that_others_can_write_to_is_refused(path: Path) -> None:
    path.chmod(0o777)
    with pytest.raises(BackendUnavailable, match="chmod 700"):
        sharedctx.open(path)


def fill(ctx: SharedContext) -> int:
    """Put until the disk is full; returns how many puts were acknowledged."""
    for n in range(100):
        try:
            ctx.put(f"k{n}", os.urandom(30_000))
        except DiskFull:
            return n
    raise AssertionError("the disk never filled")


def test_a_full_disk_can_be_read_and_says_so(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        with sharedctx.open(mount / "store") as store:
            ctx = store.session("s")
            written = fill(ctx)
            assert written > 0
            for n in range(written):
                assert len(ctx.get(f"k{n}", full=True)) == 30_000
            assert len(ctx.keys()) == written
        with sharedctx.open(mount / "store") as again:
            assert len(again.session("s").keys()) == written
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)


def in_a_child_without_rights(work: Callable[[], None]) -> str:
    """Run ``work`` in a child of this process that is not root, and return the error's message or ""."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        text = ""
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            work()
        except SharedContextError as error:
            text = f"{error.code} {error.message}"
        except BaseException as error:
            text = f"not ours: {error!r}"
        os.write(theirs, text.encode()[:60_000])
        os._exit(0)
    os.close(theirs)
    with open(ours, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text


def test_a_read_only_directory_is_told_with_its_cure_and_loses_nothing(path: Path) -> None:
    shared = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's own directory is closed to others
    try:
        shutil.copytree(path, shared / "store")
        for each, mode in ((shared, 0o755), (shared / "store", 0o555), (shared / "store" / "cache.db", 0o444)):
            each.chmod(mode)

        def write() -> None:
            with sharedctx.open(shared / "store") as store:
                store.session("s").put("k", "v")

        text = in_a_child_without_rights(write)
        assert text.startswith("BACKEND_UNAVAILABLE"), text
        assert str(shared / "store") in text

        def new() -> None:
            sharedctx.open(shared / "store" / "new")

        text = in_a_child_without_rights(new)
        assert text.startswith("BACKEND_UNAVAILABLE"), text
        assert str(shared / "store") in text

        (shared / "store").chmod(0o000)
        text = in_a_child_without_rights(lambda: Target(str(shared / "store"), "s", None, False).store().close())
        assert text.startswith("BACKEND_UNAVAILABLE"), text
        assert str(shared / "store") in text
    finally:
        for each in (shared, shared / "store"):
            each.chmod(0o755)
        shutil.rmtree(shared)
    with sharedctx.open(path) as store:
        assert store.doctor() == []


def test_a_read_only_disk_is_told_with_its_cure(path: Path) -> None:
    if subprocess.run(["mount", "--bind", str(path), str(path)], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a directory read-only needs root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(path)], check=True)
        with pytest.raises(BackendUnavailable, match="write permission"):
            sharedctx.open(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
    with sharedctx.open(path) as store:
        assert store.doctor() == []


def test_a_window_says_which_entries_are_damaged(path: Path) -> None:
    change(path, "UPDATE Cache SET value = CAST('nothing of ours' AS BLOB) WHERE key LIKE '%k03%'")
    with sharedctx.open(path) as store:
        window = store.session("s").window(4000)
    assert window.reasons["k03"].startswith("damaged: ")
    assert len(window.reasons) == 20
    assert "1 more: list() names them" in window.text
