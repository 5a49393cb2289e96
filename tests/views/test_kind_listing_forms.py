"""Listings as ls -l and tree print them: exact both ways, shorter, within a budget."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.errors import DecodeError
from sharedctx.tokens import counter
from sharedctx.views.kind import Brief, Source
from sharedctx.views.kinds.listing import KIND
from sharedctx.views.references import expand
from sharedctx.views.view import Marks

COUNT = counter()
NAMES = [f"{stem}.{end}" for stem in ("cart", "price", "stock", "order", "lamp") for end in ("py", "md", "json")]


def long() -> str:
    lines = []
    for room in ("core", "core/shop"):
        lines += [f"{room}:", "total 52", "drwxr-xr-x  3 ann staff   4096 Nov 24 03:18 ."]
        lines += [
            f"-rw-r--r--  1 ann staff {size * 97:6} Nov {day:2} 03:18 {name}"
            for size, (day, name) in enumerate(zip([1, 1, 2, 2, 2] * 3, NAMES, strict=True))
        ]
        lines.append("")
    return "\n".join(lines)  # fmt: skip


def drawn(branch: str = "├── ", last: str = "└── ", rail: str = "│   ") -> str:
    lines = ["."]
    for room in ("core", "tests"):
        outer = rail if room == "core" else "    "
        lines.append(f"{branch if room == 'core' else last}{room}")
        lines += [f"{outer}{branch}{name}" for name in NAMES]
        lines += [f"{outer}{last}deep", f"{outer}    {last}one.txt"]
    return "\n".join([*lines, "", "4 directories, 32 files", ""])


FORMS = {
    "ls": long(),
    "tree": drawn(),
    "hard spaces": drawn(rail="│\u00a0\u00a0 "),
    "ASCII": drawn("|-- ", "`-- ", "|   "),
}


def brief(budget: int | None = None, *wanted: str) -> Brief:
    return Brief(budget, COUNT, wanted, Marks("files", 4))


@pytest.mark.parametrize("form", FORMS)
def test_the_lossless_view_is_exact_and_shorter(form: str) -> None:
    text = FORMS[form]
    assert KIND.fits(Source(text)) > 0.8
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert packed.startswith("[[listing: ")
    assert KIND.unpack(packed) == text
    assert COUNT(packed) < 0.7 * COUNT(text)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
@settings(max_examples=30)
def test_disturbed_listings_come_back_exactly(form: str, data: st.DataObject) -> None:
    lines = FORMS[form].split("\n") * 2
    odd = st.sampled_from(["", "= x", " x", "A 12 ^ x", "[[x]]", "A  97 Nov  1 03:18 x", "│   ", "└── ", "    └── a\r"])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at : at + data.draw(st.integers(0, 2))] = [data.draw(odd)]
    text = "\n".join(lines)
    packed = KIND.pack(Source(text))
    assert packed is None or KIND.unpack(packed) == text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("budget", [50, 120, 300])
def test_a_budget_is_kept_and_what_is_left_out_can_be_had(form: str, budget: int) -> None:
    text = FORMS[form]
    draft = KIND.shorten(Source(text), brief(budget, "lamp"))
    assert draft is not None
    assert COUNT(draft.text) <= budget
    assert draft.refs or budget == 300
    had = "\n".join(expand(text, ref.removeprefix("v4:")) for ref in draft.refs)
    assert all(name in draft.text + had for name in NAMES)
    if budget >= 120:
        assert "lamp.py" in draft.text


def test_nonsense_under_a_legend_is_refused() -> None:
    legend = (KIND.pack(Source(long())) or "").split("\n")[0]
    drawing = (KIND.pack(Source(drawn())) or "").split("\n")[0]
    for text in (f"{legend}\nZ  12 ^ x", f"{legend}\nA  12 ^ x", f"{drawing}\n{' ' * 90}x", legend, drawing + "x\ny"):
        with pytest.raises(DecodeError):
            KIND.unpack(text)
