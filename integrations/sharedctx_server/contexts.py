"""The REST routes of contexts: read, write, change, roll back, delete."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from sharedctx.errors import KeyNotFound
from sharedctx.projects import ANY, Difference, Expected, Known, State, Written, check_project, leanest, project_window
from sharedctx.projects.state import EMPTY, canonical
from sharedctx.projects.window import Locate
from sharedctx.versions.diff import diff_json
from sharedctx.versions.log import Version

from .bodies import read_change, read_state
from .calls import Call, Refusal
from .messages import (
    DeleteReply,
    DiffReply,
    PostRollback,
    PutContext,
    PutReply,
    context_body,
    since_body,
)
from .replies import LARGE, Header, Reply, json_reply

_ENVELOPE = 4096
"""Bytes of a body beside its context."""


def etag(version: Version) -> Header:
    """The ETag of a version: its number, quoted."""
    return (b"etag", b'"%d"' % version.number)


def unchanged(call: Call, version: Version, digest: str) -> bool:
    """Whether the caller has this version already, by If-None-Match."""
    given = call.headers.get(b"if-none-match")
    if given is None:
        return False
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in given.decode("latin-1").split(",")}
    return not tags.isdisjoint((str(version.number), digest, "*"))


def expected(call: Call, in_body: int | None = None) -> Expected:
    """The version or hash that the caller's write builds on, by If-Match, If-None-Match: *, or ``expectedVersion``."""
    given = call.headers.get(b"if-match")
    number = call.number("expectedVersion") if in_body is None and call.query else in_body
    if number is not None:
        if number < 0:
            raise Refusal(400, f"expectedVersion {number} is not a number from 0 up")
        return number
    if given is None:
        return 0 if call.headers.get(b"if-none-match") == b"*" else None
    tag = given.decode("latin-1").strip().removeprefix("W/").strip('"')
    if tag.isascii() and tag.isdecimal() and len(tag) <= 15:
        return int(tag)
    if tag == ANY or len(tag) == 64:
        return tag
    raise Refusal(400, "If-Match is neither an ETag of this server nor a hash")


def request_of(call: Call) -> str:
    """The name of the request, by which one that is sent again is known: Idempotency-Key."""
    given = call.headers.get(b"idempotency-key")
    return "" if given is None else given.decode("latin-1")


async def get_context(call: Call) -> Reply:
    """Return the context: whole, as of a version, what changed since one, or a window of it."""
    service, project = call.service, call.path("project")
    projects, meter = service.projects, service.meter
    participant = call.agent()
    meter.reads += 1
    if participant is not None:
        await service.run(projects.guard(participant, project))
    if not call.query or call.query.keys() == {"agentId"}:
        return await _newest(call, project, participant)
    since, number, tokens = call.number("since"), call.number("version"), call.number("maxTokens")
    if since is not None and number is not None:
        raise Refusal(400, "version= asks for one version and since= for what changed after one: send either alone")
    if since is not None:
        return await _since(call, project, since, participant)
    if number is None:
        version = await service.run(projects.live(project))
    else:
        version = await service.run(projects.at(project, number))
    service.accessed(project, participant, version.number)
    if unchanged(call, version, ""):
        meter.cache_hits += 1
        return Reply(304, b"", (etag(version),))
    state = await service.run(projects.state(version), version.blob.size)
    if tokens is None:
        return Reply(200, context_body(project, version, state.encoded, state.hash), (etag(version),))
    return await _window(call, project, version, state, tokens, participant)


async def _newest(call: Call, project: str, participant: str | None) -> Reply:
    """The whole context as it is now."""
    service = call.service
    found = service.latest.get(project)
    if found is None:
        rev = service.latest.rev()
        version = await service.run(service.projects.live(project))
        state = await service.run(service.projects.state(version), version.blob.size)
        found = service.latest.keep(project, rev, version, state)
    version = found.version
    service.accessed(project, participant, version.number)
    if unchanged(call, version, found.hash):
        service.meter.cache_hits += 1
        service.meter.tokens_saved += version.blob.size // 4
        return Reply(304, b"", (etag(version),))
    return Reply(200, found.body, (etag(version),), packed=found.encoded)


