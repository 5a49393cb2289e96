"""What integrations stand on: stores and contexts given to them, stores they open, packages that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

import sharedctx
from sharedctx.errors import BackendUnavailable, ConfigError, PackageNotInstalled
from sharedctx.extras import extra
from sharedctx.opening import Opening


def test_a_given_store_stays_open(tmp_path: Path) -> None:
    with sharedctx.open(tmp_path / "store") as store:
        opening = Opening(store)
        opening.context("team").put("key", "text")
        opening.close()
        assert store.session("team").get("key", full=True) == "text"


def test_a_given_context_keeps_its_session_and_participant(tmp_path: Path) -> None:
    with sharedctx.SharedContext("team", path=tmp_path / "store") as given:
        bound = given.bind("researcher")
        opening = Opening(bound)
        assert opening.context() is bound
        assert opening.context("team") is bound
        with pytest.raises(ConfigError, match="pass its store"):
            opening.context("other")
        opening.close()
        assert given.keys() == []


@pytest.mark.parametrize("word", ["path", "url"])
def test_what_was_opened_here_is_closed_here(tmp_path: Path, word: str) -> None:
    opening = Opening(path=tmp_path / "store") if word == "path" else Opening(url=f"disk://{tmp_path}/store")
    context = opening.context(ttl=60)
    context.put("key", "text")
    opening.close()
    opening.close()
    with pytest.raises(BackendUnavailable):
        context.get("key")


def test_a_store_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="once"):
        Opening(path=tmp_path / "a", url="memory://")
    with pytest.raises(ConfigError, match="str is no Store"):
        Opening(str(tmp_path))  # type: ignore[arg-type]


def test_a_missing_package_is_told_with_the_command_that_installs_it() -> None:
    said = r"the saver needs the package 'a_package_nobody_has': pip install 'sharedctx\[langgraph\]'"
    with pytest.raises(PackageNotInstalled, match=said), extra("langgraph", "the saver"):
        import a_package_nobody_has  # noqa: F401
    assert issubclass(PackageNotInstalled, ImportError)
