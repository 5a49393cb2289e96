"""Output of test runners: failures are kept, passes counted, and everything can be redeemed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.tokens import counter
from sharedctx.views import expand
from sharedctx.views.kind import Brief, Draft, Source
from sharedctx.views.kinds.tests import KIND
from sharedctx.views.view import Marks

COUNT = counter()


def brief(budget: int | None = None, wanted: tuple[str, ...] = ()) -> Brief:
    return Brief(budget, COUNT, wanted, Marks("key", 1))


def shorten(text: str, **limits: object) -> Draft:
    draft = KIND.shorten(Source(text), brief(**limits))  # type: ignore[arg-type]
    assert draft is not None
    return draft


def session(tests: int = 300, bad: int = 123) -> str:
    lines = ["============ test session starts ============", f"collected {tests} items", ""]
    lines += [
        f"tests/test_a.py::TestOne::test_{n} {'FAILED' if n == bad else 'PASSED'} [{n // 3}%]" for n in range(tests)
    ]
    lines += [f"tests/test_b.py::test_p[{n}] ERROR [99%]" for n in range(5)]
    lines += ["", "============ FAILURES ============", f"____________ TestOne.test_{bad} ____________", ""]
    lines += ["    def test(self):", ">       assert left == 4711", "E       assert 13 == 4711", ""]
    lines += ["tests/test_a.py:88: AssertionError", "============ short test summary info ============"]
    lines += [f"FAILED tests/test_a.py::TestOne::test_{bad} - assert 13 == 4711"]
    lines += [f"============ 1 failed, {tests - 1} passed, 5 errors in 1.20s ============", ""]
    return "\n".join(lines)


GO = "\n".join(
    [f"=== RUN   TestThing{n}\n--- PASS: TestThing{n} (0.00s)" for n in range(60)]
    + ["=== RUN   TestBad", "    bad_test.go:41: got 7, want 9", "--- FAIL: TestBad (0.01s)", "FAIL"]
    + ["FAIL\texample.com/shop/cart\t0.012s", "ok  \texample.com/shop/pay\t0.02s"]
)
CARGO = "\n".join(
    ["running 80 tests"]
    + [f"test cart::adds_{n} ... ok" for n in range(79)]
    + ["test cart::removes ... FAILED", "", "failures:", "", "---- cart::removes stdout ----"]
    + [
        "thread 'cart::removes' panicked at src/cart.rs:77:5:",
        "assertion `left == right` failed",
        "  left: 3",
        " right: 4",
    ]
    + ["", "test result: FAILED. 79 passed; 1 failed; 0 ignored"]
)
JEST = "\n".join(
    ["FAIL src/cart.test.js", "  Cart"]
    + [f"    ✓ adds {n} (2 ms)" for n in range(70)]
    + ["    ✕ removes (5 ms)", "", "  ● Cart › removes", "", "    expect(received).toBe(expected)", "    Expected: 4"]
    + ["    Received: 3", "", "      at Object.<anonymous> (src/cart.test.js:31:9)", ""]
    + [f"PASS src/other{n}.test.js" for n in range(30)]
    + ["Tests:       1 failed, 100 passed, 101 total", "Time:        1.2 s"]
)
UNITTEST = "\n".join(
    [f"test_{n} (tests.Cart.test_{n}) ... ok" for n in range(80)]
    + ["test_bad (tests.Cart.test_bad) ... FAIL", "", "=" * 70, "FAIL: test_bad (tests.Cart.test_bad)", "-" * 70]
    + ["Traceback (most recent call last):", '  File "tests.py", line 12, in test_bad', "    self.assertEqual(3, 4)"]
    + ["AssertionError: 3 != 4", "", "-" * 70, "Ran 81 tests in 0.01s", "", "FAILED (failures=1)"]
)
TAP = (
    "TAP version 14\n"
    + "".join(f"ok {n} - step {n}\n" for n in range(1, 60))
    + "not ok 60 - last step\n# fail 1\n1..60"
)
RUNS = {
    "go": (GO, ("bad_test.go:41: got 7, want 9", "TestBad", "example.com/shop/cart")),
    "cargo": (CARGO, ("cart::removes", "src/cart.rs:77:5", "left: 3", "79 passed; 1 failed")),
    "jest": (JEST, ("✕ removes", "Expected: 4", "Received: 3", "src/cart.test.js:31:9", "1 failed, 100 passed")),
    "unittest": (UNITTEST, ("test_bad", "3 != 4", "line 12", "FAILED (failures=1)", "Ran 81 tests")),
    "tap": (TAP, ("not ok 60 - last step", "# fail 1")),
    "pytest": (
        session(),
        ("ERROR tests/test_b.py::", "test_p[0] [1]", "E       assert 13 == 4711", "tests/test_a.py:88"),
    ),
}


@pytest.mark.parametrize("runner", RUNS)
def test_each_runner_is_recognised_and_its_failures_kept_in_a_third(runner: str) -> None:
    text, facts = RUNS[runner]
    assert KIND.fits(Source(text)) > 0.8
    draft = shorten(text)
    for fact in facts:
        assert fact in draft.text
    assert COUNT(draft.text) < 0.35 * COUNT(text)


def test_passes_are_counted_by_file() -> None:
    assert "299 passed; passed by file: tests/test_a.py 299" in shorten(session()).text


def test_what_repeats_between_failures_is_told_once() -> None:
    text = session()
    failure = text[text.index("_____") : text.index("============ short")]
    many = text.replace(failure, "".join(failure.replace("TestOne", f"TestNo{n}") for n in range(30)))
    draft = shorten(many)
    assert draft.text.count("assert left == 4711") == 1
    assert draft.text.count("TestNo") == 30


def test_other_texts_are_not_taken() -> None:
    for other in ("", "prose about tests that passed\n" * 30, "INFO ok\n" * 50, "a > b\n" * 40):
        assert KIND.fits(Source(other)) == 0


def test_the_reference_redeems_everything() -> None:
    text = session()
    [ref] = shorten(text).refs
    assert expand(text, ref.removeprefix("v1:")) == text


@pytest.mark.parametrize("budget", [60, 100, 250, 600])
@pytest.mark.parametrize("runner", RUNS)
def test_a_budget_is_kept(runner: str, budget: int) -> None:
    draft = KIND.shorten(Source(RUNS[runner][0]), brief(budget))
    assert draft is None or COUNT(draft.text) <= budget
    assert draft is not None or budget < 100


def test_many_failures_still_fit_a_budget() -> None:
    text = session().replace("PASSED", "FAILED")
    draft = shorten(text, budget=400)
    assert COUNT(draft.text) <= 400
    assert "more" in draft.text


def test_what_a_query_names_is_kept() -> None:
    assert "test_217 PASSED" in shorten(session(), wanted=("test_217",)).text


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*session().split("\n")[::20], "", "x" * 2000, *JEST.split("\n")[-9:]]), max_size=40))
def test_any_output_is_viewed_without_an_error(lines: list[str]) -> None:
    source = Source("\n".join(lines))
    KIND.fits(source)
    for budget in (None, 80):
        draft = KIND.shorten(source, brief(budget))
        assert draft is None or budget is None or COUNT(draft.text) <= budget


def test_failures_that_differ_in_numbers_alone_are_all_told() -> None:
    failures = []
    for n in (618, 619, 700):
        failures += [f"____ test_sum_{n} ____", f">   assert total == {n}", f"E   assert {n} == 3928"]
    passed = [f"tests/test_a.py::test_{n} PASSED" for n in range(300)]
    text = shorten("\n".join([*passed, "=== FAILURES ===", *failures, "=== 3 failed, 300 passed in 1.2s ==="])).text
    for n in (618, 619, 700):
        assert f"E   assert {n} == 3928" in text


def test_the_names_of_all_tests_that_fail_for_one_reason_are_told() -> None:
    lines = [f"FAILED tests/test_cart.py::test_total[{at}-eur] - AssertionError: {at} is no total" for at in range(40)]
    text = "\n".join(["===== test session starts =====", *lines, "===== 40 failed in 0.30s ====="])
    made = shorten(text)
    assert lines[0] in made.text
    assert all(f"[{at}-eur]" in made.text for at in range(40))
    assert COUNT(made.text) < 0.4 * COUNT(text)


def test_what_a_failed_test_printed_and_why_others_were_skipped_is_told() -> None:
    lines = [f"tests/test_a.py::test_{n} PASSED [{n // 3}%]" for n in range(300)]
    lines += [f"tests/test_a.py::test_old_{n} SKIPPED (needs redis 7.2) [99%]" for n in range(9)]
    lines += ["tests/test_a.py::test_known XFAIL (rounding, bug 4411) [99%]", "=== FAILURES ===", "____ test_pay ____"]
    lines += ["    def test_pay():", ">       assert paid", "E       assert False", "tests/test_a.py:8: AssertionError"]
    lines += [
        "----- Captured stdout call -----",
        "card 9931 was asked",
        "----- Captured stderr call -----",
        "slow: 3.1 s",
    ]
    lines += ["=== 1 failed, 300 passed, 9 skipped, 1 xfailed in 1.2s ==="]
    text = "\n".join(lines)
    made = shorten(text).text
    for fact in ("card 9931 was asked", "slow: 3.1 s", "needs redis 7.2", "bug 4411"):
        assert made.count(fact) == 1
    assert COUNT(made) < 0.2 * COUNT(text)


def test_the_errors_inside_of_a_group_of_errors_are_told() -> None:
    group = [
        "  + Exception Group Traceback (most recent call last):",
        *[f"  |   in {'abcdefghij'[n % 10] * (n // 10 + 2)}_step" for n in range(400)],
    ]
    group += ["  | ExceptionGroup: two bad (2 sub-exceptions)", "  +-+---------------- 1 ----------------"]
    group += [
        "    | ValueError: first of 811",
        "    +---------------- 2 ----------------",
        "    | TypeError: second of 812",
    ]
    passed = [f"tests/test_a.py::test_{n} PASSED" for n in range(300)]
    made = shorten("\n".join([*passed, "=== FAILURES ===", "____ test_group ____", *group, "=== 1 failed ==="])).text
    assert "ValueError: first of 811" in made
    assert "TypeError: second of 812" in made


def test_a_quiet_session_is_recognised() -> None:
    lines = [f"{'.' * 71}F [ {n}%]" for n in range(10, 16)] + ["=== FAILURES ==="]
    for n in range(6):
        lines += [f"/shop/test_a.py:{n}: in test_b", "    total(cart)", f"E   AssertionError: bad {n}", "cart = {}", ""]
    lines += [f"FAILED test_a.py::test_b[{n}] - AssertionError: bad {n}" for n in range(6)] + ["6 failed in 2.0s"]
    assert KIND.fits(Source("\n".join(lines))) > 0.8


def test_a_small_budget_tells_which_tests_failed_and_why() -> None:
    names = [f"test_case_{n}" for n in range(12)]
    text = "=" * 20 + " FAILURES " + "=" * 20
    for n, name in enumerate(names):
        text += f"\n{'_' * 20} Test.{name} {'_' * 20}\n\n    def {name}(self):\n        found = count({n})\n"
        text += f">       assert found == {n * 37}\nE       assert {n * 11} == {n * 37}\n"
        text += f"\ntests/test_a.py:{n + 9}: AssertionError"
    text += "\n" + "=" * 20 + " 12 failed, 88 passed in 1.20s " + "=" * 20 + "\n"
    draft = shorten(text, budget=300)
    assert COUNT(draft.text) <= 300
    for n, name in enumerate(names):
        assert f" Test.{name}\n" in draft.text
        assert f"\nE assert {n * 11} == {n * 37}\n" in draft.text
    assert draft.text.endswith("12 failed, 88 passed in 1.20s")
