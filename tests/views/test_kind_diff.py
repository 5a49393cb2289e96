"""Views of diffs: every change under its file, context by reference."""

from __future__ import annotations

import difflib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.tokens import Estimate
from sharedctx.views import compress
from sharedctx.views.kind import Brief, Draft, Source
from sharedctx.views.kinds.diff import KIND
from sharedctx.views.view import Marks

count = Estimate("estimate")

GIT = """commit 0123456789abcdef0123456789abcdef01234567
Author: A Person <a@example.org>
Date:   Mon Jan 5 10:00:00 2026 +0000

    shop: sell faster

    It was slow.
---
 shop/sell.py    | 4 ++--
 shop/counter.py | 9 +++++++++
 old.bin         | Bin 10 -> 0 bytes
 3 files changed, 11 insertions(+), 2 deletions(-)

diff --git a/shop/sell.py b/shop/sell.py
index 1234567..89abcde 100644
--- a/shop/sell.py
+++ b/shop/sell.py
@@ -10,9 +10,9 @@ class Shop:
     context one
     context two
     context three
-    return slow(thing)
--- a comment in SQL
+    return fast(thing)
+++ counter
     context four
     context five
     context six
diff --git a/shop/counter.py b/shop/counter.py
new file mode 100644
index 0000000..89abcde
--- /dev/null
+++ b/shop/counter.py
@@ -0,0 +1,2 @@
+def counted():
+    pass
\\ No newline at end of file
diff --git a/name.py b/other.py
similarity index 100%
rename from name.py
rename to other.py
diff --git a/old.bin b/old.bin
index 1234567..89abcde 100644
Binary files a/old.bin and b/old.bin differ
"""


def view(text: str, budget: int | None = None, *wanted: str) -> Draft:
    draft = KIND.shorten(Source(text), Brief(budget, count, wanted, Marks("key", 3)))
    assert draft is not None
    return draft


def uncovered(text: str, draft: Draft) -> list[str]:
    lines = text.split("\n")
    left = set(range(len(lines)))
    for ref in draft.refs:
        found = re.fullmatch(r"v3:lines:(\d+)(?:-(\d+))?", ref)
        assert found, ref
        left -= set(range(int(found[1]) - 1, int(found[2] or found[1])))
    return [lines[index] for index in left if lines[index].rstrip("\r") not in draft.text]


def test_changes_stay_and_context_goes() -> None:
    draft = view(GIT)
    for kept in (
        "A Person", "sell faster", "It was slow", "3 files changed", "+++ b/shop/sell.py", "class Shop:",
        "-    return slow(thing)",
        "--- a comment in SQL", "+    return fast(thing)", "+++ counter", "--- /dev/null", "+++ b/shop/counter.py",
        "+def counted():", "No newline at end", "rename from name.py", "rename to other.py", "Binary files a/old.bin",
    ):  # fmt: skip
        assert kept in draft.text, kept
    for gone in ("context", "index ", "| 4 ++--"):
        assert gone not in draft.text, gone
    assert not uncovered(GIT, draft)


CONTEXT = """*** old.txt\t2026-01-01
--- new.txt\t2026-01-02
***************
*** 1,7 ****
  context one
  context two
! slow
  context three
--- 1,7 ----
  context one
  context two
! fast
  context three
***************
*** 20,26 ****
  context four
  context five
- gone
  context six
--- 20,25 ----
"""
COMBINED = """diff --cc shop.py
index 1234567,89abcde..0000001
--- a/shop.py
+++ b/shop.py
@@@ -1,4 -1,4 +1,5 @@@
  context one
  context two
- slow
 -slower
++fast
  context three
"""
NORMAL = """5,6c5,6
< slow
< slower
---
> fast
> faster
9d8
< gone
12a12
> new
"""


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (CONTEXT, ["--- new.txt", "! slow", "! fast", "- gone", "*** 20,26 ****"]),
        (COMBINED, ["+++ b/shop.py", "- slow", " -slower", "++fast", "@@@ -1,4"]),
    ],
)
def test_context_and_combined_diffs_are_read(text: str, kept: list[str]) -> None:
    assert KIND.fits(Source(text)) > 0.9
    draft = view(text)
    for line in kept:
        assert line in draft.text
    assert "context" not in draft.text
    assert not uncovered(text, draft)


def test_a_normal_diff_is_known() -> None:
    assert KIND.fits(Source(NORMAL)) > 0.9
    assert KIND.shorten(Source(NORMAL), Brief(None, count, (), Marks("key", 3))) is None  # nothing to leave out


