"""States that descend from each other: what they cost, what they build on, what a commit requires."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from sharedctx.backends.disk import DiskBackend
from sharedctx.backends.memory import MemoryBackend
from sharedctx.backends.steps import run
from sharedctx.errors import InvalidKey
from sharedctx.versions.cache import ContentCache
from sharedctx.versions.lineage import Lineage, LineageMemory, Part


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


def lineage() -> Lineage:
    """One that remembers nothing."""
    return Lineage("space", "pk", LineageMemory(ContentCache()))


def part(content: bytes, mark: str = "", *, fresh: bool = True) -> Part:
    return Part(mark, lambda: content, fresh)


def read(backend: MemoryBackend, id: str, name: str = "text") -> bytes:
    """Read a part in a process that has seen nothing."""
    cold = lineage()
    found = run(backend, cold.get(id))
    assert found is not None
    table, _ = run(backend, cold.head(found.state))
    return run(backend, cold.part(found.state, name, table))


def stored(backend: MemoryBackend) -> dict[str, int]:
    return {str(row.sk): len(row.value) for row in backend.scan("space", "pk", "")}


def texts(count: int) -> list[bytes]:
    """Each is the one before and 400 bytes more."""
    chance = random.Random(1)
    found = [b""]
    for _ in range(count):
        found.append(found[-1] + chance.randbytes(200).hex().encode())
    return found[1:]


def grow(backend: MemoryBackend, lines: Lineage, contents: list[bytes]) -> None:
    parent = None
    for number, content in enumerate(contents):
        run(backend, lines.put(f"{number:04d}", parent, b"head", {"text": part(content)}))
        parent = f"{number:04d}"


def test_a_growing_part_costs_what_it_grew(backend: MemoryBackend) -> None:
    contents = texts(600)
    grow(backend, lineage(), contents)
    sizes = stored(backend)
    assert sum(sizes.values()) < 10 * len(contents[-1])
    assert max(size for id, size in sizes.items() if int(id) % 16 and int(id) > 16) < 1000
    for number in (0, 1, 17, 255, 256, 300, 511, 599):
        assert read(backend, f"{number:04d}") == contents[number]


def test_a_part_that_an_addition_held_already_is_not_stored_again(backend: MemoryBackend) -> None:
    lines, new = lineage(), random.Random(2).randbytes(2000).hex().encode()
    run(backend, lines.put("1", None, b"", {"text": part(b"x" * 3000)}))
    run(backend, lines.add("1", new))
    run(backend, lines.put("2", "1", b"", {"text": part(b"x" * 3000 + new)}))
    assert stored(backend)["2"] < 400
    assert read(backend, "2") == b"x" * 3000 + new


def test_an_addition_that_its_state_held_already_is_not_stored_again(backend: MemoryBackend) -> None:
    lines, new = lineage(), random.Random(2).randbytes(1000).hex().encode()
    run(backend, lines.put("1", None, b"", {"text": part(new)}))
    run(backend, lines.add("1", new + b"!"))
    found = run(backend, lineage().get("1"))
    assert found is not None
    assert len(found.additions[0].value) < 200
    assert run(backend, lineage().additions("1", found.additions)) == [new + b"!"]


def test_kept_parts_outlive_the_state_that_brought_them(backend: MemoryBackend) -> None:
    lines, big = lineage(), random.Random(3).randbytes(4000)
    run(backend, lines.put("1", None, b"", {"text": part(big, "a")}))
    for number in range(2, 30):
        run(backend, lines.put(f"{number}", f"{number - 1}", b"", {"text": part(b"never", "a", fresh=False)}))
    lost = run(backend, lines.drop(["1", "10", "11", "12"]))
    assert lost.states == 4
    assert sum(stored(backend).values()) < 2.5 * len(big)
    assert {read(backend, id) for id in run(backend, lines.ids())} == {big}


def test_a_state_on_one_that_another_removed_stands_by_itself(backend: MemoryBackend) -> None:
    ours, contents = lineage(), texts(30)
    grow(backend, ours, contents)
    run(backend, lineage().drop(run(backend, lineage().ids())))
    run(backend, ours.put("9999", "0029", b"", {"text": part(contents[-1] + b"end")}))
    assert read(backend, "9999") == contents[-1] + b"end"


def replace(backend: MemoryBackend, contents: list[bytes]) -> None:
    """Write all states again, the last one as if it were the first."""
    for number, content in enumerate(contents):
        run(backend, lineage().put(f"{number:04d}", None, b"other", {"text": part(content)}))


@pytest.mark.parametrize("deleted", [False, True])
def test_a_state_is_not_built_on_what_another_process_put_in_its_place(backend: MemoryBackend, deleted: bool) -> None:
    ours, contents = lineage(), texts(8)
    grow(backend, ours, contents)
    if deleted:
        backend.reclaim("space")
    replace(backend, [content[::-1] for content in contents])
    run(backend, ours.put("9999", "0007", b"", {"text": part(contents[-1] + b"end")}))
    assert read(backend, "9999") == contents[-1] + b"end"
    assert read(backend, "0007") == contents[-1][::-1]


def test_an_addition_is_not_built_on_a_state_that_another_process_replaced(backend: MemoryBackend) -> None:
    ours, contents = lineage(), texts(8)
    grow(backend, ours, contents[-1:])
    replace(backend, [contents[-1][::-1]])
    run(backend, ours.add("0000", contents[-1][-900:]))
    found = run(backend, lineage().get("0000"))
    assert found is not None
    assert run(backend, lineage().additions("0000", found.additions)) == [contents[-1][-900:]]


def test_additions_that_were_deleted_are_neither_counted_nor_built_on(backend: MemoryBackend) -> None:
    ours, contents = lineage(), texts(2)
    more = contents[-1][-400:]
    for _ in range(2):
        grow(backend, ours, contents[:1])
        run(backend, ours.add("0000", more))
        run(backend, ours.put("0001", "0000", b"", {"text": part(contents[1] + more)}))
        assert read(backend, "0001") == contents[1] + more
        assert list(stored(backend)) == ["0000", "0000\x010000", "0001"]
        backend.reclaim("space")


def test_what_another_process_stored_anew_is_read_though_it_is_remembered_as_it_was(backend: MemoryBackend) -> None:
    contents = texts(5)
    ours = Lineage("space", "pk", LineageMemory(ContentCache(0)))
    grow(backend, lineage(), contents)
    for id in ("0002", "0003", "0004"):
        assert run(backend, ours.get(id)) is not None
    run(backend, lineage().drop(["0000", "0001"]))
    run(backend, ours.drop(["0002"]))
    assert [read(backend, id) for id in ("0003", "0004")] == contents[3:]


@pytest.mark.parametrize("busy", [12, 40])
@pytest.mark.parametrize("forgets", [False, True])
def test_states_are_removed_while_another_process_writes_before_every_commit(busy: int, forgets: bool) -> None:
    contents = texts(52 + busy)
    written = 40

    class Busy(MemoryBackend):
        """Another process writes the next state before each of the first commits of ours."""

        ours = False

        def commit(self, *given: Any) -> Any:
            nonlocal written
            if self.ours and written < 52 + busy:
                self.ours = False
                extend(others if not forgets else lineage())
                self.ours = True
            return super().commit(*given)

    backend = Busy()
    others, ours = lineage(), lineage()

    def extend(lines: Lineage) -> None:
        nonlocal written
        parts = {"text": part(contents[written]), "rare": part(contents[0], "first", fresh=False)}
        run(backend, lines.put(f"{written:03}", f"{written - 1:03}" if written > 40 else None, b"head", parts, None))
        run(backend, lines.add(f"{written:03}", contents[written][-300:], None))
        written += 1

    for _ in range(12):
        extend(others)
    backend.ours = True
    doomed = [id for id in stored(backend) if "\x01" not in id][:-2]
    assert run(backend, ours.drop(doomed)).states == len(doomed)
    backend.ours = False
    left = [id for id in stored(backend) if "\x01" not in id]
    assert not set(left) & set(doomed)
    for id in left:
        assert read(backend, id) == contents[int(id)]
        assert read(backend, id, "rare") == contents[0]
    while written < 52 + busy:
        extend(others)
    assert read(backend, f"{written - 1:03}") == contents[written - 1]


def test_a_head_is_not_built_on_a_parent_that_goes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, ours = MemoryBackend(), lineage()
    head = random.Random(4).randbytes(400).hex().encode()
    run(backend, ours.put("1", None, head, {}))
    commit = backend.commit

    def late(*given: Any) -> Any:
        monkeypatch.undo()
        run(backend, lineage().drop(["1"]))
        return commit(*given)

    monkeypatch.setattr(backend, "commit", late)
    run(backend, ours.put("2", "1", head + b"!", {}))
    found = run(backend, lineage().get("2"))
    assert found is not None
    assert run(backend, lineage().head(found.state))[1] == head + b"!"


def test_what_repeats_additions_of_a_parent_reads_without_it(backend: MemoryBackend) -> None:
    """Where nothing else of the state builds on the parent."""
    lines, chance = lineage(), random.Random(5)
    old, new = chance.randbytes(2000).hex().encode(), chance.randbytes(2000).hex().encode()
    run(backend, lines.put("1", None, chance.randbytes(900), {"text": part(old, "a")}))
    run(backend, lines.put("2", "1", chance.randbytes(900), {"text": part(old, "a", fresh=False)}))
    run(backend, lines.add("2", new))
    run(backend, lines.put("3", "2", chance.randbytes(900), {"text": part(old + new, "b")}))
    assert stored(backend)["3"] < 1500
    run(backend, lines.drop(["2"]))
    assert read(backend, "3") == old + new


def test_large_heads_and_additions_do_not_stay_in_memory(tmp_path: Path) -> None:
    backend, chance = DiskBackend(tmp_path / "store"), random.Random(1)
    ours = Lineage("space", "pk", LineageMemory(ContentCache(1 << 20)))
    tracemalloc.start()
    try:
        for number in range(100):
            run(backend, ours.put(f"{number:04d}", None, chance.randbytes(300_000), {}))
            run(backend, ours.add(f"{number:04d}", chance.randbytes(300_000)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        backend.close()
    assert held < 60 * 2**20


def test_ids_that_could_be_taken_for_additions_are_refused(backend: MemoryBackend) -> None:
    for id in ("", "1\x01", "\x02", "a\x00"):
        with pytest.raises(InvalidKey):
            run(backend, lineage().put(id, None, b"", {}))
        with pytest.raises(InvalidKey):
            run(backend, lineage().get(id))


def test_a_state_that_another_process_writes_while_those_it_builds_on_are_removed_stays_readable() -> None:
    contents = texts(200)
    written: list[str] = []

    class Busy(MemoryBackend):
        """Another process goes on from old states after the first commit that removes some."""

        ours = False
        commits = 0

        def commit(self, *given: Any) -> Any:
            if not self.ours:
                return super().commit(*given)
            self.commits += 1
            if self.commits > 1 and not written:
                self.ours = False
                for id in list(stored(self))[::40]:
                    written.append(f"new {id}")
                    run(self, others.put(written[-1], id, b"head", {"text": part(contents[int(id)] + b"end")}))
                self.ours = True
            return super().commit(*given)

    backend = Busy()
    others = lineage()
    grow(backend, others, contents)
    backend.ours = True
    assert run(backend, lineage().drop(run(backend, lineage().ids()))).states == 200
    assert list(stored(backend)) == written != []
    for id in written:
        assert read(backend, id) == contents[int(id[4:])] + b"end"
