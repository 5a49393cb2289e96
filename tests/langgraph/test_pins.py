"""Defects that savers of LangGraph had, and that this one must not have."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langgraph.checkpoint", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import sharedctx
from sharedctx.errors import ConfigError, DecodeError, InvalidKey
from sharedctx_langgraph import ContextSaver

from .made import Chain, checkpoint, config


def ids(found: Any) -> list[str]:
    return [each.checkpoint["id"] for each in found]


def test_nothing_is_held_while_a_listing_is_looked_at(saver: ContextSaver, chain: Chain) -> None:
    for number in range(5):
        chain.put(f"{number}", {"a": number})
    listing = saver.list(config())
    assert next(listing).checkpoint["id"] == "4"
    saver.get_tuple(config())
    chain.put("5", {"a": 5})
    saver.put_writes(chain.config, [("a", 1)], "task")
    assert ids(listing) == ["3", "2", "1", "0"]


def test_metadata_holds_times(saver: ContextSaver, chain: Chain) -> None:
    at = datetime(2025, 1, 2, tzinfo=UTC)
    chain.put("1", {"a": 1}, at=at)
    assert saver.get_tuple(config()).metadata["at"] == at
    assert ids(saver.list(config(), filter={"at": at})) == ["1"]


def test_what_was_stored_is_not_what_the_caller_goes_on_changing(saver: ContextSaver) -> None:
    value = ["a"]
    made = checkpoint("1", {"list": value})
    saver.put(config(), made, {}, made["channel_versions"])
    value.append("b")
    found = saver.get_tuple(config())
    assert found.checkpoint["channel_values"] == {"list": ["a"]}
    found.checkpoint["channel_values"]["list"].append("c")
    assert saver.get_tuple(config()).checkpoint["channel_values"] == {"list": ["a"]}


def test_a_value_whose_channel_has_no_version_is_saved_each_time(saver: ContextSaver) -> None:
    at = saver.put(config(), checkpoint("1", {"a": 1}, {}), {}, {})
    saver.put(at, checkpoint("2", {"a": 2}, {}), {}, {})
    assert [each.checkpoint["channel_values"] for each in saver.list(config())] == [{"a": 2}, {"a": 1}]


def test_a_circle_of_parents_ends(saver: ContextSaver) -> None:
    for id, parent in (("1", "2"), ("2", "1")):
        saver.put(config(id=parent), checkpoint(id, {}, {"a": id}), {}, {"a": id})
        saver.put_writes(config(id=id), [("a", id)], "task")
    found = saver.get_delta_channel_history(config=config(id="2"), channels=["a"])
    assert found == {"a": {"writes": [("task", "a", "1")]}}
    saver.prune(["t"])
    assert ids(saver.list(config()))[0] == "2"


@pytest.mark.parametrize("name", ["a.b", "a'b", 'a"b', "$x", "a]", "%", "a\\b", "ключ", "a; DROP TABLE x"])
def test_filters_take_any_spelling_of_a_key(saver: ContextSaver, chain: Chain, name: str) -> None:
    chain.put("1", {"a": 1}, **{name: "x' OR 1=1"})
    chain.put("2", {"a": 2}, **{name: "other"})
    assert ids(saver.list(config(), filter={name: "x' OR 1=1"})) == ["1"]
    assert ids(saver.list(config(), filter={name: None})) == []


def test_lists_are_newest_first_over_threads_and_namespaces(saver: ContextSaver) -> None:
    chains = [Chain(saver, "a"), Chain(saver, "b"), Chain(saver, "a", "inner")]
    for number in range(30):
        chains[number % 3].put(f"{number:03d}", {"a": number}, deep={"x": {"y": number % 2}})
    found = [each.checkpoint["id"] for each in saver.list(None)]
    assert found == [f"{number:03d}" for number in range(29, -1, -1)]
    newest = saver.list(None, limit=2, before=config("c", id="020"), filter={"deep.x.y": 1})
    assert [each.checkpoint["id"] for each in newest] == ["019", "017"]
    of_one = [each.checkpoint["id"] for each in saver.list(config("a", namespace=None), limit=3)]
    assert of_one == ["029", "027", "026"]


def test_a_channel_that_was_emptied_stays_empty(saver: ContextSaver, chain: Chain) -> None:
    chain.put("1", {"a": 1, "b": 2})
    chain.saver.put(chain.config, checkpoint("2", {"b": 2}, {"a": "2", "b": "1"}), {}, {"a": "2"})
    chain.saver.put(config(id="2"), checkpoint("3", {"b": 2}, {"a": "2", "b": "1"}), {}, {})
    assert saver.get_tuple(config()).checkpoint["channel_values"] == {"b": 2}


def test_a_value_without_a_new_version_is_stored_when_it_was_not_yet(saver: ContextSaver) -> None:
    saver.put(config(), checkpoint("1", {"a": 1}), {}, {})
    assert saver.get_tuple(config()).checkpoint["channel_values"] == {"a": 1}


def test_bounds_of_listings(saver: ContextSaver, chain: Chain) -> None:
    for number in range(4):
        chain.put(f"{number}", {"a": number})
    Chain(saver, "t", "inner").put("9", {"a": 9})
    Chain(saver, "other").put("7", {"a": 7})
    assert ids(saver.list(config(), limit=0)) == []
    assert ids(saver.list(config(), before=config(id="2"))) == ["1", "0"]
    assert ids(saver.list(config(), before=config())) == ["3", "2", "1", "0"]
    assert ids(saver.list(config(id="2"), before=config(id="3"))) == ["2"]
    assert ids(saver.list(config(id="2"), before=config(id="2"))) == []
    assert ids(saver.list(config(id="2"))) == ["2"]
    assert sorted(ids(saver.list(config(namespace=None)))) == ["0", "1", "2", "3", "9"]
    assert sorted(ids(saver.list(None))) == ["0", "1", "2", "3", "7", "9"]
    assert saver.get_tuple(config(namespace=None)).checkpoint["id"] == "3"


def test_regular_writes_stay_and_special_ones_are_replaced(saver: ContextSaver, chain: Chain) -> None:
    at = chain.put("1", {"a": 1})
    saver.put_writes(at, [("a", "first"), ("b", "second")], "one")
    saver.put_writes(at, [("a", "late")], "one")
    saver.put_writes(at, [("__resume__", 1)], "one")
    saver.put_writes(at, [("__resume__", 2)], "one")
    saver.put_writes(at, [("__resume__", 1)], "one")
    saver.put_writes(at, [("c", "early")], "two", "a path")
    saver.put_writes(at, [("c", "before all")], "zero")
    assert saver.get_tuple(at).pending_writes == [
        ("one", "__resume__", 1),
        ("one", "a", "first"),
        ("one", "b", "second"),
        ("zero", "c", "before all"),
        ("two", "c", "early"),
    ]


def test_writes_may_come_before_their_checkpoint(saver: ContextSaver) -> None:
    saver.put_writes(config(id="1"), [("a", 1)], "task")
    assert saver.get_tuple(config()) is None
    assert list(saver.list(config())) == []
    saver.put(config(), checkpoint("1", {"a": 0}), {}, {"a": "1"})
    assert saver.get_tuple(config()).pending_writes == [("task", "a", 1)]


def test_the_same_id_may_be_put_again(saver: ContextSaver, chain: Chain) -> None:
    long = "word " * 2000
    chain.put("1", {"a": long})
    saver.put_writes(chain.config, [("a", long + "!")], "task")
    chain.put("2", {"a": long + "!"})
    saver.put(config(), checkpoint("1", {"a": "other"}), {}, {"a": "1"})
    assert saver.get_tuple(config(id="1")).checkpoint["channel_values"] == {"a": "other"}
    assert saver.get_tuple(config(id="1")).pending_writes == [("task", "a", long + "!")]
    with ContextSaver(saver.store) as fresh:
        assert fresh.get_tuple(config(id="2")).checkpoint["channel_values"] == {"a": long + "!"}


def test_a_copy_with_another_allow_list_saves_in_the_same_place(saver: ContextSaver, chain: Chain) -> None:
    saver.serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    copied: Any = saver.with_allowlist([("module", "Name")])
    chain.put("1", {"a": 1})
    assert copied is not saver
    assert copied.get_tuple(config()).checkpoint["id"] == "1"
    copied.put(chain.config, checkpoint("2", {"a": 2}), {}, {"a": "2"})
    assert saver.get_tuple(config()).parent_config == config(id="1")


def test_threads_with_like_names_are_told_apart(saver: ContextSaver) -> None:
    names = ["a", "a:b", "a-b", "a/b", "a\x1fb", "A", "a ", "ä", "1"]
    for name in names:
        Chain(saver, name).put("1", {"name": name})
    saver.delete_thread("a")
    assert sorted(saver.threads()) == sorted(names[1:])
    assert saver.get_tuple(config(1)).checkpoint["channel_values"] == {"name": "1"}  # type: ignore[arg-type]


def test_what_names_nothing_is_refused_clearly(saver: ContextSaver) -> None:
    with pytest.raises(InvalidKey, match="thread_id"):
        saver.get_tuple({"configurable": {}})
    with pytest.raises(InvalidKey, match="checkpoint_id"):
        saver.put_writes(config(), [("a", 1)], "task")
    with pytest.raises(InvalidKey, match="control"):
        saver.put(config(), checkpoint("1\x01"), {}, {})
    with pytest.raises(ConfigError, match="keep_latest"):
        saver.prune(["t"], strategy="all")
    with pytest.raises(ConfigError, match="ttl"):
        ContextSaver(saver.store, ttl=0)


def test_encryption_by_the_serializer_is_advised_against() -> None:
    pytest.importorskip("Crypto.Cipher.AES", reason="pycryptodome is missing")
    from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0" * 16)
    with pytest.warns(UserWarning, match="fifty times"):
        saver = ContextSaver.from_url("memory://", serde=serde)
    Chain(saver).put("1", {"a": "secret"})
    assert saver.get_tuple(config()).checkpoint["channel_values"] == {"a": "secret"}
    with ContextSaver(saver.store) as other, pytest.raises(DecodeError, match="serializer"):
        other.get_tuple(config())
    saver.close()


def test_one_line_replaces_the_sqlite_saver(tmp_path: Path) -> None:
    with ContextSaver.from_conn_string(str(tmp_path / "store")) as saver:
        saver.setup()
        Chain(saver).put("1", {"a": 1})

    async def again() -> Any:
        async with ContextSaver.from_conn_string(str(tmp_path / "store")) as saver:
            await saver.setup()
            return await saver.aget_tuple(config())

    assert asyncio.run(again()).checkpoint["id"] == "1"
    with ContextSaver.from_conn_string(":memory:") as own:
        assert own.get_tuple(config()) is None


def test_versions_grow_as_the_official_ones_do() -> None:
    saver, official = ContextSaver.from_url("memory://"), InMemorySaver()
    first = saver.get_next_version(None)
    assert saver.get_next_version(first) > first
    assert first.partition(".")[0] == official.get_next_version(None, None).partition(".")[0]  # type: ignore[arg-type]
    assert saver.get_next_version(3).startswith(f"{4:032}.")
    saver.close()


def test_a_saver_closes_only_what_it_opened(store: sharedctx.Store) -> None:
    with ContextSaver(store) as saver:
        Chain(saver).put("1", {"a": 1})
    with ContextSaver(store.session("any")) as again:
        assert again.get_tuple(config()).checkpoint["id"] == "1"
    assert store.doctor() == []
    assert store.sessions() == []


def test_what_was_read_is_not_believed_of_a_thread_that_began_anew(address: str) -> None:
    with ContextSaver.from_url(address) as saver, ContextSaver(saver.store) as other:
        for id, value in (("9", "first"), ("8", "second"), ("7", "third")):
            Chain(other).put(id, {"a": value})
            for _ in range(2):
                found = saver.get_tuple(config())
                assert found is not None
                assert found.checkpoint["channel_values"] == {"a": value}
            other.delete_thread("t")
            assert saver.get_tuple(config()) is None
