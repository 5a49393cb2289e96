"""Requests as they come over one connection: together, in pieces, after the last; each gets its reply, in order."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from sharedctx_server.testing import Running, running


def asked(method: str, path: str, body: object = None, *headers: str) -> bytes:
    """The bytes of a request."""
    data = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(data)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + data


def diff(name: str, project: str = "atlas") -> bytes:
    return asked("POST", f"/context/{project}/diff", {"added": {name: 1}})


def replies(server: Running, *pieces: bytes, count: int) -> list[tuple[int, dict[str, str], bytes]]:
    """The status, headers and body of that many replies; fewer where the server closes the connection before."""
    found: list[tuple[int, dict[str, str], bytes]] = []
    with socket.create_connection(("127.0.0.1", server.port), 10) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            caller.sendall(piece)
        stream = caller.makefile("rb")
        while len(found) < count and (first := stream.readline()):
            lines = iter(stream.readline, b"\r\n")
            headers = dict(line.decode().strip().lower().split(": ", 1) for line in lines)
            found.append((int(first.split()[1]), headers, stream.read(int(headers["content-length"]))))
    return found


def test_requests_that_come_together_are_answered_in_order(server: Running) -> None:
    together = [diff("a"), asked("GET", "/context/atlas"), diff("b"), asked("GET", "/health"), diff("c")]
    found = replies(server, b"".join([*together, asked("GET", "/context/atlas")]), count=6)
    assert [status for status, _, _ in found] == [200] * 6
    said = [json.loads(body) for _, _, body in found]
    assert [said[at]["version"] for at in (0, 1, 2, 4, 5)] == [1, 1, 2, 3, 3]
    assert said[1]["context"] == {"a": 1}
    assert said[5]["context"] == {"a": 1, "b": 1, "c": 1}


def test_a_request_in_pieces_is_one(server: Running) -> None:
    whole = diff("a")
    ((status, _, body),) = replies(server, *(whole[at : at + 7] for at in range(0, len(whole), 7)), count=1)
    assert (status, json.loads(body)["version"]) == (200, 1)


def test_what_follows_the_last_request_of_a_connection_is_not_done(server: Running, http: httpx.Client) -> None:
    last = asked("GET", "/context/atlas", None, "connection: close")
    found = replies(server, last + diff("a"), count=2)
    assert [(status, headers["connection"]) for status, headers, _ in found] == [(404, "close")]
    assert http.get("/context/atlas").status_code == 404


def test_what_is_refused_before_it_is_read_ends_the_connection(server: Running) -> None:
    packed = asked("POST", "/context/atlas/diff", {}, "content-encoding: gzip")
    found = replies(server, packed + diff("a"), count=2)
    assert [(status, headers["connection"]) for status, headers, _ in found] == [(415, "close")]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_replies_say_what_they_carry(server: Running, version: str) -> None:
    request = diff("a").replace(b"HTTP/1.1", f"HTTP/{version}".encode())
    ((status, headers, body),) = replies(server, request, count=1)
    assert (status, headers["content-type"], headers["etag"]) == (200, "application/json", '"1"')
    assert headers["date"].endswith("gmt")
    assert headers.get("connection") == ("close" if version == "1.0" else None)
    assert json.loads(body)["projectId"] == "atlas"


def test_paths_are_read_as_they_are_spelled(server: Running, http: httpx.Client) -> None:
    http.put("/context/atlas", json={"context": {"a": 1}})
    assert http.get("/context/%61tlas").json()["context"] == {"a": 1}
    assert http.head("/context/atlas").headers["etag"] == '"1"'
    assert http.get("/context/atlas?version=1#here").json()["context"] == {"a": 1}
    for path in ("/context/a%2Fb", "/context//diff", "/context/atlas/diff/more", "//context/atlas"):
        assert http.post(path, json={}).status_code in (404, 405)


def test_a_caller_that_goes_before_its_reply_hurts_nobody(server: Running, http: httpx.Client) -> None:
    for number in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as caller:
            caller.sendall(diff(f"name{number}"))
    while http.get("/context/atlas").status_code == 404:
        pass
    assert http.post("/context/atlas/diff", json={"added": {"last": 1}}).status_code == 200


def test_what_waits_for_the_store_is_answered_before_the_server_stops() -> None:
    with running() as server, socket.create_connection(("127.0.0.1", server.port), 10) as caller:
        caller.sendall(asked("GET", "/context/atlas"))
        assert caller.recv(1 << 16).startswith(b"HTTP/1.1 404 ")
        caller.sendall(diff("a"))
        server.stop()
        assert caller.recv(1 << 16).startswith(b"HTTP/1.1 200 ")


def test_a_version_and_what_changed_since_one_are_not_asked_for_at_once(server: Running, http: httpx.Client) -> None:
    http.put("/context/atlas", json={"context": {"a": 1}})
    refused = http.get("/context/atlas?version=1&since=1")
    assert refused.status_code == 400
    assert "version=" in refused.json()["error"]
    assert "since=" in refused.json()["error"]


def test_bodies_are_bounded_together() -> None:
    with running(body_bytes=1 << 20) as server, httpx.Client(base_url=server.url) as http:
        whole = asked("PUT", "/context/large", {"context": {"a": "x" * 800_000}})
        with socket.create_connection(("127.0.0.1", server.port), 10) as slow:
            slow.sendall(whole[:700_000])
            while server.service.receiving < 600_000:
                http.get("/health")
            refused = http.put("/context/other", json={"context": {"a": "x" * 800_000}})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert http.put("/context/small", json={"context": {"a": "x" * 1000}}).status_code == 200
            slow.sendall(whole[700_000:])
            assert slow.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        assert http.put("/context/other", json={"context": {"a": "x" * 800_000}}).status_code == 200
        assert server.service.receiving == 0


@pytest.mark.parametrize("path", ["/context/atlas/stream", "/context/stream?projectId=atlas", "/api/events"])
def test_head_tells_the_type_of_a_stream_and_begins_none(http: httpx.Client, path: str) -> None:
    found = http.head(path)
    assert (found.status_code, found.headers["content-type"]) == (200, "text/event-stream")
    assert http.get("/health").json()["connections"] == 0
