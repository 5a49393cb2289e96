"""Transcripts: generated logs, test runs and agents' trajectories, with planted failures."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from facts import Fact, Item, critical, item, sample

_PARTS = ("billing", "search", "mailer", "gateway", "planner", "indexer")
_THINGS = ("invoice", "session", "queue", "shard", "cursor", "lease", "batch", "snapshot", "token", "webhook")
_DONE = ("renewed", "stored", "flushed", "sent", "opened", "moved", "merged")


def transcripts(seed: int, scale: float, each: int) -> Iterator[Item]:
    """Yield ``each`` items of every kind that is a record of something running."""
    for number in range(each):
        yield _service_log(random.Random(f"{seed}/service/{number}"), f"service_{number}.log", int(900 * scale))
        yield _access_log(random.Random(f"{seed}/access/{number}"), f"access_{number}.log", int(700 * scale))
        yield _test_run(random.Random(f"{seed}/tests/{number}"), f"tests_{number}.txt", int(400 * scale))
        yield _trajectory(random.Random(f"{seed}/steps/{number}"), f"steps_{number}.json", int(40 * scale))


def _clock(seconds: int) -> str:
    return f"2026-04-02 {8 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _service_log(made: random.Random, name: str, size: int) -> Item:
    lines = [
        f"{_clock(at * 3)},{made.randrange(1000):03} INFO {made.choice(_PARTS)}[{made.randint(200, 900)}] "
        f"{made.choice(_THINGS)} {made.getrandbits(32):08x} {made.choice(_DONE)} in {made.randint(1, 90)} ms"
        for at in range(size)
    ]
    errors, rare = [], []
    for at in sorted(made.sample(range(1, size - 1), 6)):
        part, thing = made.choice(_PARTS), made.choice(_THINGS)
        code = f"{made.getrandbits(24):06x}"
        errors.append(f"{_clock(at * 3)},500 ERROR {part}[311] cannot write {thing} {code}: no space left on device")
        lines[at] = errors[-1]
    where = made.randrange(size // 3, size // 2)
    rare.append(
        f"{_clock(where * 3)},100 INFO scheduler[77] configuration reloaded from release-{made.randint(100, 999)}"
    )
    trace = [
        f"{_clock(where * 3)},200 ERROR planner[412] step failed",
        "Traceback (most recent call last):",
        f'  File "/srv/app/planner.py", line {made.randint(50, 900)}, in run_step',
        "    plan = self.solve(request)",
        f"InfeasiblePlan: no route between depot-{made.randint(10, 99)} and depot-{made.randint(10, 99)}",
    ]
    lines[where:where] = [*rare, *trace]
    facts = [
        *critical("error", [*errors, trace[-1]]),
        *critical("first-last", (lines[0], lines[-1])),
        *(Fact(line, "rare-template") for line in rare),
        *sample(made, [line for line in lines if " INFO " in line], 14),
    ]
    return item(name, "log", "\n".join(lines) + "\n", facts)


def _access_log(made: random.Random, name: str, size: int) -> Item:
    lines = [
        f"10.4.{made.randint(0, 40)}.{made.randint(2, 254)} - - [02/Apr/2026:08:{at // 60 % 60:02}:{at % 60:02} +0000] "
        f'"GET /{made.choice(_THINGS)}s/{made.randint(1, 99_999)} HTTP/1.1" 200 {made.randint(200, 90_000)}'
        for at in range(size)
    ]
    failed = []
    for at in made.sample(range(1, size - 1), 4):
        lines[at] = lines[at].replace('HTTP/1.1" 200', 'HTTP/1.1" 500').replace("GET /", "POST /admin/")
        failed.append(lines[at])
    facts = [
        *critical("error", failed),
        *critical("first-last", (lines[0], lines[-1])),
        *sample(made, lines, 14),
    ]
    return item(name, "log", "\n".join(lines) + "\n", facts)


def _test_run(made: random.Random, name: str, size: int) -> Item:
    tests = [
        f"tests/test_{made.choice(_PARTS)}.py::test_{made.choice(_THINGS)}_is_{made.choice(_DONE)}_{number}"
        for number in range(size)
    ]
    failed = sorted(made.sample(range(size), 4))
    lines = ["=" * 30 + " test session starts " + "=" * 30, f"collected {size} items", ""]
    lines += [
        f"{test} {'FAILED' if at in failed else 'PASSED'} [{100 * (at + 1) // size:3}%]"
        for at, test in enumerate(tests)
    ]
    lines += ["", "=" * 36 + " FAILURES " + "=" * 36]
    reasons = []
    for at in failed:
        short = tests[at].rpartition("::")[2]
        left, right = made.randint(100, 999), made.randint(1000, 9999)
        reasons.append(f"E       AssertionError: assert {left} == {right}")
        lines += [
            f"{'_' * 20} {short} {'_' * 20}", "", f"    def {short}(store):",
            f"        found = store.count('{made.choice(_THINGS)}')", f">       assert found == {right}", reasons[-1],
            "", f"{tests[at].partition('::')[0]}:{made.randint(10, 400)}: AssertionError",
        ]  # fmt: skip
    lines += ["=" * 26 + " short test summary info " + "=" * 26, *(f"FAILED {tests[at]}" for at in failed)]
    summary = f"{len(failed)} failed, {size - len(failed)} passed in {made.uniform(3, 60):.2f}s"
    lines.append(f"{'=' * 20} {summary} {'=' * 20}")
    facts = [
        *critical("failed-test", [tests[at].rpartition("::")[2] for at in failed]),
        *critical("E-line", reasons),
        *critical("summary", [summary]),
        *sample(made, [test.rpartition("::")[2] for at, test in enumerate(tests) if at not in failed], 10),
    ]
    return item(name, "pytest", "\n".join(lines) + "\n", facts)


def _trajectory(made: random.Random, name: str, size: int) -> Item:
    system = "You repair software. Read first, change little, run the tests, and say what you found. " * 3
    goal = f"The {made.choice(_THINGS)} of {made.choice(_PARTS)} is lost after a restart: repair it."
    messages = [{"role": "system", "content": system}, {"role": "user", "content": goal}]
    actions, errors, seen = [], [], []
    for step in range(size):
        file = f"{made.choice(_PARTS)}/{made.choice(_THINGS)}_{made.randint(1, 400)}.py"
        action = f"{made.choice(('open', 'search', 'edit', 'run'))} {file}"
        body = [
            f"{line:4} {made.choice(_THINGS)}_{made.getrandbits(16):04x} = {made.choice(_DONE)}({made.getrandbits(24)})"
            for line in range(1, made.randint(20, 60))
        ]
        if step % 9 == 5:
            errors.append(f"PermissionError: cannot lock {file} held by process {made.randint(1000, 9999)}")
            body.append(errors[-1])
        actions.append(action)
        seen += body
        messages += [
            {"role": "assistant", "content": f"Step {step}: next I look at {file}.\n\n```\n{action}\n```"},
            {
                "role": "user",
                "content": "\n".join([f"[File: {file} ({len(body)} lines total)]", *body, "(open file: n/a)"]),
            },
        ]
    revision = f"{made.getrandbits(28):07x}"
    last = f"Done: the lease of {made.choice(_PARTS)} is renewed in {actions[-1].split()[1]} at revision {revision}."
    messages.append({"role": "assistant", "content": last})
    facts = [
        *critical("action", actions, 10),
        *critical("error", errors, 6),
        *critical("final", [last]),
        *sample(made, seen, 14),
    ]
    return item(name, "trajectory", json.dumps(messages, indent=1), facts)
