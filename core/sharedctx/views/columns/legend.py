"""The first line of a packed view: what a model must know to read the rest."""

from __future__ import annotations

from collections.abc import Iterable, Set

_EXPLAINED = (
    ("numbered", "rows have their number before them; # tells of all rows"),
    ("picked", "[7]:x in an array: x is its part 7"),
    ("table", "@3[a,b]: array of 3 objects, then a line of cells for each"),
    ("map", "@3<#,a>: object of 3 members, # their names"),
    ("record", "a(b,c): cell (1,2) is an object"),
    ("list", "a[b,c]: cell [1,2;3,4] is an array of objects"),
    ("map-cell", "a<#,b>: cell <x,1;y,2> is an object of objects"),
    ("const", "a=1: 1 in every row"),
    ("steps", "a=(1 +2): counts up by row"),
    ("default", "a|1: 1 where the cell is empty"),
    ("template", 'a~"x{b}{}": b and the cell put in'),
    ("optional", 'a~"x{b}"?: that where the cell is empty'),
    ("same", "a~b: as b"),
    ("sticky", "a^: as the last line that starts with ^ says"),
    ("ditto", "^: as above"),
    ("anchor", "&1 names a part, *1 repeats it"),
    ("alone", "a$: numbers are text"),
    ("whole", "! before a value: not by its column"),
)

_BRIEFLY = {
    "numbered": "7: row 7",
    "picked": "[7]: part 7",
    "table": "",
    "map": "#: names",
    "record": "",
    "list": "",
    "map-cell": "",
    "const": "",
    "alone": "",
    "template": 'a~"x{b}{}": b and the cell put in',
}


def legend(name: str, what: str, used: Set[str], brief: bool = False) -> str:
    """The line for a view of kind ``name``; ``used`` are its features, of which a ``brief`` one leaves what
    can be guessed unexplained."""
    told = ((feature, _BRIEFLY.get(feature, text) if brief else text) for feature, text in _EXPLAINED)
    explained = [text for feature, text in told if feature in used and text]
    return f"[[{name}: {'; '.join([what, *explained])}]]"


def begins(text: str, names: Iterable[str]) -> bool:
    """Whether a text starts with the legend of one of these kinds."""
    return any(text.startswith(f"[[{name}: ") for name in names)
