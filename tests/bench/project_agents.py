"""The headline: tokens that enter five models' inputs while they share a project of 10,000 tokens, over a real server.

Run it with ``python tests/bench/project_agents.py``. Everything that an agent is shown counts: the window, the values
that it fetches by the window's references, and the differences of later rounds.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import jsonpatch

from sharedctx.tokens import counter
from sharedctx_server import ContextClient
from sharedctx_server.testing import Running, running

ROLES = ("planner", "coder", "tester", "reviewer", "writer")
NEEDS = {"planner": 0, "coder": 1, "tester": 2, "reviewer": 3, "writer": 4}
ROUNDS = 10
WINDOW = 1900
TOKENS = 10_000

count = counter()


def project() -> dict[str, Any]:
    """A project's context of about 10,000 tokens."""
    found: dict[str, Any] = {
        "currentTask": {"title": "mend the parser of nested lists", "state": dict.fromkeys(ROLES, "waits")},
        "recentChanges": [f"{day} July: reworked module {day * 3}, see the notes of the reviewer" for day in range(12)],
        "projectStructure": {f"src/core/module_{n}.py": f"handles part {n} of the grammar" for n in range(40)},
        "dependencies": {f"package-{n}": f">={n}.{n + 1}" for n in range(30)},
        "completedTasks": [
            {"id": n, "what": f"task {n}: split, tested and reviewed", "by": "coder"} for n in range(20)
        ],
    }
    section = 0
    while count(json.dumps(found)) < TOKENS:
        words = [
            f"Rule {n} of section {section}: a list may hold part {n * 7 % 31} unless it is empty." for n in range(24)
        ]
        found[f"documentation/section-{section}"] = " ".join(words)
        section += 1
    return found


class Agent:
    """A scripted agent: what its model was shown, in tokens, and what it knows by that."""

    def __init__(self, server: Running, role: str) -> None:
        self.role = role
        self.client = ContextClient("parser", role, server.url)
        self.tokens: list[int] = []
        self.known: dict[str, Any] = {}

    async def look(self) -> None:
        """Be brought up to date; fetch the section that the role needs where only a reference is known."""
        shown = await self.client.optimize_context(WINDOW)
        spent, content = shown["tokens"], shown["content"]
        if shown["kind"] != "diff":
            self.known = dict(content)
        elif "patch" in content:
            self.known = jsonpatch.apply_patch(self.known, content["patch"])
        else:
            changes = content["changes"]
            self.known |= {**changes.get("added", {}), **changes.get("modified", {})}
            for name in changes.get("removed", ()):
                self.known.pop(name, None)
        wanted = f"documentation/section-{NEEDS[self.role]}"
        value = self.known[wanted]
        if isinstance(value, dict) and value.get("type") == "reference":
            self.known[wanted] = await self.client.fetch(value["location"])
            spent += count(json.dumps(self.known[wanted]))
        self.tokens.append(spent)

    async def work(self, turn: int) -> None:
        """Write what the turn brought."""
        note = {"turn": turn, "found": f"{self.role} looked at part {turn} and it holds", "next": f"part {turn + 1}"}
        name = f"notes/{self.role}"
        await self.client.update_context({"modified" if turn else "added": {name: note}})

    def knows(self, context: dict[str, Any]) -> bool:
        """Whether all that it was shown whole is as it is now."""
        return all(
            value == context[name]
            for name, value in self.known.items()
            if name != "..." and not (isinstance(value, dict) and value.get("type") == "reference")
        )


async def rounds(server: Running) -> dict[str, Any]:
    """Let the agents work, and return the figures."""
    agents = [Agent(server, role) for role in ROLES]
    await agents[0].client.set_context(project())
    await asyncio.gather(*(agent.client.connect() for agent in agents))
    replayed: list[int] = []
    for turn in range(ROUNDS):
        for agent in agents:
            context = (await agent.client.get_context(use_cache=False))["context"]
            replayed.append(count(json.dumps(context, separators=(",", ":"), ensure_ascii=False)))
            await agent.look()
            await agent.work(turn)
    for agent in agents:
        await agent.look()
        agent.tokens.pop()
    found = [await agent.client.get_context() for agent in agents]
    await asyncio.gather(*(agent.client.disconnect() for agent in agents))
    return {
        "first": sum(agent.tokens[0] for agent in agents),
        "all": sum(sum(agent.tokens) for agent in agents),
        "later": sum(agent.tokens[1] for agent in agents),
        "replayed first": sum(replayed[: len(ROLES)]),
        "replayed all": sum(replayed),
        "same": len({each["hash"] for each in found}) == 1,
        "right": all(agent.knows(found[0]["context"]) for agent in agents),
    }


def main() -> None:
    """Print the figures."""
    with running() as server:
        found = asyncio.run(rounds(server))
    print(f"round one: replay {found['replayed first']:,} tokens, shared {found['first']:,}")
    print(f"{ROUNDS} rounds: replay {found['replayed all']:,} tokens, shared {found['all']:,}")
    print(f"with the context counted as cached, as the original did: a round is {found['later']:,} tokens")
    print(f"all five end in the same state: {found['same']}; what they were shown is right: {found['right']}")


if __name__ == "__main__":
    main()
