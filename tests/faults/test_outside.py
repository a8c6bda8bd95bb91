"""Nothing outside a workspace is ever read or written, whatever its user plants there, and whenever."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.store.chunks import content_ids
from nuvo_jupyter.workspace.syscalls import exchange
from tests.contract.disk import Tree, file, found_in, lay_out, link, tree
from tests.engine.campus import Campus

SECRET = b"nobody else's business"
OUTSIDE = tree(
    {
        "secret.txt": file(SECRET, 0o600),
        "sub/secret.txt": file(SECRET),
        "sub/b.txt": file(SECRET),
        "empty.txt": "",
    }
)
SENT = tree(
    {"a.txt": "new a\n", "week1/secret.txt": "new\n", "week1/sub/b.txt": "new b\n", "week2/c.txt": "new c\n"}
)
STRATEGIES = ["extra", "overwrite", "replace", "rename", "merge"]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    lay_out(folder, OUTSIDE)
    return folder


@pytest.fixture
def anna(campus: Campus) -> Path:
    """The folder of a student to whom everything was distributed before."""
    campus.run("instance_create", space="intro", name="anna", source="")
    lay_out(
        campus.workspace("intro/master"),
        tree({"a.txt": "a\n", "week1/secret.txt": "s\n", "week1/sub/b.txt": "b\n"}),
    )
    campus.run("distribute", source="intro/master", whole=True, to=["anna"])
    lay_out(campus.workspace("intro/master"), SENT)
    return campus.workspace("intro/anna")


def check_untouched(campus: Campus, outside: Path) -> None:
    """It is as it was, and none of it came into the store."""
    assert found_in(outside) == OUTSIDE
    assert not campus.engine.store.contains(set(content_ids(SECRET)))


def planted(outside: Path) -> dict[str, Tree]:
    """Where links to the outside can lie: at staged paths, above them, and chained."""
    there = os.fsencode(outside)
    return {
        "at a file": tree(
            {
                "a.txt": link(there + b"/secret.txt"),
                "week1/secret.txt": link("../../../../outside/secret.txt"),
            }
        ),
        "at a folder": tree({"a.txt": "mine\n", "week1": link(there)}),
        "at a folder below": tree({"week1/sub": link(there + b"/sub"), "week1/secret.txt": "mine\n"}),
        "by way of another": tree({"way": link(there), "week1": link("way"), "a.txt": link("way/empty.txt")}),
        "to the folder above": tree({"week1": link(".."), "week2": link("/")}),
        "to nothing yet": tree({"a.txt": link(there + b"/new.txt"), "week2": link(there + b"/new folder")}),
        "to itself": tree({"week1": link("week1"), "a.txt": link("a.txt")}),
    }


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("objects", [None, ["week1"], ["a.txt", "week1/secret.txt", "week1/sub/b.txt"]])
def test_links_planted_at_staged_paths_and_above_lead_nowhere(
    campus: Campus, anna: Path, outside: Path, strategy: str, objects: list[str] | None
) -> None:
    for name, plants in planted(outside).items():
        lay_out(anna, plants)
        asked: dict[str, Any] = {"source": "intro/master", "to": ["anna"], "strategies": {"file": strategy}}
        asked |= {"whole": True} if objects is None else {"objects": [{"path": path} for path in objects]}
        campus.run("distribute_preview", **asked)
        assert found_in(anna) == plants
        task = campus.run("distribute", **asked)
        check_untouched(campus, outside)
        if strategy == "replace" and objects is None:
            assert found_in(anna) == SENT, name
        (delivery,) = campus.deliveries(task).values()
        campus.run("restore", source=delivery.task.backup)
        assert found_in(anna) == plants, name
        check_untouched(campus, outside)


def test_links_of_the_source_arrive_as_links(campus: Campus, anna: Path, outside: Path) -> None:
    plants = planted(outside)["at a folder"]
    lay_out(campus.workspace("intro/master"), plants)
    campus.run("distribute", source="intro/master", whole=True, to=["anna"], strategies={"file": "replace"})
    assert found_in(anna) == plants
    check_untouched(campus, outside)


@pytest.mark.parametrize(
    "path",
    ["week1/secret.txt", "week1/sub/secret.txt", "a.txt", "../outside/secret.txt", "week1/../../secret.txt"],
)
def test_nothing_outside_can_be_read_or_staged_through_a_workspace(
    campus: Campus, anna: Path, outside: Path, path: str
) -> None:
    there = os.fsencode(outside)
    lay_out(anna, tree({"week1": link(there), "a.txt": link(there + b"/secret.txt")}))
    with pytest.raises(NuvoError) as raised:
        campus.content(f"intro/anna:{path}")
    assert raised.value.status < 500
    if path != "a.txt":
        objects = [{"path": path}]
        with pytest.raises(NuvoError) as raised:
            campus.call("stage_add", state="intro/anna", objects=objects)
        assert raised.value.status < 500
    with pytest.raises(NuvoError):
        campus.call("browse", state="intro/anna:week1")


@contextmanager
def swapping(folder: Path, *names: str) -> Iterator[list[int]]:
    """Swap entries of a folder with their twins (``name.twin``) all the time."""
    stop, swaps = threading.Event(), [0]

    def swap() -> None:
        here = os.open(folder, os.O_RDONLY)
        while not stop.is_set():
            for name in names:
                try:
                    exchange(here, name, here, f"{name}.twin")
                    swaps[0] += 1
                except FileNotFoundError:
                    # A delivery has just taken one of them away.
                    continue
        os.close(here)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield swaps
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("strategy", ["overwrite", "replace", "merge"])
def test_folders_and_files_swapped_for_links_while_it_is_delivered(
    campus: Campus, anna: Path, outside: Path, strategy: str
) -> None:
    there = os.fsencode(outside)
    master = campus.workspace("intro/master")
    words = set()
    for number in range(6):
        mine = tree(
            {"week1/secret.txt": f"mine {number}\n", "week1/sub/b.txt": "b\n", "a.txt": f"mine {number}\n"}
        )
        lay_out(anna, {**mine, b"week1.twin": link(there), b"a.txt.twin": link(there + b"/secret.txt")})
        lay_out(master, {**SENT, b"week1/secret.txt": file(f"{number}\n"), b"a.txt": file(f"{number}\n")})
        with swapping(anna, "week1", "a.txt") as swaps:
            asked = {"source": "intro/master", "to": ["anna"], "strategies": {"file": strategy}}
            task = campus.finish(
                campus.call("distribute", objects=[{"path": "week1"}, {"path": "a.txt"}], **asked)
            )
            assert swaps[0]
        (delivery,) = campus.deliveries(task).values()
        words |= {item.outcome.value for item in delivery.outcomes}
        assert delivery.task.problem is None or delivery.task.problem.code == "some_objects_failed"
        check_untouched(campus, outside)
    assert words
    # What could not be reached while it was moved about is cleared away by the next delivery.
    lay_out(master, tree({"a.txt": "the last\n"}))
    campus.run("distribute", source="intro/master", whole=True, to=["anna"])
    assert not [path for top in (outside, anna) for path in top.rglob("*") if ".~nuvo" in path.name]
