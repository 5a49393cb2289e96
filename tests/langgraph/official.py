"""LangGraph's own tests with this project's checkpointer plugged in, taken from the packages' source distributions.

    python tests/langgraph/official.py [--quick] [--sdists DIR] [-n WORKERS] [-- PYTEST OPTIONS]

Runs langgraph-checkpoint-conformance, on disk and in memory; the tests of LangGraph's store in memory and of its SQLite
stores and savers (official_stores.py says which few are left out); then LangGraph's tests that use a checkpointer,
twice: as they are, and with LANGGRAPH_STRICT_MSGPACK=true. There LangGraph's own saver in memory runs along: a test
that fails with both fails for the versions that are installed, and is told and not counted. Exits 1 when one fails with
ours alone, and again when it is repeated.

Needs ``pip install 'sharedctx[all,dev,suites]'``; pip downloads the source distributions of the installed versions.
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

from official_stores import SUITES, Suite

QUICK = "ours and (test_time_travel or test_subgraph_persistence or test_delta or test_interruption)"

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


class Sdists:
    """The unpacked source distributions of the installed packages, downloaded by pip unless they are in ``given``."""

    def __init__(self, folder: Path, given: Path | None) -> None:
        self._folder = folder
        self._given = given

    def find(self, package: str) -> Path:
        """Return a package's source distribution."""
        version = importlib.metadata.version(package)
        name = f"{package.replace('-', '_')}-{version}"
        root = (self._given or self._folder) / name
        if not root.is_dir():
            options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-binary", ":all:"]
            command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(self._folder)]
            subprocess.run([*command, f"{package}=={version}"], check=True)
            with tarfile.open(self._folder / f"{name}.tar.gz") as archive:
                archive.extractall(self._folder, filter="data")
            root = self._folder / name
        return root


def tests_of_langgraph(folder: Path, sdist: Path) -> Path:
    """Return a folder with LangGraph's tests, ours plugged in."""
    root = folder / "run"
    shutil.copytree(sdist / "tests", root / "tests")
    (root / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -p no:cacheprovider\n")
    with (root / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(PLUG)
    return root


def failures(output: str) -> set[str]:
    """The tests that failed, by what pytest printed."""
    return set(re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE))


def tested(root: Path, options: list[str], *, strict: bool) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder."""
    environment = {**os.environ, "NO_DOCKER": "true", "LANGSMITH_TRACING": "false", "TMPDIR": str(root)}
    environment["LANGGRAPH_STRICT_MSGPACK"] = str(strict).lower()
    command = [sys.executable, "-m", "pytest", "-q", "-rf", *options]
    return subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=False)


def repeated(root: Path, failed: set[str], *, strict: bool) -> set[str]:
    """Return the tests that fail again: some wait for hundredths of a second, and a busy machine has none to spare."""
    if not failed:
        return failed
    done = tested(root, ["--tb=short", *sorted(failed)], strict=strict)
    again = failed & failures(done.stdout)
    print(done.stdout if again else "", end="")
    return again


def run_suite(suite: Suite, sdists: Sdists, folder: Path, options: list[str]) -> bool:
    """Run the tests of an official store or saver; returns whether all pass."""
    root = suite.lay_out(sdists.find(suite.package), folder / suite.title.replace(" ", "-"))
    chosen = [f"tests/{name}" for name in suite.files]
    deselected = ["-k", suite.expression] if suite.left_out else []
    done = tested(root, [*chosen, "-W", "ignore", "--tb=line", *deselected, *options], strict=False)
    failed = failures(done.stdout)
    again = repeated(root, failed, strict=False)
    print(f"tests of {suite.title}: {done.stdout.strip().splitlines()[-1]}")
    for name, why in suite.left_out.items():
        print(f"    left out: {name}: {why}")
    for each in sorted(failed - again):
        print(f"    {each}: passed when repeated")
    if done.returncode not in (0, 1):
        print(done.stdout[-4000:])
    return done.returncode in (0, 1) and not again


def run(root: Path, options: list[str], *, strict: bool) -> bool:
    """Run LangGraph's tests; returns whether none failed with ours alone."""
    done = tested(root, ["tests", "--tb=line", *options], strict=strict)
    failed = failures(done.stdout)
    ours = {each for each in failed if "theirs" not in each}
    alone = {each for each in ours if each.replace("ours", "theirs") not in failed}
    alone = repeated(root, alone, strict=strict)
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
    words.add_argument("--quick", action="store_true", help="a part of the tests, once")
    words.add_argument("--sdists", type=Path, metavar="DIR", help="a folder of unpacked source distributions")
    words.add_argument("-n", default="0", metavar="WORKERS", help="processes that run tests")
    words.add_argument("options", nargs="*", help="for pytest")
    asked = words.parse_args()
    options = ["-n", asked.n, "--dist", "worksteal", *asked.options] if asked.n != "0" else list(asked.options)
    good = asyncio.run(conformance())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sdists = Sdists(folder, asked.sdists)
        for suite in SUITES:
            if asked.quick and suite.slow:
                continue
            good = run_suite(suite, sdists, folder, options) and good
        root = tests_of_langgraph(folder, sdists.find("langgraph"))
        if asked.quick:
            good = run(root, [*options, "-k", QUICK], strict=True) and good
        else:
            good = run(root, options, strict=False) and good
            good = run(root, options, strict=True) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
