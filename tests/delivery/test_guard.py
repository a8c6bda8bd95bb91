"""Bit rot in the only copy of what is about to be replaced: the file stays, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuvo_jupyter.delivery.guard import DAMAGED
from nuvo_jupyter.model.changes import Strategy
from tests.delivery.course import Course, read, write

PRECIOUS = "a semester of work\n" * 40


def rot(store: Path, packs: set[Path]) -> None:
    """Flip a bit in the middle of the packs that were not there before."""
    for path in set(store.glob("packs/*/*")) - packs:
        data = bytearray(path.read_bytes())
        place = data.find(b"precious:") + 20
        data[place] ^= 1
        path.chmod(0o600)
        path.write_bytes(data)


@pytest.mark.parametrize("strategy", [Strategy.OVERWRITE, Strategy.REPLACE])
def test_what_could_not_be_brought_back_is_not_replaced(tmp_path: Path, strategy: Strategy) -> None:
    course = Course(tmp_path, ["anna"])
    store = tmp_path / "home" / "store"
    before = set(store.glob("packs/*/*"))
    # Bytes that do not compress lie in the pack as they are.
    precious = "precious:" + "".join(chr(33 + (i * i * 31 + i // 7) % 90) for i in range(60))
    write(course.folder("anna"), {"notes.txt": precious})
    course.snapshot("anna")
    rot(store, before)
    write(course.folder("anna"), {"other.txt": PRECIOUS})
    write(course.folder("master"), {"notes.txt": "theirs", "other.txt": "theirs", "new.txt": "new"})
    rows = course.distribute(["anna"], None, strategy)
    assert read(course.folder("anna")) == {"new.txt": "new", "notes.txt": precious, "other.txt": "theirs"}
    outcomes = course.outcomes(rows["anna"])
    assert outcomes == {"new.txt": "created", "notes.txt": "failed", "other.txt": "replaced"}
    assert rows["anna"].state == "failed"
    assert DAMAGED in course.problem(rows["anna"])["message"]
    course.close()
