"""An evolution of this repository, with real measurements: methods get the docstrings of their documented twins.

Analysis and research run in parallel, in processes of their own; then a plan, an implementation on a copy, and an
evaluation that compares before, plan and after, and runs tests on the copy. Nothing here is changed, and no
network is used. Run it with ``python examples/evolution.py [REPOSITORY]``.
"""

from __future__ import annotations

import ast
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sharedctx.evolution import EvolutionConfig, EvolutionContext, EvolutionEngine, EvolutionStore

IN_COMMON = 5  # methods that two classes share, to count as twins
TESTS = "tests/context/test_context.py"
ALONE = "not redis and not dynamodb"  # the tests that start no server

Function = ast.FunctionDef | ast.AsyncFunctionDef


def classes(folder: Path) -> Iterator[tuple[str, ast.ClassDef]]:
    """Every class below a folder, with its file."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and "testing" not in path.relative_to(folder).parts:
                yield path.relative_to(folder).as_posix(), node


def methods(owner: ast.ClassDef) -> dict[str, Function]:
    """A class's public methods, overloads left out."""
    found = [node for node in owner.body if isinstance(node, Function) and not node.name.startswith("_")]
    return {node.name: node for node in found if not any("overload" in ast.unparse(d) for d in node.decorator_list)}


def measure(folder: Path) -> dict[str, Any]:
    """What ``store_original_analysis`` takes: files, metrics, issues and what could be improved."""
    files, lines, documented, issues = set(), 0, 0, []
    for path in folder.rglob("*.py"):
        lines += len(path.read_text(encoding="utf-8").splitlines())
    for path, owner in classes(folder):
        files.add(path)
        found = methods(owner)
        silent = [name for name, node in found.items() if not ast.get_docstring(node)]
        documented += len(found) - len(silent)
        if silent:
            issues.append({"file": path, "class": owner.name, "methods": silent})
    missing = sum(len(issue["methods"]) for issue in issues)
    metrics = {
        "lines": lines,
        "methods": documented + missing,
        "without_docstring": missing,
        "documented_percent": round(100 * documented / (documented + missing), 1),
    }
    return {
        "files_analyzed": sorted(files),
        "metrics": metrics,
        "issues": issues,
        "improvements": ["add_docstrings"] if issues else [],
    }


def twins(folder: Path) -> list[dict[str, Any]]:
    """For each class with silent methods, the class that has most of them documented under the same names."""
    known = [(path, owner, methods(owner)) for path, owner in classes(folder)]
    found = []
    for path, owner, own in known:
        silent = {name for name, node in own.items() if not ast.get_docstring(node)}
        best: dict[str, str] = {}
        said_by = ""
        for _, other, theirs in known:
            words = {name: ast.get_docstring(theirs[name]) or "" for name in silent & theirs.keys()}
            told = {name: text.splitlines()[0] for name, text in words.items() if text}
            if other.name != owner.name and len(told) > max(len(best), IN_COMMON - 1):
                best, said_by = told, other.name
        if best:
            found.append({"file": path, "class": owner.name, "twin": said_by, "docstrings": best})
    return found


async def analyse(store: EvolutionStore, own: str, folder: Path) -> None:
    """The analysis agent, in its own process."""
    await store.store_original_analysis(**measure(folder), evolution_id=own)


async def research(store: EvolutionStore, own: str, folder: Path) -> None:
    """The research agent, in its own process: what does the house itself do well?"""
    await store.store_external_research(
        best_practices=["Faces of one thing share their words: a method says what its documented twin says"],
        references=twins(folder),
        patterns=["docstring_of_the_twin"],
        evolution_id=own,
    )


async def plan(context: EvolutionContext) -> dict[str, Any]:
    """One task for each class that has a twin."""
    tasks = []
    for number, pair in enumerate(context.external_research["references"], 1):
        count = len(pair["docstrings"])
        priority = "high" if count >= 10 else "medium"
        tasks.append({"id": f"doc-{number}", "type": "add_docstrings", "priority": priority, **pair})
    return {"tasks": tasks, "priorities": {task["id"]: task["priority"] for task in tasks}, "dependencies": {}}


def document(source: str, owner: str, docstrings: dict[str, str]) -> tuple[str, list[str]]:
    """Put docstrings into one class's methods; returns the source and the names of the methods."""
    lines = source.splitlines(keepends=True)
    done: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            for name, method in sorted(methods(node).items(), key=lambda item: -item[1].lineno):
                first = method.body[0]
                if name in docstrings and not ast.get_docstring(method) and first.lineno > method.lineno:
                    at = first.lineno - 1
                    lines[at:at] = [f'{" " * first.col_offset}"""{docstrings[name]}"""\n']
                    done.append(name)
    return "".join(lines), sorted(done)


