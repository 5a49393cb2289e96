"""Archives come from anybody: what no export wrote is refused by name and changes nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sqlite3
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import SharedContext, Store
from sharedctx.errors import ConfigError, DecodeError, InvalidValue

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Files = dict[str, bytes]


def unpacked(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Files, path: Path, also: Callable[[zipfile.ZipFile], None] = lambda archive: None) -> None:
    """Write an archive whose manifest fits its files: whoever forges one would see to that."""
    manifest = json.loads(files["manifest.json"])
    for name in files.keys() & set(manifest["files"]):
        manifest["files"][name] = {"bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
            archive.writestr(name, data)
        also(archive)


def changed(files: Files, number: int = 0, **fields: Any) -> Files:
    texts = files["versions.jsonl"].splitlines()
    texts[number] = json.dumps({**json.loads(texts[number]), **fields}).encode()
    return {**files, "versions.jsonl": b"\n".join(texts)}


def named(files: Files, key: str) -> int:
    """The number of the first line of a key."""
    return [json.loads(line)["key"] for line in files["versions.jsonl"].splitlines()].index(key)


def first(files: Files) -> bytes:
    return files["versions.jsonl"].splitlines()[0]


def manifested(held: Files, **fields: Any) -> Files:
    return {**held, "manifest.json": json.dumps({**json.loads(held["manifest.json"]), **fields}).encode()}


def test_an_import_costs_what_the_archive_holds_and_not_what_it_leaves_out(
    source: SharedContext, target: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.export(tmp_path / "whole.ctx")
    held = unpacked(tmp_path / "whole.ctx")
    texts = [json.loads(text) for text in held["versions.jsonl"].splitlines()]
    for number, text in enumerate(text for text in texts if text["key"] == "plan"):
        text["version"] += 20_000 * number
    held["versions.jsonl"] = b"\n".join(json.dumps(text).encode() for text in texts)
    held["rows.jsonl"] = b"\n".join(row(sk=f"{n}") for n in range(500))
    packed(held, tmp_path / "gaps.ctx")
    commits = 0
    many = target.backend.commit_many

    def counted(given: Any, *more: Any) -> Any:
        nonlocal commits
        commits += len(given)
        return many(given, *more)

    monkeypatch.setattr(target.backend, "commit_many", counted)
    target.import_session(tmp_path / "gaps.ctx", "copy")
    assert commits <= len(texts) + 20
    copied = target.session("copy")
    numbers = [text["version"] for text in texts if text["key"] == "plan"]
    assert [entry.version for entry in copied.history("plan")] == numbers[::-1]
    assert copied.put("plan", "on").version == numbers[-1] + 1


def row(**fields: Any) -> bytes:
    made = {"pk": "\x01evicted", "sk": "a", "expires": None, "payload": base64.b64encode(b"{}").decode()}
    return json.dumps({**made, **fields}).encode()


def shared(files: Files) -> Files:
    """39 versions that share one megabyte of the archive."""
    held, of = json.loads(first(files)), bytes(2**20)
    digest = hashlib.sha256(of).hexdigest()
    made = [
        {**held, "version": number, "rev": number, "kind": "bytes", "size": 2**20, "hash": "", "content": digest}
        for number in range(1, 40)
    ]
    texts = b"\n".join(json.dumps({**line, "offset": 0}).encode() for line in made)
    contents = {"versions.jsonl": texts, "contents.zst": zstd.compress(of)}
    return manifested({**files, **contents}, content_bytes=len(of))


BOMB = zstd.compress(bytes(64 * 2**20))
FORGED: dict[str, Callable[[Files], Files]] = {
    "another value": lambda files: {**files, "contents.zst": zstd.compress(b"x" * 20_000)},
    "a bomb": lambda files: {**files, "contents.zst": BOMB},
    "a bomb that says so": lambda files: manifested({**files, "contents.zst": BOMB}, content_bytes=2**40),
    "values cut short": lambda files: {**files, "contents.zst": files["contents.zst"][:-9]},
    "something behind the values": lambda files: {**files, "contents.zst": files["contents.zst"] + b"x"},
    "no values": lambda files: {**files, "contents.zst": b""},
    "another hash": lambda files: changed(files, hash="0" * 64),
    "another hash of the bytes": lambda files: changed(files, content="0" * 64),
    "a hash that is none": lambda files: changed(files, content="zz"),
    "a key that leaves": lambda files: changed(files, key="../../etc/passwd"),
    "a key of the store's own": lambda files: changed(files, key="\x01record"),
    "a key that is none": lambda files: changed(files, key=["plan"]),
    "a number that repeats": lambda files: changed(files, 1, version=json.loads(first(files))["version"]),
    "two versions of a key in one commit": lambda files: changed(files, 1, rev=json.loads(first(files))["rev"]),
    "a number without end": lambda files: changed(files, -1, version=2**52),
    "a number that is none": lambda files: changed(files, version="1"),
    "a size without end": lambda files: changed(files, size=2**40),
    "a place beyond the values": lambda files: changed(files, offset=2**40),
    "a kind that is none": lambda files: changed(files, kind="pickle"),
    "another kind": lambda files: changed(files, -1, kind="json"),
    "bytes that are called text": lambda files: changed(files, named(files, "raw"), kind="text", hash=""),
    "a time that is none": lambda files: changed(files, at=float("nan")),
    "a note that views would trip over": lambda files: changed(files, note="view:many"),
    "an agent that is none": lambda files: changed(files, agent="a\nb"),
    "a field more": lambda files: changed(files, also=1),
    "no JSON": lambda files: {**files, "versions.jsonl": b"{"},
    "JSON without end": lambda files: {**files, "versions.jsonl": b"[" * 100_000},
    "a list": lambda files: {**files, "versions.jsonl": b"[]"},
    "the record of the session": lambda files: {**files, "rows.jsonl": row(pk="\x01record")},
    "a row of a key": lambda files: {**files, "rows.jsonl": row(pk="plan")},
    "a row twice": lambda files: {**files, "rows.jsonl": row() + b"\n" + row()},
    "a row without bytes": lambda files: {**files, "rows.jsonl": row(payload="?")},
    "grants that are none": lambda files: manifested(files, grants={"coder": {"root": ["*"]}}),
    "grants that are a list": lambda files: manifested(files, grants=[]),
    "grants of no list": lambda files: manifested(files, grants={"coder": {"read": "*"}}),
    "another format": lambda files: manifested(files, format="tar"),
    "a newer format": lambda files: manifested(files, format_version=2),
    "no files": lambda files: manifested(files, files=[]),
    "a file that leaves": lambda files: {**files, "../../evil": b"x"},
    "a file from the root": lambda files: {**files, "/etc/evil": b"x"},
    "a file less": lambda files: {name: data for name, data in files.items() if name != "rows.jsonl"},
}


def refused(store: Store, path: Path, why: str | None = None) -> None:
    with pytest.raises(InvalidValue, match=why) as told:
        store.import_session(path)
    assert str(path) in told.value.message
    assert store.sessions() == []
    assert store.backend.spaces() == []


@pytest.mark.parametrize("name", FORGED)
def test_what_no_export_wrote_is_refused_and_changes_nothing(name: str, source: SharedContext, tmp_path: Path) -> None:
    source.export(tmp_path / "team.zip")
    packed(FORGED[name](unpacked(tmp_path / "team.zip")), tmp_path / "forged.zip")
    with sharedctx.open("memory://") as store:
        refused(store, tmp_path / "forged.zip")
        packed(unpacked(tmp_path / "team.zip"), tmp_path / "fair.zip")
        store.import_session(tmp_path / "fair.zip")


def _linked(archive: zipfile.ZipFile) -> None:
    link = zipfile.ZipInfo("rows.jsonl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(link, "/etc/passwd")


def test_links_twins_damage_and_other_files_are_refused(source: SharedContext, tmp_path: Path) -> None:
    source.export(tmp_path / "team.zip")
    files = unpacked(tmp_path / "team.zip")
    rest = {name: data for name, data in files.items() if name != "rows.jsonl"}
    packed(rest, tmp_path / "link.zip", _linked)
    with pytest.warns(UserWarning, match="Duplicate"):
        packed(files, tmp_path / "twin.zip", lambda archive: archive.writestr("rows.jsonl", b""))
    whole = (tmp_path / "team.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.zip").write_bytes(b"no archive at all")
    at = whole.index(files["contents.zst"][:20]) + 100
    (tmp_path / "flipped.zip").write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
    with sharedctx.open("memory://") as store:
        refused(store, tmp_path / "link.zip", "is a link")
        for name in ("twin", "cut", "text", "flipped"):
            refused(store, tmp_path / f"{name}.zip")
        os.mkfifo(tmp_path / "pipe")
        for name in ("pipe", "missing", "."):
            with pytest.raises(ConfigError):
                store.import_session(tmp_path / name)
        with pytest.raises(InvalidValue, match="most_bytes"):
            store.import_session(tmp_path / "team.zip", most_bytes=100)


def test_a_damaged_version_is_named_and_no_archive_is_left(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "store") as store:
        ctx = store.session("team")
        ctx.put("plan", "v")
        with sqlite3.connect(tmp_path / "store" / "cache.db") as con:
            con.execute("UPDATE Cache SET value = substr(value, 1, length(value) - 1) WHERE key LIKE '%plan%'")
        con.close()
        with pytest.raises(DecodeError, match="plan"):
            ctx.export(tmp_path / "team.zip")
        assert not (tmp_path / "team.zip").exists()


def test_versions_that_share_bytes_count_each_for_itself(source: SharedContext, tmp_path: Path) -> None:
    source.export(tmp_path / "team.zip")
    packed(shared(unpacked(tmp_path / "team.zip")), tmp_path / "shared.zip")
    with sharedctx.open("memory://") as store:
        with pytest.raises(InvalidValue, match="most_bytes"):
            store.import_session(tmp_path / "shared.zip", most_bytes=38 * 2**20)
        assert store.sessions() == []
        assert store.import_session(tmp_path / "shared.zip", most_bytes=39 * 2**20).versions == 39
