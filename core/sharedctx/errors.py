"""Every error that sharedctx raises, under one root.

::

    SharedContextError                 .code, .message, .to_dict()
    |-- KeyNotFound                    KEY_NOT_FOUND       no live value under the key, or none that you may read
    |-- InvalidKey                     INVALID_KEY         the key's spelling
    |-- InvalidValue                   INVALID_VALUE       the value, or an argument, cannot be taken
    |-- ValueTooLarge                  VALUE_TOO_LARGE     one value over its limit
    |-- BudgetExceeded                 STORE_FULL          the session's budget
    |-- VersionConflict                VERSION_CONFLICT    somebody else wrote in between
    |   `-- ConditionFailed            VERSION_CONFLICT    the same, told by a backend
    |-- SessionNotFound                SESSION_NOT_FOUND
    |-- SessionExists (and ValueError) SESSION_EXISTS
    |-- SessionArchived                SESSION_ARCHIVED    read-only
    |-- Forbidden                      FORBIDDEN           a grant is missing
    |-- InvalidAction                  INVALID_ACTION      an unknown request
    |-- DecodeError                    DECODE_ERROR        stored bytes are damaged or foreign
    |   `-- UnsafeRow                  UNSAFE_ROW          a row that would have to be unpickled or opened as a file
    |-- Compacted                      COMPACTED           the change feed no longer reaches that far back
    |-- DiskFull                       DISK_FULL
    |-- BackendUnavailable             BACKEND_UNAVAILABLE the store cannot be reached, read or locked
    |-- BackendNotInstalled            BACKEND_NOT_INSTALLED
    |   `-- PackageNotInstalled (and ImportError)          a framework or other optional package is missing
    |-- ConfigError                    CONFIG_ERROR        a setting, an address, or a store of another format
    `-- Internal                       INTERNAL            a defect in sharedctx

A message names the key and says what to do about it.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SharedContextError(Exception):
    """The root: catch this to catch everything that sharedctx raises on purpose."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"error": CODE, "message": text}``, the form that tools and servers send."""
        return {"error": self.code, "message": self.message}


class KeyNotFound(SharedContextError):
    """No live value under this key; also what a reader without a grant is told."""

    code = "KEY_NOT_FOUND"


class InvalidKey(SharedContextError):
    """The key is empty, too long, not NFC, or has characters that keys may not have."""

    code = "INVALID_KEY"


class InvalidValue(SharedContextError):
    """The value or argument cannot be taken as it is."""

    code = "INVALID_VALUE"


class ValueTooLarge(SharedContextError):
    """One value is over the limit for values."""

    code = "VALUE_TOO_LARGE"


class BudgetExceeded(SharedContextError):
    """The session has no room left under its budget."""

    code = "STORE_FULL"


class VersionConflict(SharedContextError):
    """The value changed between the caller's read and its write.

    Attributes: ``expected`` (the version the caller named), ``actual`` (the live version, 0 for none) and
    ``agent`` (who wrote that one, or None).
    """

    code = "VERSION_CONFLICT"

    def __init__(
        self, message: str, *, expected: int | None = None, actual: int | None = None, agent: str | None = None
    ) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual
        self.agent = agent


class ConditionFailed(VersionConflict):
    """A backend's answer to a commit whose condition does not hold; nothing of the commit was written.

    ``pk`` is the partition whose condition failed, or None when it was ``if_rev``; ``actual`` is then the
    space's revision. ``given`` is the last number that was given in the partition where only that is not as required.
    """

    def __init__(self, message: str, *, pk: str | None, actual: int | None, given: int | None = None) -> None:
        super().__init__(message, actual=actual)
        self.pk = pk
        self.given = given

    @classmethod
    def row(cls, pk: str, sk: str, *, there: bool) -> ConditionFailed:
        """A collection row is there, or is not, or not as it was read."""
        state = "is there already" if there else "is not there, or was replaced"
        return cls(f"row {sk!r} of {pk!r} {state}: read it again", pk=pk, actual=None)

    @classmethod
    def another(cls, pk: str, head: int) -> ConditionFailed:
        """The newest version has the required number, but another commit wrote it."""
        return cls(f"version {head} of {pk!r} was written anew: read it again", pk=pk, actual=head)

    @classmethod
    def outnumbered(cls, pk: str, head: int, given: int) -> ConditionFailed:
        """The newest version is the required one, but higher numbers were given and dropped."""
        return cls(f"{pk!r} gave number {given} already: write it as {given + 1}", pk=pk, actual=head, given=given)


class SessionNotFound(SharedContextError):
    """The session does not exist, or was deleted since this object was made."""

    code = "SESSION_NOT_FOUND"


class SessionExists(SharedContextError, ValueError):
    """A session of this id already exists."""

    code = "SESSION_EXISTS"


class SessionArchived(SharedContextError):
    """The session is archived: it can be read, and neither written nor deleted from."""

    code = "SESSION_ARCHIVED"


class Forbidden(SharedContextError):
    """The participant has no grant for this, or tried to speak as somebody else."""

    code = "FORBIDDEN"


class InvalidAction(SharedContextError):
    """A request that is no object, or whose action is unknown."""

    code = "INVALID_ACTION"


class DecodeError(SharedContextError):
    """The stored bytes of one version are damaged or are not ours; other versions are not touched by it."""

    code = "DECODE_ERROR"


class UnsafeRow(DecodeError):
    """A foreign row that could only be read by unpickling it or by opening a file it names; both are refused."""

    code = "UNSAFE_ROW"


class Compacted(SharedContextError):
    """The change feed was trimmed past the revision asked for.

    ``oldest`` is the oldest revision from which the feed is whole: read the state, then follow from there.
    """

    code = "COMPACTED"

    def __init__(self, message: str, *, oldest: int) -> None:
        super().__init__(message)
        self.oldest = oldest

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "oldest": self.oldest}


class DiskFull(SharedContextError):
    """The disk, quota or inode table is full; what was acknowledged is safe and can be read."""

    code = "DISK_FULL"


class BackendUnavailable(SharedContextError):
    """The store cannot be reached, opened, locked or read."""

    code = "BACKEND_UNAVAILABLE"


class BackendNotInstalled(SharedContextError):
    """The address needs a package that is not installed; the message has the pip command."""

    code = "BACKEND_NOT_INSTALLED"


class PackageNotInstalled(BackendNotInstalled, ImportError):
    """An optional package is not installed; ``name`` is the module, the message has the pip command."""

    def __init__(self, message: str, *, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name


class ConfigError(SharedContextError):
    """A setting or an address is wrong, or the store was written by a newer sharedctx."""

    code = "CONFIG_ERROR"


class Internal(SharedContextError):
    """A defect in sharedctx; please report it with the message."""

    code = "INTERNAL"


__all__ = [
    "BackendNotInstalled",
    "BackendUnavailable",
    "BudgetExceeded",
    "Compacted",
    "ConditionFailed",
    "ConfigError",
    "DecodeError",
    "DiskFull",
    "Forbidden",
    "Internal",
    "InvalidAction",
    "InvalidKey",
    "InvalidValue",
    "KeyNotFound",
    "PackageNotInstalled",
    "SessionArchived",
    "SessionExists",
    "SessionNotFound",
    "SharedContextError",
    "UnsafeRow",
    "ValueTooLarge",
    "VersionConflict",
]
