"""Who is lost is told where to look; what is damaged or planted stands in nobody's way."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from .shell import Shell


def test_who_looks_in_the_wrong_session_is_told_which_there_are(shell: Shell) -> None:
    shell("--session", "release", "put", "plan", "v")
    code, out, err = shell("ls")
    assert (code, out) == (0, b"")
    assert b"release: name it by `sharedctx --session ID`" in err
    code, _, err = shell("get", "plan")
    assert (code, b"release: name it" in err) == (3, True)
    assert shell.json("ls") == []
    assert shell("get", "plan", "--session", "release")[:2] == (0, b"v\n")
    code, _, err = shell("get", "plan", "--session", "a", "--session", "b")
    assert (code, b"--session is given once" in err) == (2, True)


def test_a_damaged_entry_hides_no_other_and_what_others_planted_is_removed(shell: Shell) -> None:
    shell("put", "plan", "v")
    shell("put", "scope", "w")
    with closing(sqlite3.connect(shell.path / "cache.db")) as con, con:
        con.execute("UPDATE Cache SET value = x'00' WHERE key LIKE '%-plan-%'")
        con.execute("INSERT INTO Cache(key, raw, mode, value) VALUES ('session:default-scope-zzz', 1, 1, x'00')")
    assert [(entry["key"], entry["kind"]) for entry in shell.json("ls")] == [("plan", "damaged"), ("scope", "text")]
    code, out, _ = shell("doctor", "--repair")
    assert (code, b"removed: foreign row with key 'session:default-scope-zzz'" in out) == (1, True)
    assert shell("erase", "plan")[0] == 0
    assert shell("doctor")[0] == 0
