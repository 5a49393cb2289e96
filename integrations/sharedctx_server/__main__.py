"""The process that a background start runs: ``python -m sharedctx_server --store ADDRESS --settings JSON``."""

from __future__ import annotations

import argparse
import os
import sys

from sharedctx.errors import SharedContextError

from .background import from_json
from .running import serve

if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m sharedctx_server", description=__doc__)
    options.add_argument("--store", required=True)
    options.add_argument("--settings", required=True)
    given = options.parse_args()
    try:
        serve(given.store, settings=from_json(given.settings, os.environ.get("SHAREDCTX_TOKEN")))
    except SharedContextError as error:
        sys.exit(f"sharedctx: {error.message}")
