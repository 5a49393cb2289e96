"""moto's DynamoDB on a free port of the loopback, one request at a time: its transactions are not made for several.

Run it as a program: it prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import copy
import os
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

from moto.dynamodb.models.table import Table
from moto.server import create_backend_app

_one_at_a_time = threading.Lock()
_moto = create_backend_app("dynamodb")


def set_aside(table: Table, _: Any) -> Table:
    """A table as it is now. moto copies all of it for every item of a transaction, to have it back if one fails; what
    puts and deletes change are two levels of dicts."""
    kept = copy.copy(table)
    kept.items = defaultdict(dict, {name: dict(items) for name, items in table.items.items()})
    return kept


Table.__deepcopy__ = set_aside  # type: ignore[attr-defined]


def in_its_group(table: Table, hash_key: Any, *rest: Any, **named: Any) -> Any:
    """What a query finds, none of which asks an index here. moto compares the key with that of every item; it is given
    those of the group alone."""
    kept = copy.copy(table)
    kept.items = defaultdict(dict, {hash_key: table.items.get(hash_key, {})})
    return _query(kept, hash_key, *rest, **named)


_query = Table.query
Table.query = in_its_group  # type: ignore[method-assign]


class Handler(BaseHTTPRequestHandler):
    """Asks moto's application; werkzeug's own server closes every connection after one request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        environ = {
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()},
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),  # type: ignore[attr-defined]
            "CONTENT_TYPE": self.headers["Content-Type"],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
        }
        with _one_at_a_time:
            reply = b"".join(_moto(environ, self.begin))
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def begin(self, status: str, headers: list[tuple[str, str]], *_: object) -> None:
        self.send_response_only(int(status[:3]))
        for name, value in headers:
            if name != "Content-Length":
                self.send_header(name, value)

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)
