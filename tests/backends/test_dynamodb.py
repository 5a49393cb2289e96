"""The DynamoDB backend keeps the contract of backends, on moto's server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from sharedctx.backends.base import Backend
from sharedctx.backends.dynamodb import DynamoDBBackend
from sharedctx.testing import BackendContract, backend_machine


def url(endpoint: str, place: Path) -> str:
    return f"dynamodb://{place.parent.name}-{place.name}?region=eu-west-1&endpoint={endpoint}"


class TestDynamoDB(BackendContract):
    durable = True

    @pytest.fixture(autouse=True)
    def _server(self, dynamodb_endpoint: str) -> None:
        self.endpoint = dynamodb_endpoint

    def make(self, place: Path, clock: Callable[[], float]) -> Backend:
        return DynamoDBBackend(url(self.endpoint, place), clock=clock)


def test_any_course_of_commits_is_as_in_the_model(dynamodb_endpoint: str) -> None:
    def make(place: Path, clock: Callable[[], float]) -> Backend:
        return DynamoDBBackend(url(dynamodb_endpoint, place), clock=clock)

    machine: Any = backend_machine(make, durable=True)
    run_state_machine_as_test(machine, settings=settings(max_examples=8, stateful_step_count=20, deadline=None))