async def _window(
    call: Call, project: str, version: Version, state: State, tokens: int, participant: str | None
) -> Reply:
    service = call.service
    count = service.context.settings.count_tokens

    size = len(state.encoded)
    make = partial(project_window, state, tokens, locator(project, version.number), count, service.settings.priorities)
    window = await call.off(size, make)
    whole = await call.off(size, service.tokens_of, state)
    service.meter.tokens_saved += max(whole - window.tokens, 0)
    service.served(participant, "window", window.tokens, whole)
    body = context_body(project, version, window.encoded, state.hash)
    more = {"tokens": window.tokens, "totalTokens": whole, "references": window.references}
    extra = canonical(more, "the window")
    return Reply(200, b"%b,%b" % (body[:-1], extra[1:]), (etag(version),))


def locator(project: str, version: int) -> Locate:
    """Return what tells where a value of this version can be fetched, and with None all of it."""

    def locate(name: str | None) -> str:
        path = f"/context/{project}"
        if name is None:
            return f"{path}?version={version}"
        return f"{path}/value?name={quote(name, safe='')}&version={version}"

    return locate


async def get_optimized(call: Call) -> Reply:
    """Return what brings a model up to date for the fewest tokens within ``maxTokens``: a snapshot, what changed since
    the version that it knows (``since``; ``windowed=true`` where that was a window), or a window."""
    service, project = call.service, call.path("project")
    participant = call.agent()
    tokens, since = call.number("maxTokens"), call.number("since")
    if tokens is None:
        raise Refusal(400, "say how much fits: ?maxTokens=")
    await service.run(service.projects.guard(participant, project))
    version, old = await service.run(service.projects.since(project, since or 0))
    service.accessed(project, participant, version.number)
    state = await service.run(service.projects.state(version), version.blob.size)
    known = None if old is None or since is None else Known(since, old, call.query.get("windowed") != "true")
    locate, count = locator(project, version.number), service.context.settings.count_tokens
    make = partial(leanest, state, version.number, tokens, locate, count, known, service.settings.priorities)
    found = await call.off(len(state.encoded), make)
    service.meter.tokens_saved += max(found.whole_tokens - found.tokens, 0)
    service.served(participant, found.kind, found.tokens, found.whole_tokens)
    head = {"projectId": project, "version": version.number, "hash": state.hash, "kind": found.kind}
    more = canonical({**head, "tokens": found.tokens, "totalTokens": found.whole_tokens}, "the reply")
    return Reply(200, b'%b,"content":%b}' % (more[:-1], found.content), (etag(version),))


