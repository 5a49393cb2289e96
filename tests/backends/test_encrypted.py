"""Encryption at rest: the contract of backends holds, and what is moved, foreign or of another key does not open."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

import sharedctx
from sharedctx import Keyring, SharedContext
from sharedctx.backends.base import Backend
from sharedctx.backends.disk import DiskBackend
from sharedctx.backends.encrypted import guarded
from sharedctx.backends.keyring import generate
from sharedctx.errors import ConfigError, DecodeError, UnsafeRow
from sharedctx.testing import BackendContract, backend_machine

ONE, TWO = {"one": bytes(range(32))}, {"two": bytes(range(1, 33))}


def make(place: Path, clock: Callable[[], float]) -> Backend:
    return guarded(DiskBackend(place / "store", clock=clock), Keyring(ONE))


class TestEncryptedDisk(BackendContract):
    durable = True

    def make(self, place: Path, clock: Callable[[], float]) -> Backend:
        return make(place, clock)


TestEncryptedDiskMachine = backend_machine(make, durable=True).TestCase
TestEncryptedDiskMachine.settings = settings(max_examples=15, stateful_step_count=30)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with sharedctx.open(tmp_path / "store", keyring=Keyring(ONE)) as store:
        ctx = store.session("s")
        ctx.put("plan", "the secret plan", agent="lead")
        ctx.put("plan", "the second plan")
        ctx.put("other", {"also": "secret"})
        ctx.grant("coder", read=["other"])
    return tmp_path / "store"


def change(path: Path, sql: str, *args: object) -> None:
    con = sqlite3.connect(path / "cache.db")
    with con:
        assert con.execute(sql, args).rowcount > 0
    con.close()


def read(path: Path, key: str = "plan", version: int | None = None) -> object:
    with sharedctx.open(path, keyring=Keyring(ONE)) as store:
        return store.session("s").get(key, full=True, version=version)


def test_nothing_that_was_written_lies_there_in_plain_text(path: Path) -> None:
    for file in path.iterdir():
        data = file.read_bytes()
        assert b"secret" not in data
        assert b"lead" not in data
    assert read(path, version=1) == "the secret plan"
    with sharedctx.open(path, keyring=Keyring(ONE)) as store:
        assert store.stats()["encrypted_with"] == "one"
        assert store.sessions() == ["s"]
        assert store.doctor() == []


def test_the_keys_come_from_the_environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = generate("three")
    monkeypatch.setenv("SHAREDCTX_KEYS", new)
    with SharedContext(path=path.parent / "new") as ctx:
        ctx.put("k", "v")
        assert ctx.store.stats()["encrypted_with"] == "three"
    monkeypatch.setenv("SHAREDCTX_KEYS", f"{generate('four')},{new}")
    with SharedContext(path=path.parent / "new") as ctx:
        assert ctx.get("k") == "v"


def test_an_encrypted_store_does_not_open_without_its_keys(path: Path) -> None:
    with pytest.raises(ConfigError, match="SHAREDCTX_KEYS"):
        sharedctx.open(path)
    with pytest.raises(ConfigError, match="needs the key 'one', and the keyring has two"):
        sharedctx.open(path, keyring=Keyring(TWO))
    with pytest.raises(ConfigError, match="another key"):
        sharedctx.open(path, keyring=Keyring({"one": bytes(32)}))


def test_a_store_with_plain_rows_is_not_encrypted_in_the_middle(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "store") as store:
        store.session("s").put("k", "plain")
    with pytest.raises(ConfigError, match="not encrypted"):
        sharedctx.open(tmp_path / "store", keyring=Keyring(ONE))
    with sharedctx.open(tmp_path / "store") as store:
        assert store.session("s").get("k") == "plain"


def test_a_new_key_writes_and_the_old_one_still_reads(path: Path) -> None:
    with sharedctx.open(path, keyring=Keyring({**TWO, **ONE})) as store:
        store.session("s").put("plan", "the third plan")
        assert store.session("s").get("plan", full=True, version=1) == "the secret plan"
    with sharedctx.open(path, keyring=Keyring({**ONE, **TWO})) as store:
        assert store.session("s").get("plan", full=True) == "the third plan"


def test_what_a_key_wrote_that_is_no_longer_given_is_told_and_the_rest_reads(path: Path) -> None:
    with sharedctx.open(path, keyring=Keyring({**TWO, **ONE})) as store:
        store.session("s").put("plan", "by the new key")
    with sharedctx.open(path, keyring=Keyring(ONE)) as store:
        with pytest.raises(UnsafeRow, match="needs the key 'two', and the keyring has one"):
            store.session("s").get("plan")
        assert store.session("s").get("plan", version=2) == "the second plan"
        assert any("'two'" in fault for fault in store.doctor())


def rows(path: Path, word: str) -> list[str]:
    con = sqlite3.connect(path / "cache.db")
    keys = [key for (key,) in con.execute("SELECT key FROM Cache WHERE key LIKE ?", (f"%{word}%",))]
    con.close()
    return sorted(keys)


@pytest.mark.parametrize("word", ["other", "plan"])
def test_a_value_moved_to_another_place_does_not_open(path: Path, word: str) -> None:
    first, second = rows(path, "plan")
    target = second if word == "plan" else rows(path, "other")[0]
    change(path, "UPDATE Cache SET value = (SELECT value FROM Cache WHERE key = ?) WHERE key = ?", first, target)
    with pytest.raises(DecodeError):
        read(path, word)
    assert read(path, version=1) == "the secret plan"


def test_a_plain_row_planted_in_an_encrypted_store_is_refused(path: Path) -> None:
    change(path, "UPDATE Cache SET value = CAST('plain' AS BLOB) WHERE key = ?", rows(path, "other")[0])
    with pytest.raises(UnsafeRow, match="unencrypted"):
        read(path, "other")
    assert read(path) == "the second plan"


@pytest.mark.parametrize("text", ["one", "one:short", "a b:AAAA", "one:" + "A" * 42 + "?", ":AAAA", ","])
def test_bad_keys_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Keyring.parse(text)
    assert "AAAA" not in str(caught.value)


def test_one_process_uses_one_keyring_for_a_store(path: Path) -> None:
    with sharedctx.open(path, keyring=Keyring(ONE)), pytest.raises(ConfigError, match="other keys"):
        sharedctx.open(path, keyring=Keyring({**TWO, **ONE}))


def test_large_values_deltas_and_backups_work_as_ever(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "encrypted", keyring=Keyring(ONE)) as store:
        ctx = store.session("s")
        big = os.urandom(300_000).hex()
        ctx.put("big", big)
        empty = store.stats()["bytes"]
        ctx.put("big", big + "more")
        assert store.stats()["bytes"] - empty < 50_000
        assert ctx.get("big", full=True) == big + "more"
        store.backup(tmp_path / "copy")
    with sharedctx.open(tmp_path / "copy", keyring=Keyring(ONE)) as copied:
        assert copied.session("s").get("big", full=True) == big + "more"
