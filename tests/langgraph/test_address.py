"""Any text is a segment of a key, no two are the same one, and any entry's key is a namespace and a key."""

from __future__ import annotations

import pytest

pytest.importorskip("langgraph.store", reason="LangGraph is missing: pip install 'sharedctx[langgraph]'")

from hypothesis import example, given
from hypothesis import strategies as st

from sharedctx.entries.names import check_key
from sharedctx.errors import InvalidKey
from sharedctx_langgraph.store.address import address, place

TEXTS = st.text(max_size=12) | st.text("%/.25EFa\u0301e\x00 ~", max_size=10) | st.text("%2F5E", max_size=12)
LABELS = TEXTS.map(lambda text: text.replace(".", "")).filter(bool)


@given(st.lists(LABELS, max_size=3), TEXTS)
def test_what_was_addressed_is_found(labels: list[str], key: str) -> None:
    found = address(labels, key)
    assert check_key(found) == found
    assert place(found) == (tuple(labels), key)


@given(st.text("%/.25EFa\u0301e ~é", min_size=1, max_size=14))
@example("%2E/a")
@example("%252E/a")
@example("%FF/a")
@example("%25FF/a")
def test_every_entry_has_a_place_that_leads_to_it(key: str) -> None:
    try:
        check_key(key)
    except InvalidKey:
        return
    if key.endswith("/"):
        return  # seen in searches, but no item's key is empty there
    namespace, own = place(key)
    assert not any("." in label or not label for label in namespace)
    assert address(namespace, own) == key
