"""What a server may be told: settings of the wrong kind are refused before anything is served."""

from __future__ import annotations

from typing import Any

import pytest

from sharedctx.errors import ConfigError
from sharedctx.projects import ProjectSettings
from sharedctx_server import ServerSettings


@pytest.mark.parametrize(
    "odd",
    [
        {"port": "3003"},
        {"port": 3003.5},
        {"port": 70_000},
        {"queue": "many"},
        {"queue_bytes": 1.5},
        {"max_streams": True},
        {"body_bytes": 0},
        {"idle": None},
        {"sweep_every": 1e308},
        {"heartbeat": "1"},
        {"drain": float("inf")},
        {"rate": "fast"},
        {"priorities": None},
        {"priorities": {"plan": "high"}},
        {"host": None},
        {"token": 1234567890123456},
        {"allow_hosts": "tools.local"},
        {"allow_origins": [3]},
        {"session": "a b"},
        {"projects": {"max_bytes": 1}},
    ],
)
def test_settings_of_the_wrong_kind_are_refused_by_their_name(odd: dict[str, Any]) -> None:
    [name] = odd
    with pytest.raises(ConfigError, match=name.removesuffix("ies")):
        ServerSettings(**odd)


def test_limits_of_projects_of_the_wrong_kind_are_refused_by_their_name() -> None:
    for odd in ({"ttl": "1h"}, {"ttl": True}, {"max_bytes": "10"}, {"max_projects": 0}, {"keep_versions": 1.5}):
        with pytest.raises(ConfigError, match=next(iter(odd))):
            ProjectSettings(**odd)
