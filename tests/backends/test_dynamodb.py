"""The DynamoDB backend keeps the contract of backends, on moto's server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from sharedctx.backends.base import Backend
from sharedctx.backends.dynamodb import DynamoDBBackend, layout
from sharedctx.testing import BackendContract, backend_machine
from sharedctx.testing.contract_rows import ODD_TEXTS


def url(endpoint: str, place: Path) -> str:
    return f"dynamodb://{place.parent.name}-{place.name}?region=eu-west-1&endpoint={endpoint}"


class TestDynamoDB(BackendContract):
    durable = True
    texts = ODD_TEXTS[::4]  # moto takes time; how names lie in the table is tried with all of them below

    @pytest.fixture(autouse=True)
    def _server(self, dynamodb_endpoint: str) -> None:
        self.endpoint = dynamodb_endpoint

    def make(self, place: Path, clock: Callable[[], float]) -> Backend:
        return DynamoDBBackend(url(self.endpoint, place), clock=clock)


def test_names_lie_in_the_table_in_their_order_and_apart() -> None:
    for texts in (
        ODD_TEXTS,
        sorted({*ODD_TEXTS, *(f"{one}\0{other}" for one in ODD_TEXTS[:40] for other in "\0\1#=>")}),
    ):
        rows = [(pk, sk) for pk in texts if len(pk) < 100 for sk in (1, 2, 10, 10**9, *ODD_TEXTS[:30])]
        keys = [layout.row_key(pk, sk) for pk, sk in rows]
        assert keys == sorted(set(keys))
        assert [layout.row_of(key) for key in keys] == rows
        for pk in texts:
            assert layout.base(pk) < layout.base(pk) + ">" < layout.following(layout.base(pk)[:-2])


def test_any_course_of_commits_is_as_in_the_model(dynamodb_endpoint: str) -> None:
    def make(place: Path, clock: Callable[[], float]) -> Backend:
        return DynamoDBBackend(url(dynamodb_endpoint, place), clock=clock)

    machine: Any = backend_machine(make, durable=True)
    run_state_machine_as_test(machine, settings=settings(max_examples=4, stateful_step_count=15))
