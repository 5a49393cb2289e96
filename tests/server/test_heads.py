"""Heads of requests mean the same whether they are read by their lines or by the parser of HTTP."""

from __future__ import annotations

import json

import pytest

from sharedctx_server.testing import Running

from .test_exchanges import asked, diff, replies

BODY = b'{"added":{"a":1}}'


def raw(*lines: bytes, body: bytes = BODY) -> bytes:
    return b"\r\n".join([b"POST /context/atlas/diff HTTP/1.1", b"host: 127.0.0.1", *lines, b"", body])


@pytest.mark.parametrize(
    "lines",
    [
        [b"content-length: 17"],
        [b"Content-Length:17"],
        [b"CONTENT-LENGTH:  17  "],
        [b"content-length: 17", b"connection: Keep-Alive"],
        [b"content-length: 17", b"connection: close"],
        [b"content-length: 17", b"x-note: one", b"x-note: two"],
        [b"content-length: 17", b"x-note:"],
        [b"content-length: 17", b"x_note: under"],
        [b"content-length: 17", "x-note: Grüße".encode()],
        [b"content-length: 000017"],
        [b"content-length: 17", b"expect: something"],
    ],
)
def test_a_body_is_read_however_its_length_is_spelled(server: Running, lines: list[bytes]) -> None:
    for version in (1, 2):
        ((status, _, body),) = replies(server, raw(*lines), count=1)
        assert (status, json.loads(body).get("version")) == (200, version)


@pytest.mark.parametrize(
    "lines",
    [
        [b"content-length: 17", b"content-length: 5"],
        [b"content-length: +17"],
        [b"content-length: 1 7"],
        [b"content-length: 0x11"],
        [b"content-length: -1"],
        [b"content-length : 17"],
        [b"content-length: 17", b"transfer-encoding: chunked"],
        [b" content-length: 17"],
        [b"content-length: 17\rx: y"],
        [b"content-length: 17", b"no colon here"],
        [b"content-length: 17", b": no name"],
        [b"content-length: 17", b"x-note: a\x00b"],
    ],
)
def test_a_head_of_two_meanings_is_refused_with_all_that_follows(server: Running, lines: list[bytes]) -> None:
    found = replies(server, raw(*lines) + diff("b"), count=2)
    assert [status for status, _, _ in found] == [400]


def test_heads_that_came_before_carry_other_bodies(server: Running) -> None:
    for name in "abcd":
        ((status, _, _),) = replies(server, diff(name), count=1)
        assert status == 200
    ((_, _, body),) = replies(server, asked("GET", "/context/atlas"), count=1)
    assert json.loads(body)["context"] == dict.fromkeys("abcd", 1)


def test_the_tail_of_a_head_is_no_request_of_its_own(server: Running) -> None:
    replies(server, diff("a"), count=1)
    inner = asked("DELETE", "/context/atlas")
    outer = asked("GET", "/context/atlas", None, "x-note: a")[:-4]
    found = replies(server, outer + b"\r\nx-more: ", inner, count=2)
    assert [status for status, _, _ in found] == [400]
    ((status, _, _),) = replies(server, asked("GET", "/context/atlas"), count=1)
    assert status == 200
