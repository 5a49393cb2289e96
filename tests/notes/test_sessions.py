"""Sessions of notes: their life, their mirror, and many writers on one path."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

import sharedctx
from sharedctx.entries.record import Record
from sharedctx.errors import (
    BackendUnavailable,
    ConfigError,
    SessionArchived,
    SessionExists,
    SessionNotFound,
    ValueTooLarge,
)
from sharedctx.notes import SessionManager, SharedContextStore
from sharedctx.testing import ManualClock


def test_a_session_is_created_archived_and_deleted(tmp_path: Path) -> None:
    with SessionManager(tmp_path) as sessions:
        notes = sessions.create_session("b")
        sessions.create_session("a").write("k", "four")
        notes.write("k", "v")
        sessions.archive("b")
        assert notes.archived
        for call in (lambda: notes.write("k", "w"), lambda: notes.delete("k")):
            with pytest.raises(SessionArchived):
                call()
        assert notes.read("k")["value"] == "v"
        assert sessions.list_sessions() == [
            {"session_id": "a", "archived": False, "key_count": 1, "total_size_tokens": 1},
            {"session_id": "b", "archived": True, "key_count": 1, "total_size_tokens": 1},
        ]
        sessions.delete("b")
        assert [each["session_id"] for each in sessions.list_sessions()] == ["a"]
        for missing in (lambda: sessions.get("b"), lambda: sessions.archive("b"), lambda: sessions.delete("b")):
            with pytest.raises(SessionNotFound):
                missing()


def test_a_duplicate_is_a_value_error_that_says_so(tmp_path: Path) -> None:
    with SessionManager(tmp_path) as sessions:
        sessions.create_session("s")
        with pytest.raises(ValueError, match="already exists"):
            sessions.create_session("s")
        with pytest.raises(SessionExists):
            sessions.create_session("s")


@pytest.mark.parametrize("session_id", ["../evil", "..", ".", "", "a/b", "a\n", "x" * 129, "/etc"])
def test_an_id_never_leaves_the_directory(tmp_path: Path, session_id: str) -> None:
    with SessionManager(tmp_path / "store") as sessions:
        for call in (sessions.create_session, sessions.get, sessions.delete, sessions.archive):
            with pytest.raises(ConfigError):
                call(session_id)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_recreated_session_starts_anew_and_old_objects_are_told(tmp_path: Path) -> None:
    with SessionManager(tmp_path) as sessions:
        old = sessions.create_session("s")
        for _ in range(3):
            old.write("k", "old")
        sessions.archive("s")
        sessions.delete("s")
        new = sessions.create_session("s")
        assert not new.archived
        assert new.write("k", "new")["version"] == 1
        for call in (lambda: old.read("k"), lambda: old.write("k", "x"), old.list_keys, old.archive):
            with pytest.raises(SessionNotFound, match="'s'"):
                call()
        assert new.read("k")["value"] == "new"


def test_archive_binds_every_face_but_only_the_notes(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path) as store:
        SharedContextStore("s", store=store).write("k", "v")
        SharedContextStore("s", store=store, archived=True)
        context = store.session("s")
        changes = (
            lambda: context.put("notes/k", "w"),
            lambda: context.delete("notes/k"),
            lambda: context.erase("notes/k"),
            lambda: context.rollback("notes/k", 1),
            lambda: context.trim("notes/k", 1),
            lambda: store.session("s", max_entries=1).put("notes/other", "w"),
        )
        for change in changes:
            with pytest.raises(SessionArchived, match="notes/"):
                change()
        assert context.get("notes/k") == "v"
        context.put("elsewhere", "w")


def test_instances_on_one_path_lose_no_update(tmp_path: Path) -> None:
    def write(notes: SharedContextStore, name: str) -> None:
        for n in range(15):
            notes.write("shared", f"{name} {n}", name)
            notes.write(f"own_{name}", str(n), name)

    stores = [SharedContextStore("s", tmp_path) for _ in range(4)]
    threads = [threading.Thread(target=write, args=(store, f"w{n}")) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].read("shared")["version"] == 60
    assert len(stores[0].read_history("shared", limit=100)["versions"]) == 60
    assert all(stores[1].read(f"own_w{n}")["version"] == 15 for n in range(4))
    for store in stores:
        store.close()


def test_no_path_keeps_notes_in_memory_for_one_object() -> None:
    with SharedContextStore("s") as one, SharedContextStore("s") as two:
        one.write("k", "v")
        assert two.list_keys()["keys"] == []


def test_a_json_path_is_a_readable_mirror_beside_the_store(tmp_path: Path) -> None:
    path = tmp_path / "context.json"
    with SharedContextStore("s", path) as notes:
        assert json.loads(path.read_text()) == {"session_id": "s", "archived": False, "entries": []}
        notes.write("k", "größer", "lead")
        notes.write("gone", "v")
        notes.delete("gone")
        (entry,) = json.loads(path.read_text())["entries"]
        assert (entry["key"], entry["value"], entry["written_by"], entry["version"]) == ("k", "größer", "lead", 1)
        notes.archive()
        assert json.loads(path.read_text())["archived"] is True
    assert sorted(each.name for each in tmp_path.iterdir()) == ["context.json", "context.sharedctx"]
    path.write_text("anything")
    path.unlink()
    with SharedContextStore("s", path) as again:
        assert again.read("k")["value"] == "größer"
    assert json.loads(path.read_text())["entries"][0]["key"] == "k"


def test_an_existing_file_is_imported_once(tmp_path: Path) -> None:
    path = tmp_path / "context.json"
    entries = [{"key": "a", "value": "1", "written_by": "lead", "version": 7}, {"key": "b", "value": "2"}]
    path.write_text(json.dumps({"session_id": "s", "archived": True, "entries": entries}))
    with SharedContextStore("s", path) as notes:
        assert notes.archived
        assert [(note["key"], note["written_by"]) for note in notes.list_keys()["keys"]] == [
            ("a", "lead"),
            ("b", "unknown"),
        ]
    path.write_text(json.dumps({"session_id": "s", "archived": False, "entries": []}))
    with SharedContextStore("s", path) as notes:
        assert notes.read("a")["value"] == "1"
    assert len(json.loads(path.read_text())["entries"]) == 2


def test_an_import_that_fails_goes_on_when_the_file_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "context.json"
    content = {"session_id": "s", "entries": [{"key": "a", "value": "1"}, {"key": "b", "value": "x" * 9000}]}
    path.write_text(json.dumps(content))
    with pytest.raises(ValueTooLarge, match="'b'"):
        SharedContextStore("s", path)
    assert json.loads(path.read_text()) == content
    content["entries"][1]["value"] = "2"  # type: ignore[index]
    path.write_text(json.dumps(content))
    with SharedContextStore("s", path) as notes:
        assert notes.read_batch(["a", "b"])["missing"] == []


@pytest.mark.parametrize("text", ["no json", "[]", '{"session_id": "s"}', '{"session_id": "other", "entries": []}'])
def test_a_file_of_another_form_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "context.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"context\.json"):
        SharedContextStore("s", path)
    assert path.read_text() == text


def test_an_unwritable_mirror_is_an_error_of_the_write_and_the_store_has_the_note(tmp_path: Path) -> None:
    path = tmp_path / "context.json"
    with SharedContextStore("s", path) as notes:
        path.unlink()
        path.mkdir()
        with pytest.raises(BackendUnavailable, match=r"context\.json"):
            notes.write("k", "v")
        assert notes.read("k")["value"] == "v"
        path.rmdir()
        notes.write("k", "w")
    assert json.loads(path.read_text())["entries"][0]["value"] == "w"
    assert not list(tmp_path.glob("*.tmp"))


def test_a_broken_mirror_is_written_anew_from_the_store(tmp_path: Path) -> None:
    path = tmp_path / "context.json"
    with SharedContextStore("s", path) as notes:
        notes.write("k", "v")
    path.write_text('{"session')
    with SharedContextStore("s", path) as notes:
        assert notes.read("k")["value"] == "v"
    assert json.loads(path.read_text())["entries"][0]["value"] == "v"


def test_a_deleted_session_does_not_come_back_from_its_mirror(tmp_path: Path) -> None:
    path = tmp_path / "context.json"
    with SharedContextStore("s", path) as notes:
        notes.write("k", "v")
    with SessionManager(tmp_path / "context.sharedctx") as sessions:
        sessions.delete("s")
    with SharedContextStore("s", path) as notes:
        assert notes.list_keys()["keys"] == []
    assert json.loads(path.read_text())["entries"] == []


def test_a_key_of_another_face_does_not_disturb_the_mirror(tmp_path: Path) -> None:
    path = tmp_path / "context.json"
    with SharedContextStore("s", path) as notes, sharedctx.open(tmp_path / "context.sharedctx") as store:
        store.session("s").put("notes/Bad Key", "v")
        notes.write("a", "1")
    with SharedContextStore("s", path) as notes:
        assert notes.read("a")["value"] == "1"


@pytest.mark.parametrize("address", ["disk", "memory://"])
def test_a_write_that_a_deletion_overtakes_is_refused_and_leaves_nothing(tmp_path: Path, address: str) -> None:
    with sharedctx.open(tmp_path / "store" if address == "disk" else address) as store:
        sessions = SessionManager(store=store)

        class Deleting:
            name = "deletes the session while a value is measured"
            armed = False

            def __call__(self, text: str) -> int:
                if self.armed:
                    self.armed = False
                    sessions.delete("s")
                return 1

        count = Deleting()
        notes = SharedContextStore("s", store=store, count_tokens=count)
        notes.write("a", "v")
        count.armed = True
        with pytest.raises(SessionNotFound):
            notes.write("a", "w")
        assert store.sessions() == []
        assert sessions.create_session("s").write("a", "v")["version"] == 1


def test_a_deletion_that_was_broken_off_is_finished_by_whoever_makes_the_session_again(tmp_path: Path) -> None:
    clock = ManualClock(1_000.0)
    with sharedctx.open(tmp_path, clock=clock) as store:
        sessions = SessionManager(store=store)
        notes = sessions.create_session("s")
        for n in range(5):
            notes.write(f"k{n}", "v")
        context = store.session("s")
        context.run(Record(context.verbs.space, "s").condemn())
        with pytest.raises(SessionNotFound):
            notes.write("k0", "w")
        with pytest.raises(SessionNotFound):
            sessions.get("s")
        with pytest.raises(BackendUnavailable, match="being deleted"):
            sessions.create_session("s")
        clock.advance(61)
        assert sessions.create_session("s").list_keys()["keys"] == []
