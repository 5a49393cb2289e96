"""Five agents share a project over plain HTTP: a window first, then only what changed.

Run it with ``python examples/five_agents.py``; it starts a server of its own. With a URL it uses that one.
"""

from __future__ import annotations

import json
import sys
import threading
import urllib.request
from typing import Any

ROLES = ("planner", "coder", "tester", "reviewer", "writer")
PROJECT = {
    "currentTask": "mend the parser",
    "documentation": [f"Rule {n}: a list may hold part {n % 7} unless it is empty." for n in range(300)],
    "history": [f"turn {n}: nothing of note" for n in range(300)],
}


class Agent:
    """One agent: no library, only HTTP."""

    def __init__(self, url: str, role: str) -> None:
        self.url = url
        self.role = role
        self.version = 0
        self.shown = 0

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send JSON and return the JSON of the reply."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Agent-Id": self.role, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    def look(self) -> Any:
        """Return what brings a model up to date for the fewest tokens."""
        since = f"&since={self.version}&windowed=true" if self.version else ""
        found = self.ask("GET", f"/context/parser/optimized?maxTokens=400{since}")
        self.version = found["version"]
        self.shown += found["tokens"]
        return found

    def work(self) -> None:
        """Look, fetch the rules where only a reference is there, and write a note; a model would think here."""
        content = self.look()["content"]
        reference = content.get("documentation")
        if self.role == "reviewer" and isinstance(reference, dict):
            rules = self.ask("GET", reference["location"])["value"]
            print(f"{self.role} fetched {len(rules)} rules")
        self.ask("POST", "/context/parser/diff", {"added": {f"notes/{self.role}": f"{self.role} is done"}})


def main(url: str) -> None:
    """Let five agents work at the same time, and show that they end in the same state."""
    agents = [Agent(url, role) for role in ROLES]
    agents[0].ask("PUT", "/context/parser", {"context": PROJECT})
    threads = [threading.Thread(target=agent.work) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for agent in agents:
        agent.look()
    hashes = {agent.ask("GET", "/context/parser")["hash"] for agent in agents}
    whole = agents[0].ask("GET", "/context/parser/optimized?maxTokens=100000")["totalTokens"]
    shown = sum(agent.shown for agent in agents)
    print(f"five agents, two looks each: {shown:,} tokens shown, {whole * len(agents) * 2:,} by replay")
    print(f"all at version {agents[0].version}: {len(hashes) == 1}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1].rstrip("/"))
    else:
        from sharedctx_server.testing import running

        with running() as server:
            main(server.url)