async def _since(call: Call, project: str, since: int, participant: str | None) -> Reply:
    service = call.service
    form = call.query.get("format", "diff")
    if form not in ("diff", "patch"):
        raise Refusal(400, f"format={form[:40]!r} is neither diff nor patch")
    version, old = await service.run(service.projects.since(project, since))
    service.accessed(project, participant, version.number)
    state = await service.run(service.projects.state(version), version.blob.size)
    if form == "patch":
        changes = await call.off(len(state.encoded), _patch, old, state)
    else:
        changes = Difference.between(old or EMPTY, state).encoded
    saved = max(state.characters - len(changes), 0) // 4
    service.meter.tokens_saved += saved
    service.served(participant, "diff", state.characters // 4 - saved, state.characters // 4)
    known = None if old is None else since
    return Reply(200, since_body(project, known, version.number, changes), (etag(version),))


def _patch(old: State | None, new: State) -> bytes:
    if old is None:
        return canonical([{"op": "replace", "path": "", "value": new.context()}], "the patch")
    return canonical(diff_json(old.context(), new.context()), "the patch")


async def get_value(call: Call) -> Reply:
    """Return the value of one name of the context: what references in windows lead to."""
    service, project = call.service, call.path("project")
    participant = call.agent()
    name, number = call.query.get("name"), call.number("version")
    if name is None:
        raise Refusal(400, "say which: ?name=")
    await service.run(service.projects.guard(participant, project))
    find = service.projects.live(project) if number is None else service.projects.at(project, number)
    version = await service.run(find)
    state = await service.run(service.projects.state(version), version.blob.size)
    if name not in state.pairs:
        raise KeyNotFound(f"version {version.number} of {project!r} has no name {name!r:.80}")
    service.accessed(project, participant, version.number)
    head = canonical({"projectId": project, "version": version.number, "name": name}, "the value")
    return Reply(200, b'%b,"value":%b}' % (head[:-1], state.value(name)), (etag(version),))


async def put_context(call: Call) -> Reply:
    """Write the whole context."""
    service, project = call.service, check_project(call.path("project"))
    data = await call.body(service.settings.projects.max_bytes + _ENVELOPE)
    given = await call.off(len(data), call.decode, data, PutContext)
    participant = call.agent(given.agent_id)
    state = await call.off(len(data), _state, given.context)
    agent, wanted, request = participant or "", expected(call, given.expected_version), request_of(call)
    steps = service.projects.put(participant, project, state, agent, wanted, request)
    written, _ = await service.write(participant, project, steps, len(data), request)
    return _written(project, written)


def _state(context: bytes) -> State:
    return read_state(bytes(context), "the context")


async def post_diff(call: Call) -> Reply:
    """Change the context, or make it."""
    service, project = call.service, check_project(call.path("project"))
    data = await call.body(service.settings.projects.max_bytes + _ENVELOPE)
    diff, agent_id, number = read_change(data) if len(data) <= LARGE else await call.off(len(data), read_change, data)
    if agent_id is not None and not isinstance(agent_id, str):
        raise Refusal(400, "agentId is not text")
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise Refusal(400, "expectedVersion is not a whole number")
    participant = call.agent(agent_id)
    wanted, request = expected(call, number), request_of(call)
    steps = service.projects.change(participant, project, diff, participant or "", wanted, request)
    written, subscribers = await service.write(participant, project, steps, len(data), request)
    version, state = written.version, written.state
    saved = max(state.characters - Difference.size(written.old, state), 0) // 4
    service.meter.tokens_saved += saved * subscribers
    reply = DiffReply(project, version.number, state.hash, saved, subscribers)
    return json_reply(reply, headers=(etag(version),))


async def post_rollback(call: Call) -> Reply:
    """Write an old version again."""
    service, project = call.service, check_project(call.path("project"))
    given = call.decode(await call.body(_ENVELOPE), PostRollback)
    participant = call.agent(given.agent_id)
    wanted = expected(call, given.expected_version)
    agent, request = participant or "", request_of(call)
    steps = service.projects.rollback(participant, project, given.version, agent, wanted, request)
    written, _ = await service.write(participant, project, steps, 0, request)
    return _written(project, written)


def _written(project: str, written: Written) -> Reply:
    version = written.version
    size, rest = len(written.state.encoded), len(version.blob.payload)
    found = PutReply(project, version.number, written.state.hash, rest < size, written.is_new, size, rest)
    return json_reply(found, headers=(etag(version),))


async def delete_context(call: Call) -> Reply:
    """Remove the context; its subscribers are told, and their streams end."""
    service, project = call.service, check_project(call.path("project"))
    participant = call.agent()
    async with service.hub.holding(project) as lane:
        await service.run(service.projects.delete(participant, project, participant or ""))
        await service.hub.tell_deleted(lane)
    service.meter.writes += 1
    return json_reply(DeleteReply(project, True))
