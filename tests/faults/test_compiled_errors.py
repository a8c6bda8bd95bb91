"""The kernel refuses what is compiled: one call after the other is made to fail by strace, and what fails fails alone."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nuvo_jupyter import native

from .conftest import Extent

FILES = 40
MARK = "/nothing-of-this-name"
"""What the program looks for before and after the calls that count."""
ESSENTIAL = ("openat", "mkdirat", "write", "pread64", "utimensat", "fchmod", "close")
HELPING = ("splice", "pipe2", "fstatfs")
"""Where these fail there is another way."""
PROGRAM = f"""
import json, os, sys
from nuvo_jupyter import native
root, spool = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_RDONLY)
os.umask(0o077)
rows = []
for number in range({FILES}):
    size = 150_000 if number % 3 else 10
    content = (4096, size) if number % 2 else (1, 5, 4096, size - 5) if number % 4 else bytes(size)
    if number % 10 == 0:
        rows += ("in", f"{{number // 10}}", 0o755, 0, 0, None)
    rows += (f"in/{{number // 10}}", f"{{number}}", 0o640, 1_600_000_000 * 10**9, size, content)
os.path.exists({MARK!r})
numbers, _ = native.make_files(root, rows, spool, 100_000, bytearray(1))
os.path.exists({MARK!r})
print(json.dumps({{f"{{place}}/{{name}}": error for place, name, error in zip(rows[::6], rows[1::6], numbers[::4])}}))
"""


def traced(folder: Path, *options: str) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
    """Errors of what was to be made; and by name of a call the numbers of the first and last that count."""
    shutil.rmtree(folder / "root", ignore_errors=True)
    (folder / "root" / "in").mkdir(parents=True)
    done = subprocess.run(
        [
            *("strace", "-qq", "-o", str(folder / "calls"), "-e", f"trace=newfstatat,{','.join(ESSENTIAL + HELPING)}"),
            *options, *(sys.executable, "-c", PROGRAM, str(folder / "root"), str(folder / "spool")),
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    numbers: dict[str, int] = {}
    counting: dict[str, tuple[int, int]] = {}
    marks = 0
    for line in (folder / "calls").read_text().splitlines():
        name = line.split("(")[0]
        marks += MARK in line
        numbers[name] = numbers.get(name, 0) + 1
        if marks == 1 and MARK not in line:
            counting[name] = (counting.get(name, (numbers[name],))[0], numbers[name])
    assert marks == 2
    return json.loads(done.stdout), counting


@pytest.mark.skipif(not native.IS_COMPILED, reason="there is no compiled module")
def test_what_fails_fails_alone_and_leaves_nothing(tmp_path: Path, extent: Extent) -> None:
    if (
        shutil.which("strace") is None
        or subprocess.run(["strace", "-qq", "true"], capture_output=True).returncode
    ):
        pytest.skip("strace is not installed, or may not trace here")
    (tmp_path / "spool").write_bytes(bytes(range(256)) * 1_000)
    errors, counting = traced(tmp_path)
    assert set(errors.values()) == {0}
    assert counting.keys() >= set(ESSENTIAL)
    whole = {
        path.relative_to(tmp_path): path.read_bytes()
        for path in (tmp_path / "root").rglob("*")
        if path.is_file()
    }
    assert len(whole) == FILES
    chance = extent.chance("compiled")
    calls = [name for name in ESSENTIAL + HELPING if name in counting]
    failed = 0
    for number in range(extent.runs(2 * len(calls), 20 * len(calls))):
        call = calls[number % len(calls)]
        error = chance.choice(["ENOSPC", "EDQUOT", "EIO", "EACCES"])
        when = chance.randint(*counting[call])
        note = f"{call} number {when} fails with {error} (seed {extent.seed})"
        errors, _ = traced(tmp_path, "-e", f"inject={call}:error={error}:when={when}")
        wrong = {path for path, one in errors.items() if one}
        # What was to lie in a folder that could not be made.
        first = {path for path in wrong if path.rpartition("/")[0] not in wrong}
        failed += len(first)
        if call in HELPING:
            assert wrong == set(), note
        elif call != "close":
            # Closing a folder may fail without harm.
            assert len(first) == 1, note
        assert {errors[path] for path in first} <= {getattr(errno, error)}, note
        assert {errors[path] for path in wrong - first} <= {errno.ENOENT}, note
        left = {
            path.relative_to(tmp_path): path.read_bytes()
            for path in (tmp_path / "root").rglob("*")
            if path.is_file()
        }
        gone = {Path("root", path) for path in wrong}
        assert left == {path: data for path, data in whole.items() if path not in gone}, note
    print(
        f"compiled: {failed} failed in {extent.runs(2 * len(calls), 20 * len(calls))} tries, seed {extent.seed}"
    )
