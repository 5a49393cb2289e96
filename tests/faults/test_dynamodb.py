"""DynamoDB through lost answers, foreign tables, missing rights and dead writers: nothing doubled, one clear error."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx import Keyring
from sharedctx.backends.base import Drop, Head, Put
from sharedctx.backends.dynamodb import DynamoDBBackend
from sharedctx.errors import BackendUnavailable, Compacted, ConditionFailed, ConfigError, InvalidKey, SharedContextError
from sharedctx.testing import ManualClock

LARGE = 400_000


@contextlib.contextmanager
def opened(url: str, **options: Any) -> Iterator[DynamoDBBackend]:
    backend = DynamoDBBackend(url, **options)
    try:
        yield backend
    finally:
        backend.close()


@pytest.fixture
def cut(dynamodb_url: str, make_proxy: Callable[[int], Any]) -> tuple[Any, str]:
    """A proxy that cuts replies, and the address through it."""
    port = int(dynamodb_url.rpartition(":")[2])
    proxy = make_proxy(port)
    return proxy, dynamodb_url.replace(str(port), str(proxy.port))


@pytest.mark.parametrize("cuts", [1, 3])
def test_a_write_whose_answer_is_lost_is_done_once(cut: tuple[Any, str], cuts: int) -> None:
    proxy, url = cut
    with opened(url) as backend:
        backend.commit("s", [Put("p", b"1")])
        for n in range(2, 5):  # all that has to be known is known: what is cut first is the answer to the transaction
            proxy.cuts = cuts
            assert backend.commit("s", [Put("p", b"%d" % n, when=Head(n - 1))])[1] == [n]
            proxy.cuts = cuts
            backend.commit("s", [Put("p", b"x", sk=str(n))])
        assert [row.value for row in backend.scan("s", "p")] == [b"1", b"2", b"3", b"4"]
        assert len(backend.changes("s", 0)) == 7


def test_a_connection_that_is_always_cut_is_told_after_a_few_attempts(cut: tuple[Any, str]) -> None:
    proxy, url = cut
    with opened(url) as backend:
        backend.commit("s", [Put("p", b"1")])
        proxy.cuts = 1000
        with pytest.raises(BackendUnavailable, match="cannot be reached"):
            backend.commit("s", [Put("p", b"2")])
        assert 1000 - proxy.cuts <= 5
        proxy.cuts = 0
        backend.commit("s", [Put("p", b"3")])
        assert [row.value for row in backend.scan("s", "p")] in ([b"1", b"3"], [b"1", b"2", b"3"])


def test_values_of_any_size_lie_in_parts_that_go_with_them(dynamodb_url: str) -> None:
    values = [os.urandom(LARGE), os.urandom(3 * LARGE), b"small"]
    with opened(dynamodb_url) as backend:
        for value in values:
            backend.commit("s", [Put("p", value, sk="r"), Put("p", value[:LARGE])][: 1 if len(value) > 2**20 else 2])
            assert backend.scan("s", "p", "r")[0].value == value
        assert [len(row.value) for row in backend.scan("s", "p")] == [LARGE, 5]
        assert backend.describe()["bytes"] == LARGE + 5 + 5
        backend.commit("s", [Drop("p", 1), Drop("p", "r")])
        assert backend.describe()["bytes"] == 5
        parts = [page["Items"] for page in backend._calls.query("h = :h", {":h": {"S": "sharedctx:parts:s"}})]
        assert parts == [[]]


def test_parts_of_a_writer_that_died_are_told_and_swept(dynamodb_url: str) -> None:
    clock = ManualClock()
    with opened(dynamodb_url, clock=clock) as backend:
        backend.commit("s", [Put("p", b"x")])
        backend._parts.write("s", os.urandom(LARGE))  # and the row that would name it never came
        assert backend.verify() == []
        clock.advance(3700)
        assert ["left behind" in fault for fault in backend.verify()] == [True]
        backend.reclaim("s")
        backend.commit("s", [Put("p", b"x")])
        assert backend.verify() == []


def test_a_commit_that_meets_no_condition_leaves_no_parts(dynamodb_url: str) -> None:
    with opened(dynamodb_url) as one, opened(dynamodb_url) as other:
        one.commit("s", [Put("p", b"x")])
        other.commit("s", [Put("p", b"y")])  # which the first does not know of
        with pytest.raises(ConditionFailed):
            one.commit("s", [Put("p", os.urandom(LARGE), when=Head(1))])
        parts = [page["Items"] for page in one._calls.query("h = :h", {":h": {"S": "sharedctx:parts:s"}})]
        assert parts == [[]]


def test_names_that_dynamodb_does_not_take_are_refused_and_reads_of_them_find_nothing(dynamodb_url: str) -> None:
    long = "n" * 999
    with opened(dynamodb_url) as backend:
        for ops in ([Put(long, b"x")], [Put("p", b"x", sk=long)], [Put("p" * 500, b"x", sk="r" * 500)]):
            with pytest.raises(InvalidKey, match="too long"):
                backend.commit("s", ops)  # type: ignore[arg-type]
        with pytest.raises(InvalidKey, match="too long"):
            backend.commit(2 * long, [Put("p", b"x")])
        backend.commit("s", [Put("p", b"x", sk="r" * 900)])
        assert [row.value for row in backend.scan("s", "p", "r" * 900, "r" * 2000)] == [b"x"]
        assert backend.scan("s", "p", "r" * 2000) == backend.pks("s", "p" * 2000) == backend.spaces("s" * 2000) == []


def test_large_values_go_with_their_space_however_many(dynamodb_url: str) -> None:
    value = os.urandom(300_000)  # an answer of DynamoDB ends after 1 MB of them
    with opened(dynamodb_url) as backend:
        for n in range(9):
            backend.commit("s", [Put("p", value), Put("c", value, sk=f"r{n}", expires=1.0)])
        assert backend.reclaim("s", "p", before=5) == 4
        backend.commit("s", [Drop("p", n) for n in range(6, 10)])
        assert backend.commit("s", [Put("p", b"next", when=Head(5))])[1] == [10]
        backend.commit("s", [Drop("p", 10)])
        with opened(dynamodb_url) as other:
            assert other.commit("s", [Put("p", b"next", when=Head(5))])[1] == [11]
        assert backend.reclaim("s", expired_at=2.0) == 9
        for n in range(9):
            backend.commit("s", [Put("c", value, sk=f"r{n}")])
        assert backend.reclaim("s") == 11
        assert backend.spaces() == backend.pks("s") == []


def test_a_follower_who_is_ahead_of_the_state_that_it_reads_is_not_sent_back(dynamodb_url: str) -> None:
    with opened(dynamodb_url) as backend:
        backend.commit("s", [Put("p", b"1")])
        before = backend._reading.item("sharedctx:space:s", "m")
        assert before is not None
        rev = backend.commit("s", [Put("p", b"2")])[0]
        backend._calls.ask("put_item", Item=before)  # as long as a transaction is being done, some of it is not seen
        assert backend.changes("s", rev) == []
        with pytest.raises(Compacted):
            backend.changes("s", rev + 1)


class Late(BaseHTTPRequestHandler):
    """Passes requests on, but of the transactions that are armed for: keeps the first to itself, says of the second
    that it met another, and does the first just before the third."""

    protocol_version = "HTTP/1.1"
    target = ""
    armed = threading.Event()
    kept: list[tuple[bytes, dict[str, str]]]
    seen: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        number = 0
        if self.armed.is_set() and self.headers["X-Amz-Target"].endswith("TransactWriteItems"):
            self.seen.append(str(json.loads(body)["ClientRequestToken"]))
            number = len(self.seen)
        if number == 1:
            self.kept.append((body, dict(self.headers)))
            self.rfile.read()  # until the client has given up
            self.close_connection = True
        elif number == 2:
            told = {"__type": "TransactionCanceledException", "CancellationReasons": [{"Code": "TransactionConflict"}]}
            self.answer(400, json.dumps(told).encode())
        else:
            if number == 3:
                assert self.passed_on(*self.kept[0])[0] == 200
            self.answer(*self.passed_on(body, dict(self.headers)))

    def passed_on(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        with contextlib.closing(http.client.HTTPConnection(self.target)) as connection:
            connection.request("POST", "/", body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read()

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_transaction_that_is_done_after_it_was_given_up_is_done_once(dynamodb_url: str) -> None:
    endpoint = dynamodb_url.rpartition("=")[2]
    armed = threading.Event()
    seen: list[str] = []
    names = {"target": endpoint.removeprefix("http://"), "armed": armed, "kept": [], "seen": seen}
    handler = type("Handler", (Late,), names)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = dynamodb_url.replace(endpoint, f"http://127.0.0.1:{server.server_port}")
        with opened(f"{url}&timeout=0.3") as backend:
            backend.commit("s", [Put("p", b"1")])
            armed.set()
            assert backend.commit("s", [Put("p", b"2", when=Head(1))])[1] == [2]
            armed.clear()
            assert [row.value for row in backend.scan("s", "p")] == [b"1", b"2"]
            assert backend.commit("s", [Put("p", b"3", when=Head(2))])[1] == [3]
        server.shutdown()
    assert len(set(seen)) == 2


class Refusing(BaseHTTPRequestHandler):
    """Says of the table that there is none, and of making it what it was told to."""

    code = "AccessDeniedException"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        making = self.headers["X-Amz-Target"].endswith("CreateTable")
        code = self.code if making or self.code.startswith("Unrecognized") else "ResourceNotFoundException"
        body = b'{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"you shall not"}' % code.encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("code", "told"),
    [("AccessDeniedException", "permit dynamodb:CreateTable"), ("UnrecognizedClientException", "credentials")],
)
def test_a_table_that_may_not_be_made_is_told_with_the_cure(dynamodb_endpoint: str, code: str, told: str) -> None:
    handler = type("Handler", (Refusing,), {"code": code})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(BackendUnavailable, match=told):
            DynamoDBBackend(f"dynamodb://table?region=eu-west-1&endpoint={endpoint}")
        server.shutdown()


@pytest.mark.parametrize(
    "url",
    [
        "dynamodb://",
        "dynamodb://a",
        "dynamodb://table/more",
        "dynamodb://key:secret@table",
        "dynamodb://[::1",
        "dynamodb://table?regoin=x",
        "dynamodb://table?region=",
        "dynamodb://table?region=eu-west-1&region=eu-west-2",
        "dynamodb://table?region=eu-west-1#fragment",
        "dynamodb://table?region=eu-west-1&endpoint=http://",
        "dynamodb://table?region=eu-west-1&endpoint=localhost",
        "dynamodb://table?region=eu-west-1&timeout=soon",
        "dynamodb://table?region=eu-west-1&prefix=a:b",
        "dynamodb://table?profile=there-is-none-of-this-name&region=eu-west-1",
    ],
)
def test_an_address_that_makes_no_sense_is_a_clear_error(url: str) -> None:
    with pytest.raises(SharedContextError) as told:
        DynamoDBBackend(url)
    assert told.value.code == "CONFIG_ERROR", told.value
    assert "secret" not in str(told.value)


def test_stores_share_a_table_by_prefix_encrypted_or_not(dynamodb_url: str, tmp_path: Path) -> None:
    keys = Keyring({"one": bytes(range(32))})
    with sharedctx.open(dynamodb_url) as plain, sharedctx.open(f"{dynamodb_url}&prefix=b", keyring=keys) as secret:
        plain.session("s").put("k", "seen by all")
        secret.session("s").put("k", "known to few")
        assert (plain.session("s").get("k"), secret.session("s").get("k")) == ("seen by all", "known to few")
        assert plain.doctor() == secret.doctor() == []
        assert secret.stats()["encrypted_with"] == "one"
        assert plain.stats()["kind"] == "dynamodb"
    with pytest.raises(ConfigError, match="SHAREDCTX_KEYS"):
        sharedctx.open(f"{dynamodb_url}&prefix=b")
