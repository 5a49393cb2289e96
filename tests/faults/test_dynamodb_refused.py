"""DynamoDB that does a part, answers with errors, or holds another table than before: nothing is doubled or written
where it does not belong, and the error says what it is."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sharedctx.backends.base import Head, Put
from sharedctx.backends.dynamodb import DynamoDBBackend
from sharedctx.errors import BackendUnavailable, ConfigError


class Scripted(BaseHTTPRequestHandler):
    """Passes requests on, but does of batches only the first item while ``halving``, and answers the next requests of
    an operation with an error, done or not."""

    protocol_version = "HTTP/1.1"
    target = ""
    errors: dict[str, list[str]]
    halving: threading.Event

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        left: dict[str, Any] = {}
        if self.halving.is_set() and operation.startswith("Batch"):
            body, left = halved(json.loads(body))
        planned = self.errors.get(operation)
        status, reply = self.passed_on(body)
        if planned:
            status, reply = 400, json.dumps({"__type": planned.pop(), "message": "as planned"}).encode()
        elif left:
            name = "UnprocessedItems" if operation == "BatchWriteItem" else "UnprocessedKeys"
            reply = json.dumps({**json.loads(reply), name: left}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def passed_on(self, body: bytes) -> tuple[int, bytes]:
        headers = {**dict(self.headers), "Content-Length": str(len(body))}
        with contextlib.closing(http.client.HTTPConnection(self.target)) as connection:
            connection.request("POST", "/", body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read()

    def log_message(self, format: str, *args: object) -> None:
        pass


def halved(request: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """A batch of the first item alone, and what it leaves out."""
    ((table, wish),) = request["RequestItems"].items()
    keys = wish if isinstance(wish, list) else wish["Keys"]
    first, rest = [keys[:1], keys[1:]] if keys is wish else [{**wish, "Keys": part} for part in (keys[:1], keys[1:])]
    return json.dumps({"RequestItems": {table: first}}).encode(), {table: rest} if keys[1:] else {}


@pytest.fixture
def scripted(dynamodb_url: str) -> Iterator[tuple[type[Scripted], DynamoDBBackend]]:
    """A server that does what it is told, and a store behind it."""
    endpoint = dynamodb_url.rpartition("=")[2]
    names = {"target": endpoint.removeprefix("http://"), "errors": {}, "halving": threading.Event()}
    handler = type("Handler", (Scripted,), names)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        backend = DynamoDBBackend(dynamodb_url.replace(endpoint, f"http://127.0.0.1:{server.server_port}"))
        yield handler, backend
        backend.close()
        server.shutdown()


def test_a_transaction_that_is_said_to_be_in_progress_is_done_once(
    scripted: tuple[type[Scripted], DynamoDBBackend],
) -> None:
    handler, backend = scripted
    backend.commit("s", [Put("p", b"1")])
    handler.errors["TransactWriteItems"] = ["TransactionInProgressException"]
    assert backend.commit("s", [Put("p", b"2")])[1] == [2]
    assert [row.value for row in backend.scan("s", "p")] == [b"1", b"2"]
    assert backend.commit("s", [Put("p", b"3", when=Head(2))])[1] == [3]


def test_a_large_value_is_written_and_read_however_little_is_done_at_a_time(
    scripted: tuple[type[Scripted], DynamoDBBackend],
) -> None:
    handler, backend = scripted
    handler.halving.set()
    value = os.urandom(4 * 2**20)  # eleven parts
    backend.commit("s", [Put("p", value)])
    assert backend.scan("s", "p")[0].value == value


def test_a_request_that_is_refused_is_not_told_as_an_endpoint_that_is_not_there(
    scripted: tuple[type[Scripted], DynamoDBBackend],
) -> None:
    handler, backend = scripted
    handler.errors["TransactWriteItems"] = ["LimitExceededException"]
    with pytest.raises(BackendUnavailable, match="refused a request") as told:
        backend.commit("s", [Put("p", b"1")])
    assert "endpoint right" not in str(told.value)


def client_of(url: str) -> Any:
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'sharedctx[dynamodb]'")
    return boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=url.rpartition("=")[2])


def table_of(url: str) -> str:
    return url.removeprefix("dynamodb://").partition("?")[0]


def test_writing_to_a_table_that_was_made_anew_is_told(dynamodb_url: str) -> None:
    one = DynamoDBBackend(dynamodb_url)
    one.commit("s", [Put("p", b"1")])
    client_of(dynamodb_url).delete_table(TableName=table_of(dynamodb_url))
    other = DynamoDBBackend(dynamodb_url)
    other.commit("s", [Put("p", b"another's")])  # the same number of changes as before
    for space in ("s", "s", "new"):
        with pytest.raises(BackendUnavailable, match="another store"):
            one.commit(space, [Put("p", b"2")])
    assert [row.value for row in other.scan("s", "p")] == [b"another's"]
    assert other.scan("new", "p") == []
    one.close()
    other.close()


def test_a_table_whose_sort_key_is_a_number_is_refused_with_the_cure(dynamodb_url: str) -> None:
    client_of(dynamodb_url).create_table(
        TableName=table_of(dynamodb_url),
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "h", "AttributeType": "S"},
            {"AttributeName": "r", "AttributeType": "N"},
        ],
    )
    with pytest.raises(ConfigError, match="both text"):
        DynamoDBBackend(dynamodb_url)
