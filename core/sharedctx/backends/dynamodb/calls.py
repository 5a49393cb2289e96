"""Asking DynamoDB: bounded attempts, what a batch left undone sent again, and one error for each way it fails."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, Final

from ...errors import BackendUnavailable, ConfigError, Internal, SharedContextError
from ...forking import renew_after_fork
from .address import Address

ATTEMPTS: Final = 4
_PAUSES: Final = (0.05, 0.2, 0.6)
"""Seconds before the second, third and fourth attempt, each up to half as long again."""

_THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
    }
)
_BROKEN: Final = frozenset({"InternalServerError", "ServiceUnavailable"})
_PASSING: Final = (_THROTTLED | _BROKEN) | {
    "TransactionConflictException",
    "TransactionInProgressException",
}
_UNTOLD: Final = _BROKEN | {"TransactionInProgressException"}  # of an earlier sending, which may be done yet
_CHANGED: Final = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_STRANGERS: Final = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})
_GET: Final = 100
_WRITE: Final = 25


class Outcome(Enum):
    """What came of a transaction: done; refused because the state had changed; or so, but an earlier sending of it
    went unanswered and may have been what changed it."""

    DONE = "done"
    CHANGED = "changed"
    UNCLEAR = "unclear"


class Calls:
    """Requests to one table."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._client: Any = address.connect()
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Open connections of our own when they are needed: the old ones are the parent's."""
        self._lock = threading.Lock()
        self._client = None

    def closed(self) -> BackendUnavailable:
        """What is said to those who ask after the close."""
        return BackendUnavailable(f"the store {self.address} is closed: open it again")

    def close(self) -> None:
        """Give the connections back; who waits on one is told ``closed``."""
        self._closed = True
        if self._client is not None:
            self._client.close()

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Send a request that may be sent twice; raises ``BackendUnavailable`` and its like."""
        for attempt in range(ATTEMPTS):
            try:
                return self._send(operation, {"TableName": self.address.table, **arguments})
            except Exception as error:
                self._pause(error, attempt)
        raise AssertionError("every attempt returns or raises")

    def query(self, condition: str, values: dict[str, Any], **arguments: Any) -> Iterator[dict[str, Any]]:
        """Yield the pages of a consistent query."""
        arguments |= {"KeyConditionExpression": condition, "ExpressionAttributeValues": values, "ConsistentRead": True}
        while True:
            page = self.ask("query", **arguments)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def get(self, keys: Sequence[dict[str, Any]], projection: str) -> list[dict[str, Any]]:
        """Return those of the items that are there, read consistently, in no order."""
        found: list[dict[str, Any]] = []
        for at in range(0, len(keys), _GET):
            wish = {"Keys": list(keys[at : at + _GET]), "ConsistentRead": True, "ProjectionExpression": projection}
            for page in self._batches("batch_get_item", wish, "UnprocessedKeys"):
                found += page["Responses"].get(self.address.table, [])
        return found

    def write(self, requests: Sequence[dict[str, Any]]) -> None:
        """Put and delete items, each by itself."""
        for at in range(0, len(requests), _WRITE):
            for _ in self._batches("batch_write_item", list(requests[at : at + _WRITE]), "UnprocessedItems"):
                pass

    def _batches(self, operation: str, wish: Any, left: str) -> Iterator[dict[str, Any]]:
        wishes = {self.address.table: wish}
        attempt = 0
        while attempt < 2 * ATTEMPTS:
            page = self._ask_batch(operation, wishes)
            yield page
            before, wishes = wishes, page.get(left) or {}
            if not wishes:
                return
            attempt = 0 if _weight(wishes) < _weight(before) else attempt + 1
            time.sleep(_pause(min(attempt, len(_PAUSES) - 1)))
        raise BackendUnavailable(f"{self.address} is throttled: it did nothing of a batch in {attempt} attempts")

    def _ask_batch(self, operation: str, wishes: dict[str, Any]) -> dict[str, Any]:
        for attempt in range(ATTEMPTS):
            try:
                return self._send(operation, {"RequestItems": wishes})
            except Exception as error:
                self._pause(error, attempt)
        raise AssertionError("every attempt returns or raises")

    def transact(self, items: Sequence[dict[str, Any]], token: str) -> Outcome:
        """Write items together, once however often it has to be sent.

        Raises ``BackendUnavailable`` when no attempt was answered; the items may be written then, or not.
        """
        lost = False
        for attempt in range(ATTEMPTS):
            try:
                self._send("transact_write_items", {"TransactItems": list(items), "ClientRequestToken": token})
                return Outcome.DONE
            except Exception as error:
                reasons = _reasons(error)
                if not reasons.isdisjoint(_CHANGED):
                    return Outcome.UNCLEAR if lost else Outcome.CHANGED
                lost = lost or not _is_answer(error)
                if reasons.isdisjoint(_THROTTLED) or attempt + 1 == ATTEMPTS:
                    self._pause(error, attempt)
                else:
                    time.sleep(_pause(attempt))
        raise AssertionError("every attempt returns or raises")

    def _send(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        client = self._client
        if client is None:
            with self._lock:
                client = self._client = self._client or self.address.connect()
        reply: dict[str, Any] = getattr(client, operation)(**arguments)
        return reply

    def _pause(self, error: Exception, attempt: int) -> None:
        if isinstance(error, SharedContextError):
            raise error
        if self._closed:  # by another thread, whatever that did to this one's connection
            raise self.closed() from error
        if attempt + 1 == ATTEMPTS or not _may_pass(error):
            raise self.translate(error) from error
        time.sleep(_pause(attempt))

    def translate(self, error: Exception) -> SharedContextError:
        """Return our error for one of botocore, with what to do about it."""
        from botocore.exceptions import BotoCoreError, NoCredentialsError, PartialCredentialsError

        where, code, text = str(self.address), code_of(error), message_of(error)
        if not code and not isinstance(error, BotoCoreError):
            raise error
        if code in _STRANGERS or isinstance(error, NoCredentialsError | PartialCredentialsError):
            return BackendUnavailable(f"{where} does not accept the AWS credentials ({text}): correct them")
        if code in _DENIED:
            return BackendUnavailable(
                f"{where} does not permit these AWS credentials what is needed ({text}): extend their policy"
            )
        if code == "ResourceNotFoundException":
            return BackendUnavailable(f"{where}: the table is not there any more: open the store again")
        if code in _THROTTLED or not _reasons(error).isdisjoint(_THROTTLED):
            return BackendUnavailable(f"{where} is throttled: write less at a time, or give the table more capacity")
        if code == "ValidationException" and ("schema" in text or "Type mismatch for key" in text):
            return ConfigError(
                f"{where} has a table with other keys: name another table, whose partition key is h and sort key r, "
                "both text"
            )
        if code in ("ValidationException", "TransactionCanceledException", "IdempotentParameterMismatchException"):
            return Internal(f"{where} refused a request as malformed: {text}")
        if code and code not in _BROKEN:
            return BackendUnavailable(f"{where} refused a request ({text})")
        return BackendUnavailable(f"{where} cannot be reached or does not answer ({text}): is the endpoint right?")


def conflicts(what: str) -> Iterator[int]:
    """Count attempts at what others change meanwhile, pausing longer between them; raises when it goes on too long."""
    until = time.monotonic() + 20.0
    attempt = 0
    while time.monotonic() < until:
        yield attempt
        attempt += 1
        time.sleep(random.uniform(0.0, min(0.005 * 2**attempt, 0.25)))
    raise BackendUnavailable(f"{what} is written by too many at once: {attempt} attempts all met others; try again")


def _weight(wishes: dict[str, Any]) -> int:
    """How many items a batch asks for."""
    return sum(len(wish if isinstance(wish, list) else wish["Keys"]) for wish in wishes.values())


def code_of(error: Exception) -> str:
    """Return DynamoDB's name of an error, "" for one that it did not send."""
    return str(_answer(error).get("Error", {}).get("Code", ""))