def test_a_lock_file_is_told_by_its_name_alone() -> None:
    lock = "--- a/web/yarn.lock\n+++ b/web/yarn.lock\n@@ -0,0 +1,90 @@\n" + "".join(
        f'+package-{n}@^1.{n}.0:\n+  version "1.{n}.3"\n+  resolved "https://example.org/{n}"\n' for n in range(30)
    )
    draft = view(GIT + lock)
    assert "+++ b/web/yarn.lock …" in draft.text
    assert "package-7" not in draft.text
    assert "package-7" in view(GIT + lock, None, "package-7@").text
    assert not uncovered(GIT + lock, draft)


def test_a_long_list_of_like_lines_is_shown_by_its_ends() -> None:
    rows = "".join(f"-- person {chr(97 + n % 26)} <{n}@example.org>\n" for n in range(100))
    text = f"--- a/AUTHORS\n+++ /dev/null\n@@ -1,102 +0,0 @@\n-All authors.\n{rows}-That is all!\n"
    draft = view(text)
    for kept in ("-All authors.", "<0@", "<99@", "-That is all!"):
        assert kept in draft.text
    assert "<50@" not in draft.text
    assert not uncovered(text, draft)


@pytest.mark.parametrize("budget", [50, 90, 200, 500])
@pytest.mark.parametrize("wanted", [(), ("fast",)])
def test_a_budget_is_kept_and_everything_can_be_had(budget: int, wanted: tuple[str, ...]) -> None:
    text = GIT * 6
    draft = view(text, budget, *wanted)
    assert count(draft.text) <= budget
    assert not uncovered(text, draft)
    if budget > 100:
        assert "shop/sell.py" in draft.text
        assert not wanted or "+    return fast(thing)" in draft.text


def test_other_texts_are_not_taken_for_diffs() -> None:
    program = "def f(x):\n    return -x\n\n+y\n-z\n" * 30
    prose = "--- \n\nSome words\n--- and\n+++ more\n- an item\n+ another\n" * 30
    for text in (program, prose, "", "x" * 5000, "5d4 is no move\n" * 40):
        assert KIND.fits(Source(text)) == 0


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["a", "b", "c", "-- x", "++ y", "", "@@ -1 +1 @@", "…1-9"]), max_size=60),
    st.lists(st.sampled_from(["a", "b", "d", "-- x", "++ z", "", "--- a/x", "diff --git a b"]), max_size=60),
    st.integers(50, 200),
)
def test_every_change_of_any_diff_is_shown(old: list[str], new: list[str], budget: int) -> None:
    text = "\n".join(difflib.unified_diff(old, new, "a/x", "b/x", n=3, lineterm=""))
    draft = KIND.shorten(Source(text), Brief(None, count, (), Marks("key", 3)))
    if draft is not None:
        shown = [re.sub(r" …\d+(?:-\d+)?$", "", line) for line in draft.text.split("\n")]
        assert not uncovered(text, draft)
        changes = [line for line in text.split("\n")[2:] if line[:1] in ("+", "-")]
        if len(changes) < 30:
            assert [line for line in shown[1:] if line[:1] in ("+", "-")][-len(changes) :] == changes
    small = KIND.shorten(Source(text), Brief(budget, count, ("y",), Marks("key", 3)))
    if small is not None:
        assert count(small.text) <= budget
        assert not uncovered(text, small)


@settings(max_examples=60)
@given(st.text("-+ @*d\n<>5,c1abi.\r", max_size=800))
def test_any_text_loses_nothing(text: str) -> None:
    KIND.fits(Source(text))
    for budget in (None, 60):
        draft = KIND.shorten(Source(text), Brief(budget, count, (), Marks("key", 3)))
        if draft is not None:
            assert not uncovered(text, draft)


def test_a_small_budget_names_files_of_one_folder_in_rows() -> None:
    text = "".join(
        f"--- a/shop/parts/part{n}.py\n+++ b/shop/parts/part{n}.py\n"
        f"@@ -1,1 +1,1 @@\n-    return old_{n}\n+    return new_{n}\n"
        for n in range(30)
    )
    draft = view(text, 150)
    assert count(draft.text) <= 150
    assert "+++ b/shop/parts/part0.py part1.py part2.py" in draft.text
    for n in range(30):
        assert f"part{n}.py" in draft.text


def test_a_small_view_of_a_long_diff_tells_of_its_last_file() -> None:
    first = "".join(f"+    total += prices[{n}] * amount_{n}\n" for n in range(4000))
    patch = (
        f"diff --git a/long.py b/long.py\n--- a/long.py\n+++ b/long.py\n@@ -1,0 +1,4000 @@\n{first}"
        "diff --git a/last.py b/last.py\n--- a/last.py\n+++ b/last.py\n@@ -1 +1,2 @@\n import os\n+import zlib\n"
    )
    view = compress(patch, key="patch", max_tokens=300)
    assert view.kind == "diff"
    assert "long.py" in view.text
    assert "last.py" in view.text
    assert "+import zlib" in view.text
    asked = compress(patch, key="patch", max_tokens=300, query="amount_3210")
    assert "+    total += prices[3210] * amount_3210" in asked.text
