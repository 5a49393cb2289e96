"""LangGraph's own tests with this project's checkpointer plugged in, taken from the packages' source distributions.

    python tests/langgraph/official.py [--quick] [--sdist DIR] [-n WORKERS] [-- PYTEST OPTIONS]

Runs langgraph-checkpoint-conformance, on disk and in memory, then LangGraph's tests that use a checkpointer, twice: as
they are, and with LANGGRAPH_STRICT_MSGPACK=true. LangGraph's own saver in memory runs along: a test that fails with
both fails for the versions that are installed, and is told and not counted. Exits 1 when one fails with ours alone,
and again when it is repeated.

Needs what those tests import: langgraph-checkpoint-conformance langgraph-checkpoint-sqlite
langgraph-checkpoint-postgres psycopg-binary pytest-mock pytest-xdist syrupy pycryptodome redis hatchling pip.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

QUICK = "test_pregel.py or test_time_travel"

PLUG = """

# Appended by the run of sharedctx: ours beside the one in memory, nothing else.
import contextlib, tempfile
from sharedctx_langgraph import ContextSaver

@contextlib.contextmanager
def _ours():
    with tempfile.TemporaryDirectory() as folder, ContextSaver.from_path(folder + "/store") as saver:
        yield saver

@contextlib.asynccontextmanager
async def _ours_async():
    with _ours() as saver:
        yield saver

@pytest.fixture(params=["ours", "theirs"])
def sync_checkpointer(request):
    with _ours() if request.param == "ours" else _checkpointer_memory() as saver:
        yield saver

@pytest.fixture(params=["ours", "theirs"])
async def async_checkpointer(request):
    async with _ours_async() if request.param == "ours" else _checkpointer_memory_aio() as saver:
        yield saver

@contextlib.asynccontextmanager
async def _checkpointer_memory_aio():
    with _checkpointer_memory() as saver:
        yield saver

def pytest_collection_modifyitems(config, items):
    chosen, others = [], []
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        plugged = {"sync_checkpointer", "async_checkpointer"} & params.keys()
        (chosen if plugged else others).append(item)
    items[:] = chosen
    config.hook.pytest_deselected(items=others)
"""


async def conformance() -> bool:
    """Run the conformance tests and print what came out."""
    from langgraph.checkpoint.conformance import checkpointer_test, validate
    from langgraph.checkpoint.conformance.report import ProgressCallbacks

    from sharedctx_langgraph import ContextSaver

    async def on_disk() -> AsyncIterator[ContextSaver]:
        with tempfile.TemporaryDirectory() as folder, ContextSaver.from_path(f"{folder}/store") as saver:
            yield saver

    async def in_memory() -> AsyncIterator[ContextSaver]:
        with ContextSaver.from_url("memory://") as saver:
            yield saver

    good = True
    for name, factory in (("disk", on_disk), ("memory", in_memory)):
        report = await validate(checkpointer_test(name=name)(factory), progress=ProgressCallbacks.quiet())
        for capability, result in report.results.items():
            whole = result.detected and not result.tests_failed
            good = good and whole
            print(f"conformance, {name}: {capability} {result.tests_passed} passed, {result.tests_failed} failed")
            for failure in result.failures or ():
                print(f"    {failure}")
    return good


def tests_of_langgraph(folder: Path, sdist: Path | None) -> Path:
    """Return a folder with LangGraph's tests, ours plugged in."""
    if sdist is None:
        wanted = f"langgraph=={importlib.metadata.version('langgraph')}"
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--dest", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, wanted], check=True)
        with tarfile.open(next(folder.glob("langgraph-*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        sdist = next(path for path in folder.glob("langgraph-*") if path.is_dir())
    root = folder / "run"
    shutil.copytree(sdist / "tests", root / "tests")
    (root / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -p no:cacheprovider\n")
    with (root / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(PLUG)
    return root


def failures(output: str) -> set[str]:
    """The tests that failed, by what pytest printed."""
    return set(re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE))


def run(root: Path, options: list[str], *, strict: bool) -> bool:
    """Run LangGraph's tests; returns whether none failed with ours alone."""
    environment = {**os.environ, "NO_DOCKER": "true", "LANGSMITH_TRACING": "false"}
    environment["LANGGRAPH_STRICT_MSGPACK"] = str(strict).lower()
    command = [sys.executable, "-m", "pytest", "tests", "-q", "--tb=line", "-rf", *options]
    done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    failed = failures(done.stdout)
    ours = {each for each in failed if "theirs" not in each}
    alone = {each for each in ours if each.replace("ours", "theirs") not in failed}
    if alone:  # some wait for hundredths of a second: on a busy machine they fail with any saver
        again = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-rf", *sorted(alone)]
        repeated = subprocess.run(again, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        alone &= failures(repeated.stdout)
        print(repeated.stdout if alone else "", end="")
    mode = "strict" if strict else "plain"
    print(f"LangGraph's tests, {mode}: {done.stdout.strip().splitlines()[-1]}")
    for each in sorted(ours):
        too = each.replace("ours", "theirs") in failed
        why = "fails with ours alone" if each in alone else "fails with theirs too" if too else "passed when repeated"
        print(f"    {each}: {why}")
    if done.returncode not in (0, 1):
        print(done.stdout[-4000:])
    return done.returncode in (0, 1) and not alone


def main() -> None:
    """Run what was asked for."""
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("--quick", action="store_true", help="a part of LangGraph's tests, once")
    words.add_argument("--sdist", type=Path, metavar="DIR", help="LangGraph's unpacked source distribution")
    words.add_argument("-n", default="0", metavar="WORKERS", help="processes that run tests")
    words.add_argument("options", nargs="*", help="for pytest")
    asked = words.parse_args()
    options = ["-n", asked.n, "--dist", "worksteal", *asked.options] if asked.n != "0" else list(asked.options)
    good = asyncio.run(conformance())
    with tempfile.TemporaryDirectory() as folder:
        root = tests_of_langgraph(Path(folder), asked.sdist)
        if asked.quick:
            good &= run(root, [*options, "-k", QUICK], strict=True)
        else:
            good = run(root, options, strict=False) and good
            good = run(root, options, strict=True) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
