"""The command line from a first snapshot to a distribution and a restore."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from nuvo_jupyter.workspace.tables.connection import Connection
from tests.cli.conftest import Run


def result(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_snapshot_list_show_compare_diff(nuvo: Run, folder: Path) -> None:
    task = result(nuvo("snapshot", "-n", "first", "-m", "the beginning", "--json"))
    assert (task["state"], task["snapshot"]) == ("done", "my course/master@1")
    (folder / "a.txt").write_text("changed\n")
    assert nuvo("compare").stdout.splitlines() == ["~\ta.txt\t4\t8"]
    assert "-one\n+changed\n" in nuvo("diff", "a.txt").stdout
    (listed,) = result(nuvo("--json", "snapshots"))
    assert (listed["name"], listed["description"], listed["files"]) == ("first", "the beginning", 2)
    assert nuvo("log").stdout == nuvo("snapshots").stdout
    assert result(nuvo("show", "first", "--json"))["snapshot"] == listed
    assert nuvo("cat", "@first:a.txt").stdout == "one\n"
    assert "naïve 🚲.txt" in nuvo("ls", "@1:week 1").stdout


def test_paths_are_relative_to_the_current_folder(nuvo: Run, folder: Path) -> None:
    nuvo("snapshot")
    (folder / "week 1" / "naïve 🚲.txt").write_text("lost\n")
    (folder / "a.txt").write_text("kept\n")
    nuvo("restore", "1", "naïve 🚲.txt", cwd=folder / "week 1")
    assert (folder / "week 1" / "naïve 🚲.txt").read_text() == "two\n"
    assert (folder / "a.txt").read_text() == "kept\n"
    versions = result(nuvo("history", "naïve 🚲.txt", "--json", cwd=folder / "week 1"))
    assert [version["snapshot"]["number"] for version in versions] == [2, 1]
    assert "outside the instance" in nuvo("restore", "1", "../..", code=1).stderr


def test_a_path_typed_for_a_state_is_told_how_to_write_it(nuvo: Run, folder: Path) -> None:
    nuvo("snapshot")
    inner = folder / "week 1"
    assert nuvo("ls", cwd=inner).stdout == nuvo("ls", ":week 1").stdout
    assert "':week 1/naïve 🚲.txt'" in nuvo("cat", "naïve 🚲.txt", cwd=inner, code=1).stderr
    assert nuvo("history", "no such file").stdout == ""


def test_restore_everything(nuvo: Run, folder: Path) -> None:
    nuvo("snapshot", "-n", "first")
    (folder / "new.txt").write_text("new")
    (folder / "a.txt").unlink()
    nuvo("restore", "first")
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "week 1"]
    nuvo("restore", "2")
    assert (folder / "new.txt").read_text() == "new"


def test_a_course(nuvo: Run, folder: Path, tmp_path: Path) -> None:
    space = result(nuvo("space", "create", "Intro", "--workspace", str(folder), "--json"))
    assert space["kind"] == "course"
    people = "username,name,email\nann,Ann A.,ann@example.org\nbob,,\n"
    assert "2 instances" in nuvo("roster", "add", "-", "--space", "Intro", text=people).stdout
    assert "already" in nuvo("roster", "add", "-", "--space", "Intro", text=people).stdout
    instances = {item["name"]: item for item in result(nuvo("instance", "list", "--json"))}
    assert set(instances) == {"master", "distributed", "ann", "bob"}
    stage = result(nuvo("stage", "add", "a.txt", "week 1", "--json"))
    assert stage == result(nuvo("stage", "show", "--json"))
    preview = result(nuvo("distribute", "--to", "all", "-s", "merge", "--preview", "--json"))
    assert {target["counts"]["created"] for target in preview["targets"]} == {3}
    piped = nuvo("distribute", "--to", "ann", "--to", "bob", "--preview").stdout.splitlines()
    assert {line.split("\t")[0] for line in piped} == {"Intro/ann", "Intro/bob"}
    task = result(nuvo("distribute", "--to", "all", "-s", "merge", "-m", "week 1", "--json"))
    assert task["counts"] == {"done": 3}
    ann = Path(instances["ann"]["workspace"])
    assert (ann / "week 1" / "naïve 🚲.txt").read_text() == "two\n"
    (only,) = result(nuvo("distributions", "--json"))
    shown = result(nuvo("distributions", "show", str(only["id"]), "--target", "ann", "--json"))
    assert {outcome["outcome"] for outcome in shown["outcomes"]} == {"created"}
    (ann / "a.txt").unlink()
    assert "created\ta.txt" in nuvo("pull", "a.txt", "-s", "overwrite", "--preview", cwd=ann).stdout
    assert not (ann / "a.txt").exists()
    nuvo("pull", "a.txt", "-s", "overwrite", cwd=ann)
    assert (ann / "a.txt").read_text() == "one\n"
    with Connection(folder / "tables") as con, Connection(ann / "tables") as own:
        con.execute("CREATE TABLE marks AS SELECT 1 AS id; CREATE TABLE people (id INTEGER PRIMARY KEY)")
        nuvo("distribute", "--to", "all", "--whole")
        con.execute("INSERT INTO marks VALUES (2); INSERT INTO people VALUES (2)")
        own.execute("INSERT INTO marks VALUES (3); INSERT INTO people VALUES (3)")
        shown = nuvo("distribute", "--to", "ann", "--whole", "--append-rows", "--key", "id").stdout
        assert "merged\ttables/marks.parquet" in shown, shown
        assert own.execute("FROM marks ORDER BY id").fetchall() == [(1,), (2,), (3,)]
        assert own.execute("FROM people ORDER BY id").fetchall() == [(2,), (3,)]
        nuvo("pull", "-s", "extra", cwd=ann)
        assert own.execute("FROM people ORDER BY id").fetchall() == [(2,), (3,)]
    nuvo("recall", "--distribution", str(only["id"]), "--space", "Intro")
    assert not (ann / "a.txt").exists()
    entries = [json.loads(line) for line in nuvo("audit", "--jsonl").stdout.splitlines()]
    assert [entry["action"] for entry in entries if entry["action"] == "recall"] == ["recall"]
    assert nuvo("verify").returncode == 0
    nuvo("repair")
    nuvo("members", "Intro")
    nuvo("grant", "ann", "viewer", "--instance", "Intro/bob")
    nuvo("revoke", "ann", "--instance", "Intro/bob")
    nuvo("notifications")
    assert result(nuvo("tasks", "--json"))
    nuvo("tasks", "watch", str(task["id"]))


def test_names_that_are_no_text(nuvo: Run, folder: Path) -> None:
    name = b"caf\xe9\x1b[31m.txt"
    (folder / os.fsdecode(name)).write_text("first")
    nuvo("snapshot")
    listed = nuvo("ls").stdout
    assert "\x1b" not in listed
    assert "caf\\xe9\\x1b[31m.txt" in listed
    (folder / os.fsdecode(name)).write_text("second")
    nuvo("restore", "1", os.fsdecode(name))
    assert (folder / os.fsdecode(name)).read_text() == "first"


def test_a_lost_catalog_is_made_anew(nuvo: Run, folder: Path, environment: dict[str, str]) -> None:
    nuvo("snapshot")
    Path(environment["NUVO_HOME"], "catalog.sqlite").unlink()
    said = nuvo("status", code=1).stderr
    assert "is missing or empty" in said
    assert "nuvo rebuild" in said
    assert "nuvo log recovered/master" in nuvo("rebuild").stderr
    assert [item["number"] for item in result(nuvo("log", "recovered/master", "--json"))] == [1]
    nuvo("rebuild", code=1)
    store = Path(environment["NUVO_HOME"], "store")
    shutil.copytree(store, folder.parent / "copy")
    for pack in (path for path in store.joinpath("packs").rglob("*") if path.is_file()):
        os.truncate(pack, 100)
    (folder / "a.txt").unlink()
    assert "recovered/master@1" in nuvo("repair", code=1).stdout
    nuvo("repair", "--from", "copy", cwd=folder.parent)
    nuvo("verify")


def test_a_restore_is_previewed(nuvo: Run, folder: Path) -> None:
    nuvo("snapshot")
    (folder / "a.txt").write_text("changed\n")
    (folder / "new.txt").write_text("new\n")
    said = nuvo("restore", "1", "--preview").stdout.splitlines()
    assert {tuple(line.split("\t")[1:3]) for line in said} == {("deleted", "new.txt"), ("replaced", "a.txt")}
    assert (folder / "a.txt").read_text() == "changed\n"
    (target,) = result(nuvo("restore", "1", "a.txt", "--preview", "--json"))["targets"]
    assert target["counts"] == {"replaced": 1}
