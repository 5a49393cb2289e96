"""Contexts over HTTP: reading, writing, differences, conflicts, rollback."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import sharedctx
from sharedctx.projects import Difference, Projects

from .processes import ServerProcess


def put(http: httpx.Client, context: Any, project: str = "atlas", **more: Any) -> httpx.Response:
    return http.put(f"/context/{project}", json={"context": context, **more})


def diff(http: httpx.Client, given: Any, project: str = "atlas", **more: Any) -> httpx.Response:
    return http.post(f"/context/{project}/diff", json=given, **more)


def test_a_context_is_read_as_it_was_written(http: httpx.Client) -> None:
    context = {"b": [1, 2.5, None], "a": {"ключ": "значение", "": True}}
    written = put(http, context, agentId="planner").json()
    canonical = json.dumps(context, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert written["version"] == 1
    assert written["isNew"]
    assert written["size"] == len(canonical)
    read = http.get("/context/atlas").json()
    assert read["context"] == context
    assert read["projectId"] == "atlas"
    assert read["version"] == 1
    assert read["hash"] == written["hash"] == hashlib.sha256(canonical).hexdigest()


def test_a_difference_changes_what_it_names_and_nothing_else(http: httpx.Client) -> None:
    put(http, {"keep": 1, "change": 1, "go": 1})
    found = diff(http, {"added": {"come": 2}, "modified": {"change": 2}, "removed": ["go"], "unchanged": ["keep"]})
    assert found.status_code == 200
    assert found.json()["version"] == 2
    assert http.get("/context/atlas").json()["context"] == {"keep": 1, "change": 2, "come": 2}


def test_a_difference_makes_the_project_where_there_is_none(http: httpx.Client) -> None:
    assert diff(http, {"added": {"a": 1}}).json()["version"] == 1
    assert http.get("/context/atlas").json()["context"] == {"a": 1}


@pytest.mark.parametrize(
    "given",
    [
        {"modified": {"missing": 1}},
        {"removed": ["missing"]},
        {"added": {"a": 2}, "removed": ["a"]},
        {"removed": ["a", "a"]},
        {"added": ["a"]},
        {"removed": "a"},
        {"removed": [1]},
        {"surprise": {}},
        [],
        None,
        {"added": {}, "agentId": 5},
    ],
)
def test_a_difference_that_makes_no_sense_changes_nothing(http: httpx.Client, given: Any) -> None:
    put(http, {"a": 1})
    found = diff(http, given)
    assert found.status_code == 400
    assert found.json()["statusCode"] == 400
    assert {"error", "statusCode", "timestamp"} <= found.json().keys()
    assert http.get("/context/atlas").json() == {**http.get("/context/atlas?version=1").json(), "version": 1}


def test_added_on_what_is_there_is_told_as_modified(http: httpx.Client) -> None:
    put(http, {"a": 1})
    diff(http, {"added": {"a": 2}})
    changes = http.get("/context/atlas?since=1").json()["changes"]
    assert changes == {"added": {}, "modified": {"a": 2}, "removed": [], "unchanged": []}


def test_since_tells_what_changed(http: httpx.Client) -> None:
    put(http, {"a": 1, "b": 1, "c": 1})
    diff(http, {"modified": {"a": 2}})
    diff(http, {"removed": ["b"], "added": {"d": 4}})
    found = http.get("/context/atlas?since=1").json()
    assert found == {
        "projectId": "atlas",
        "fromVersion": 1,
        "currentVersion": 3,
        "changes": {"added": {"d": 4}, "modified": {"a": 2}, "removed": ["b"], "unchanged": ["c"]},
    }
    assert http.get("/context/atlas?since=99").json()["fromVersion"] is None
    assert http.get("/context/atlas?since=99").json()["changes"]["added"] == {"a": 2, "c": 1, "d": 4}


def test_a_patch_is_minimal_inside_values(http: httpx.Client) -> None:
    big = {"list": list(range(100)), "text": "x" * 500, "deep": {"one": 1, "two": 2}}
    put(http, {"big": big})
    big["deep"]["two"] = 3  # type: ignore[index]
    diff(http, {"modified": {"big": big}})
    found = http.get("/context/atlas?since=1&format=patch").json()
    assert found["changes"] == [{"op": "replace", "path": "/big/deep/two", "value": 3}]


def test_who_has_the_version_is_not_sent_it_again(http: httpx.Client) -> None:
    first = put(http, {"a": 1})
    tag = http.get("/context/atlas").headers["etag"]
    assert tag == '"1"' == first.headers["etag"]
    again = http.get("/context/atlas", headers={"if-none-match": tag})
    assert again.status_code == 304
    assert again.content == b""
    put(http, {"a": 2})
    assert http.get("/context/atlas", headers={"if-none-match": tag}).status_code == 200


@pytest.mark.parametrize("how", ["if-match", "hash", "body", "query"])
def test_of_two_who_build_on_the_same_version_one_is_told(http: httpx.Client, how: str) -> None:
    hashed = put(http, {"a": 1}).json()["hash"]
    headers = {"if-match": f'"{hashed}"' if how == "hash" else '"1"'} if how in ("if-match", "hash") else {}
    body = {"added": {"b": 1}, **({"expectedVersion": 1} if how == "body" else {})}
    where = "/context/atlas/diff" + ("?expectedVersion=1" if how == "query" else "")
    assert http.post(where, json=body, headers=headers).status_code == 200
    second = http.post(where, json=body, headers=headers)
    assert second.status_code == 409
    assert second.json()["currentVersion"] == 2
    assert http.get("/context/atlas").json()["version"] == 2


def test_a_write_on_whichever_version_there_is_needs_one(http: httpx.Client) -> None:
    def change() -> httpx.Response:
        return http.post("/context/atlas/diff", json={"added": {"b": 1}}, headers={"if-match": "*"})

    assert change().status_code == 409
    assert http.get("/context/atlas").status_code == 404
    put(http, {"a": 1})
    assert change().status_code == 200
    assert http.delete("/context/atlas").status_code < 300
    assert change().status_code == 409


def test_an_old_version_comes_back_as_a_new_one(http: httpx.Client) -> None:
    put(http, {"a": 1})
    put(http, {"b": 2})
    back = http.post("/context/atlas/rollback", json={"version": 1, "agentId": "lead"})
    assert back.json()["version"] == 3
    assert http.get("/context/atlas").json()["context"] == {"a": 1}
    assert http.get("/context/atlas?version=2").json()["context"] == {"b": 2}
    assert http.post("/context/atlas/rollback", json={"version": 77}).status_code == 404


def test_a_deleted_project_is_gone_and_its_versions_go_on(http: httpx.Client) -> None:
    put(http, {"a": 1})
    assert http.delete("/context/atlas").json() == {"projectId": "atlas", "deleted": True}
    assert http.get("/context/atlas").status_code == 404
    assert http.delete("/context/atlas").status_code == 404
    assert put(http, {"a": 1}).json()["version"] == 3


def test_only_the_versions_that_are_kept_can_be_read(http: httpx.Client) -> None:
    for number in range(15):
        put(http, {"n": number})
    found = [http.get(f"/context/atlas?version={number}").status_code for number in range(1, 16)]
    assert found == [404] * 5 + [200] * 10


def test_a_window_keeps_what_matters_whole_and_leads_to_the_rest(http: httpx.Client) -> None:
    context = {
        "currentTask": {"title": "mend the parser", "steps": ["a", "b"]},
        "documentation": "long words " * 3000,
        "history": [{"n": n, "what": f"did {n}"} for n in range(1000)],
        "a/b?c=1&é": "odd " * 2000,
    }
    put(http, context)
    found = http.get("/context/atlas?maxTokens=400").json()
    assert found["context"]["currentTask"] == context["currentTask"]
    assert found["tokens"] <= 400
    for name in ("documentation", "history", "a/b?c=1&é"):
        reference = found["context"][name]
        assert reference["type"] == "reference"
        assert http.get(reference["location"]).json()["value"] == context[name]
    put(http, {"history": "overwritten"})
    assert http.get(found["context"]["history"]["location"]).json()["value"] == context["history"]
    assert http.get("/context/atlas?version=1").json()["context"] == context


def test_a_window_leads_to_all_also_where_a_name_is_three_dots(http: httpx.Client) -> None:
    context = {"...": "own", **{f"name {n}": "words " * 200 for n in range(20)}}
    put(http, context)
    found = http.get("/context/atlas?maxTokens=200").json()["context"]
    assert found["..."] == "own"
    assert len(found) < len(context)
    assert http.get(found["...."]["location"]).json()["context"] == context


def test_a_context_over_the_limit_is_refused_and_the_old_one_stays(http: httpx.Client) -> None:
    put(http, {"a": 1})
    most = 10 * 2**20
    assert put(http, {"a": "x" * (most - 8)}).status_code == 200
    for found in (put(http, {"a": "x" * (most - 7)}), diff(http, {"added": {"b": 1}})):
        assert found.status_code == 413
        assert found.json()["error"] == "Context too large"
    assert http.get("/context/atlas").json()["version"] == 2


@pytest.mark.parametrize("project", ["stream", "..", "a b", "x" * 129, "a%2Fb", "%00", "é"])
def test_odd_names_of_projects_are_refused(http: httpx.Client, project: str) -> None:
    found = http.put(f"/context/{project}", json={"context": {}})
    assert found.status_code in (400, 404, 405)


def test_no_change_is_lost_between_writers_of_two_servers_and_one_process(tmp_path: Path) -> None:
    each, writers = 40, 4
    with ServerProcess(tmp_path) as one, ServerProcess(tmp_path) as two, sharedctx.open(tmp_path) as store:

        def write(url: str, name: str) -> None:
            with httpx.Client(base_url=url, timeout=60) as http:
                for turn in range(each):
                    found = diff(http, {"added": {f"{name}-{turn}": turn}})
                    assert found.status_code == 200, found.text

        def write_here() -> None:
            ctx = store.session()
            projects = Projects(ctx)
            for turn in range(each):
                ctx.run(projects.change(None, "atlas", Difference.parse({"added": {f"here-{turn}": turn}})))

        with ThreadPoolExecutor(2 * writers + 1) as pool:
            done = [
                pool.submit(write, server.url, f"{n}-{server.port}") for n in range(writers) for server in (one, two)
            ]
            done.append(pool.submit(write_here))
            for future in done:
                future.result()
        total = each * (2 * writers + 1)
        for server in (one, two):
            found = httpx.get(f"{server.url}/context/atlas").json()
            assert (found["version"], len(found["context"])) == (total, total)
