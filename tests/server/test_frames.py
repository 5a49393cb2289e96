"""Updates reach WebSockets whole and in order, whatever their size, and however far their reader is behind."""

from __future__ import annotations

import json

import httpx
from websockets.sync.client import connect

from sharedctx_server.testing import Running


def test_updates_of_all_sizes_arrive_whole(server: Running, http: httpx.Client) -> None:
    http.put("/context/atlas", json={"context": {}})
    with connect(f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId=a", compression=None) as stream:
        assert json.loads(stream.recv(10))["type"] == "context_snapshot"
        for size in (1, 100, 1000, 65_000, 70_000, 200_000):
            http.post("/context/atlas/diff", json={"added": {f"of{size}": "é" * size}})
            assert json.loads(stream.recv(10))["changes"]["added"] == {f"of{size}": "é" * size}


def test_a_reader_that_is_behind_gets_all_in_order(server: Running, http: httpx.Client) -> None:
    http.put("/context/atlas", json={"context": {"a": 0}})
    where = f"ws://127.0.0.1:{server.port}/context/atlas/stream?agentId=a"
    with connect(where, compression=None, max_queue=1) as stream:
        stream.recv(10)
        for turn in range(150):  # more than what sockets hold
            http.post("/context/atlas/diff", json={"modified": {"a": f"{turn}" + "x" * 60_000}})
        for version in range(2, 152):
            assert json.loads(stream.recv(10))["version"] == version
        http.post("/context/atlas/diff", json={"modified": {"a": 1}})
        assert json.loads(stream.recv(10))["version"] == 152
