"""What can be read of sessions over HTTP, as a dashboard does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest

from sharedctx.evolution import EvolutionStore
from sharedctx_server.testing import Running, running

ROWS = [{"id": n, "state": "open", "title": f"issue number {n}"} for n in range(500)]


def events(lines: Iterator[str]) -> Iterator[tuple[str, str, dict[str, object]]]:
    """The events of a stream: name, id and data."""
    name = number = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "id":
            number = value
        elif field == "data":
            yield name, number, json.loads(value)
            name = number = ""


def test_entries_are_listed_with_what_their_views_save(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    entry = ctx.put("rows", ROWS, agent="scout")
    ctx.put("a/small", "text")
    found = http.get("/api/entries").json()
    assert [each["key"] for each in found["entries"]] == ["a/small", "rows"]
    assert found["rev"] == ctx.rev()
    assert found["total"] == 2
    rows = found["entries"][1]
    assert rows == json.loads(json.dumps(entry.to_dict()))
    assert rows["compressed_tokens"] < rows["original_tokens"]
    page = http.get("/api/entries", params={"limit": 1}).json()
    assert page["after"] == "a/small"
    rest = http.get("/api/entries", params={"after": "a/small", "tokens": "false"}).json()
    assert [each["key"] for each in rest["entries"]] == ["rows"]
    assert "original_tokens" not in rest["entries"][0]
    assert rest["after"] is None
    assert http.get("/api/entries", params={"prefix": "a/"}).json()["total"] == 1


def test_readers_of_entries_and_projects_are_told_to_who_may_know(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    ctx.put("notes", "text")
    ctx.put("secret", "text")
    ctx.bind("coder").get("notes")
    ctx.bind("coder").get("secret", full=True)
    http.put("/context/atlas", json={"context": {"a": 1}, "agentId": "planner"})
    told = http.get("/api/readers").json()["readers"]
    found = {(each["participant"], each["key"], each["version"]) for each in told}
    assert found >= {("coder", "notes", 1), ("coder", "secret", 1)}
    assert [each["at"] for each in told] == sorted((each["at"] for each in told), reverse=True)
    ctx.grant("guest", read=["notes"])
    seen = http.get("/api/readers", params={"agentId": "guest"}).json()["readers"]
    assert [(each["participant"], each["key"]) for each in seen] == [("coder", "notes")]


def test_an_entry_comes_with_its_view_beside_the_original(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    ctx.put("rows", ROWS)
    ctx.put("rows", "now text")
    found = http.get("/api/entry", params={"key": "rows", "version": 1}).json()
    assert found["view"] == ctx.get("rows", version=1)
    assert json.loads(found["original"]) == ROWS
    assert not found["original_cut"]
    assert found["view_tokens"] < found["original_tokens"]
    assert http.get("/api/entry", params={"key": "rows"}).json()["original"] == "now text"
    whole = http.get("/api/original", params={"key": "rows", "version": 1})
    assert json.loads(whole.text) == ROWS
    assert whole.headers["content-disposition"] == "attachment"
    part = http.get("/api/expand", params={"key": "rows", "ref": "v1:rows:3"}).json()
    assert "issue number 3" in part["text"]
    ctx.put("bytes", b"\xff\x00")
    assert http.get("/api/original", params={"key": "bytes"}).content == b"\xff\x00"


def test_looking_is_not_counted_as_reading_of_a_model(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    ctx.put("rows", ROWS)
    http.get("/api/entry", params={"key": "rows"})
    http.get("/api/expand", params={"key": "rows", "ref": "rows:1"})
    assert ctx.savings() == []


def test_history_and_differences(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    ctx.put("plan", {"a": 1, "b": "the same"}, agent="one")
    ctx.put("plan", {"a": 2, "b": "the same"}, agent="two")
    ctx.put("text", "old\n")
    ctx.put("text", "new\n")
    ctx.delete("plan")
    found = http.get("/api/history", params={"key": "plan"}).json()
    assert [(each["version"], each["agent"], each["kind"]) for each in found["versions"]] == [
        (3, None, "gone"),
        (2, "two", "json"),
        (1, "one", "json"),
    ]
    patch = http.get("/api/diff", params={"key": "plan", "from": 1, "to": 2}).json()
    assert patch["changes"] == [{"op": "replace", "path": "/a", "value": 2}]
    text = http.get("/api/diff", params={"key": "text", "from": 1, "to": 2}).json()
    assert text["format"] == "text"
    assert "-old" in text["changes"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/entry", 400),
        ("/api/entry?key=missing", 404),
        ("/api/entry?key=..", 400),
        ("/api/entry?key=rows&version=9", 404),
        ("/api/entry?key=rows&version=x", 400),
        ("/api/entries?limit=0", 400),
        ("/api/entries?session=..", 400),
        ("/api/entries?session=none", 404),
        ("/api/history?key=missing", 404),
        ("/api/diff?key=rows", 400),
        ("/api/diff?key=rows&from=1&to=9", 404),
        ("/api/expand?key=rows&ref=nonsense:1", 400),
        ("/api/savings/timeline?step=61", 400),
        ("/api/evolutions/none", 404),
        ("/api/evolutions/none/history", 404),
        ("/api/evolutions/..%2Fx", 404),
        ("/api/nothing", 404),
    ],
)
def test_what_cannot_be_read_is_refused_clearly(server: Running, http: httpx.Client, path: str, status: int) -> None:
    server.service.context.put("rows", ROWS)
    found = http.get(path)
    assert found.status_code == status
    assert found.json()["error"]
    assert http.post("/api/entries").status_code == 405


def test_other_sessions_are_the_owners_to_read(server: Running, http: httpx.Client) -> None:
    server.store.session("other").put("k", "theirs")
    server.service.context.put("k", "ours")
    assert http.get("/api/sessions").json() == {"session": "default", "sessions": ["default", "other"]}
    assert http.get("/api/entry", params={"key": "k", "session": "other"}).json()["original"] == "theirs"
    as_scout = {"x-agent-id": "scout"}
    assert http.get("/api/entry", params={"key": "k", "session": "other"}, headers=as_scout).status_code == 403
    assert http.get("/api/sessions", headers=as_scout).json()["sessions"] == ["default"]
    assert http.get("/api/entry", params={"key": "k"}, headers=as_scout).json()["original"] == "ours"


def test_who_may_not_read_sees_nothing_of_it(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    ctx.put("open/a", "x")
    ctx.put("secret/b", "y")
    ctx.put("secret/b", "z")
    ctx.grant("scout", read=["open/*"])
    as_scout = {"x-agent-id": "scout"}
    assert [each["key"] for each in http.get("/api/entries", headers=as_scout).json()["entries"]] == ["open/a"]
    for path in ("entry", "original", "expand", "history"):
        hidden = http.get(f"/api/{path}", params={"key": "secret/b"}, headers=as_scout)
        absent = http.get(f"/api/{path}", params={"key": "secret/c"}, headers=as_scout)
        assert hidden.status_code == absent.status_code == 404
        assert hidden.json()["error"].replace("secret/b", "secret/c") == absent.json()["error"]
    diff = http.get("/api/diff", params={"key": "secret/b", "from": 1, "to": 2}, headers=as_scout)
    assert diff.status_code == 404
    with http.stream("GET", "/api/events", params={"from_rev": 0}, headers=as_scout) as stream:
        first = next(events(stream.iter_lines()))
    assert [change["key"] for change in first[2]["changes"]] == ["open/a"]  # type: ignore[index]


def test_events_go_on_where_they_were_left(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    ctx.put("a", "1", agent="one")
    rev = ctx.rev()
    with http.stream("GET", "/api/events") as stream:
        heard = events(stream.iter_lines())
        assert next(heard)[2] == {"type": "ready", "rev": rev, "session": "default"}
        ctx.put("b", "2", agent="two")
        name, number, data = next(heard)
        assert name == "change"
        assert data["changes"] == [{"key": "b", "version": 1, "op": "put", "agent": "two"}]
        assert int(number) == ctx.rev()
    ctx.delete("a")
    with http.stream("GET", "/api/events", headers={"last-event-id": number}) as stream:
        _, _, data = next(events(stream.iter_lines()))
    assert data["changes"] == [{"key": "a", "version": 2, "op": "delete", "agent": None}]


def test_events_of_a_trimmed_history_start_anew(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    for n in range(40):
        ctx.put("k", str(n))
    ctx.erase("k")
    ctx.put("left", "here")
    with http.stream("GET", "/api/events", params={"from_rev": ctx.rev() + 100}) as stream:
        heard = events(stream.iter_lines())
        name, _, data = next(heard)
        assert (name, data["statusCode"]) == ("compacted", 410)
        name, _, data = next(heard)
        assert (name, data["rev"]) == ("snapshot", ctx.rev())
        assert [each["key"] for each in data["entries"]] == ["left"]  # type: ignore[union-attr]
        ctx.put("next", "one")
        assert next(heard)[2]["changes"][0]["key"] == "next"  # type: ignore[index]


def test_streams_end_when_the_server_stops() -> None:
    with running() as server, httpx.Client(base_url=server.url) as http, http.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        next(lines)
        server.stop()
        assert [line for line in lines if line.startswith("event: change")] == []


def test_savings_are_told_in_all_by_participant_and_over_time(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    entry = ctx.put("rows", ROWS)
    ctx.bind("scout", face="langgraph").get("rows")
    ctx.bind("coder").get("rows")
    ctx.bind("coder").get("rows")
    found = http.get("/api/savings").json()
    saved = entry.original_tokens - entry.compressed_tokens
    assert found["total"]["saved_tokens"] == 3 * saved
    assert {each["participant"]: each["calls"] for each in found["participants"]} == {"scout": 1, "coder": 2}
    assert {(each["participant"], each["face"]) for each in found["served"]} == {
        ("scout", "langgraph"),
        ("coder", "sharedctx"),
    }
    assert found["entries"]["total_tokens_saved"] == saved
    points = http.get("/api/savings/timeline", params={"step": 3600}).json()["points"]
    assert sum(each["saved_tokens"] for each in points) == 3 * saved
    own = http.get("/api/savings", headers={"x-agent-id": "coder"}).json()
    assert [each["participant"] for each in own["participants"]] == ["coder"]


def test_evolutions_come_with_their_comparison(server: Running, http: httpx.Client) -> None:
    async def evolve() -> str:
        store = EvolutionStore(store=server.store)
        own = await store.create_context("src/parser", ["speed"])
        await store.store_original_analysis(["a.py"], {"complexity": 9}, [], [])
        await store.store_improvement_plan([{"id": "t1", "type": "refactor", "priority": "high"}], {}, {})
        await store.update_phase("implementation")
        await store.store_implementation_log(["a.py"], [{"task": "t1"}], [])
        await store.store_current_state(["a.py"], {"complexity": 4}, [], [])
        return own

    own = asyncio.run(evolve())
    (line,) = http.get("/api/evolutions").json()["evolutions"]
    assert line["evolution_id"] == own
    found = http.get(f"/api/evolutions/{own}").json()
    assert found["context"]["current_phase"] == "implementation"
    assert found["comparison"]["delta"]["metrics"]["complexity"]["delta"] == -5
    assert found["comparison"]["delta"]["tasks"]["t1"]["done"]
    updates = http.get(f"/api/evolutions/{own}/history", params={"section": "status"}).json()["updates"]
    assert [each["data"] for each in updates] == ["initialized", "running_implementation"]


def test_the_page_loads_nothing_from_elsewhere(http: httpx.Client) -> None:
    found = http.get("/")
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in found.headers["content-security-policy"]
    assert found.headers["x-content-type-options"] == "nosniff"
    assert "http://" not in found.text
    assert "https://" not in found.text
    style = http.get("/pages/page.css")
    assert style.headers["content-type"].startswith("text/css")
    again = http.get("/pages/page.css", headers={"if-none-match": style.headers["etag"]})
    assert again.status_code == 304
    for path in ("/pages/../settings.py", "/pages/%2e%2e/settings.py", "/pages/", "/pages/none.js"):
        assert http.get(path).status_code == 404


def test_the_page_needs_no_token_and_what_it_reads_does() -> None:
    with running(token="a token of sixteen") as server, httpx.Client(base_url=server.url) as http:
        assert http.get("/").status_code == 200
        assert http.get("/pages/page.css").status_code == 200
        assert http.get("/api/entries").status_code == 401
        told = {"authorization": "Bearer a token of sixteen"}
        assert http.get("/api/entries", headers=told).status_code == 200
