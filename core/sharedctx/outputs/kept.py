"""Outputs of tools, kept whole in a session while a model is given their views."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..context import SharedContext
from ..entries.names import check_participant
from ..errors import ConfigError, SharedContextError, VersionConflict
from ..forking import renew_after_fork
from ..opening import check_context
from ..settings import check_bound
from ..tools.table import TOOLS
from ..views.plain import LEAST_TOKENS
from ..views.view import Marks
from .digests import DIGESTS

PREFIX = "output/"
_log = logging.getLogger("sharedctx.outputs")
_ODD = re.compile(r"[^A-Za-z0-9_.:@+-]")
_MARKER = re.compile(r'expand\(("output/[^"\\\x00-\x1f]{1,512}"), "v(\d{1,15}):')
_HEAD = 4000
"""The characters in which a view has its first marker."""
_KEPT = 2048
_BRIEF = 400
_SMALL = 200
"""Tokens up to which an output stays as it is where no budget is named."""
_SURELY_LARGE = 40
"""Characters per token that no text has, whatever its kind."""


class Shortened(NamedTuple):
    """A view in place of an output: what a model is given, the key that holds the whole, its version, and tokens."""

    text: str
    key: str
    version: int
    tokens: int
    original_tokens: int


class Unseen(Exception):
    """What stands for an output is not known: its view is still to be made or looked for."""


class Outputs:
    """Stores large outputs under ``output/{participant}/{name}-{hash}`` and gives their views.

    The same output has the same key, and its view is the same text each time and in every process. ``participant``
    writes them (default: the context's own, else "handoff"), ``face`` is told to the savings. Thread-safe.
    """

    def __init__(self, context: SharedContext, participant: str | None = None, *, face: str = "sharedctx") -> None:
        check_context(context)
        given = context.participant if participant is None else participant
        name = check_participant("handoff" if given is None else given)
        self.context = context.bind(name, face=face)
        self._prefix = _prefix_of(name)
        self._seen: OrderedDict[tuple[str, str, int | None], Shortened | None] = OrderedDict()
        self._views: OrderedDict[str, Shortened] = OrderedDict()
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """A thread of the parent may hold the lock."""
        self._lock = threading.Lock()

    def shorten(self, name: str, output: str, max_tokens: int | None) -> Shortened | None:
        """Return the view of ``output`` within ``max_tokens`` (from 50 up) once the whole is stored.

        None as ``max_tokens`` lets the view be as large as its kind of content needs for what matters. ``name`` is the
        tool's. Returns None when the output is small enough, or when it cannot be stored, which is logged. A view that
        was given earlier and is still too large is replaced by a smaller one of the same original.
        """
        if len(output) <= _least(max_tokens):
            return None
        try:
            made = self._shorten(name, output, max_tokens)
        except SharedContextError as error:
            _log.warning("an output of %s stays whole: %s", name, error)
            return None
        if made is not None:
            self.context.served("handoff", made.tokens, made.original_tokens)
        return made

    def recall(self, name: str, output: str, max_tokens: int | None) -> Shortened | None:
        """Return what ``shorten`` does of an output that was seen before: nothing is made, and the store is asked only
        whether it still has the output, so that an event loop may call this where the store is local.

        Raises ``Unseen``, and ``SharedContextError`` where the store cannot be asked.
        """
        if len(output) <= _least(max_tokens):
            return None
        digest = DIGESTS.known(output)
        if digest is None:
            raise Unseen
        made = self._seen_before(name, output, digest, max_tokens)
        if made is not None:
            self.context.served("handoff", made.tokens, made.original_tokens)
        return made

    def prepare(self, name: str, output: str, max_tokens: int | None) -> None:
        """Store a large output and make its view, so that ``shorten`` finds both; failures are left to it."""
        if len(output) > _least(max_tokens):
            try:
                self._shorten(name, output, max_tokens)
            except SharedContextError:
                return

    def stub(self, name: str, output: str, max_tokens: int | None = None) -> str | None:
        """Store an output, or take the one that a view is of, and return the line that stands for it.

        ``max_tokens`` is what views were made within. None when it cannot be stored, which is logged.
        """
        try:
            earlier = self._earlier(output, max_tokens)
            if earlier is not None:
                key, version, tokens = earlier.key, earlier.version, earlier.original_tokens
            else:
                digest = DIGESTS.of(output)
                key, tokens = self._key(name, digest), self.tokens(output)
                version = self._store(key, output, digest)
        except SharedContextError as error:
            _log.warning("an output of %s stays as it is: %s", name, error)
            return None
        return Marks(key, version).omitted(f"output of {tokens} tokens", "all")

    def tokens(self, text: str) -> int:
        """Return the tokens of a text; long ones are counted once."""
        if len(text) < _BRIEF:
            return self.context.settings.count_tokens(text)
        at = DIGESTS.of(text)
        with self._lock:
            held = self._counts.get(at)
        if held is None:
            held = self.context.settings.count_tokens(text)
            with self._lock:
                self._counts[at] = held
                while len(self._counts) > _KEPT:
                    self._counts.popitem(last=False)
        return held

    def _seen_before(self, name: str, output: str, digest: str, max_tokens: int | None) -> Shortened | None:
        """What stands for an output, from memory; raises ``Unseen``."""
        at = (name, digest, max_tokens)
        with self._lock:
            earlier = self._views.get(output)
            seen = at in self._seen
            held = self._seen.get(at)
            if seen:
                self._seen.move_to_end(at)
        if earlier is not None and (max_tokens is None or earlier.tokens <= max_tokens):
            return earlier
        if not seen or (held is not None and self._version(held.key, digest) != held.version):
            raise Unseen
        return held

    def _shorten(self, name: str, output: str, max_tokens: int | None) -> Shortened | None:
        digest = DIGESTS.of(output)
        try:
            return self._seen_before(name, output, digest, max_tokens)
        except Unseen:
            return self._made(name, output, digest, max_tokens)

    def _made(self, name: str, output: str, digest: str, max_tokens: int | None) -> Shortened | None:
        at = (name, digest, max_tokens)
        least = _least(max_tokens)
        if len(output) < _SURELY_LARGE * least and self.tokens(output) <= least:
            self._remember(at, None)
            return None
        earlier = self._earlier(output, max_tokens)
        if earlier is not None:
            made = self._smaller(earlier, max_tokens)
            self._remember(at, made)
            return made
        key = self._key(name, digest)
        made = self._view(key, self._store(key, output, digest), max_tokens)
        if made is not None and made.text == output:
            made = None
        self._remember(at, made)
        return made

    def _earlier(self, text: str, max_tokens: int | None) -> Shortened | None:
        """What a text is a view of, also when another process gave it: the same view can then be made again."""
        with self._lock:
            held = self._views.get(text)
        marker = None if held is not None else _MARKER.search(text, 0, _HEAD)
        if marker is None:
            return held
        key, version = json.loads(marker[1]), int(marker[2])
        for most in dict.fromkeys((max_tokens, None)):
            made = self._view(key, version, most)
            if made is not None and made.text == text:
                with self._lock:
                    self._views[text] = made
                return made
        return None

    def _smaller(self, made: Shortened, max_tokens: int | None) -> Shortened | None:
        if max_tokens is None or made.tokens <= max_tokens:
            return made
        return self._view(made.key, made.version, max_tokens)

    def _key(self, name: str, digest: str) -> str:
        return f"{self._prefix}{_ODD.sub('_', name)[:60]}-{digest[:16]}"

    def _version(self, key: str, digest: str) -> int | None:
        """The live version if it holds this very output."""
        entry = self.context.run(self.context.verbs.peek(self.context.agent(None), key))
        return entry.version if entry is not None and entry.hash == digest else None

    def _store(self, key: str, output: str, digest: str) -> int:
        version = self._version(key, digest)
        if version is not None:
            return version
        entry = self.context.get_entry(key)
        try:
            return self.context.put(key, output, expect=0 if entry is None else entry.version).version
        except VersionConflict:  # another process stored it meanwhile
            return self._version(key, digest) or self.context.put(key, output).version

    def _view(self, key: str, version: int, max_tokens: int | None) -> Shortened | None:
        shown = self.context.run(self.context.verbs.show(self.context.participant, key, version, max_tokens, None))
        return None if shown is None else Shortened(shown.text, key, version, shown.tokens, shown.original_tokens)

    def _remember(self, at: tuple[str, str, int | None], made: Shortened | None) -> None:
        with self._lock:
            self._seen[at] = made
            if made is not None:
                self._views[made.text] = made
            for kept in (self._seen, self._views):
                while len(kept) > _KEPT:
                    kept.popitem(last=False)


def keep_conversation(context: SharedContext, said: Sequence[Any]) -> None:
    """Store what was said before a hand-over as ``output/{participant}/conversation-{hash}``, once, so that a packet
    can hold, shorten or name it.

    ``context`` is bound to who hands over. What a store does not take of what models write (lone surrogates, NaN) is
    told as text. Raises ``SharedContextError``.
    """
    text = json.dumps(said, default=str, ensure_ascii=False, sort_keys=True).encode(errors="replace")
    key = f"{_prefix_of(str(context.participant))}conversation-{hashlib.sha256(text).hexdigest()[:16]}"
    if said and context.get_entry(key) is None:
        context.put(key, json.loads(text, parse_constant=str))


def is_retrieved(tool: str, arguments: Any, output: str) -> bool:
    """Whether an output is what ``read`` or ``expand`` gave of a context, which is not shortened again.

    Told by how the tool's name ends, by its arguments (an object or its JSON) and by how the output begins.
    """
    name = next((name for name in ("expand", "read") if tool == name or tool.endswith(f"_{name}")), None)
    if name is None:
        return False
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return False
    known = {argument.name for argument in TOOLS[name].arguments}
    needed = {argument.name for argument in TOOLS[name].arguments if argument.required}
    if not isinstance(arguments, Mapping) or not needed <= arguments.keys() <= known:
        return False
    return name == "expand" or output.startswith(f"{arguments['key']} v")


def check_view_tokens(name: str, tokens: int | None) -> None:
    """Raise ``ConfigError`` unless a view can be made within so many tokens; None is no bound."""
    if tokens is None:
        return
    check_bound(name, tokens)
    if tokens < LEAST_TOKENS:
        raise ConfigError(f"{name} {tokens} is below {LEAST_TOKENS}: a view needs room for its references")


def _prefix_of(participant: str) -> str:
    return f"{PREFIX}{_ODD.sub('_', participant)[:80]}/"


def _least(max_tokens: int | None) -> int:
    """The tokens up to which an output is small."""
    return _SMALL if max_tokens is None else max_tokens
