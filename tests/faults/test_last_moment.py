"""What somebody writes in the very moment in which the process dies is not lost either."""

from __future__ import annotations

import pytest

from tests.contract.disk import file, found_in, lay_out, tree
from tests.engine.campus import Campus

from .processes import KILLED, Executor, leases_run_out

OLD = tree({"a.txt": "old\n", "week1/b.txt": "old b\n", "c.txt": "old c\n"})
NEW = tree({"a.txt": "new\n", "week1/b.txt": "new b\n", "c.txt": "new c\n"})


@pytest.mark.parametrize("path", ["a.txt", "week1/b.txt"])
def test_an_edit_between_the_last_look_and_the_exchange_survives_a_kill(
    campus: Campus, executor: Executor, path: str
) -> None:
    master = campus.workspace("intro/master")
    lay_out(master, NEW)
    campus.snapshot("intro/master")
    lay_out(master, OLD)
    task = campus.call("restore", source="intro/master@1")
    campus.catalog.close()
    ended = executor.run(campus.home, task.id, edit=(str(master / path), "mine, of this very moment\n"))
    assert ended.status == KILLED
    assert (master / path).read_text() == NEW[path.encode()].data.decode()
    leases_run_out(campus.home)
    assert executor.run(campus.home, task.id).status == 0, executor.log()
    found = found_in(master)
    extra = found.keys() - NEW.keys()
    assert len(extra) == 1
    (kept,) = extra
    assert kept.rpartition(b"/")[2].startswith(b"recovered-")
    assert kept.rpartition(b"/")[0] == path.encode().rpartition(b"/")[0]
    assert found.pop(kept).data == b"mine, of this very moment\n"
    assert found == NEW


def test_what_a_killed_run_had_written_itself_is_cleared_away(campus: Campus, executor: Executor) -> None:
    """Old contents are in the backup, new ones in the store or merged again."""
    campus.run("roster_add", space="intro", people="anna", source="")
    master, anna = campus.workspace("intro/master"), campus.workspace("intro/anna")
    lay_out(master, tree({"a.txt": "1\n2\n3\n", "b.txt": "b\n"}))
    campus.run(
        "distribute", source="intro/master", whole=True, to=["intro/anna"], strategies={"file": "merge"}
    )
    lay_out(anna, tree({"a.txt": "1 mine\n2\n3\n", "b.txt": "b\n"}))
    lay_out(master, tree({"a.txt": "1\n2\n3 new\n", "b.txt": file("b2\n" * 1000)}))
    task = campus.call(
        "distribute", source="intro/master", whole=True, to=["intro/anna"], strategies={"file": "merge"}
    )
    campus.catalog.close()
    # As before, but what it is edited to is what it was.
    ended = executor.run(campus.home, task.id, edit=(str(anna / "a.txt"), "1 mine\n2\n3\n"))
    assert ended.status == KILLED
    assert any(path.name.startswith(".~nuvo") for path in anna.iterdir())
    leases_run_out(campus.home)
    assert executor.run(campus.home, task.id).status == 0, executor.log()
    assert found_in(anna) == tree({"a.txt": "1 mine\n2\n3 new\n", "b.txt": "b2\n" * 1000})
