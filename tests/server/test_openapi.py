"""The OpenAPI document says what the server does: every route is in it, and replies are as it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from sharedctx.projects import ProjectSettings
from sharedctx_server.openapi import document
from sharedctx_server.testing import Running, running

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

STREAMS = ("/context/stream", "/context/{project}/stream", "/api/events")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def used() -> Iterator[Running]:
    """A server with something in it."""
    with running(projects=ProjectSettings(max_projects=1000)) as server:
        ctx = server.service.context
        ctx.put("rows", [{"id": n, "state": "open"} for n in range(200)])
        ctx.put("0", "text\n" * 100)
        ctx.put("0", "other text\n" * 100)
        ctx.bind("coder").get("rows")
        for project in ("0", "a"):
            httpx.put(f"{server.url}/context/{project}", json={"context": {"": 1, "0": "words " * 500}})
        yield server


@pytest.fixture(scope="module")
def described(used: Running) -> Any:
    return schemathesis.openapi.from_url(f"{used.url}/openapi.json")


MODES = schemathesis.GenerationMode
ASKED = [
    (path, method, mode)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    for mode in ((MODES.POSITIVE, MODES.NEGATIVE) if operation["parameters"] else (MODES.POSITIVE,))
    if path not in STREAMS
]


@pytest.mark.parametrize(("path", "method", "mode"), ASKED)
def test_replies_are_as_described(described: Any, path: str, method: str, mode: Any) -> None:
    @given(described[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()


def test_every_route_is_described(used: Running) -> None:
    from sharedctx_server.application import routes

    there = {route.path for route in routes(used.service) if isinstance(route, Route)}
    hidden = {"/", "/pages/{name:path}", "/openapi.json"}
    found_before = {"/context/{project}", "/context/{project}/diff"}
    assert (there - hidden) | found_before == document()["paths"].keys()


def test_what_a_document_refers_to_is_there() -> None:
    found = document()

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    names = {name.removeprefix("#/components/schemas/") for name in references(found)}
    assert names <= found["components"]["schemas"].keys()
    assert {"ContextReply", "ErrorReply", "PutContext"} <= names
