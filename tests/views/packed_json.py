"""Made-up JSON for the tests of tables and documents, and how exactly two values are the same."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

AWKWARD = [
    "1", "1.0", "true", "null", "", "-", "^", "*1", "&1 x", "a,b", "x" * 30, "http://h/1", "2012-01-01", "a{b}", "#",
    "[[x", "~", "!",
    "!!", "@3[a]", '"""3\nabc"""', "\r\n", "a\nb\nc\nd" + "z" * 170, "\ud800", "\x00\x001", "01", "1e5",
    "NaN", "-Infinity",
    " a", "a ", "'x", "a;b", "(a)", "<a>", '[[rows omitted: expand("k", "all")]]',
]  # fmt: skip
texts = st.one_of(st.text(max_size=8), st.sampled_from(AWKWARD))
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts,
    st.sampled_from([1, 1.0, 0.0, -0.0, True, False]),
)  # fmt: skip
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5), max_leaves=20
)
names = st.sampled_from(["a", "b", "id", "url", "x y", "#", ".", "a.b", "$r", "key$", ""])
objects = st.dictionaries(names, leaves | values, max_size=5)


@st.composite
def tables(draw: st.DrawFn) -> list[Any]:
    """Rows that share most of their members, with sequences, templates, and inner tables."""
    base = draw(objects)
    rows: list[Any] = []
    for at in range(draw(st.integers(2, 14))):
        row = dict(base)
        for name in draw(st.lists(names, max_size=3)):
            row[name] = draw(leaves)
        if draw(st.booleans()):
            row["id"] = draw(st.sampled_from([at, str(at), at * 2]))
        row["url"] = draw(st.sampled_from([f"http://h/{row.get('id')}/x", f"{row.get('a')}/{row.get('b')}/q", "zzz"]))
        if draw(st.booleans()):
            row["inner"] = {"at": at, "list": [{"p": at, "q": 7}, {"p": draw(leaves), "q": 7}]}
        rows.append(draw(leaves) if draw(st.integers(0, 20)) == 20 else row)
    return rows


documents = st.one_of(
    st.dictionaries(texts, values, max_size=5),
    st.lists(values, max_size=5),
    st.dictionaries(texts, objects, min_size=4, max_size=8),
    tables(),
    st.builds(lambda rows: {"k": rows, "m": {f"k{at}": row for at, row in enumerate(rows)}, "n": [rows]}, tables()),
)


def same(a: Any, b: Any) -> bool:
    """Equal with types, order of names and signs of zero."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)
