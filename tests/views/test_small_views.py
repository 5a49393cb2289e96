"""Views of few tokens: what many lines share is said once, and the rest of the tokens goes to what differs."""

from __future__ import annotations

import json

from sharedctx.views import compress


def test_a_small_budget_says_what_all_lines_start_with_once() -> None:
    start = "2024-03-01 web-1.example.org shop[7]: "
    lines = [f"{start}added item {n} to cart" if n % 2 else f"{start}{n} items left" for n in range(200)]
    lines[120] = f"{start}ERROR the shelf of cart 120 is gone"
    view = compress("\n".join(lines), key="log", max_tokens=150)
    assert view.tokens <= 150
    assert view.text.count(start) == 1
    assert f', each "{start}" omitted' in view.text
    assert "121: ERROR the shelf of cart 120 is gone" in view.text


def test_one_line_alone_is_shown_whole_within_a_very_small_budget() -> None:
    lines = [f"2026-01-01 00:{n // 60:02}:{n % 60:02} INFO host-{n % 7} finished job {n * 37}" for n in range(500)]
    lines[211] = "2026-01-01 00:03:31 ERROR host-1 disk /dev/sdb1 is full: job 7807 lost"
    view = compress("\n".join(lines), key="output/fetch-7502aec8", version=1, max_tokens=70)
    assert view.tokens <= 70
    assert lines[211] in view.text


def test_metrics_tell_families_and_the_samples_at_their_ends() -> None:
    lines = [f'http_requests_total{{pod="web-{n}",zone="north",job="shop"}} {n * 7919 % 1000 + 5}' for n in range(100)]
    lines[40] = 'http_requests_total{pod="web-40",zone="south",job="shop"} 8831573'
    lines += [f'queue_depth{{pod="mail-{n}",job="shop"}} 3' for n in range(100)]
    view = compress("\n".join([*lines, ""]), kind="metrics", key="metrics", max_tokens=200)
    assert view.tokens <= 200
    assert "http_requests_total x100 5..8831573" in view.text
    assert " 8831573 pod=web-40, zone=south" in view.text
    assert " all: job=shop" in view.text
    assert "queue_depth x100 all 3" in view.text
    assert " 3 pod=mail-99" in view.text


def test_members_that_many_parts_are_shown_by_are_named_once() -> None:
    orders = [
        {
            "id": f"W{n}881",
            "name": f"user-{n * 37}",
            "lines": [{"sku": f"S{n}-{k}", "note": f"packed by {n * k} and {n + k} " * 9} for k in range(9)],
        }
        for n in range(60)
    ]
    shown = compress({"orders": orders, "page": 1}, key="orders", max_tokens=200).text
    assert "*{a,b}:(1,2)" in shown.partition("\n")[0]
    assert shown.count("*{id,name}:(W") == 1
    assert shown.count("881,user-") > 10


def test_the_names_of_a_map_are_told_like_other_names() -> None:
    schemas = {
        f"{word.title()}Answer": {"type": "object", "properties": {f"{word}{n}": {"type": "string"} for n in range(9)}}
        for word in ("amount", "invoice", "shipment", "customer", "refund", "parcel", "voucher", "ledger")
    }
    shown = compress(json.dumps({"openapi": "3.1.0", "components": {"schemas": schemas}}), max_tokens=120).text
    assert all(name in shown for name in schemas)


def test_what_is_left_of_a_budget_goes_to_lines_that_still_fit() -> None:
    lines = [
        f"2026-01-01 00:{n // 60:02}:{n % 60:02} INFO job {n} of queue-{n % 5} is done in {n} ms" for n in range(400)
    ]
    for at in range(10, 400, 30):
        lines[at] = (
            f"2026-01-01 00:{at // 60:02}:{at % 60:02} ERROR {chr(97 + at // 30) * 4} " + f"lost shard{at} " * 30
        )
    lines[200] = "2026-01-01 00:03:20 INFO rota reloaded"
    lines[300] = "2026-01-01 00:05:00 INFO disk swept"
    view = compress("\n".join(lines), key="log", max_tokens=300)
    assert view.tokens <= 300
    assert "201: 00:03:20 INFO rota reloaded" in view.text
    assert "301: 00:05:00 INFO disk swept" in view.text


def test_a_log_that_goes_on_into_the_next_month_tells_its_forms_once() -> None:
    days = [*(f"Jun {day:2}" for day in range(1, 31)), *(f"Jul {day:2}" for day in range(1, 32))]
    lines = [f"{day} 04:0{n}:11 web cron[{n + 70}]: ALERT rotation ended with {n}" for day in days for n in range(6)]
    view = compress("\n".join(lines), key="log", max_tokens=200)
    assert f" x{len(lines)} to {len(lines)}: " in view.text