def message_of(error: Exception) -> str:
    """Return what DynamoDB says of an error, or what botocore does."""
    told = _answer(error).get("Error", {})
    return f"{told.get('Code')}: {told.get('Message', '')}" if told else str(error)


def _answer(error: Exception) -> dict[str, Any]:
    return getattr(error, "response", None) or {}


def _reasons(error: Exception) -> frozenset[str]:
    told = _answer(error).get("CancellationReasons") or ()
    codes = {str(reason.get("Code")) for reason in told} - {"None"}
    if code_of(error) == "TransactionConflictException":
        codes.add("TransactionConflict")
    return frozenset(codes)


def _is_answer(error: Exception) -> bool:
    """Whether DynamoDB said that it did nothing; who had no answer does not know."""
    return bool(code_of(error)) and code_of(error) not in _UNTOLD and _status(error) < 500


def _may_pass(error: Exception) -> bool:
    """Whether the same request may be answered a moment later."""
    from botocore.exceptions import ConnectionError, HTTPClientError

    if isinstance(error, HTTPClientError | ConnectionError):
        return True
    return code_of(error) in _PASSING or _status(error) >= 500


def _status(error: Exception) -> int:
    return int(_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _pause(attempt: int) -> float:
    return _PAUSES[attempt] * random.uniform(1.0, 1.5)
