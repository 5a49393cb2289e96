"""The table: made when it is not there, with the store's id and clock in it, and what it says of itself."""

from __future__ import annotations

import os
import time
from typing import Any, Final

from ...errors import BackendUnavailable, ConfigError
from . import layout
from .calls import Calls, code_of, message_of
from .layout import Item, Keys

_FORMAT: Final = 1
_PATIENCE: Final = 60.0
_STEP: Final = 0.2
_OWN: Final = "store"
_CLOCK: Final = "clock"
_MADE: Final[dict[str, Any]] = {
    "KeySchema": [{"AttributeName": "h", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in "hr"],
    "BillingMode": "PAY_PER_REQUEST",
}


class Table:
    """The table that a store lies in."""

    def __init__(self, calls: Calls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    def identify(self) -> str:
        """Return the store's id, made with the table or on first use.

        Raises ``ConfigError`` for a store of a newer format, ``BackendUnavailable`` where the table may not be made.
        """
        found = self._own()
        if found is None:
            own = {"format": layout.number(_FORMAT), "id": {"S": os.urandom(16).hex()}}
            found = own if self._put_new(layout.key(self._keys.store, _OWN) | own) else self._own()
            assert found is not None
        if int(found["format"]["N"]) > _FORMAT:
            raise ConfigError(
                f"{self._calls.address} holds a store of format {found['format']['N']}, this sharedctx reads {_FORMAT}:"
                " upgrade"
            )
        return str(found["id"]["S"])

    def _own(self) -> Item | None:
        """The item that says whose table it is; waits for the table, and makes it where there is none."""
        until = time.monotonic() + _PATIENCE
        made = False
        while True:
            try:
                key = layout.key(self._keys.store, _OWN)
                found: Item | None = self._calls.ask("get_item", Key=key, ConsistentRead=True).get("Item")
                return found
            except BackendUnavailable as error:
                if code_of(_cause(error)) != "ResourceNotFoundException":
                    raise
            if time.monotonic() > until:
                raise BackendUnavailable(f"{self._calls.address}: the table was made and is not ready: try again")
            if not made:
                self._make()
                made = True
            else:
                time.sleep(_STEP)

    def _make(self) -> None:
        try:
            self._calls.ask("create_table", **_MADE)
        except BackendUnavailable as error:
            cause = _cause(error)
            if code_of(cause) == "ResourceInUseException":  # somebody makes it just now
                return
            if not code_of(cause).startswith("AccessDenied"):
                raise
            raise BackendUnavailable(
                f"{self._calls.address}: there is no table {self._calls.address.table!r}, and these AWS credentials may"
                f" not make it ({message_of(cause)}): permit dynamodb:CreateTable, or have it made with the partition "
                "key h and the sort key r, both String"
            ) from cause

    def _put_new(self, item: Item) -> bool:
        try:
            self._calls.ask("put_item", Item=item, ConditionExpression="attribute_not_exists(h)")
        except BackendUnavailable as error:
            if code_of(_cause(error)) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def mark(self) -> float:
        """The latest time at which something was found expired."""
        key = layout.key(self._keys.store, _CLOCK)
        found = self._calls.ask("get_item", Key=key, ConsistentRead=True).get("Item")
        return float(found["t"]["N"]) if found else 0.0

    def raise_mark(self, time: float) -> None:
        """Raise the mark, if that is later."""
        try:
            self._calls.ask(
                "update_item",
                Key=layout.key(self._keys.store, _CLOCK),
                UpdateExpression="SET t = :t",
                ConditionExpression="attribute_not_exists(t) OR t < :t",
                ExpressionAttributeValues={":t": {"N": repr(time)}},
            )
        except BackendUnavailable as error:
            if code_of(_cause(error)) != "ConditionalCheckFailedException":
                raise

    def faults(self) -> list[str]:
        """What the table says of itself that is wrong; nothing where it may not be asked."""
        try:
            told = self._calls.ask("describe_table")["Table"]
        except BackendUnavailable as error:
            if code_of(_cause(error)).startswith("AccessDenied"):
                return []
            raise
        status = told["TableStatus"]
        return [] if status in ("ACTIVE", "UPDATING") else [f"{self._calls.address}: the table is {status}"]


def _cause(error: BackendUnavailable) -> Exception:
    return error.__cause__ if isinstance(error.__cause__, Exception) else error
