"""Contract: the store's clock follows the injected one and never runs backwards."""

from __future__ import annotations

from ..backends.base import Backend
from .clock import ManualClock


class Time:
    """``now`` and ``expired``."""

    def test_the_clock_follows_the_one_it_was_given(self, backend: Backend, clock: ManualClock) -> None:
        for _ in range(3):
            assert clock() <= backend.now() < clock() + 1
            clock.advance(60)

    def test_the_clock_never_runs_backwards(self, backend: Backend, clock: ManualClock) -> None:
        told = backend.now()
        clock.advance(-1000)
        assert backend.now() >= told
        clock.advance(2000)
        later = backend.now()
        assert later >= told + 999
        clock.set(0)
        assert backend.now() >= later

    def test_expiry_is_reached_with_the_clock(self, backend: Backend, clock: ManualClock) -> None:
        expires = clock() + 10
        assert not backend.expired(expires)
        clock.advance(9)
        assert not backend.expired(expires)
        clock.advance(1)
        assert backend.expired(expires)

    def test_what_never_expires_has_not_expired(self, backend: Backend, clock: ManualClock) -> None:
        clock.advance(10**9)
        assert not backend.expired(None)

    def test_expired_stays_true_when_the_clock_is_set_back(self, backend: Backend, clock: ManualClock) -> None:
        expires = clock() + 10
        clock.advance(10)
        assert backend.expired(expires)
        clock.advance(-5000)
        assert backend.expired(expires)
        assert not backend.expired(expires + 100)


__all__ = ["Time"]
