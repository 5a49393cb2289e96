"""Tables that commands print are told by columns, the lines that stand out by their numbers."""

from __future__ import annotations

import pytest

from sharedctx.tokens import Estimate
from sharedctx.views import compress, expand, split_version

count = Estimate("estimate")

PODS = "NAME                    READY   STATUS             RESTARTS   AGE\n" + "".join(
    f"api-7d9f8b6c5d-{n * 7919:05x}    "
    f"{'0/1     CrashLoopBackOff   37      ' if n == 61 else '1/1     Running            0       '}   {n % 9}d\n"
    for n in range(150)
)
PS = "USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n" + "".join(
    f"www-data {n:5} {98.7 if n == 188 else n % 10 / 10:4.1f}  0.1 {n * 97 % 99999:6} {n * 31 % 9999:5} ?        S"
    f"    10:00   0:0{n % 9} nginx: worker process {n}\n"
    for n in range(250)
)
CONTAINERS = "CONTAINER ID   IMAGE    STATUS                     NAMES\n" + "\n".join(
    f"{n:012x}   app:{n % 3}    {'Exited (137) 2 hours ago' if n == 21 else 'Up 3 days               '}   svc_{n}"
    for n in range(60)
)
COVERAGE = "Name            Stmts   Miss  Cover\n-----------------------------------\n" + "".join(
    f"src/f{n}.py      {n + 40:5}   {40 if n == 30 else 1:4}   {12 if n == 30 else 98}%\n" for n in range(150)
)


@pytest.mark.parametrize(
    ("text", "odd", "line"),
    [
        (PODS, "CrashLoopBackOff", 63),
        (PS, "98.7", 190),
        (CONTAINERS, "Exited (137) 2 hours ago", 23),
        (COVERAGE, "12%", 33),
    ],
)
def test_the_line_that_stands_out_is_told_with_its_number(text: str, odd: str, line: int) -> None:
    view = compress(text, key="out", count=count)
    assert view.kind == "table"
    assert view.tokens < 0.25 * view.original_tokens
    row = next(told for told in view.text.split("\n") if told.startswith(f"{line - 2}: "))
    assert odd in row
    assert odd in expand(text, f"lines:{line}")
    for ref in view.refs:
        assert expand(text, split_version(ref)[1]) in text


def test_names_and_what_their_columns_hold_are_told() -> None:
    view = compress(PODS, key="out", count=count)
    assert "@150[NAME,READY|1/1,STATUS|Running,RESTARTS|" in view.text
    assert "STATUS: Running x149, CrashLoopBackOff x1" in view.text


@pytest.mark.parametrize("budget", [50, 120, 300, 900])
def test_a_budget_is_kept(budget: int) -> None:
    assert compress(PS, key="out", max_tokens=budget, count=count).tokens <= budget


@pytest.mark.parametrize(
    "text",
    [
        "Once upon a time\n" + "There was a man who lived here\n" * 60,
        "Roses Are Red\n" + "".join(f"violets are blue{n}\n" for n in range(90)),
        "2026-05-01  10:00:00  up\n" + "".join(f"2026-05-01  10:00:{n:02}  up\n" for n in range(60)),
        "10  20  30\n" + "".join(f"{n}  {n * 2}  {n * 3}\n" for n in range(90)),
    ],
)
def test_sentences_and_lines_of_values_are_no_table(text: str) -> None:
    assert compress(text, key="out", count=count).kind != "table"


def test_a_message_or_a_count_is_no_name_of_a_column() -> None:
    errors = "".join(
        f"src/m{n % 30}/f{n}.ts({n},{n % 40}): error TS23{n % 5:02}: Type 'x{n}' is none of type 'Y'.\n"
        for n in range(120)
    )
    changed = "".join(f" src/mod{n % 9}/file{n}.py | {n % 60} {'+' * (n % 20)}\n" for n in range(120))
    for text in (errors, changed):
        assert compress(text, key="out", count=count).kind != "csv"
