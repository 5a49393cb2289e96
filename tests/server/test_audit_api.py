"""The audit log over HTTP: newest first, by pages, and no more than the caller may see."""

from __future__ import annotations

import httpx

from sharedctx_server.testing import Running


def test_rows_come_newest_first_by_pages_with_the_state_of_the_chain(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    assert http.get("/api/audit").json() == {
        "session": "default",
        "enabled": False,
        "head": None,
        "faults": None,
        "before": None,
        "total": 0,
        "records": [],
    }
    ctx.configure(audit=True)
    for n in range(5):
        ctx.put("plan", f"step {n}", agent="planner")
    first = http.get("/api/audit", params={"limit": 2}).json()
    assert [(each["action"], each["key"], each["version"]) for each in first["records"]] == [
        ("put", "plan", 5),
        ("put", "plan", 4),
    ]
    assert first["faults"] == []
    assert first["head"] == str(ctx.audit_head())
    rest = http.get("/api/audit", params={"before": first["before"]}).json()
    assert [each["version"] for each in rest["records"] if each["action"] == "put"] == [3, 2, 1]
    assert rest["before"] is None


def test_a_participant_sees_what_it_administers(server: Running, http: httpx.Client) -> None:
    ctx = server.service.context
    ctx.configure(audit=True)
    ctx.grant("lead", read=["*"], admin=["team/*"])
    ctx.put("team/plan", "one")
    ctx.put("other", "two")
    found = http.get("/api/audit", params={"agentId": "lead"}).json()
    assert {each["key"] for each in found["records"]} == {"team/plan"}
    assert found["faults"] == []
    ctx.grant("guest", read=["*"])
    assert http.get("/api/audit", params={"agentId": "guest"}).status_code == 403
