"""A query into a JSON document gives the smallest object that has its words, with a path that leads there."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.views import expand
from sharedctx.views.sections import sections

PODS = {
    "kind": "List",
    "items": [
        {
            "metadata": {"name": f"pod-{n}", "labels": {"app": f"app{n % 7}", "tier": "back end"}},
            "spec": {
                "containers": [
                    {
                        "name": name,
                        "image": f"{name}:1.{n}",
                        "env": [{"name": f"V{k}", "value": "x" * 40} for k in range(9)],
                    }
                    for name in ("web", "proxy")
                ]
            },
        }
        for n in range(40)
    ],
}
keys = st.text(max_size=6) | st.sampled_from(["name", "a b", '"', "x" * 90, "…"])
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=40) | st.just("word " * 400),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(keys, inner, max_size=12),
    max_leaves=80,
)


def test_a_query_gives_the_object_around_the_words_and_its_path() -> None:
    found = expand(json.dumps(PODS, indent=2), "query:proxy:1.23").split("\n")[0]
    path, _, text = found.partition(": ")
    assert path == "$.items[23].spec.containers[1]"
    assert text.startswith('{"name":"proxy","image":"proxy:1.23"')


def test_the_name_of_an_object_finds_what_it_holds() -> None:
    more = {name: f"{name} " * 80 for name in ("notes", "owners", "history")}
    settings_of = {f"service{n}": {"limits": {"memory": f"{n}Mi", "why": "because " * 50}, **more} for n in range(30)}
    assert expand(json.dumps(settings_of), "query:service7 limits memory").startswith("$.service7.limits: ")
    assert expand(settings_of, "path:$.service7.limits").startswith('{"memory":"7Mi"')


def test_rows_too_long_to_be_told_whole_are_told_by_the_object_in_them() -> None:
    found = expand(PODS["items"], "query:proxy:1.23").split("\n")[0]
    assert found.startswith('$[23].spec.containers[1]: {"name":"proxy"')


@settings(max_examples=150)
@given(values)
def test_every_path_leads_to_what_its_section_shows(value: Any) -> None:
    shown = []
    for path, text in sections(value, "$"):
        there = expand([value], f"path:$[0]{path[1:]}")
        if text.endswith(",…}") and there.startswith("{"):
            assert json.loads(text.replace(",…}", "}")).items() <= json.loads(there).items() or "…" in there
        else:
            assert text in there or json.loads(text) == there
        shown.append(text)
    numbers = [leaf for leaf in leaves(value) if isinstance(leaf, int)]
    assert all(any(str(leaf) in text for text in shown) for leaf in numbers)


def leaves(value: Any) -> list[Any]:
    """All values that hold no others."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [leaf for each in inner for leaf in leaves(each)]
    return [value]


def test_long_names_and_deep_values_are_cut_all_the_same() -> None:
    deep: Any = ["word"] * 300
    for _ in range(300):
        deep = {"inner": deep}
    wide: Any = {"n" * 5000: {str(n): "v" * 50 for n in range(300)}}
    for value in (deep, wide):
        found = sections(value, "$")
        assert all(len(path) < 6000 and len(text) <= 1000 for path, text in found)
        assert expand(value, "query:word 299")
