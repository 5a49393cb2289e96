"""Search finds words in live entries, in every process and after every change, with references that expand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import sharedctx
from sharedctx.errors import InvalidValue
from sharedctx.testing import ManualClock


@pytest.fixture
def store(address: str) -> Iterator[sharedctx.Store]:
    with sharedctx.open(address, clock=ManualClock(1.0)) as opened:
        yield opened


def found(ctx: sharedctx.SharedContext, query: str, **options: object) -> list[str]:
    return [hit.key for hit in ctx.search(query, **options)]  # type: ignore[arg-type]


def test_a_hit_names_its_place_and_its_reference_gives_it(store: sharedctx.Store) -> None:
    ctx = store.session()
    lines = [f"line {n} is plain" for n in range(1, 501)]
    lines[320] = "the gateway refused the connection"
    ctx.put("log", "\n".join(lines))
    ctx.put("other", "nothing of interest")
    (hit,) = ctx.search("refused gateway", limit=1)
    assert (hit.key, hit.version) == ("log", 1)
    assert "the gateway refused the connection" in hit.snippet
    assert "the gateway refused the connection" in ctx.expand(hit.key, hit.ref)


def test_a_long_line_and_json_are_found_in_pieces(store: sharedctx.Store) -> None:
    ctx = store.session()
    ctx.put("long", "filler " * 20_000 + "needle " + "filler " * 20_000)
    ctx.put(
        "rows", [{"name": f"host-{n}", "note": "quiet"} for n in range(400)] + [{"name": "db7", "note": "haystack"}]
    )
    (hit,) = ctx.search("needle")
    assert "needle" in ctx.expand("long", hit.ref)
    assert len(ctx.expand("long", hit.ref)) < 5_000
    (hit,) = ctx.search("haystack")
    assert "db7" in ctx.expand("rows", hit.ref)


def test_changes_removals_and_expiry_show_at_once(tmp_path: Path) -> None:
    clock = ManualClock(100.0)
    with sharedctx.open(tmp_path, clock=clock) as one, sharedctx.open(tmp_path, clock=clock) as two:
        reader, writer = one.session(), two.session()
        writer.put("a", "alpha")
        assert found(reader, "alpha") == ["a"]
        writer.put("a", "beta")
        writer.put("b", "beta", ttl=10)
        assert found(reader, "alpha") == []
        assert sorted(found(reader, "beta")) == ["a", "b"]
        clock.advance(10)
        assert found(reader, "beta") == ["a"]
        writer.delete("a")
        assert found(reader, "beta") == []
        writer.put("c", "beta")
        two.delete_session("default")
        writer.put("c", "gamma")
        assert (found(reader, "beta"), found(reader, "gamma")) == ([], ["c"])


def test_identifiers_addresses_and_accents_are_words(store: sharedctx.Store) -> None:
    ctx = store.session()
    ctx.put("code", "def read_row(handle): ...")
    ctx.put("net", "refused by 10.0.0.7:5432")
    ctx.put("prose", "Größe der Änderung")
    assert found(ctx, "read_row") == ["code"]
    assert found(ctx, "row") == ["code"]
    assert found(ctx, "10.0.0.7") == ["net"]
    assert found(ctx, "10.0.0.8") == []
    assert found(ctx, "grosse anderung") == ["prose"]
    assert found(ctx, '"; DROP TABLE passages; -- NEAR( row') == ["code"]


def test_prefix_limit_and_rights_bound_what_is_found(store: sharedctx.Store) -> None:
    ctx = store.session()
    for n in range(30):
        ctx.put(f"open/{n}" if n % 3 else f"secret/{n}", "common word " * (n + 1))
    ctx.grant("reader", read=["open/*"])
    reader = ctx.bind("reader")
    assert len(ctx.search("common", limit=5)) == 5
    assert found(reader, "common", limit=100)
    assert all(key.startswith("open/") for key in found(reader, "common"))
    assert len(found(reader, "common", limit=100)) >= 20
    assert set(found(ctx, "common", prefix="secret/", limit=100)) == {f"secret/{n}" for n in range(0, 30, 3)}


def test_a_query_needs_a_word(store: sharedctx.Store) -> None:
    for query in ("", "   ", "!?-"):
        with pytest.raises(InvalidValue, match="no words"):
            store.session().search(query)
