"""The house rules, proved on the source: who imports whom, what is never called, how files are cut."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "core"
INTEGRATIONS = ROOT / "integrations"

# Rooms of the core, lowest floor first: a room imports from its own floor and from those below.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "forking", "extras", "lazy", "tracing", "wire"}),
    frozenset({"backends"}),
    frozenset({"versions"}),
    frozenset({"tokens", "views", "search", "settings"}),
    frozenset({"access", "audit", "entry", "driving", "served"}),
    frozenset({"entries"}),
    frozenset({"handover", "archives"}),
    frozenset({"store", "doctor", "context", "aio", "snapshot"}),
    frozenset(
        {
            "tools",
            "notes",
            "evolution",
            "opening",
            "copying",
            "outputs",
            "conversation",
            "projects",
            "callers",
        }
    ),
    frozenset({"sharedctx"}),  # the package's own __init__
    frozenset({"testing"}),
)
# Rooms that may use even less than the floors below them.
ONLY: dict[str, frozenset[str]] = {
    "tokens": frozenset({"errors", "forking", "lazy"}),
    "views": frozenset({"errors", "lazy", "tokens", "search"}),
    "search": frozenset({"errors", "extras", "forking", "backends", "versions"}),
    "settings": frozenset({"errors", "tokens", "views"}),
    "backends": frozenset({"errors", "extras", "forking"}),
    "versions": frozenset({"errors", "forking", "backends"}),
    "access": frozenset({"errors"}),
    "audit": frozenset({"errors", "backends", "versions"}),
}
# What each integration imports beyond the standard library and sharedctx; no integration imports another.
FRAMEWORKS: dict[str, frozenset[str]] = {
    "sharedctx_anthropic": frozenset(),
    "sharedctx_cli": frozenset({"click", "rich"}),
    "sharedctx_crewai": frozenset({"click", "crewai", "pydantic"}),
    "sharedctx_demo": frozenset(
        {"agents", "click", "crewai", "langchain", "langchain_core", "langgraph", "openai", "pydantic", "rich"}
    ),
    "sharedctx_langchain": frozenset({"langchain", "langchain_core", "langgraph", "pydantic"}),
    "sharedctx_langgraph": frozenset({"click", "langchain_core", "langgraph", "ormsgpack", "psycopg"}),
    "sharedctx_mcp": frozenset({"click", "h11", "mcp", "mcp_types", "pydantic_core", "starlette", "uvicorn"}),
    "sharedctx_openai": frozenset(),
    "sharedctx_openai_agents": frozenset({"agents"}),
    "sharedctx_server": frozenset(
        {
            "backports",
            "click",
            "compression",
            "httpx",
            "msgspec",
            "prometheus_client",
            "starlette",
            "uvicorn",
            "websockets",
        }
    ),
}
LATE_PACKAGES = frozenset(  # imported inside functions only
    {"boto3", "botocore", "cryptography", "numkong", "numpy", "opentelemetry", "quicktok", "redis", "tiktoken"}
)
CORE_PACKAGES = LATE_PACKAGES | {"backports", "compression", "diskcache"}
TESTING_PACKAGES = frozenset({"hypothesis", "pytest"})  # for the room "testing" besides

UNPICKLERS = frozenset({"cloudpickle", "dill", "marshal", "pickle", "shelve"})
FORBIDDEN_CALLS = frozenset({"__import__", "eval", "exec", "os.popen", "os.system", "subprocess.getoutput"})
EMPTY_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|managers?|misc|base2)(?:_|$)")
EMPTY_CLASSES = re.compile(r"(?:Utils?|Helpers?|Manager)(?![a-z])")
GIVEN_NAMES = frozenset({"SessionManager"})  # the word of those who know it from elsewhere
MACHINE_PATH = re.compile(r"(?<![\w.:/~-])(?:/(?:home|root|work|Users)/\w|[A-Z]:\\\\?Users)")
LONGEST = 300
LONGER = {
    "core/sharedctx/aio.py": 350,
    "core/sharedctx/entries/verbs.py": 310,  # every verb, each a few lines
    "core/sharedctx/context.py": 400,  # the face of everything: signatures and their docstrings
    "tests/test_house.py": 360,  # the rules and their tables
}


class Import(NamedTuple):
    """One module that a file imports, by its absolute name; ``late``: not when the file itself is imported."""

    module: str
    line: int
    late: bool
    typing_only: bool


def files(*roots: Path) -> list[Path]:
    return sorted(path for root in roots for path in root.rglob("*.py") if "__pycache__" not in path.parts)


SOURCES = files(CORE, INTEGRATIONS)
TESTS = files(ROOT / "tests", ROOT / "examples")


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=label(path))


def module_of(path: Path) -> str:
    root = CORE if path.is_relative_to(CORE) else INTEGRATIONS
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in SOURCES}


def room_of(module: str) -> str:
    """The part of the core that a module belongs to: ``sharedctx.backends.disk`` is of ``backends``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, wherever it stands; names that are modules are told as those modules."""
    here = module_of(path).split(".") if path in SOURCES else []
    package = here if path.name == "__init__.py" else here[:-1]

    def visit(node: ast.AST, late: bool, typing_only: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, late, typing_only)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                name = f"{origin}.{alias.name}"
                yield Import(name if name in MODULES else origin, node.lineno, late, typing_only)
        elif isinstance(node, ast.If) and is_type_checking(node.test):
            for inner in node.body:
                yield from visit(inner, late, True)
            for inner in node.orelse:
                yield from visit(inner, late, typing_only)
        else:
            late = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                yield from visit(child, late, typing_only)

    return visit(parse(path), False, False)


def report(faults: list[str]) -> None:
    assert not faults, "\n" + "\n".join(faults)


def test_core_imports_go_down_the_floors() -> None:
    floor = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
    faults = []
    for path in files(CORE):
        mine = room_of(module_of(path))
        if mine not in floor:
            faults.append(f"{label(path)}: give the room {mine!r} a place in FLOORS")
            continue
        for found in imports(path):
            if found.module.split(".")[0] != "sharedctx":
                continue
            theirs = room_of(found.module)
            down = floor.get(theirs, len(FLOORS)) <= floor[mine]
            if theirs != mine and not (down and theirs in ONLY.get(mine, floor.keys())):
                faults.append(f"{label(path)}:{found.line}: {mine} imports {theirs}")
    report(faults)


def test_no_module_needs_itself_to_be_imported() -> None:
    graph: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        found = {each.module for each in imports(path) if not each.late and not each.typing_only}
        graph[name] = {each for each in found if each in MODULES and each != name}
        if path.name != "__init__.py":
            graph[name] = {each for each in graph[name] if not name.startswith(each + ".")}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " <- ".join(error.args[1]))


def test_only_integrations_import_frameworks() -> None:
    faults = []
    for path in SOURCES:
        package = module_of(path).split(".")[0]
        own = CORE_PACKAGES if path.is_relative_to(CORE) else FRAMEWORKS.get(package, frozenset())
        own |= TESTING_PACKAGES if room_of(module_of(path)) == "testing" else frozenset()
        allowed = own | sys.stdlib_module_names | {package, "sharedctx"}
        allowed |= FRAMEWORKS.keys() if package == "sharedctx_demo" else frozenset()  # it plays with all of them
        faults += [
            f"{label(path)}:{found.line}: {package} imports {found.module}"
            for found in imports(path)
            if found.module.split(".")[0] not in allowed
        ]
    report(faults)


def test_slow_packages_are_imported_on_first_use() -> None:
    report(
        [
            f"{label(path)}:{found.line}: {found.module} at import time"
            for path in files(CORE)
            for found in imports(path)
            if found.module.split(".")[0] in LATE_PACKAGES and not found.late and not found.typing_only
        ]
    )
    script = "import sharedctx, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert LATE_PACKAGES.isdisjoint(loaded)


def test_nothing_is_unpickled_evaluated_or_given_to_a_shell() -> None:
    faults = []
    for path in SOURCES:
        for found in imports(path):
            if found.module.split(".")[0] in UNPICKLERS:
                faults.append(f"{label(path)}:{found.line}: imports {found.module}")
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                shell = any(
                    word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
                    for word in node.keywords
                )
                if shell or called in FORBIDDEN_CALLS or called.removeprefix("builtins.") in FORBIDDEN_CALLS:
                    faults.append(f"{label(path)}:{node.lineno}: calls {called}{' with a shell' if shell else ''}")
    report(faults)


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (*SOURCES, *TESTS)}
    longest = {path: LONGER.get(label(path), LONGEST) for path in lengths}
    report([f"{label(path)}: {lines} lines" for path, lines in lengths.items() if lines > longest[path]])


def test_names_say_what_a_thing_is() -> None:
    faults = []
    for path in (*SOURCES, *TESTS):
        for part in path.relative_to(ROOT).with_suffix("").parts:
            if EMPTY_NAMES.search(part):
                faults.append(f"{label(path)}: {part}")
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ClassDef) and EMPTY_CLASSES.search(node.name) and node.name not in GIVEN_NAMES:
                faults.append(f"{label(path)}:{node.lineno}: class {node.name}")
    report(faults)


def belongs_in_init(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.If(test=test, body=body, orelse=[]) if is_type_checking(test):
            return all(belongs_in_init(child) for child in body)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name.startswith("_")  # __all__, __version__, the table behind __getattr__
        case ast.FunctionDef(name=name):
            return name in {"__getattr__", "__dir__"}
    return False


def test_init_files_only_re_export() -> None:
    report(
        [
            f"{label(path)}:{node.lineno}: {ast.unparse(node).splitlines()[0]}"
            for path in SOURCES
            if path.name == "__init__.py"
            for node in parse(path).body
            if not belongs_in_init(node)
        ]
    )


def test_every_package_is_typed() -> None:
    packages = {path.parent for path in SOURCES if path.parent.parent in (CORE, INTEGRATIONS)}
    assert CORE / "sharedctx" in packages
    report([f"{label(package)}/py.typed is missing" for package in packages if not (package / "py.typed").is_file()])


def sleeps(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "time" and any(alias.name == "sleep" for alias in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep"


def test_no_test_sleeps() -> None:
    report([label(path) for path in TESTS if any(sleeps(node) for node in ast.walk(parse(path)))])


def test_no_file_knows_a_machine() -> None:
    texts = [*SOURCES, *TESTS, *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("*.toml")]
    texts += [path for path in (ROOT / ".ci" / "run", ROOT / "constraints.txt") if path.is_file()]
    report(
        [
            f"{label(path)}:{number}: {line.strip()}"
            for path in texts
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if MACHINE_PATH.search(line)
        ]
    )


def test_public_names_are_listed_once_resolve_and_are_documented() -> None:
    package = importlib.import_module("sharedctx")
    assert len(set(package.__all__)) == len(package.__all__)
    faults = []
    for name in package.__all__:
        found = getattr(package, name)
        if not (vars(found).get("__doc__") if inspect.isclass(found) else inspect.getdoc(found)):
            faults.append(f"sharedctx.{name} has no docstring")
    report(faults)
