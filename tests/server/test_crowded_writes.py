"""Writes of one project that come together: they build on each other, and others may come between at any moment."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from sharedctx import SharedContext, Store
from sharedctx.errors import InvalidValue
from sharedctx.projects import Difference, Projects, ProjectSettings, State, Written
from sharedctx_server.testing import Running, running

MANY = 40
LARGE = {"base": "\n".join(f"line {n} of what everybody knows" for n in range(400))}


def named(name: str, value: Any) -> Difference:
    return Difference.parse({"added": {name: value}})


def together(store: Store, projects: Projects, diffs: list[Difference], **more: Any) -> list[Any]:
    async def write() -> list[Any]:
        steps = (projects.change(None, "atlas", diff, f"agent{n}", **more) for n, diff in enumerate(diffs))
        return await asyncio.gather(*(store.driver.run(each) for each in steps), return_exceptions=True)

    return asyncio.run(write())


@pytest.mark.parametrize("base", [{}, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("audit", [False, True], ids=["", "audited"])
def test_no_change_is_lost_when_another_process_comes_between(
    stores: tuple[Store, Store],
    base: dict[str, Any],
    audit: bool,
    before_the_first_group: Callable[[Store, Callable[[], object]], None],
) -> None:
    ours, theirs = (store.session("s") for store in stores)
    one, two = Projects(ours), Projects(theirs)
    if audit:
        ours.configure(audit=True)
    ours.run(one.put(None, "atlas", State.of({"first": 0, **base})))
    before_the_first_group(stores[0], lambda: theirs.run(two.change(None, "atlas", named("foreign", 1))))
    written: list[Written] = together(stores[0], one, [named(f"n{n}", n) for n in range(MANY)])
    assert sorted(each.version.number for each in written) == list(range(3, MANY + 3))
    whole = {"first": 0, "foreign": 1, **base, **{f"n{n}": n for n in range(MANY)}}
    fresh = Projects(theirs)
    assert theirs.run(fresh.state(theirs.run(fresh.live("atlas")))).context() == whole
    for each in written:
        (added,) = Difference.between(each.old, each.state).added
        assert each.version.blob.agent == f"agent{added[1:]}"
        value = theirs.get("project/atlas/context", full=True, version=each.version.number)
        assert value == each.state.context()


def test_what_does_not_fit_the_change_before_it_is_refused_alone(stores: tuple[Store, Store]) -> None:
    ours = stores[0].session("s")
    projects = Projects(ours)
    ours.run(projects.put(None, "atlas", State.of({"a": 1, "b": 2})))
    gone = Difference.parse({"removed": ["a"]})
    first, second, third = together(stores[0], projects, [gone, gone, named("c", 3)])
    assert isinstance(second, InvalidValue)
    assert (first.version.number, third.version.number) == (2, 3)
    assert ours.get("project/atlas/context", full=True) == {"b": 2, "c": 3}


def test_of_writers_that_build_on_one_version_one_wins(stores: tuple[Store, Store]) -> None:
    ours = stores[0].session("s")
    projects = Projects(ours)
    ours.run(projects.put(None, "atlas", State.of({"a": 1})))
    found = together(stores[0], projects, [named(f"n{n}", n) for n in range(MANY)], expected=1)
    (won,) = [each for each in found if isinstance(each, Written)]
    assert won.version.number == 2
    assert {type(each).__name__ for each in found if each is not won} == {"VersionConflict"}
    assert {each.actual for each in found if each is not won} == {2}


def test_a_request_that_another_server_did_meanwhile_is_not_done_again(
    stores: tuple[Store, Store], before_the_first_group: Callable[[Store, Callable[[], object]], None]
) -> None:
    ours, theirs = (store.session("s") for store in stores)
    one, two = Projects(ours), Projects(theirs)
    ours.run(one.put(None, "atlas", State.of({"a": 1})))
    same = named("b", 2), "agent0", None, "request-7"
    before_the_first_group(stores[0], lambda: theirs.run(two.change(None, "atlas", *same)))
    (found,) = together(stores[0], one, [same[0]], request="request-7")
    assert (found.version.number, found.again) == (2, True)
    assert len(ours.history("project/atlas/context")) == 2


def test_a_request_that_another_server_does_while_we_look_for_it_is_not_done_again(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = (store.session("s") for store in stores)
    one, two = Projects(ours), Projects(theirs)
    theirs.run(two.put(None, "atlas", State.of({"a": 1})))
    scan = stores[0].backend.scan
    waiting = [lambda: theirs.run(two.change(None, "atlas", named("b", 2), "agent0", None, "request-7"))]

    def late(*given: Any, **more: Any) -> Any:
        rows = scan(*given, **more)
        while waiting and more.get("limit") != 1:
            waiting.pop()()
        return rows

    monkeypatch.setattr(stores[0].backend, "scan", late)
    found = ours.run(one.change(None, "atlas", named("b", 2), "agent0", None, "request-7"))
    assert not waiting
    assert (found.version.number, found.again) == (2, True)


def test_a_request_that_comes_again_while_others_build_on_it_is_done_once(stores: tuple[Store, Store]) -> None:
    """Whoever sent it first has gone: what is queued is committed all the same."""
    ours = stores[0].session("s")
    projects = Projects(ours)
    ours.run(projects.put(None, "atlas", State.of({"a": 1})))

    commit_many = stores[0].backend.commit_many
    entered, go_on = threading.Event(), threading.Event()

    def held(*given: Any) -> Any:
        entered.set()
        go_on.wait(20)
        return commit_many(*given)

    stores[0].backend.commit_many = held  # type: ignore[method-assign]

    def change(name: str, agent: str) -> asyncio.Task[Written]:
        made = projects.change(None, "atlas", named(name, 1), agent, None, f"request-{agent}")
        return asyncio.ensure_future(stores[0].driver.run(made))

    async def write() -> Written:
        first = change("b", "agent")
        await asyncio.to_thread(entered.wait, 20)
        other = change("c", "other")
        await asyncio.sleep(0.05)
        first.cancel()
        again = change("b", "agent")
        await asyncio.sleep(0.05)
        go_on.set()
        await other
        return await again

    assert asyncio.run(write()).again
    assert len(ours.history("project/atlas/context")) == 3


def told(stream: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message, which is of this kind."""
    found: dict[str, Any] = json.loads(stream.recv(20))
    assert found["type"] == kind, found
    return found


