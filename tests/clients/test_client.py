"""The client does the same over HTTP and embedded."""

from __future__ import annotations

import inspect
import io
import zipfile
from pathlib import Path

import pytest

from nuvo_jupyter.clients.methods import Client
from nuvo_jupyter.engine.operations import OPERATIONS, Operation
from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput, NotFound
from nuvo_jupyter.model.snapshots import Snapshot
from nuvo_jupyter.model.tasks import Task, TaskState


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / f"work of {tmp_path.name}"
    made.mkdir()
    (made / "naïve 🚲.txt").write_text("first")
    return made


def test_snapshot_change_restore(client: Client, folder: Path) -> None:
    heard: list[Task] = []
    task = client.wait(client.snapshot_create(folder=str(folder), name="one"), heard.append)
    assert task.state is TaskState.DONE, task.problem
    assert heard[-1] == task
    instance = f"{folder.name}/master"
    (only,) = client.snapshot_list(instance=instance)
    assert isinstance(only, Snapshot)
    assert (only.name, only.files) == ("one", 1)
    (folder / "naïve 🚲.txt").write_text("second")
    done = client.finish(client.restore(source=f"{instance}@one", paths=["naïve 🚲.txt"]))
    assert done.counts == {"done": 1}
    assert (folder / "naïve 🚲.txt").read_text() == "first"
    assert b"".join(client.read(state=f"{instance}@2:naïve 🚲.txt").body) == b"second"


def test_wait_as_a_field_finishes_the_task(client: Client, folder: Path) -> None:
    assert client.snapshot_create(folder=str(folder), wait=30).state is TaskState.DONE


def test_errors_are_the_classes_they_were(client: Client, folder: Path) -> None:
    with pytest.raises(NotFound) as caught:
        client.space_show(space="no such space")
    assert "no such space" in caught.value.message
    assert caught.value.hint
    client.space_create(name=folder.name, workspace=str(folder))
    with pytest.raises(AlreadyExists):
        client.space_create(name=folder.name, workspace=str(folder))


def test_lists_and_booleans_and_absent_values_travel(client: Client, folder: Path) -> None:
    space = client.space_create(name=folder.name, workspace=str(folder))
    assert not space.pull_from_master
    assert client.space_update(space=folder.name, pull_from_master=True, archived=False).pull_from_master
    assert folder.name in {item.name for item in client.space_list(deleted=False)}
    client.space_delete(space=folder.name)
    assert folder.name not in {item.name for item in client.space_list(deleted=False)}
    assert folder.name in {item.name for item in client.space_list(deleted=True)}


def test_lists_in_what_is_asked_travel(client: Client, folder: Path) -> None:
    (folder / "marks.csv").write_text("class,name,points\na,anna,1\nb,anna,2\n")
    client.snapshot_create(folder=str(folder), wait=30)
    state = f"{folder.name}/master"
    client.table_import(instance=state, path="marks.csv")
    asked = {"left": state, "right": state, "table": "marks"}
    assert client.table_compare(**asked).key == ()
    assert client.table_compare(**asked, key=("class", "name")).key == ("class", "name")
    crate = b"".join(client.crate_export(state=f"{state}@1", authors=("Anna, A.", "Ben")).body)
    with zipfile.ZipFile(io.BytesIO(crate)) as archive:
        told = archive.read("ro-crate-metadata.json").decode()
    assert "Anna, A." in told
    assert "Ben" in told


def test_unknown_fields_and_operations_are_refused(client: Client) -> None:
    with pytest.raises(InvalidInput, match="nmae"):
        client.space_create(nmae="typo")
    with pytest.raises(InvalidInput, match="no operation"):
        client.call("destroy_everything")
    with pytest.raises(AttributeError):
        client.destroy_everything  # noqa: B018


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_a_method_that_explains_itself(operation: Operation, tmp_path: Path) -> None:
    client = Client(transport=None)  # type: ignore[arg-type]
    method = getattr(client, operation.name)
    assert method.__doc__ == operation.help
    assert list(inspect.signature(method).parameters) == list(operation.request.__struct_fields__)
    assert operation.name in dir(client)
