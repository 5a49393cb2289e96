"""``python actor.py FACE write|read STORE SESSION``: one integration in a process of its own.

Writing stores ``text(FACE)`` under ``by/FACE`` twice, the second time onto version 1. Reading prints, as JSON by key,
what this integration is told of every other's entry, and the last line of it by reference.
"""

from __future__ import annotations

import json
import os
import sys

os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")
os.environ.setdefault("CREWAI_TESTING", "true")
os.environ.setdefault("CREWAI_TRACING_ENABLED", "false")
os.environ.setdefault("CREWAI_DISABLE_VERSION_CHECK", "true")

from faces import FACES, INSTALLED, LINES, text  # it is run as a script, from its folder

import sharedctx


def main(name: str, deed: str, address: str, session: str) -> None:
    face = next(each for each in FACES if each.name == name)
    told = {}
    with sharedctx.open(address) as store:
        use = face.on(store.session(session))
        if deed == "write":
            use("write", {"key": f"by/{name}", "value": "a first version"})
            told["wrote"] = [use("write", {"key": f"by/{name}", "value": text(name), "expected_version": 1})]
        else:
            for other in INSTALLED:
                key = f"by/{other.name}"
                told[key] = [use("read", {"key": key}), use("expand", {"key": key, "ref": f"v2:lines:{LINES}"})]
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:5])