def test_of_a_long_table_the_rows_keep_their_numbers_and_all_are_counted() -> None:
    rows = [
        {"job": f"job-{n * 7919 % 1000}", "ms": n * 31 % 977, "host": f"web-{n % 9}", "zone": "north", "kind": "batch"}
        for n in range(700)
    ]
    rows[333] |= {"ms": 88123, "host": "web-4"}
    rows[512] |= {"job": "error: disk is full"}
    for at in range(100, 160):
        rows[at]["zone"] = f"south-{at}"
    view = compress(json.dumps(rows), key="jobs", version=3, max_tokens=200)
    head, shown = view.text.split("\n")[1], [line for line in view.text.split("\n") if line[:1].isdigit()]
    assert view.tokens <= 200
    assert head.startswith("@700[")
    assert "kind=batch" in head
    assert "zone=" not in head
    told = [int(line.partition(":")[0]) for line in shown]
    assert {0, 333, 512, 699} <= set(told)
    assert all(
        f'{rows[at]["job"]}"' in line or f"{rows[at]['job']}," in line for at, line in zip(told, shown, strict=True)
    )
    assert f"[[{700 - len(told)} of 700 rows omitted: " in view.text
    first = next(at for at in range(700) if at not in told)
    last = next(at for at in range(699, -1, -1) if at not in told)
    assert view.refs == (f"v3:rows:{first}-{last}",)
    assert "ms: 0..88123" in view.text


def test_of_a_long_document_all_titles_are_told() -> None:
    words = ("harbour", "granary", "foundry", "orchard", "quarry", "lagoon", "citadel", "meadow", "chapel", "tannery")
    prose = "The ropes are counted in the morning and again before the gate is closed, as the clerk asks. " * 60
    pages = [f"## {word.title()} rules\n\n{prose}\n\n```\n# {word} is no title\n```\n\n{prose}\n" for word in words]
    pages.append(f"Underlined words\n----------------\n\n{prose}\n")
    shown = compress("\n".join(["# The port", "", *pages]), key="port", max_tokens=200)
    assert shown.kind == "markdown"
    assert all(f"## {word.title()} rules" in shown.text for word in words)
    assert "Underlined words" in shown.text
    assert "# tannery is no title" not in shown.text


def test_of_a_long_page_all_titles_are_told() -> None:
    words = ("harbour", "granary", "foundry", "orchard", "quarry", "lagoon", "citadel", "meadow", "chapel", "tannery")
    prose = "<p>The ropes are <b>counted</b> in the morning and again before the gate is closed.</p>\n" * 90
    pages = [f'<h2 id="{word}">{word.title()} <a href="#{word}">rules</a></h2>\n{prose}' for word in words]
    page = f"<html><head><title>The port</title></head><body>\n{''.join(pages)}</body></html>"
    shown = compress(page, key="port", max_tokens=200)
    assert shown.kind == "html"
    assert all(f"## {word.title()} rules" in shown.text for word in words)


def test_of_a_long_program_what_stands_at_the_top_of_its_end_is_told() -> None:
    body = "\n".join(f"        total += self.part({n}) * {n * 7}  # of the sum" for n in range(40))
    start = "\n\n".join(f"class Early{n}:\n    def run(self, total):\n{body}\n        return total" for n in range(16))
    end = f'class Ledger:\n    def post(self, entry):\n{body}\n        raise LedgerClosed("the year is over")\n\n\n'
    end += "def reconcile(ledger):\n    return ledger\n"
    program = f"import os\n\n\n{start}\n\n\n{end}"
    shown = compress(program, key="program", max_tokens=250)
    assert shown.kind == "code"
    assert all(told in shown.text for told in ("Early15", "Ledger", "reconcile", "LedgerClosed"))
    assert f"of {len(program.split(chr(10)))} lines" in shown.text


def test_of_a_text_of_no_known_form_the_lines_that_say_something_new_fill_a_small_budget() -> None:
    usual = ["[unit]", "  owner = quartermaster", "  shelf = upper left", "  state = kept"]
    lines = [f"{line} {at}" for at in range(120) for line in usual]
    lines[200] = "  note = the harbour master wants lanterns beside every rope"
    shown = compress("\n".join(lines), kind="text", key="stock", max_tokens=120)
    assert shown.tokens > 80
    assert lines[0] in shown.text
    assert lines[-1] in shown.text
    assert lines[200] in shown.text
    assert shown.refs == (f"lines:1-{len(lines)}",)
