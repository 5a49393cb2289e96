"""Entries as resources: listing, addresses, contents, and word of changes."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from sharedctx import SharedContext, Store
from sharedctx.errors import InvalidKey
from sharedctx.testing.clock import ManualClock
from sharedctx_mcp.addresses import Address

KEYS = ["plan", "logs/today", "näme/日本 x", "a?b#c%d", "a//b", "a/./b", "/lead", "trail/", "x:y@z", "~!$&'()*+,;="]


async def test_every_entry_is_listed_with_what_it_is(client: Any, context: SharedContext) -> None:
    context.put("plan", {"step": 1}, agent="planner")
    context.put("gone", "x")
    context.delete("gone")
    async with client() as reader:
        listed = await reader.resources()
    assert list(listed) == ["context://team", "context://team/plan"]
    assert listed["context://team/plan"] == {
        "uri": "context://team/plan",
        "name": "plan",
        "description": "v1 json by planner",
        "mimeType": "text/plain",
        "size": 10,
        "annotations": {"lastModified": "2023-11-14T22:13:20Z"},
    }


@pytest.mark.parametrize("key", KEYS)
async def test_any_key_is_read_by_the_address_that_is_listed(client: Any, context: SharedContext, key: str) -> None:
    context.put("other", "wrong")
    context.put(key, f"value of {key}")
    async with client() as reader:
        [uri] = [uri for uri, found in (await reader.resources()).items() if found["name"] == key]
        content = await reader.read(uri)
        escaped = await reader.read(f"context://team/{_escaped(key)}")
    assert content["text"] == f"value of {key}"
    assert escaped["text"] == content["text"]
    assert Address.read(uri).key == key


def _escaped(key: str) -> str:
    """As a client fills in the template."""
    from urllib.parse import quote

    return quote(key, safe="")


async def test_a_listing_comes_in_pages(client: Any, context: SharedContext) -> None:
    for number in range(25):
        context.put(f"k{number:02}", str(number))
    async with client(page=10) as reader:
        first = await reader.page()
        assert len(first["resources"]) == 11
        found = await reader.resources()
    assert [found[uri]["name"] for uri in found] == ["team", *(f"k{number:02}" for number in range(25))]


async def test_the_list_is_a_resource_for_a_model(client: Any, context: SharedContext) -> None:
    context.put("plan", "first", agent="planner")
    async with client() as reader:
        content = await reader.read("context://team")
    assert content["text"] == "plan  v1  text  5 bytes  2023-11-14 22:13:20  by planner"


async def test_a_resource_is_the_view_and_exact_when_asked_for(client: Any, context: SharedContext) -> None:
    rows = [{"id": n, "state": "open", "title": f"Issue {n}"} for n in range(400)]
    context.put("rows", rows)
    context.put("image", b"\x89PNG\x00")
    context.put("text", "plain")
    context.put("nothing", None)
    async with client() as reader:
        view = await reader.read("context://team/rows")
        exact = await reader.read("context://team/rows?full=true")
        image = await reader.read("context://team/image?full=true")
        described = await reader.read("context://team/image")
        text = await reader.read("context://team/text?full")
        nothing = await reader.read("context://team/nothing?full=true")
    assert view["text"] == context.get("rows")
    assert view["mimeType"] == "text/plain"
    assert json.loads(exact["text"]) == rows
    assert exact["mimeType"] == "application/json"
    assert base64.b64decode(image["blob"]) == b"\x89PNG\x00"
    assert "bytes" in described["text"]
    assert text["text"] == "plain"
    assert nothing["text"] == "null"


async def test_an_older_version_can_be_read(client: Any, context: SharedContext) -> None:
    context.put("plan", "first", agent="planner")
    context.put("plan", "second", agent="coder")
    async with client() as reader:
        old = await reader.read("context://team/plan?version=1")
        now = await reader.read("context://team/plan")
    assert (old["text"], now["text"]) == ("first", "second")
    assert old["_meta"]["sharedctx"]["version"] == 1
    assert now["_meta"]["sharedctx"]["agent"] == "coder"


async def test_templates_say_how_entries_are_addressed_and_keys_are_completed(
    client: Any, context: SharedContext
) -> None:
    for key in ("plan", "plans/old", "log"):
        context.put(key, "x")
    async with client() as reader:
        templates = (await reader.ask("list_resource_templates"))["resourceTemplates"]
        begun = await reader.complete("pla")
        mistyped = await reader.complete("plon")
        other = await reader.complete("pla", name="version")
    assert [each["uriTemplate"] for each in templates] == [
        "context://team/{key}",
        "context://team/{key}{?version}",
        "context://team/{key}?full=true",
    ]
    assert begun == ["plan", "plans/old"]
    assert "plan" in mistyped
    assert other == []


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("context://team/absent", "KEY_NOT_FOUND: there is no live value under 'absent'"),
        ("context://team/plan?version=9", "KEY_NOT_FOUND: there is no version 9 under 'plan'"),
        ("context://other/plan", "KEY_NOT_FOUND: this server has the session 'team', not 'other'"),
        ("context://team/plan?colour=red", "INVALID_KEY: "),
        ("context://team/plan?version=-1", "INVALID_KEY: "),
        ("context://team/plan#part", "INVALID_KEY: "),
        ("context://team/%FF", "INVALID_KEY: "),
        ("context://team/a%2F..%2Fb", "INVALID_KEY: the key 'a/../b' has a '..' segment"),
        ("context://team/a%00b", "INVALID_KEY: the key"),
        ("file:///etc/passwd", "INVALID_KEY: "),
    ],
)
async def test_bad_addresses_are_refused_with_the_cure(
    client: Any, context: SharedContext, wire: Any, uri: str, told: str
) -> None:
    context.put("plan", "first")
    async with client() as reader:
        with pytest.raises(wire.Refusal) as refused:
            await reader.read(uri)
        assert (await reader.read("context://team/plan"))["text"] == "first"
    assert refused.value.message.startswith(told)


async def test_a_foreign_cursor_is_refused(client: Any, wire: Any) -> None:
    async with client() as reader:
        with pytest.raises(wire.Refusal, match="INVALID_VALUE: the cursor"):
            await reader.page("%%%")


async def test_denied_and_damaged_entries(client: Any, context: SharedContext, wire: Any) -> None:
    context.put("secret", "hidden")
    context.put("open", "seen")
    context.grant("intern", read=["open"])
    async with client(context.bind("intern")) as reader:
        listed = await reader.resources()
        with pytest.raises(wire.Refusal, match="KEY_NOT_FOUND: there is no live value under 'secret'"):
            await reader.read("context://team/secret")
        assert await reader.complete("se") == []
    assert list(listed) == ["context://team", "context://team/open"]


async def test_a_subscriber_is_told_what_changes_and_of_new_entries(client: Any, context: SharedContext) -> None:
    context.put("plan", "first")
    context.put("other", "x")
    async with client() as reader:
        await reader.listen("context://team/plan")
        context.put("other", "y")  # nobody asked for it
        context.put("plan", "second")
        assert await reader.told() == ("updated", "context://team/plan")
        context.put("fresh", "z")
        assert await reader.told() == ("list", None)
        context.delete("plan")
        assert {await reader.told(), await reader.told()} == {("updated", "context://team/plan"), ("list", None)}
        assert reader.silent


async def test_a_subscription_to_the_list_tells_every_change(client: Any, context: SharedContext) -> None:
    context.put("plan", "first")
    async with client() as reader:
        await reader.listen("context://team")
        context.put("plan", "second")
        assert await reader.told() == ("updated", "context://team")


async def test_a_subscription_may_come_before_the_entry(client: Any, context: SharedContext) -> None:
    async with client() as reader:
        await reader.listen("context://team/later")
        context.put("later", "x")
        assert {await reader.told(), await reader.told()} == {("updated", "context://team/later"), ("list", None)}


async def test_what_other_clients_write_is_told_and_denied_keys_are_not(client: Any, store: Store) -> None:
    owner = store.session("team")
    owner.grant("intern", read=["open/*"])
    async with client(store.session("team").bind("intern")) as reader, client(owner.bind("boss")) as writer:
        await reader.listen("context://team/secret/plan", "context://team/open/plan")
        await writer.call("context_write", key="secret/plan", value="x")
        await writer.call("context_write", key="open/plan", value="y")
        assert {await reader.told(), await reader.told()} == {
            ("updated", "context://team/open/plan"),
            ("list", None),
        }
        assert reader.silent


async def test_what_came_while_a_client_was_told_is_told_once(client: Any, context: SharedContext) -> None:
    async with client() as reader:
        await reader.listen("context://team/plan")
        for number in range(200):
            context.put("plan", str(number))
        seen = [await reader.told()]
        while seen[-1] == ("updated", "context://team/plan") and not reader.silent:
            seen.append(await reader.told())
    assert len(seen) < 200


async def test_an_unsubscribed_resource_is_told_no_more(client: Any, context: SharedContext, era: str) -> None:
    if era != "handshake":
        pytest.skip("this version of the protocol ends a stream in its place")
    context.put("plan", "first")
    context.put("end", "x")
    async with client() as reader:
        await reader.listen("context://team/plan", "context://team/end")
        await reader.ask("unsubscribe_resource", "context://team/plan")
        context.put("plan", "second")
        context.put("end", "y")
        assert await reader.told() == ("updated", "context://team/end")


async def test_a_subscription_elsewhere_is_refused(client: Any, wire: Any) -> None:
    async with client() as reader:
        with pytest.raises((wire.Refusal, Exception), match="this server has the session 'team'"):
            await reader.listen("context://other/plan")


async def test_too_many_subscriptions_are_refused(client: Any, monkeypatch: pytest.MonkeyPatch, era: str) -> None:
    monkeypatch.setattr("sharedctx_mcp.feeds.MOST", 2)
    if era != "handshake":
        monkeypatch.setattr("sharedctx_mcp.second.MOST", 2)
    async with client() as reader:
        with pytest.raises(Exception, match=r"INVALID_VALUE: .*(too many|at most 2)"):
            await reader.listen("context://team/a", "context://team/b", "context://team/c")


async def test_clients_that_left_are_not_followed(client: Any, context: SharedContext) -> None:
    async with client() as reader:
        await reader.listen("context://team/plan")
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert [task for task in left if task.get_coro().__name__ in ("_follow", "_send")] == []


def test_addresses_are_read_however_they_are_escaped() -> None:
    assert Address.read("context://team/a%2Fb").key == Address.read("context://team/a/b").key == "a/b"
    assert Address.read("context://team/") == Address("team")
    assert Address.read("context://Team_1.x/k?version=3&full=1") == Address("Team_1.x", "k", 3, True)
    for odd in ("", "plan", "context:", "context:///plan", "http://team/plan", "context://[/plan"):
        with pytest.raises(InvalidKey, match=r"write context://SESSION/KEY"):
            Address.read(odd)


def test_expired_entries_are_no_resources(context: SharedContext, clock: ManualClock) -> None:
    async def listed() -> list[str]:
        from sharedctx.aio import AsyncSharedContext
        from sharedctx_mcp.resources import Resources

        page = await Resources(AsyncSharedContext.over(context), 10).listed(None)
        return [each["name"] for each in page["resources"]]

    context.put("brief", "x", ttl=10)
    assert asyncio.run(listed()) == ["team", "brief"]
    clock.advance(10)
    assert asyncio.run(listed()) == ["team"]
