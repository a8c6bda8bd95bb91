"""Many processes capture, restore, deliver, delete and collect at once on one home: nobody sees an error, nothing is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.contract.disk import found_in, lay_out, tree
from tests.engine.campus import Campus

from .conftest import Extent


def test_many_processes_at_once(campus: Campus, extent: Extent) -> None:
    campus.run("roster_add", space="intro", people="s0\ns1\ns2\ns3", source="")
    for name in ("master", "s0", "s1", "s2", "s3"):
        lay_out(campus.workspace(f"intro/{name}"), tree({"a.txt": f"{name}\n" * 50, "week1/b.txt": "b\n"}))
    campus.snapshot("intro/master", name="kept")
    kept = found_in(campus.workspace("intro/master"))
    before = campus.call("instance_show", instance="intro/master")
    assert before
    campus.catalog.close()
    processes, seconds, at_most = (8, 60, 10**6) if extent.long else (3, 240, 12)
    script = Path(__file__).with_name("crowd.py")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    members = [
        subprocess.Popen(
            [sys.executable, script, str(campus.home), *map(str, (number, extent.seed, seconds, at_most))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for number in range(processes)
    ]
    done: Counter[str] = Counter()
    late: Counter[str] = Counter()
    wrong: list[str] = []
    for member in members:
        output, errors = member.communicate(timeout=280)
        assert member.returncode == 0, errors[-5000:]
        said = json.loads(output)
        done.update(said["done"])
        late.update(said["late"])
        wrong += said["wrong"]
        wrong += [errors[-3000:]] if "Traceback" in errors else []
    print(f"crowd: {processes} processes, {dict(done)}, too late {dict(late)}, seed {extent.seed}")
    assert not wrong, f"seed {extent.seed}\n" + "\n".join(wrong[:20])
    assert sum(done.values()) >= processes * 4
    report = campus.call("verify_show", id=campus.run("verify").id)
    assert report.ok, report
    campus.run("collect", now=True)
    report = campus.call("verify_show", id=campus.run("verify").id)
    assert report.ok, report
    left = [path for path in campus.folder.rglob("*") if ".~nuvo" in path.name]
    assert not left
    lay_out(campus.workspace("intro/master"), {})
    with campus.catalog.read() as connection:
        alive = connection.exec_driver_sql(
            "SELECT deleted_at IS NULL FROM snapshot WHERE name = 'kept'"
        ).scalar_one()
    if alive:
        campus.run("restore", source="intro/master@kept")
        assert found_in(campus.workspace("intro/master")) == kept
