"""The vector index needs numpy."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy", reason="numpy is not installed: pip install 'sharedctx[vectors]'")
