"""The server's OpenAPI document, from the shapes that its replies have."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import msgspec

from . import messages
from .calls import Call
from .operations import OPERATIONS, Operation
from .replies import Reply, encode

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
_PROJECT: Schema = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"}
_COUNT: Schema = {"type": "integer", "minimum": 50, "maximum": 10**15 - 1}
_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": 500}
_FLAG: Schema = {"type": "string", "enum": ["true", "false"]}
_MINUTES: Schema = {"type": "integer", "minimum": 60, "multipleOf": 60, "maximum": 10**9 * 60}

_QUERY: dict[str, tuple[Schema, str]] = {
    "after": (_TEXT, "The key to go on from."),
    "agentId": (_TEXT, "Who calls, where no token says so."),
    "before": (_NUMBER, "The version or row to end before."),
    "expectedVersion": (_NUMBER, "The version that the write builds on, 0 for none; 409 where another is live."),
    "format": ({"type": "string", "enum": ["diff", "patch"]}, "Of what changed: by name, or as RFC 6902."),
    "from": (_NUMBER, "The older version."),
    "fromVersion": (_NUMBER, "Go on after this version."),
    "from_rev": (_NUMBER, "Go on after this revision."),
    "key": (_TEXT, "The key of the entry."),
    "limit": (_LIMIT, "How many at most."),
    "maxTokens": (_COUNT, "Tokens that fit; what does not is left as references."),
    "max_tokens": (_COUNT, "Tokens that fit."),
    "name": (_TEXT, "A name of the context."),
    "prefix": (_TEXT, "How keys start."),
    "projectId": (_TEXT, "The project."),
    "query": (_TEXT, "Words that the view keeps."),
    "ref": (_TEXT, "A reference as views spell it, such as v3:lines:12-40."),
    "section": (_TEXT, "A section or a field of an evolution."),
    "session": (_TEXT, "Another session than the server's own."),
    "since": (_NUMBER, "A version, or seconds since the epoch."),
    "step": (_MINUTES, "Seconds, whole minutes."),
    "to": (_NUMBER, "The newer version."),
    "tokens": (_FLAG, "Whether to count tokens, which makes the views."),
    "version": (_NUMBER, "A version; the newest without."),
    "windowed": (_FLAG, "Whether the version since was shown as a window."),
}
_HEADERS = {
    "idempotency-key": ("Names the write: one that is sent again is done once.", "^[A-Za-z0-9._:-]{1,64}$"),
    "if-match": ("The ETag or hash that the write builds on.", '^"[0-9]{1,15}"$'),
    "if-none-match": ("The ETag that the caller has: 304 where it still holds.", '^"[0-9]{1,15}"$'),
    "last-event-id": ("Go on after this event.", "^[0-9]{1,15}$"),
}


def document() -> Schema:
    """Return the document as JSON values."""
    types = [kind for each in OPERATIONS for kind in (*_kinds(each.reply), *_kinds(each.body))]
    found, components = msgspec.json.schema_components(
        [*types, messages.ErrorReply], ref_template="#/components/schemas/{name}"
    )
    components["PutContext"]["properties"]["context"] = {"type": "object"}
    schemas = dict(zip(types, found, strict=False))
    paths: dict[str, Schema] = {}
    for each in OPERATIONS:
        reply, body = (_any_of([schemas[kind] for kind in _kinds(given)]) for given in (each.reply, each.body))
        paths.setdefault(each.path, {})[each.method] = _described(each, reply or _TEXT, body, found[-1])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sharedctx",
            "version": version("sharedctx"),
            "description": "Contexts that agents share: projects over HTTP, and a session to look into.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"bearer": []}],
    }


def _kinds(given: Any) -> tuple[Any, ...]:
    """The structs among the types of a reply or body."""
    if isinstance(given, tuple):
        return given
    return () if given is None or given is bytes else (given,)


def _any_of(schemas: list[Schema]) -> Schema | None:
    return None if not schemas else schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _described(each: Operation, reply: Schema, body: Schema | None, error: Schema) -> Schema:
    refused = {"description": "Refused, with the reason.", "content": {"application/json": {"schema": error}}}
    replies: Schema = {"200": {"description": each.words, "content": {each.media: {"schema": reply}}}}
    if each.path == "/metrics":
        replies["200"]["content"]["text/plain"] = {"schema": _TEXT}
    if each.path == "/ready":
        replies["503"] = {"description": "It takes none.", "content": {"application/json": {"schema": reply}}}
    if "if-none-match" in each.headers:
        replies["304"] = {"description": "The caller has it."}
    found: Schema = {
        "operationId": f"{each.method}_{each.path.strip('/').replace('/', '_').translate(_PLAIN)}",
        "summary": each.words,
        "parameters": [*_in_path(each), *_in_query(each), *_in_headers(each)],
        "responses": {**replies, "4XX": refused, "5XX": refused},
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if each.open:
        found["security"] = []
    return found


_PLAIN = str.maketrans("", "", "{}")


def _in_path(each: Operation) -> list[Schema]:
    names = [part.strip("{}") for part in each.path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": _PROJECT} for name in names]


def _in_query(each: Operation) -> list[Schema]:
    return [
        {
            "name": name,
            "in": "query",
            "required": name in each.needed,
            "schema": _QUERY[name][0],
            "description": _QUERY[name][1],
        }
        for name in each.query
    ]


def _in_headers(each: Operation) -> list[Schema]:
    return [
        {
            "name": name,
            "in": "header",
            "schema": {"type": "string", "pattern": _HEADERS[name][1]},
            "description": _HEADERS[name][0],
        }
        for name in each.headers
    ]


class Described:
    """The route /openapi.json."""

    def __init__(self) -> None:
        self._body: bytes | None = None

    async def document(self, call: Call) -> Reply:
        """Return the document, made once."""
        if self._body is None:
            self._body = encode(document())
        return Reply(200, self._body)
