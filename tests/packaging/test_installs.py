"""Every way to install works away from the repository: editable, from the tree, from the wheel, from the sdist.

Nothing is downloaded: the environments get links to the dependencies that stand in this one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
CONSUMER = Path(__file__).with_name("consumer.py")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WAYS = ("editable", "tree", "wheel", "sdist")
LARGEST = 10 * 2**20


def run(*command: str | Path, cwd: Path, **extra: str) -> str:
    """Run a program without this environment's settings for Python and pip; fail with all that it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "SHAREDCTX_"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1"} | extra,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def closure(requirements: Iterable[str]) -> set[str]:
    """The distributions that requirements lead to in this environment."""
    found: set[str] = set()
    waiting = [Requirement(each) for each in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        if name not in found:
            found.add(name)
            waiting += [Requirement(each) for each in distribution(name).requires or ()]
    return found


def link(names: Iterable[str], site: Path) -> None:
    """Show the installed files of distributions in another site directory, and of nothing else."""
    for name in names:
        installed = distribution(name)
        tops = {file.parts[0] for file in installed.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in sorted(tops):
            origin = Path(str(installed.locate_file(top)))
            shared = origin.is_dir() and origin.suffix != ".dist-info" and not (origin / "__init__.py").exists()
            (site / top if shared else site).mkdir(parents=True, exist_ok=True)
            for part in origin.iterdir() if shared else [origin]:  # a namespace package is linked part by part
                target = site / part.relative_to(origin.parent)
                if not target.exists():
                    target.symlink_to(part)


class Installed:
    """An environment of its own with sharedctx installed one way."""

    def __init__(self, home: Path) -> None:
        venv.create(home, with_pip=False, symlinks=True)
        self.python = home / "bin" / "python"
        self.scripts = self.python.parent
        self.site = Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))
        link(closure(PROJECT["dependencies"]), self.site)

    def install(self, *what: str | Path, builders: Path, cwd: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.python)]
        offline = ["--no-index", "--no-cache-dir", "--no-build-isolation"]
        run(*pip, "install", *offline, *what, cwd=cwd, PYTHONPATH=str(builders))

    def own_files(self) -> dict[str, bytes]:
        """The content of the import packages, by name."""
        tops = [path for path in self.site.glob("sharedctx*") if path.is_dir() and path.suffix != ".dist-info"]
        files = [path for top in tops for path in top.rglob("*") if path.is_file() and path.suffix != ".pyc"]
        return {path.relative_to(self.site).as_posix(): path.read_bytes() for path in files}

    def shipped_bytes(self) -> int:
        """The size of sharedctx and all it depends on, without the bytecode that Python writes later."""
        walk = os.walk(self.site, followlinks=True)
        files = [Path(folder, name) for folder, _, names in walk for name in names if not name.endswith(".pyc")]
        return sum(path.stat().st_size for path in files)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel and the sdist."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir", out, ROOT, cwd=out)
    (wheel,) = out.glob("*.whl")
    (sdist,) = out.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


@pytest.fixture(scope="session")
def builders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the build backend, for installs that build without the network."""
    site = tmp_path_factory.mktemp("builders")
    link(closure(["hatchling"]), site)
    return site


@pytest.fixture(scope="session")
def installed(built: dict[str, Path], builders: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Installed]:
    """One environment for each way to install."""
    found = {}
    what: dict[str, list[str | Path]] = {"editable": ["-e", ROOT], "tree": [ROOT]}
    for way in WAYS:
        home = tmp_path_factory.mktemp(way)
        found[way] = Installed(home / "env")
        found[way].install(*what.get(way) or [built[way]], builders=builders, cwd=home)
    return found


def test_the_wheel_holds_typed_packages_at_its_top(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built["wheel"]) as wheel:
        names = wheel.namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert {"sharedctx", "sharedctx_cli"} <= tops
    assert all(f"{top}/py.typed" in names for top in tops)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert not [name for name in names if name.endswith(".pyc") or "test_" in name]


def test_the_sdist_can_be_worked_on(built: dict[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    needed = [".ci/run", "LICENSE", "README.md", "constraints.txt", "pyproject.toml", "tests/packaging/consumer.py"]
    for folder in ("core", "integrations", "tests", "docs", "examples"):
        sources = [path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md", ".typed"}]
        needed += [path.relative_to(ROOT).as_posix() for path in sources if "__pycache__" not in path.parts]
    assert not set(needed) - names


@pytest.mark.parametrize("way", WAYS)
def test_an_install_runs_away_from_the_repository(way: str, installed: dict[str, Installed], tmp_path: Path) -> None:
    where = installed[way]
    run(where.python, "-I", "-W", "error", CONSUMER, tmp_path / "store", cwd=tmp_path)
    told = run(where.python, "-I", "-c", "import sharedctx; print(sharedctx.__file__)", cwd=tmp_path)
    assert Path(told.strip()).is_relative_to(ROOT / "core" if way == "editable" else where.site)
    assert "Usage: sharedctx" in run(where.scripts / "sharedctx", "--help", cwd=tmp_path)


@pytest.fixture(scope="session")
def known_to_mypy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy keeps of the standard library and the dependencies, which are the same for every way."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("way", WAYS)
def test_mypy_reads_the_installed_types(
    way: str, installed: dict[str, Installed], known_to_mypy: Path, tmp_path: Path
) -> None:
    shutil.copy(CONSUMER, tmp_path)
    options = ["--strict", "--config-file=", "--python-executable", str(installed[way].python)]
    options += ["--cache-dir", str(known_to_mypy)]
    run(sys.executable, "-m", "mypy", *options, CONSUMER.name, cwd=tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_pyright_reads_the_installed_types(way: str, installed: dict[str, Installed], tmp_path: Path) -> None:
    shutil.copy(CONSUMER, tmp_path)
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    quiet = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # or it asks the network for a newer pyright
    run(sys.executable, "-m", "pyright", "--pythonpath", installed[way].python, cwd=tmp_path, **quiet)


def test_tree_wheel_and_sdist_install_the_same_files(installed: dict[str, Installed]) -> None:
    expected = installed["wheel"].own_files()
    assert "sharedctx/__init__.py" in expected
    assert installed["tree"].own_files() == expected
    assert installed["sdist"].own_files() == expected


def test_the_base_install_ships_at_most_ten_mebibytes(installed: dict[str, Installed]) -> None:
    assert installed["wheel"].shipped_bytes() <= LARGEST
