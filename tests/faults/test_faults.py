"""What goes wrong at one target or in the store has a name, stops nobody else, loses nothing, and can be repeated."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from nuvo_jupyter.delivery.run import PATIENCE_ATTEMPTS
from nuvo_jupyter.engine.engine import Engine
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import CatalogDamaged, EmptyStage, NotFound, NuvoError, SameState
from nuvo_jupyter.model.requests import TaskList
from nuvo_jupyter.model.tasks import Delivery, Task
from nuvo_jupyter.store.chunks import content_ids
from tests.contract.disk import Tree, clear, file, found_in, lay_out, tree
from tests.engine.campus import Campus

from . import disks

BIG = file(bytes(os.urandom(1 << 16)) * 40)
SENT = tree({"a.txt": "new a\n", "big.bin": BIG, "week1/b.txt": "new b\n"})
MINE = tree({"a.txt": "my a\n", "own.txt": "my own\n"})
AFTER = {**MINE, **SENT}
SMALL = {path: item for path, item in SENT.items() if item is not BIG}


def students(campus: Campus, *names: str, sent: Tree = SENT) -> None:
    """Students with work of their own, and what is to be distributed."""
    campus.run("roster_add", space="intro", people="\n".join(names), source="")
    for name in names:
        lay_out(folder_of(campus, name), MINE)
    lay_out(campus.workspace("intro/master"), sent)


def folder_of(campus: Campus, name: str) -> Path:
    return campus.workspace(f"intro/{name}")


def send(campus: Campus, *names: str) -> Task:
    """Distribute everything with the default strategy."""
    return campus.finish(campus.call("distribute", source="intro/master", whole=True, to=list(names)))


def retry(campus: Campus, task: Task) -> Task:
    return campus.finish(campus.call("distribution_retry", id=task.distribution))


def deliveries(campus: Campus, task: Task) -> dict[str, Delivery]:
    return {name.removeprefix("intro/"): one for name, one in campus.deliveries(task).items()}


def said(delivery: Delivery) -> dict[str, tuple[str, str]]:
    return {item.path: (item.outcome.value, item.detail) for item in delivery.outcomes}


def problem(delivery: Delivery) -> str:
    assert delivery.task.problem is not None
    return delivery.task.problem.code


def check_only_one_failed(campus: Campus, task: Task, failed: str, other: str) -> None:
    assert task.state == "failed"
    found = deliveries(campus, task)
    assert found[failed].task.state == "failed"
    assert found[other].task.state == "done"
    assert found_in(folder_of(campus, other)) == AFTER


def check_retried(campus: Campus, task: Task, failed: str, other: str, wanted: Tree = AFTER) -> None:
    """Repeated once the cause is gone: the failed one is delivered, the other is left alone."""
    own = folder_of(campus, other) / "a.txt"
    own.write_text("edited since\n")
    before = deliveries(campus, task)[other].task
    again = retry(campus, task)
    assert again.state == "done", again.problem
    assert found_in(folder_of(campus, failed)) == wanted
    assert own.read_text() == "edited since\n"
    after = deliveries(campus, task)[other].task
    assert (after.finished_at, after.backup) == (before.finished_at, before.backup)


# The target


def test_a_target_that_is_read_only(campus: Campus) -> None:
    students(campus, "anna", "ben")
    with disks.read_only(folder_of(campus, "anna")) as make_writable:
        task = send(campus, "anna", "ben")
        check_only_one_failed(campus, task, "anna", "ben")
        anna = deliveries(campus, task)["anna"]
        assert problem(anna) == "some_objects_failed"
        assert {word for word, _ in said(anna).values()} == {"failed"}
        assert all(
            reason.startswith(("The file system is read-only", "Permission denied"))
            for _, reason in said(anna).values()
        )
        assert found_in(folder_of(campus, "anna")) == MINE
        make_writable()
        check_retried(campus, task, "anna", "ben")


@pytest.mark.parametrize("instead", ["nothing", "a file", "a link to nothing"])
def test_a_target_whose_folder_is_gone(campus: Campus, instead: str) -> None:
    students(campus, "anna", "ben")
    folder = folder_of(campus, "anna")
    clear(folder)
    folder.rmdir()
    if instead == "a file":
        folder.write_text("a file")
    elif instead == "a link to nothing":
        folder.symlink_to(folder.with_name("gone"))
    task = send(campus, "anna", "ben")
    check_only_one_failed(campus, task, "anna", "ben")
    assert problem(deliveries(campus, task)["anna"]) == "workspace_unavailable"
    if instead != "nothing":
        folder.unlink()
    folder.mkdir()
    check_retried(campus, task, "anna", "ben", SENT)


def test_a_target_on_a_full_disk(campus: Campus) -> None:
    students(campus, "anna", "ben")
    source = campus.snapshot("intro/master")
    folder = folder_of(campus, "anna")
    with disks.small(folder) as (make_room, reason):
        lay_out(folder, MINE)
        task = campus.finish(campus.call("distribute", source=source, whole=True, to=["anna", "ben"]))
        anna = deliveries(campus, task)["anna"]
        assert said(anna)["big.bin"] == ("failed", reason)
        assert problem(anna) == "some_objects_failed"
        assert found_in(folder) == {**MINE, **SMALL}
        make_room()
        check_retried(campus, task, "anna", "ben")


def test_a_target_with_a_limit_to_the_size_of_files(campus: Campus) -> None:
    students(campus, "anna")
    source = campus.snapshot("intro/master")
    with disks.limited() as (lift, reason):
        task = campus.finish(campus.call("distribute", source=source, whole=True, to=["anna"]))
        assert said(deliveries(campus, task)["anna"])["big.bin"] == ("failed", reason)
        assert found_in(folder_of(campus, "anna")) == {**MINE, **SMALL}
        lift()
        assert retry(campus, task).state == "done"
        assert found_in(folder_of(campus, "anna")) == AFTER


# The store


@pytest.mark.parametrize("limited", [False, True], ids=["a small disk", "a limit"])
def test_a_store_without_room_changes_nothing(tmp_path: Path, limited: bool) -> None:
    store = tmp_path / "store"
    with contextlib.ExitStack() as stack:
        make_room = None if limited else stack.enter_context(disks.small(store))[0]
        campus = Campus(tmp_path / "campus", store_url=str(store))
        stack.callback(campus.close)
        campus.space()
        students(campus, "anna", "ben", sent=SMALL)
        before = {**MINE, **tree({"huge.bin": file(os.urandom(3 << 20))})}
        lay_out(folder_of(campus, "anna"), before)
        make_room = make_room or stack.enter_context(disks.limited())[0]
        task = send(campus, "anna", "ben")
        found = deliveries(campus, task)
        assert problem(found["anna"]) == "storage_full", found["anna"].task.problem
        assert found_in(folder_of(campus, "anna")) == before
        assert found["ben"].task.state == "done"
        assert found_in(folder_of(campus, "ben")) == {**MINE, **SMALL}
        make_room()
        again = retry(campus, task)
        assert again.state == "done", again.problem
        assert found_in(folder_of(campus, "anna")) == {**before, **SMALL}
        check_store(campus)


def test_a_store_that_may_not_be_written_is_tried_some_times_and_then_said(campus: Campus) -> None:
    students(campus, "anna")
    source = campus.snapshot("intro/master")
    asked = campus.call("distribute", source=source, whole=True, to=["anna"])
    campus.sql("UPDATE task SET attempts = ? WHERE kind = 'delivery'", PATIENCE_ATTEMPTS - 1)
    with disks.read_only(campus.home / "store") as make_writable:
        task = campus.finish(asked)
        anna = deliveries(campus, task)["anna"]
        assert problem(anna) == "service_unavailable"
        assert anna.task.problem is not None
        assert "cannot be written" in anna.task.problem.message
        assert found_in(folder_of(campus, "anna")) == MINE
        make_writable()
        assert retry(campus, task).state == "done"
    assert found_in(folder_of(campus, "anna")) == AFTER


def check_store(campus: Campus) -> None:
    report = campus.call("verify_show", id=campus.run("verify").id)
    assert report.ok, report


def pack_of(campus: Campus, content: bytes) -> tuple[Path, int, int]:
    """The pack that holds a content, and where in it: file, offset, length in bytes."""
    (id_,) = content_ids(content)
    with campus.catalog.read() as connection:
        name, offset, length = connection.exec_driver_sql(
            "SELECT hex(p.name), b.offset, b.length FROM blob b JOIN pack p ON p.id = b.pack_id WHERE b.id = ?",
            (id_,),
        ).one()
    (path,) = [
        one
        for one in (campus.home / "store").rglob("*")
        if name.lower() in one.name.lower() and one.is_file()
    ]
    return path, offset, length


@pytest.mark.parametrize("damage", ["a flipped byte", "cut short", "missing"])
def test_a_pack_is_damaged_in_the_middle_of_a_distribution(campus: Campus, damage: str) -> None:
    students(campus, "anna", "ben", "carl")
    source = campus.snapshot("intro/master")
    path, offset, length = pack_of(campus, SENT[b"week1/b.txt"].data)
    sound = path.read_bytes()
    done: list[int] = []

    def when_one_is_done(task: int) -> None:
        with campus.catalog.read() as connection:
            ended = connection.exec_driver_sql(
                "SELECT count(*) FROM task WHERE kind = 'delivery' AND state = 'done'"
            ).scalar_one()
        if ended != 1 or done:
            return
        done.append(task)
        path.chmod(0o600)
        if damage == "missing":
            path.unlink()
        elif damage == "cut short":
            path.write_bytes(sound[: offset + length // 2])
        else:
            place = offset + length - 1
            path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])

    campus.engine.listen(when_one_is_done)
    task = campus.finish(campus.call("distribute", source=source, whole=True, to=["anna", "ben", "carl"]))
    assert done
    found = deliveries(campus, task)
    assert found_in(folder_of(campus, "anna")) == AFTER
    for name in ("ben", "carl"):
        outcomes = said(found[name])
        assert problem(found[name]) in ("some_objects_failed", "store_damaged")
        holds = found_in(folder_of(campus, name))
        for wanted, item in SENT.items():
            if outcomes.get(wanted.decode(), ("failed",))[0] == "failed":
                assert holds.get(wanted) == MINE.get(wanted)
            else:
                assert holds[wanted] == item
        if damage == "a flipped byte":
            assert outcomes["a.txt"] == ("replaced", "")
            assert outcomes["week1/b.txt"][0] == "failed"
            assert "does not have the hash" in outcomes["week1/b.txt"][1]
        assert holds[b"own.txt"] == MINE[b"own.txt"]
        backup = found[name].task.backup
        assert campus.content(f"{backup}:own.txt") == MINE[b"own.txt"].data
    report = campus.call("verify_show", id=campus.run("verify").id)
    assert any("week1/b.txt" in one.reference for one in report.affected) or damage != "a flipped byte", (
        report
    )
    assert not report.ok
    path.unlink(missing_ok=True)
    path.write_bytes(sound)
    check_retried(campus, task, "carl", "anna")
    assert found_in(folder_of(campus, "ben")) == AFTER
    check_store(campus)


# The catalog


@pytest.mark.parametrize("damage", ["no database", "a page"])
def test_a_damaged_catalog_is_said_and_touches_no_folder(campus: Campus, damage: str) -> None:
    students(campus, "anna")
    campus.close()
    path = campus.home / "catalog.sqlite"
    whole = path.read_bytes()
    page = 4096
    if damage == "no database":
        path.write_bytes(b"garbage" * 1000)
    else:
        path.write_bytes(whole[:page] + b"\xff" * (len(whole) - page))
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)

    def use() -> None:
        Engine.open(Nuvo(home=str(campus.home))).call("task_list", TaskList())

    with pytest.raises(CatalogDamaged) as raised:
        use()
    assert raised.value.hint
    assert found_in(campus.folder / "intro" / "anna") == MINE
    path.write_bytes(whole)
    again = Campus(campus.folder)
    assert send(again, "anna").state == "done"
    again.close()


# What cannot be asked for


def tasks(campus: Campus) -> int:
    connection = sqlite3.connect(campus.home / "catalog.sqlite")
    try:
        return int(connection.execute("SELECT count(*) FROM task").fetchone()[0])
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"source": "intro/master", "whole": True, "to": ["master"]}, SameState),
        ({"source": "intro/anna", "whole": True, "to": ["intro/anna"]}, SameState),
        ({"to": ["anna"]}, EmptyStage),
        ({"source": "intro/master", "to": ["anna"]}, EmptyStage),
        ({"source": "intro/master", "objects": [], "to": ["anna"]}, EmptyStage),
        ({"source": "intro/master", "whole": True, "to": ["nobody"]}, NotFound),
        ({"source": "intro/master", "whole": True, "to": ["anna", "nobody"]}, NotFound),
        ({"source": "intro/nobody", "whole": True, "to": ["anna"]}, NotFound),
        ({"source": "nowhere/master", "whole": True, "to": ["anna"]}, NotFound),
        ({"source": "intro/master@99", "whole": True, "to": ["anna"]}, NotFound),
        ({"source": "intro/master", "objects": [{"path": "no such file"}], "to": ["anna"]}, NotFound),
        ({"source": "intro/master", "objects": [{"path": "../anna/own.txt"}], "to": ["anna"]}, NuvoError),
        ({"source": "intro/master", "objects": [{"path": "/etc/passwd"}], "to": ["anna"]}, NuvoError),
        ({"source": "intro/master", "objects": [{"path": "\\x2e\\x2e/anna"}], "to": ["anna"]}, NuvoError),
        ({"source": "intro/master", "whole": True, "to": []}, NuvoError),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_happens(
    campus: Campus, asked: dict[str, object], error: type[NuvoError]
) -> None:
    students(campus, "anna")
    before = tasks(campus)
    for operation in ("distribute", "distribute_preview"):
        with pytest.raises(error) as raised:
            campus.call(operation, **asked)
        assert raised.value.status < 500
        assert raised.value.message
    assert tasks(campus) == before
    assert found_in(folder_of(campus, "anna")) == MINE
