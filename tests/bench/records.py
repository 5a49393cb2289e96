"""Records: generated tables, documents of JSON and metrics, with planted outliers and known records to look up."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from typing import Any

from facts import Fact, Item, critical, item, sample

_CITIES = ("Lisbon", "Osaka", "Quito", "Tallinn", "Accra", "Hobart", "Turin", "Bergen", "Cusco", "Nantes")
_STATES = ("open", "open", "open", "paid", "paid", "shipped")
_NOUNS = ("lamp", "chair", "cable", "kettle", "drill", "tent", "ladder", "scarf", "mirror", "bottle")
_COLOURS = ("red", "teal", "amber", "ivory", "olive", "plum", "coral", "slate")
_VERBS = ("list", "create", "replace", "delete", "restart", "approve")


def records(seed: int, scale: float, each: int) -> Iterator[Item]:
    """Yield ``each`` items of every kind that is made of records."""
    for number in range(each):
        yield _rows(random.Random(f"{seed}/rows/{number}"), f"orders_{number}.json", int(600 * scale), number % 2)
        yield _jsonl(random.Random(f"{seed}/jsonl/{number}"), f"requests_{number}.jsonl", int(500 * scale))
        yield _csv(random.Random(f"{seed}/csv/{number}"), f"stations_{number}.csv", int(1_500 * scale))
        yield _api(random.Random(f"{seed}/api/{number}"), f"issues_{number}.json", int(60 * scale))
        yield _pods(random.Random(f"{seed}/pods/{number}"), f"pods_{number}.json", int(30 * scale))
        yield _openapi(random.Random(f"{seed}/openapi/{number}"), f"openapi_{number}.json", int(40 * scale))
        yield _metrics(random.Random(f"{seed}/metrics/{number}"), f"metrics_{number}.txt", int(500 * scale))


def _order(made: random.Random, number: int) -> dict[str, Any]:
    return {
        "number": 10_000 + number,
        "reference": f"{made.getrandbits(40):010x}",
        "city": made.choice(_CITIES),
        "state": made.choice(_STATES),
        "product": f"{made.choice(_COLOURS)} {made.choice(_NOUNS)}",
        "quantity": made.randint(1, 9),
        "price": round(made.uniform(3, 400), 2),
        "currency": "EUR",
    }


def _telling(row: dict[str, Any]) -> str:
    """The values of a record that tell it from the others; counted-up ones can be spelled as a range."""
    return " ".join(str(value) for name, value in row.items() if name not in {"number", "time", "currency"})


def _facts(made: random.Random, rows: list[dict[str, Any]], planted: list[dict[str, Any]], column: str) -> list[Fact]:
    ordered = sorted(rows, key=lambda row: row[column])
    return [
        *critical("first-last", map(_telling, (rows[0], rows[-1]))),
        *critical("extreme", map(_telling, (ordered[0], ordered[-1]))),
        *critical("anomaly", map(_telling, planted)),
        *sample(made, list(map(_telling, rows)), 20),
    ]


def _rows(made: random.Random, name: str, size: int, indent: int) -> Item:
    rows = [_order(made, number) for number in range(size)]
    planted = made.sample(rows[1:-1], 3)
    planted[0]["state"] = "refund failed: card expired"
    planted[1]["quantity"] = -4
    planted[2]["city"] = "Reykjavik"
    text = json.dumps(rows, indent=2 if indent else None)
    return item(name, "json-rows", text, _facts(made, rows, planted, "price"))


def _jsonl(made: random.Random, name: str, size: int) -> Item:
    rows = [
        {
            "time": 1_760_000_000 + number * 5,
            "trace": f"{made.getrandbits(48):012x}",
            "route": f"/v1/{made.choice(_NOUNS)}s/{made.randint(1, 9999)}",
            "status": made.choice((200, 200, 200, 201, 304)),
            "milliseconds": round(made.lognormvariate(3, 0.6), 1),
            "client": {"city": made.choice(_CITIES), "version": f"4.{made.randint(0, 3)}.{made.randint(0, 9)}"},
        }
        for number in range(size)
    ]
    planted = made.sample(rows[1:-1], 2)
    planted[0]["status"] = 503
    planted[1]["error"] = f"upstream {made.getrandbits(32):08x} refused"
    text = "".join(json.dumps(row) + "\n" for row in rows)
    return item(name, "json-rows", text, _facts(made, rows, planted, "milliseconds"))


def _csv(made: random.Random, name: str, size: int) -> Item:
    rows = [
        {
            "station": f"ST{made.randint(10_000, 99_999)}",
            "place": f"{made.choice(_CITIES)} {made.choice(('north', 'south', 'harbour', 'hill'))}",
            "height": round(made.uniform(0, 2_900), 1),
            "rain": round(made.expovariate(0.4), 2),
            "wind": round(made.gauss(12, 4), 1),
            "quality": made.choice(("good", "good", "good", "fair")),
        }
        for _ in range(size)
    ]
    planted = made.sample(rows[1:-1], 2)
    planted[0]["quality"] = "sensor-broken"
    planted[1]["wind"] = 187.3
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return item(name, "csv", out.getvalue(), _facts(made, rows, planted, "rain"))


def _api(made: random.Random, name: str, size: int) -> Item:
    people = [f"{made.choice(_COLOURS)}-{made.choice(_NOUNS)}{made.randint(10, 99)}" for _ in range(12)]
    base = "https://api.example.com/repos/acme/shop"
    issues = []
    for number in range(size, 0, -1):
        who = made.choice(people)
        issues.append(
            {
                "url": f"{base}/issues/{number}",
                "comments_url": f"{base}/issues/{number}/comments",
                "node": f"I_{made.getrandbits(60):015x}",
                "number": number,
                "title": f"{made.choice(_VERBS).title()} the {made.choice(_COLOURS)} {made.choice(_NOUNS)} twice",
                "user": {"login": who, "url": f"https://api.example.com/users/{who}", "type": "User", "admin": False},
                "labels": [{"name": made.choice(_COLOURS), "default": False} for _ in range(made.randint(0, 2))],
                "state": "open",
                "locked": False,
                "body": " ".join(made.choices((*_NOUNS, *_VERBS, *_COLOURS), k=made.randint(10, 60))),
            }
        )
    odd = made.choice(issues[1:-1])
    odd["locked"], odd["state"] = True, "blocked-by-security"
    told = [f"{each['node']} {each['title']} {each['user']['login']}" for each in issues]
    facts = [
        *critical("first-last", (told[0], told[-1])),
        *critical("anomaly", [f"{odd['node']} blocked-by-security"]),
        *critical("name", people, 6),
        *sample(made, told, 14),
    ]
    return item(name, "json-api", json.dumps({"total": size, "items": issues}, indent=2), facts)


def _pods(made: random.Random, name: str, size: int) -> Item:
    pods, told = [], []
    broken = made.randrange(1, max(size - 1, 2))
    for number in range(size):
        app = made.choice(_NOUNS)
        pod = f"{app}-{made.getrandbits(32):08x}-{made.getrandbits(20):05x}"
        address = f"10.{made.randint(0, 9)}.{made.randint(0, 255)}.{made.randint(2, 254)}"
        state: dict[str, Any] = {
            "running": {"startedAt": f"2026-03-{made.randint(1, 28):02}T0{made.randint(0, 9)}:00:00Z"}
        }
        if number == broken:
            state = {"waiting": {"reason": "CrashLoopBackOff", "message": f"back-off 5m0s restarting {pod}"}}
        pods.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": pod,
                    "namespace": "shop",
                    "labels": {"app": app, "tier": "web"},
                    "annotations": {},
                },
                "spec": {
                    "nodeName": f"node-{made.randint(1, 5)}",
                    "containers": [
                        {
                            "name": app,
                            "image": f"registry.example.com/{app}:{made.randint(1, 4)}.{made.randint(0, 30)}",
                            "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}},
                            "env": [{"name": "MODE", "value": "production"}, {"name": "REGION", "value": "eu"}],
                        }
                    ],
                    "restartPolicy": "Always",
                },
                "status": {"phase": "Running", "podIP": address, "containerStatuses": [{"name": app, "state": state}]},
            }
        )
        told.append(f"{pod} {address}")
    facts = [
        *critical("anomaly", [f"CrashLoopBackOff {pods[broken]['metadata']['name']}"]),
        *critical("first-last", (told[0], told[-1])),
        *sample(made, told, 14),
    ]
    return item(name, "json-k8s", json.dumps({"kind": "List", "items": pods}, indent=4), facts)


def _openapi(made: random.Random, name: str, size: int) -> Item:
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    told = []
    for number in range(size):
        noun = f"{made.choice(_COLOURS)}{made.choice(_NOUNS).title()}{number}"
        schema = noun[0].upper() + noun[1:]
        fields = {
            f"{made.choice(_NOUNS)}{made.choice(_COLOURS).title()}": made.choice(("string", "integer"))
            for _ in range(6)
        }
        schemas[schema] = {"type": "object", "properties": {each: {"type": what} for each, what in fields.items()}}
        verb = made.choice(_VERBS)
        paths[f"/v2/{noun}/{{id}}"] = {
            "get": {
                "operationId": f"{verb}{schema}",
                "description": " ".join(made.choices((*_NOUNS, *_VERBS), k=12)),
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "description": "OK",
                        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
                    },
                    "404": {"description": "Not found"},
                },
            }
        }
        told.append(f"{verb}{schema}")
    facts = [
        *critical("path", list(paths), 8),
        *critical("schema", list(schemas), 8),
        *sample(made, told, 12),
    ]
    document = {"openapi": "3.1.0", "info": {"title": name}, "paths": paths, "components": {"schemas": schemas}}
    return item(name, "openapi", json.dumps(document, indent=2), facts)


def _metrics(made: random.Random, name: str, size: int) -> Item:
    lines: list[str] = []
    series: list[str] = []
    for family in ("http_requests_total", "queue_depth", "disk_free_bytes", "worker_restarts_total"):
        lines += [f"# HELP {family} What {family} counts.", f"# TYPE {family} gauge"]
        for _ in range(size // 4):
            pod = f"{made.choice(_NOUNS)}-{made.getrandbits(20):05x}"
            line = f'{family}{{pod="{pod}",zone="{made.choice(_CITIES)}",job="shop"}} {made.randint(100, 9_999)}'
            lines.append(line)
            series.append(line)
        outlier = f'pod="outlier-{made.getrandbits(20):05x}",zone="Cusco",job="shop"'
        lines[-2] = f"{family}{{{outlier}}} 88{made.randint(10**6, 10**7)}"
    outliers = [line for line in lines if "outlier-" in line]
    facts = [
        *critical("extreme", outliers),
        *critical("first-last", (series[0], series[-1])),
        *sample(made, [line for line in series if line in lines], 14),
    ]
    return item(name, "metrics", "\n".join(lines) + "\n", facts)
