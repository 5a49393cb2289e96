"""Small budgets: the view is the part that tells most for its tokens, within the budget and of most of it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sharedctx.tokens import Estimate
from sharedctx.views import compress, expand

count = Estimate("estimate")
PLACES = ("Turin", "Quito", "Osaka", "Accra")


def program() -> str:
    parts = [
        f'    def part_{n}(self, amount: int, rate_{n}: float) -> float:\n        """Part {n}."""\n'
        + "".join(f"        self.step_{k} = amount * rate_{n} + {k}\n" for k in range(12))
        + f'        if amount > {n}:\n            raise ValueError("no rate {n}")\n        return amount\n'
        for n in range(30)
    ]
    return '"""Shelves."""\n\nimport os\n\n\nclass Shelf:\n    """Keeps parts."""\n\n' + "\n".join(parts)


def orders() -> list[dict[str, Any]]:
    made = random.Random(3)
    rows = [
        {"id": n, "place": made.choice(PLACES), "price": made.randint(100, 900), "weight": made.randint(20, 80)}
        for n in range(400)
    ]
    rows[123]["price"], rows[234]["price"], rows[345]["weight"] = 99_999, 1, 7777
    return rows


def service() -> dict[str, Any]:
    paths = {
        f"/v1/{word}": {
            "get": {
                "summary": f"All {word}",
                "responses": {"200": {"description": " ".join(f"{word}{k}" for k in range(40))}},
            }
        }
        for word in ("tents", "lamps", "drills", "kettles", "ladders", "scarfs")
    }
    paths["/v1/lamps"]["get"]["responses"]["500"] = {"description": "connection refused by the store"}
    return {"info": {"title": "Stock", "version": "4.2"}, "paths": paths}


def guide() -> str:
    return "".join(
        f"## Part {n}\n\n{'Words that say nothing much and go on. ' * 12}\n\n```sh\nrun --option-{n} value{n}\n```\n\n"
        for n in range(15)
    )


TEXTS: dict[str, Any] = {"code": program(), "rows": orders(), "json": service(), "markdown": guide()}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("budget", [50, 100, 200, 300])
def test_a_budget_is_kept_and_mostly_used(kind: str, budget: int) -> None:
    view = compress(TEXTS[kind], key="k", version=1, max_tokens=budget, count=count)
    assert view.kind == kind
    assert view.tokens <= budget
    assert budget < 200 or view.tokens >= 0.7 * budget
    assert view.text == compress(TEXTS[kind], key="k", version=1, max_tokens=budget, count=count).text
    assert view.refs


def test_a_program_in_few_tokens_is_told_by_its_names() -> None:
    view = compress(program(), key="k", max_tokens=300, count=count)
    assert "class Shelf" in view.text
    assert all(f"part_{n}" in view.text for n in range(30))
    assert expand(program(), view.refs[0], max_tokens=100_000) == program()
    assert compress(view.text, count=count).text == view.text


def test_a_table_in_few_tokens_shows_the_rows_at_its_ends_and_extremes() -> None:
    view = compress(orders(), key="k", max_tokens=200, count=count)
    for row in ("\n0: 0,", "\n123: ", "\n234: ", "\n345: ", "\n399: 399,"):
        assert row in view.text
    assert "99999" in view.text
    assert "7777" in view.text


def test_a_document_in_few_tokens_shows_its_names_and_what_is_wrong() -> None:
    view = compress(service(), key="k", max_tokens=200, count=count)
    for told in ("Stock", "/v1/tents", "/v1/scarfs", "connection refused by the store"):
        assert told in view.text


def test_places_in_an_array_can_be_counted() -> None:
    value = {"log": [{"said": f"fine {n} " + " ".join(f"w{n}x{k}" for k in range(60))} for n in range(9)]}
    value["log"][6]["said"] = "panic: disk full"
    view = compress(value, key="k", max_tokens=60, count=count)
    assert "…6,{said:panic: disk full}" in view.text


def test_of_an_agents_steps_those_are_told_that_it_took() -> None:
    made = random.Random(5)
    seen = (" ".join(f"w{made.getrandbits(20)}" for _ in range(60)) for _ in range(12))
    steps = [{"thought": f"Now {n}", "action": f"open part_{n}.py", "observation": text} for n, text in enumerate(seen)]
    view = compress({"trajectory": steps}, key="k", max_tokens=300, count=count)
    assert view.kind == "trajectory"
    assert all(f"open part_{n}.py" in view.text for n in range(12))


def test_a_document_for_people_is_told_by_headings_and_a_line_of_each_example() -> None:
    view = compress(guide(), key="k", max_tokens=300, count=count)
    assert all(f"## Part {n}\n" in f"{view.text}\n" for n in range(15))
    assert sum(f"run --option-{n} value{n}" in view.text for n in range(15)) >= 8


def test_a_long_diff_in_few_tokens_names_its_files_and_shows_changes_of_each() -> None:
    patch = "".join(
        f"--- a/shop/{name}.py\n+++ b/shop/{name}.py\n@@ -1,40 +1,40 @@\n"
        + "".join(f" same line of the file {n}\n-old_{name}_{n} = {n}\n+new_{name}_{n} = {n}\n" for n in range(20))
        for name in ("tents", "lamps", "drills")
    )
    view = compress(patch, key="k", max_tokens=200, count=count)
    assert view.kind == "diff"
    for name in ("tents", "lamps", "drills"):
        assert f"{name}.py" in view.text
    assert view.text.count("\n+new_") + view.text.count("\n-old_") >= 6
