"""moto's DynamoDB on a free port of the loopback, one request at a time: its transactions are not made for several.

Run it as a program: it prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import copy
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from moto.dynamodb.models.table import Table
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

_one_at_a_time = threading.Lock()
_moto = DomainDispatcherApplication(create_backend_app)


def serialised(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    with _one_at_a_time:
        return list(_moto(environ, start_response))


def set_aside(table: Table, _: Any) -> Table:
    """A table as it is now. moto copies all of it for every item of a transaction, to have it back if one fails; what
    puts and deletes change are two levels of dicts."""
    kept = copy.copy(table)
    kept.items = defaultdict(dict, {name: dict(items) for name, items in table.items.items()})
    return kept


Table.__deepcopy__ = set_aside  # type: ignore[attr-defined]


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        pass


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, serialised, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)
