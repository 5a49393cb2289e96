"""Views of transcripts: every step stays, what the agent said and what went wrong too; long observations do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sharedctx.tokens import Estimate
from sharedctx.views import expand, split_version
from sharedctx.views.kind import Brief, Source
from sharedctx.views.kinds.trajectory import KIND
from sharedctx.views.view import Marks

count = Estimate("estimate")
LISTING = "\n".join(f"{n}: value = compute({n}, {n * 7})  # of the module" for n in range(120))


def brief(budget: int | None = None) -> Brief:
    return Brief(budget, count, (), Marks("key", 1))


def source(value: Any) -> Source:
    return Source(json.dumps(value), value)


def messages() -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [{"role": "system", "content": "You repair programs. " * 60}]
    for n in range(10):
        call = {
            "id": f"call_{n}",
            "function": {"name": "open_file", "arguments": json.dumps({"path": f"src/part{n}.py"})},
        }
        steps.append(
            {
                "role": "assistant",
                "content": f"{'I think so' if n % 2 else 'Perhaps'}: part {n} is wrong.",
                "tool_calls": [call],
            }
        )
        trouble = "\nValueError: part 7 does not add up\n" if n == 7 else "\n"
        steps.append({"role": "tool", "tool_call_id": f"call_{n}", "content": LISTING + trouble + LISTING})
    return [*steps, {"role": "assistant", "content": "Done: the sum in part 7 was off by one."}]


def steps() -> dict[str, Any]:
    made = [
        {"thought": f"Let me look at {n}.", "action": f"open src/part{n}.py", "observation": LISTING, "n": n}
        for n in range(12)
    ]
    for step in made:
        step["response"] = f"{step['thought']}\n```\n{step['action']}\n```"
    return {"environment": "test", "trajectory": made, "info": {"exit_status": "submitted"}}


@pytest.mark.parametrize("value", [messages(), steps()])
def test_every_step_stays_and_observations_shrink(value: Any) -> None:
    assert KIND.fits(source(value)) > 0.9
    draft = KIND.shorten(source(value), brief())
    assert draft is not None
    assert count(draft.text) < 0.35 * count(json.dumps(value))
    for n in range(10):
        assert f"part{n}.py" in draft.text
    assert draft.refs
    for ref in draft.refs:
        assert expand(value, split_version(ref)[1])


def test_errors_reasoning_and_the_answer_stay() -> None:
    draft = KIND.shorten(source(messages()), brief())
    assert draft is not None
    for fact in (
        "I think so: part 3 is wrong.",
        "ValueError: part 7 does not add up",
        "the sum in part 7 was off by one",
    ):
        assert fact in draft.text


@pytest.mark.parametrize("value", [messages(), steps()])
def test_the_lossless_view_says_repeated_texts_once(value: Any) -> None:
    packed = KIND.pack(source(value))
    assert packed is not None
    assert KIND.unpack(packed) == value
    assert count(packed) < 0.9 * count(json.dumps(value))


def test_a_response_is_told_by_its_thought_and_action() -> None:
    packed = KIND.pack(source(steps()))
    assert packed is not None
    assert "{thought}" in packed
    assert packed.count("part5.py") == 1


@pytest.mark.parametrize("budget", [50, 150, 500, 1500])
def test_a_budget_is_kept(budget: int) -> None:
    for value in (messages(), steps()):
        draft = KIND.shorten(source(value), brief(budget))
        assert draft is not None
        assert count(draft.text) <= budget


def test_other_documents_do_not_fit() -> None:
    assert KIND.fits(source([{"id": 1, "name": "x"}] * 5)) == 0.0
    assert KIND.fits(source([{"from": "a", "to": "b", "value": n} for n in range(9)])) == 0.0
    assert KIND.fits(source([{"from": "human", "value": "hello"}] * 5)) > 0.9
    assert KIND.fits(source({"items": [1, 2, 3]})) == 0.0


def in_prose() -> list[dict[str, str]]:
    said = [{"role": "system", "content": "Read first. " * 50}, {"role": "user", "content": "The queue loses letters."}]
    for n in range(12):
        failed = f"PermissionError: cannot lock letter {n}\n" if n == 7 else ""
        said.append({"role": "assistant", "content": f"Next I look at letter {n}.\n\n```\nopen letters/{n}.txt\n```"})
        said.append({"role": "user", "content": LISTING + "\n" + failed + LISTING})
    return [*said, {"role": "assistant", "content": "Done: letter 7 was locked by the mailer."}]


def test_a_small_budget_goes_to_what_was_done_what_failed_and_the_end() -> None:
    draft = KIND.shorten(source(in_prose()), brief(300))
    assert draft is not None
    for n in range(12):
        assert f"> open letters/{n}.txt" in draft.text
    assert "< PermissionError: cannot lock letter 7" in draft.text
    assert draft.text.endswith("26 Done: letter 7 was locked by the mailer.")
    called = KIND.shorten(source(messages()), brief(300))
    assert called is not None
    assert "> open_file path=src/part1.py" in called.text
