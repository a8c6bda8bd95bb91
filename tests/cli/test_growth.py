"""What grows, from the command line."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from tests.cli.conftest import Run


def test_usage_deleting_and_collecting_agree(nuvo: Run, folder: Path) -> None:
    for number in range(3):
        (folder / "data.bin").write_bytes(os.urandom(100_000))
        nuvo("snapshot", "-n", f"version {number}")
    found = json.loads(nuvo("usage", "-i", "master", "--json").stdout)
    (instance,) = found["spaces"][0]["instances"]
    assert [one["name"] for one in instance["details"]] == ["version 2", "version 1", "version 0"]
    assert all(one["alone"] > 100_000 for one in instance["details"])
    assert re.search(
        r"^my course/master@2\tversion 1\t10\d\.\d kB\t10\d\.\d kB$",
        nuvo("usage", "-i", "master").stdout,
        re.MULTILINE,
    )
    by_path = nuvo("usage", "-i", "master", "--by", "path").stdout
    assert {line.split("\t")[0] for line in by_path.splitlines()} == {"a.txt", "data.bin", "week 1/"}
    inside = json.loads(nuvo("usage", "--by", "path", "--folder", "week 1", "--json").stdout)
    assert [one["path"] for one in inside["spaces"][0]["instances"][0]["paths"]] == ["week 1/naïve 🚲.txt"]
    assert not nuvo("usage", "--by", "table").stdout
    frees = json.loads(nuvo("usage", "@1", "@2", "--json").stdout)["frees"]["size"]
    nuvo("delete", "1")
    nuvo("delete", "2")
    assert json.loads(nuvo("collect", "--json").stdout)["blobs"] == 0
    foreseen = json.loads(nuvo("collect", "--now", "--dry-run", "--json").stdout)
    done = json.loads(nuvo("collect", "--now", "--json").stdout)
    assert done["size"] == foreseen["size"] == frees
    assert (done["freed"], done["written"]) == (foreseen["freed"], foreseen["written"])
    assert nuvo("collect").stdout == "0 B freed.\n"
    assert "all sound" in nuvo("verify").stderr
    assert "more than 24 hours ago" in nuvo("recover", "@1", code=1).stderr


def test_a_rule_is_set_shown_and_applied(nuvo: Run, folder: Path) -> None:
    nuvo("snapshot")
    assert nuvo("retention", "show").stdout == "my course keeps all snapshots.\n"
    assert (
        "the last 1, one per day for 7 days" in nuvo("retention", "set", "--last", "1", "--daily", "7").stdout
    )
    for number in range(2):
        (folder / "a.txt").write_text(f"{number}\n")
        nuvo("restore", "1")
    shown = nuvo("forget", "--dry-run").stdout.splitlines()
    assert [line.split("\t")[0] + " " + line.split("\t")[3] for line in shown] == [
        "my course/master@3 stays",
        "my course/master@2 goes",
        "my course/master@1 stays",
    ]
    assert shown[0].endswith("the latest, last, daily")
    assert shown[1].endswith("no rule keeps it")
    assert len(nuvo("snapshots").stdout.splitlines()) == 3
    assert "1 of 3 snapshots deleted" in nuvo("forget").stderr
    assert len(nuvo("snapshots").stdout.splitlines()) == 2
    entry = next(one for one in json.loads(nuvo("audit", "--json").stdout) if one["detail"].get("forgotten"))
    assert entry["detail"]["snapshots"] == ["master@2"]
    nuvo("recover", "2")
    assert "is no period" in nuvo("retention", "set", "--within", "soon", code=1).stderr


def test_a_schedule_is_set_and_shown(nuvo: Run) -> None:
    nuvo("snapshot")
    assert "only when asked for (server setting)" in nuvo("schedule", "show").stdout
    assert "every 30 minutes" in nuvo("schedule", "set", "30").stdout
    assert json.loads(nuvo("schedule", "show", "--json").stdout)["minutes"] == 30
    nuvo("schedule", "set", "off")
    assert nuvo("schedule", "show").stdout == "Snapshots of my course/master are taken only when asked for.\n"
    nuvo("schedule", "set", "default")
    assert "server setting" in nuvo("schedule", "show").stdout
    assert "no number of minutes" in nuvo("schedule", "set", "often", code=1).stderr
