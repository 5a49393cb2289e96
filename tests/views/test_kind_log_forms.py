"""Logs of other forms than the usual: recognised by how their lines begin, packed with their forms near the lines."""

from __future__ import annotations

import pytest

from sharedctx.views import compress
from sharedctx.views.kind import Source
from sharedctx.views.kinds.log import KIND


@pytest.mark.parametrize(
    "line",
    [
        "- 11178385{0:02} 2005.06.03 R02-M1-N{1}-C:J12-U11 RAS KERNEL cache parity fixed",
        "20171223-22:15:{0:02}:606|Step_LSC|3000{1}|onStandStepChanged",
        "{0} node-{1} unix.hw state.changed component {1} is idle",
    ],
    ids=["epoch", "bars", "no time"],
)
def test_logs_of_unusual_times_are_logs(line: str) -> None:
    text = "\n".join(line.format(at % 60, at * 7 % 100) for at in range(300))
    assert compress(text).kind == "log"


def test_a_packed_log_tells_a_form_again_after_a_while() -> None:
    lines = [
        f"2026-05-01 10:{at // 60:02}:{at % 60:02} INFO batch {at * 7919 % 1000:x} sent to shelf" for at in range(900)
    ]
    text = "\n".join(lines)
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert packed.count("INFO batch <> sent to shelf") >= 2
    assert KIND.unpack(packed) == text


def test_a_form_of_few_lines_is_told_once_only() -> None:
    lines = []
    for at in range(900):
        clock = f"2026-05-01 10:{at // 60:02}:{at % 60:02}"
        lines.append(f"{clock} INFO batch {at * 7919 % 1000:x} sent to shelf")
        if at % 60 == 0:
            lines.append(f"{clock} INFO the nightly inventory of shelf {at} was compared with the books and agrees")
    text = "\n".join(lines)
    packed = KIND.pack(Source(text))
    assert packed is not None
    assert packed.count("compared with the books and agrees") == 1
    assert packed.count("INFO batch <> sent to shelf") >= 2
    assert KIND.unpack(packed) == text


def test_lines_that_differ_in_every_word_share_one_form() -> None:
    who, what, done = ("indexer", "gateway", "mailer", "search"), ("batch", "lease", "token"), ("sent", "kept", "moved")
    lines = [
        f"2026-04-02 08:{n // 60:02}:{n % 60:02},302 INFO {who[n % 4]}[{n % 97}] {what[n % 3]} {n * 7919:08x} "
        f"{done[n // 3 % 3]} in {n % 31} ms"
        for n in range(400)
    ]
    packed = KIND.pack(Source("\n".join(lines)))
    assert packed is not None
    forms = {line for line in packed.split("\n") if line.startswith("@")}
    assert forms == {"@A 2026-04-02 <:><:>,302 INFO <>[<>] <> <> <> in <> ms"}
    assert len(packed) < 0.6 * len("\n".join(lines))