def bare(source: str) -> str:
    """The code without its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


class Workshop:
    """The copy that is worked on, and the agents that work there."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self.repository = repository
        self.copy = folder / "copy"
        self.target = repository / "core" / "sharedctx"
        for name in ("core", "integrations", "tests"):
            shutil.copytree(repository / name, self.copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(repository / "pyproject.toml", self.copy)

    async def implement(self, context: EvolutionContext) -> dict[str, Any]:
        """Do the plan's tasks on the copy."""
        changes, points = [], []
        for task in context.improvement_plan["tasks"]:
            path = self.copy / "core" / "sharedctx" / task["file"]
            before = path.read_text(encoding="utf-8")
            after, done = document(before, task["class"], task["docstrings"])
            path.write_text(after, encoding="utf-8")
            points.append({"file": task["file"], "lines": len(before.splitlines())})
            changes.append({"task": task["id"], "file": task["file"], "methods": done})
        return {
            "modified_files": sorted({change["file"] for change in changes}),
            "changes": changes,
            "rollback_points": points,
        }

    async def evaluate(self, context: EvolutionContext) -> dict[str, Any]:
        """Measure the copy, prove that its code is the same, and run tests on it."""
        target = self.copy / "core" / "sharedctx"
        after = measure(target)
        same = all(
            bare((target / name).read_text(encoding="utf-8")) == bare((self.target / name).read_text(encoding="utf-8"))
            for name in context.implementation_log["modified_files"]
        )
        paths = os.pathsep.join(str(self.copy / name) for name in ("core", "integrations"))
        tests = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS, "-k", ALONE),
            cwd=self.copy,
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await tests.communicate()
        before = context.metrics_before["without_docstring"]
        left = after["metrics"]["without_docstring"]
        goals = {
            "fewer methods without docstring": left < before,
            "a third fewer": left <= before * 2 / 3,
            "the code is the same": same,
            f"{TESTS} passes on the copy": tests.returncode == 0,
        }
        last = said.decode(errors="replace").strip().splitlines()
        return {
            "goals_achieved": goals,
            "metrics_comparison": {"tests": last[-1] if last else "", "without_docstring": [before, left]},
            "success_rate": sum(goals.values()) / len(goals),
            "current_state": after,
        }


async def run(repository: Path, folder: Path) -> None:
    """Run the evolution and print what came of it."""
    path = folder / "store"
    workshop = Workshop(repository, folder)

    def process(name: str) -> Any:
        async def act(context: EvolutionContext) -> None:
            words = (name, str(path), context.evolution_id, context.target_path)
            child = await asyncio.create_subprocess_exec(sys.executable, __file__, *words)
            if await child.wait():
                raise RuntimeError(f"the {name} agent ended with {child.returncode}")

        return act

    agents = {
        "analysis": process("analysis"),
        "research": process("research"),
        "plan": plan,
        "implement": workshop.implement,
        "evaluate": workshop.evaluate,
    }
    async with EvolutionStore(path=path, ttl=None, export_path=folder) as store:
        engine = EvolutionEngine(EvolutionConfig(str(workshop.target), ["documentation"]), agents, store)
        context = await engine.run_evolution()
        await show(store, context)


async def show(store: EvolutionStore, context: EvolutionContext) -> None:
    """Print the phases, the comparison and the verdict."""
    print(f"evolution {context.evolution_id}: {context.status}")
    for phase, took in (await store.metrics())["phase_durations"].items():
        print(f"  {phase:<22} {took['total']:6.2f} s")
    comparison = await store.get_comparison_data()
    print(f"\n{'metric':<22} {'before':>8} {'after':>8} {'delta':>8}")
    for name, metric in comparison["delta"]["metrics"].items():
        print(f"{name:<22} {metric['before']:>8} {metric['after']:>8} {metric['delta']:>+8.4g}")
    print(f"\nplan, estimated impact {comparison['plan']['estimated_impact']:.2f}")
    for task in comparison["plan"]["tasks"]:
        done = comparison["delta"]["tasks"][task["id"]]
        count = sum(len(change["methods"]) for change in done["changes"])
        print(
            f"  [{'x' if done['done'] else ' '}] {task['id']} {task['class']} like {task['twin']}: {count} docstrings"
        )
    results = context.evaluation_results
    print(
        f"\n{results['verdict']}, {results['success_rate']:.0%} of the goals ({results['metrics_comparison']['tests']})"
    )
    for goal, reached in results["goals_achieved"].items():
        print(f"  [{'x' if reached else ' '}] {goal}")
    exported = await store.export_context()
    copy = await store.get_context(await store.import_context(exported))
    assert copy is not None
    same = {**copy.to_dict(), "evolution_id": context.evolution_id} == context.to_dict()
    writers = sorted({update.agent or "agent process" for update in await store.history("original_analysis")})
    print(f"\nanalysis by {', '.join(writers)}; exported, imported, equal: {same}")


async def act_alone(name: str, path: str, own: str, folder: str) -> None:
    """What an agent's process does."""
    async with EvolutionStore(path=path, ttl=None) as store:
        await {"analysis": analyse, "research": research}[name](store.bind(f"agent:{name}"), own, Path(folder))


if __name__ == "__main__":
    if len(sys.argv) == 5:
        asyncio.run(act_alone(*sys.argv[1:]))
    else:
        here = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
        with tempfile.TemporaryDirectory() as temporary:
            asyncio.run(run(here, Path(temporary)))