def at_once(server: Running, calls: list[Callable[[httpx.AsyncClient], Coroutine[Any, Any, httpx.Response]]]) -> Any:
    async def send() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            return await asyncio.gather(*(call(http) for call in calls))

    return asyncio.run(send())


def test_a_request_that_comes_twice_at_once_is_done_once(server: Running, http: httpx.Client) -> None:
    http.put("/context/atlas", json={"context": {"a": 1}})
    named = {"idempotency-key": "request-7"}
    body = {"added": {"b": 2}}
    found = at_once(server, [lambda c: c.post("/context/atlas/diff", json=body, headers=named)] * 8)
    assert {(each.status_code, each.json()["version"]) for each in found} == {(200, 2)}


@pytest.mark.parametrize("disk", [False, True], ids=["memory", "disk"])
def test_followers_are_told_every_version_once_and_in_order(tmp_path: Path, disk: bool) -> None:
    with running(str(tmp_path) if disk else None) as server:
        httpx.put(f"{server.url}/context/atlas", json={"context": {"first": 0}})
        with connect(f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId=reader") as stream:
            state = told(stream, "context_snapshot")["context"]

            def small(n: int) -> Callable[[httpx.AsyncClient], Coroutine[Any, Any, httpx.Response]]:
                return lambda c: c.post("/context/atlas/diff", json={"added": {f"n{n}": n}})

            def bad(c: httpx.AsyncClient) -> Coroutine[Any, Any, httpx.Response]:
                return c.post("/context/atlas/diff", json={"removed": ["nothing"]})

            def large(c: httpx.AsyncClient) -> Coroutine[Any, Any, httpx.Response]:
                return c.post("/context/atlas/diff", json={"added": {"large": "x" * 100_000}})

            calls = [small(n) for n in range(MANY)]
            found = at_once(server, [*calls[:20], bad, large, bad, *calls[20:]])
            assert [each.status_code for each in found].count(400) == 2
            for number in range(2, MANY + 3):
                update = told(stream, "context_update")
                assert update["version"] == number
                state |= update["changes"]["added"]
        assert state == httpx.get(f"{server.url}/context/atlas").json()["context"]
        assert set(state) == {"first", "large", *(f"n{n}" for n in range(MANY))}


def test_what_somebody_said_who_went_at_once_is_done_and_told(tmp_path: Path) -> None:
    with running(str(tmp_path)) as server:
        httpx.put(f"{server.url}/context/atlas", json={"context": {"first": 0}})
        where = f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId="
        with connect(where + "reader") as stream:
            state, versions = told(stream, "context_snapshot")["context"], [1]
            for turn in range(20):
                with connect(where + "writer") as writer:
                    writer.send(json.dumps({"type": "context_update", "diff": {"added": {f"n{turn}": turn}}}))
            end = time.monotonic() + 20
            while httpx.get(f"{server.url}/context/atlas").json()["version"] < 21:
                assert time.monotonic() < end
            last = httpx.post(f"{server.url}/context/atlas/diff", json={"added": {"last": 1}}).json()["version"]
            while versions[-1] < last:
                update = told(stream, "context_update")
                versions.append(update["version"])
                state |= update["changes"]["added"]
        assert versions == list(range(1, last + 1))
        assert set(state) == {"first", "last", *(f"n{turn}" for turn in range(20))}
        assert state == httpx.get(f"{server.url}/context/atlas").json()["context"]


def test_who_is_a_few_dozen_versions_behind_when_old_ones_are_freed_misses_none(context: SharedContext) -> None:
    projects = Projects(context, ProjectSettings(keep_versions=1))
    for turn in range(1, 261):
        context.run(projects.put(None, "atlas", State.of({"turn": turn}), "fast"))
    found = context.run(projects.follow("atlas", 210, beyond=True))
    assert found is not None
    assert [each.number for each in found[1]] == list(range(211, 261))
    assert context.run(projects.follow("atlas", 100, beyond=True)) is None
