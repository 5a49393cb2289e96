"""Threads that come and go share one writer, and their commits keep the order in which they were asked for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import sharedctx
from sharedctx.backends import steps
from sharedctx.backends.base import ABSENT, Put
from sharedctx.backends.steps import Steps
from sharedctx.driving.relay import Relay
from sharedctx.errors import BackendUnavailable, ConditionFailed


def put(sk: str, value: bytes = b"x") -> Steps[int]:
    rev, _ = yield from steps.commit("s", [Put("p", value, sk, None, ABSENT)])
    return rev


def test_many_short_threads_lose_nothing(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "store") as store:
        relay = Relay(store.backend, lambda: store.driver)
        failed: list[Exception] = []

        def work(name: int) -> None:
            try:
                for number in range(20):
                    relay.run(put(f"{name:02d}-{number:02d}"))
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows = store.backend.scan("s", "p", "")
        assert not failed
        assert len(rows) == 240
        for name in range(12):
            own = [row.rev for row in rows if str(row.sk).startswith(f"{name:02d}-")]
            assert own == sorted(own)


def test_a_refused_commit_is_the_steps_own_to_mend(tmp_path: Path) -> None:
    def mended() -> Steps[str]:
        try:
            yield from put("a")
        except ConditionFailed:
            yield from put("b")
            return "mended"
        return "put"

    with sharedctx.open(tmp_path / "store") as store:
        relay = Relay(store.backend, lambda: store.driver)
        assert relay.run(mended()) == "put"
        assert relay.run(mended()) == "mended"
        with pytest.raises(ConditionFailed):
            relay.run(put("a"))


def test_nothing_is_queued_in_a_closed_store(tmp_path: Path) -> None:
    store = sharedctx.open(tmp_path / "store")
    relay = Relay(store.backend, lambda: store.driver)
    relay.run(put("a"))
    store.close()
    with pytest.raises(BackendUnavailable):
        relay.run(put("b"))
