"""What is noted of files one after the other is remembered of each, in few bytes."""

from __future__ import annotations

from pathlib import Path

from nuvo_jupyter.workspace.memory import Memory
from nuvo_jupyter.workspace.scan import Fingerprint

FILES = ("a", "in/b", "c", "in/deep/d", "in/e", "f")
"""Folder by folder and back again, the root among them."""


def look(number: int) -> Fingerprint:
    return Fingerprint(number, 10 + number, 20 + number, 30 + number, 0o100644)


def content(number: int) -> tuple[bytes, ...]:
    return (bytes([number]) * 32,)


def noted(memory: Memory, first: int = 1) -> Memory:
    for number, path in enumerate(FILES, first):
        memory.remember(path, look(number), content(number))
    return memory


def held(memory: Memory) -> dict[str, tuple[Fingerprint, tuple[bytes, ...]]]:
    found = ((path, memory.get(path)) for path in FILES)
    return {path: (file.seen, file.content) for path, file in found if file is not None}


def test_each_is_remembered_wherever_it_lies(tmp_path: Path) -> None:
    expected = {path: (look(number), content(number)) for number, path in enumerate(FILES, 1)}
    memory = noted(Memory())
    assert held(memory) == expected
    assert set(memory.later) == {"", "in", "in/deep"}
    assert memory.added() == {content(number)[0] for number in range(1, 7)}
    memory.save(tmp_path / "memory")
    assert held(Memory.load(tmp_path / "memory")) == expected


def test_later_ones_come_beside_those_that_were_read_again(tmp_path: Path) -> None:
    noted(Memory()).save(tmp_path / "memory")
    memory = Memory.load(tmp_path / "memory")
    memory.remember("new", look(9), content(9))
    memory.remember("in/e", look(8), content(8))
    assert set(memory.files("")) == {"a", "c", "f", "new"}
    assert set(memory.files("in")) == {"b", "e"}
    assert memory.files("in")["e"].content == content(8)
    again = Memory.load(tmp_path / "memory")
    assert set(again.files("")) == {"a", "c", "f"}
    assert again.files("in")["e"].content == content(5)


def test_a_copy_is_changed_apart() -> None:
    memory = noted(Memory())
    other = memory.copy()
    other.remember("a", look(7), content(7))
    memory.remember("c", look(8), content(8))
    assert [file.content for file in memory.files("").values()] == [content(1), content(8), content(6)]
    assert [file.content for file in other.files("").values()] == [content(7), content(3), content(6)]


def test_what_is_lost_is_forgotten() -> None:
    memory = noted(Memory()).without({content(2)[0], content(6)[0]})
    assert set(held(memory)) == {"a", "c", "in/deep/d", "in/e"}
