"""A snapshot as an RO-Crate and back: the same snapshot, or a clear error."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import stat
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rocrate.rocrate import ROCrate

from nuvo_jupyter.interop.crate import METADATA, SNAPSHOT, InvalidCrate
from nuvo_jupyter.interop.importing import MAX_RATIO
from nuvo_jupyter.model.errors import Cancelled, StoreDamaged
from nuvo_jupyter.model.nodes import Exclusion, Node, NodeKind
from nuvo_jupyter.model.paths import from_name
from nuvo_jupyter.store import tree

from .conftest import Installation

Install = Callable[[], Installation]
LOCK = b"""
lock-version = "1.0"
[[packages]]
name = "numpy"
version = "2.1.0"
marker = "python_version >= '3.11'"
wheels = [{ url = "https://example.org/numpy.whl", hashes = { sha256 = "00" } }]
[[packages]]
name = "mine"
version = "0.1"
wheels = [{ path = "wheels/mine-0.1-py3-none-any.whl", hashes = { sha256 = "00" } }]
"""
LARGE = random.Random(5).randbytes(5 << 20)
FILES: dict[str, bytes | Node] = {
    "README.md": b"# Tides\n",
    "empty": b"",
    "data/large.bin": LARGE,
    "data/link": Node(NodeKind.LINK, 0o777, mtime_ns=1, link="../README.md"),
    "away": Node(NodeKind.LINK, 0o777, mtime_ns=5, link="/etc/passwd"),
    "nothing here": Node(NodeKind.FOLDER, 0o700, mtime_ns=99),
    "run.sh": Node(NodeKind.FILE, 0o755, 0, -5),
    "tables/marks.parquet": b"PAR1 not really PAR1",
    "w\u00fcst: [x] #1?%20.txt": b"odd",
    from_name(os.fsdecode(b"\xff\\")): b"bytes",
    ".nuvo/applications/sea/pylock.sea.toml": LOCK,
    ".nuvo/applications/sea/app.json": b'{"python": {"version": "3.12.4"}}',
    ".nuvo/applications/sea/wheels/mine-0.1-py3-none-any.whl": b"wheel",
    METADATA: b"mine",
    f"{SNAPSHOT}/inside": b"mine too",
    "nuvo-kept/x": b"x",
}


@pytest.fixture
def crate(installed: Install) -> tuple[bytes, bytes]:
    """A snapshot's id and its crate."""
    here = installed()
    id_ = here.snapshot(FILES, excluded=(Exclusion(".cache", "cache"),), inconsistent=("README.md",))
    return id_, here.exported(id_)


def test_the_same_snapshot_on_another_installation(installed: Install, crate: tuple[bytes, bytes]) -> None:
    there = installed()
    imported = there.imported(crate[1])
    assert imported.id == crate[0]
    assert imported.metadata.name == "Tides & currents"
    assert there.store.manifest(crate[0]).excluded == (Exclusion(".cache", "cache"),)
    nodes = tree.flatten(there.store, imported.manifest.root)
    for path, what in FILES.items():
        assert nodes[path] == what if isinstance(what, Node) else there.store.read_file(nodes[path]) == what
    assert there.exported(imported.id) == crate[1]


def test_others_read_it(crate: tuple[bytes, bytes], tmp_path: Path) -> None:
    (tmp_path / "it.zip").write_bytes(crate[1])
    read = ROCrate(str(tmp_path / "it.zip"))
    assert read.name == "Tides & currents"
    assert read.root_dataset["license"]["@id"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert [author["name"] for author in read.root_dataset["author"]] == ["Ada Müller", "Bo"]
    table = read.dereference("tables/marks.parquet")
    assert table["encodingFormat"] == "application/vnd.apache.parquet"
    assert table["sha256"] == hashlib.sha256(FILES["tables/marks.parquet"]).hexdigest()  # type: ignore[arg-type]
    with zipfile.ZipFile(io.BytesIO(crate[1])) as archive:
        assert archive.testzip() is None
        names = {
            info.filename
            for info in archive.infolist()
            if not stat.S_ISLNK(info.external_attr >> 16) and not info.is_dir()
        }
        assert {unquote(part.id) for part in read.root_dataset["hasPart"]} == names - {METADATA}
        assert stat.S_IMODE(archive.getinfo("run.sh").external_attr >> 16) == 0o755
        assert archive.getinfo("nothing here/").is_dir()


def test_repo2docker_finds_the_environment(
    crate: tuple[bytes, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(io.BytesIO(crate[1])) as archive:
        archive.extractall(tmp_path)
    lines = (tmp_path / "requirements.txt").read_text().splitlines()[1:]
    assert lines == [
        "./.nuvo/applications/sea/wheels/mine-0.1-py3-none-any.whl",
        "numpy==2.1.0 ; python_version >= '3.11'",
    ]
    assert (tmp_path / lines[0]).read_bytes() == b"wheel"
    assert (tmp_path / "runtime.txt").read_text() == "python-3.12\n"
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        # It imports a module by its old name.
        warnings.simplefilter("ignore", DeprecationWarning)
        from repo2docker.buildpacks import PythonBuildPack
    pack = PythonBuildPack("any-image")
    assert pack.detect()
    assert pack.python_version.startswith("3.12")


def test_repo2docker_finds_what_conda_installed(
    installed: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = installed()
    folder = ".nuvo/applications/Sea of Ice"
    names = {
        "python": "https://conda.anaconda.org/conda-forge/linux-64",
        "zlib": "https://conda.anaconda.org/conda-forge/linux-64",
        "sea": "https://conda.example/own channel/noarch".replace(" ", "%20"),
    }
    packages = [
        {"name": name, "version": "3.12.4", "build": "h1_0", "subdir": place.rpartition("/")[2]}
        | {"url": f"{place}/{name}-3.12.4-h1_0.conda", "sha256": "0" * 64}
        for name, place in names.items()
    ]
    listed = {"platform": "linux-64", "packages": packages}
    files = {
        f"{folder}/pylock.sea-of-ice.toml": LOCK,
        f"{folder}/wheels/mine-0.1-py3-none-any.whl": b"wheel",
        f"{folder}/conda.lock.json": json.dumps(listed).encode(),
    }
    id_ = here.snapshot(files)
    data = here.exported(id_)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    assert not (tmp_path / "requirements.txt").exists()
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from repo2docker.buildpacks import CondaBuildPack
    pack = CondaBuildPack("any-image")
    assert pack.detect()
    assert pack.python_version == "3.12"
    described = pack.environment_yaml
    assert described["channels"] == ["conda-forge", "https://conda.example/own%20channel"]
    assert described["dependencies"][:4] == [
        "python=3.12.4=h1_0",
        "zlib=3.12.4=h1_0",
        "sea=3.12.4=h1_0",
        "pip",
    ]
    wheel, numpy = described["dependencies"][4]["pip"]
    assert (tmp_path / wheel).read_bytes() == b"wheel"
    assert numpy == "numpy==2.1.0 ; python_version >= '3.11'"
    assert installed().imported(data).id == id_
    for broken in (b"{", b'{"platform": "linux-64", "packages": [{"name": "x\\n- y"}]}'):
        id_ = here.snapshot({**files, f"{folder}/conda.lock.json": broken})
        with zipfile.ZipFile(io.BytesIO(here.exported(id_))) as archive:
            assert "environment.yml" not in archive.namelist()


def test_an_environment_that_people_described_is_left_alone(installed: Install) -> None:
    here = installed()
    lock = {".nuvo/applications/sea/pylock.sea.toml": LOCK}
    for own in ("requirements.txt", "binder/environment.yml", "Dockerfile"):
        with zipfile.ZipFile(io.BytesIO(here.exported(here.snapshot({**lock, own: b"mine"})))) as archive:
            assert archive.read(own) == b"mine"
            assert "runtime.txt" not in archive.namelist()
    broken = here.snapshot({".nuvo/applications/sea/pylock.sea.toml": b"no [toml"})
    assert here.imported(here.exported(broken)).id == broken


names = (
    st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=8)
    .map(from_name)
    .filter(lambda name: name not in (".", ".."))
)
leaves = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda mode, time: Node(NodeKind.FOLDER, mode, mtime_ns=time),
        st.integers(0, 0o7777),
        st.integers(-(1 << 40), 1 << 62),
    ),
    st.builds(lambda link: Node(NodeKind.LINK, 0o777, link=link), names),
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.dictionaries(st.lists(names, min_size=1, max_size=3).map("/".join), leaves, max_size=8))
def test_any_snapshot_comes_back(
    installed: Install, pair: tuple[Installation, Installation], files: dict[str, bytes | Node]
) -> None:
    taken = {path for path, what in files.items() if isinstance(what, bytes) or what.kind is NodeKind.LINK}
    files = {
        path: what for path, what in files.items() if not any(path.startswith(other + "/") for other in taken)
    }
    here, there = pair
    id_ = here.snapshot(files)
    assert there.imported(here.exported(id_)).id == id_


@pytest.fixture
def pair(installed: Install) -> tuple[Installation, Installation]:
    return installed(), installed()


def rewritten(crate: bytes, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> bytes:
    """A crate whose description and entries somebody changed."""
    with zipfile.ZipFile(io.BytesIO(crate)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    description = msgspec.json.decode(entries[SNAPSHOT])
    change(description, entries)
    entries[SNAPSHOT] = msgspec.json.encode(description)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def item(description: dict[str, Any], path: str) -> list[Any]:
    found: list[Any] = next(item for item in description["items"] if item[0] == path)
    return found


def put(name: str, content: bytes) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda _, entries: entries.__setitem__(name, content)


def add(*values: Any, content: bytes = b"x") -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(description: dict[str, Any], entries: dict[str, bytes]) -> None:
        description["items"].append(list(values))
        entries[values[0]] = content

    return change


def field(path: str, at: int, value: Any) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda description, _: item(description, path).__setitem__(at, value)


ID = hashlib.sha256(b"").hexdigest()
MALICIOUS: list[tuple[str, Callable[[dict[str, Any], dict[str, bytes]], None], str]] = [
    ("wrong content", put("README.md", b"# Waves\n"), "README.md.*hash"),
    ("wrong content of a large file", put("data/large.bin", LARGE[:-1] + b"x"), "large.bin.*hash"),
    ("wrong size", put("README.md", b"longer than it was"), "size"),
    ("missing", lambda _, entries: entries.__delitem__("README.md"), "missing"),
    ("missing folder", lambda _, entries: entries.__delitem__("nothing here/"), "missing"),
    ("extra", put("more.txt", b"x"), "not in its list"),
    ("extra that climbs", put("../more.txt", b"x"), "not in its list"),
    ("climbs", add("../evil", "file", 0o644, 1, 0, [ID]), "leaves the instance"),
    ("climbs inside", add("data/../../evil", "file", 0o644, 1, 0, [ID]), "leaves the instance"),
    ("absolute", add("/etc/evil", "file", 0o644, 1, 0, [ID]), "absolute"),
    ("hidden climb", add("\\x2e\\x2e/evil", "file", 0o644, 1, 0, [ID]), "leaves the instance"),
    ("dots", add("./evil", "file", 0o644, 1, 0, [ID]), "nothing that a snapshot can hold"),
    ("through a link", add("away/evil", "file", 0o644, 1, 0, [ID]), "no folder"),
    ("through a file", add("README.md/evil", "file", 0o644, 1, 0, [ID]), "no folder"),
    ("no folder above", add("new/evil", "file", 0o644, 1, 0, [ID]), "no folder"),
    ("twice in the list", lambda description, _: description["items"].append(item(description, "empty")), "twice"),
    ("stored where another is", field("README.md", 7, "empty"), "twice"),
    ("stored elsewhere", field("README.md", 7, "../../README.md"), "leaves the instance"),
    ("link elsewhere", field("data/link", 6, "/etc/shadow"), "size|elsewhere"),
    ("a file as a link", field("README.md", 1, "link"), "nothing that a snapshot can hold"),
    ("mode", field("run.sh", 2, 0o100755), "nothing that a snapshot can hold"),
    ("other mode", field("run.sh", 2, 0o4755), "not that of its snapshot"),
    ("other time", field("run.sh", 4, 7), "not that of its snapshot"),
    ("negative size", field("run.sh", 3, -1), "nothing that a snapshot can hold"),
    ("no hash", field("README.md", 5, ["zz"]), "hash that is none"),
    ("short hash", field("README.md", 5, ["00"]), "hash that is none"),
    ("content of others", field("README.md", 5, [ID]), "hash"),
    ("other id", lambda description, _: description.__setitem__("id", "00" * 32), "does not have the id"),
    ("other manifest", lambda description, _: description.__setitem__("manifest", "AAAA"), "does not have the id"),
    ("no description", put(METADATA, b"{"), "cannot be read"),
    ("wrong sha256", lambda _, entries: entries.__setitem__(METADATA, entries[METADATA].replace(b'"sha256":"', b'"sha256":"0')), "hash"),
    ("newer", lambda description, _: description.__setitem__("format", 99), "newer version"),
    ("wrong shape", lambda description, _: description.__setitem__("items", 5), "cannot be read"),
    ("derived over a file", lambda description, _: description["derived"].append("README.md"), "twice"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "says"), MALICIOUS, ids=[what for what, _, _ in MALICIOUS])
def test_malicious_crates(
    installed: Install,
    crate: tuple[bytes, bytes],
    what: str,
    change: Callable[[dict[str, Any], dict[str, bytes]], None],
    says: str,
) -> None:
    there = installed()
    with pytest.raises(InvalidCrate, match=says):
        there.imported(rewritten(crate[1], change))
    with pytest.raises(StoreDamaged, match="missing"):
        there.store.manifest(crate[0])
    assert there.imported(rewritten(crate[1], lambda _description, _entries: None)).id == crate[0]


def test_bombs(installed: Install, crate: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    there = installed()
    with pytest.raises(InvalidCrate, match="more than is allowed"):
        there.imported(crate[1], max_size=1 << 20)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1 << 20))
    with pytest.raises(InvalidCrate, match="more than is allowed"):
        there.imported(out.getvalue())
    # Files that are honestly listed, or said to be all the same, and yet grow out of all proportion.
    monkeypatch.setattr("nuvo_jupyter.interop.importing.HARMLESS_SIZE", 1 << 20)
    sparse = installed()
    dense = [bytes(1 << 20) + at.to_bytes(4) for at in range(12)]
    id_ = sparse.snapshot({f"{at}.bin": data for at, data in enumerate(dense)})
    with pytest.raises(InvalidCrate, match="more than is allowed"):
        there.imported(sparse.exported(id_))
    # What repeats takes no space: a disk image of zeros comes back.
    id_ = sparse.snapshot({"disk.img": bytes(30 << 20), "copy.img": bytes(30 << 20)})
    data = sparse.exported(id_)
    assert len(data) * MAX_RATIO < 60 << 20
    assert there.imported(data).id == id_
    monkeypatch.undo()
    # An entry that says it is small, and is not.
    lying = bytearray(rewritten(crate[1], lambda _description, _entries: None))
    at = lying.rindex(b"PK\x01\x02", 0, lying.rindex(b"data/large.bin"))
    lying[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(InvalidCrate):
        there.imported(bytes(lying))


def test_entries_that_overlap_or_come_twice(installed: Install, crate: tuple[bytes, bytes]) -> None:
    there = installed()
    twice = io.BytesIO(crate[1])
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(twice, "a") as archive:
        archive.writestr("README.md", b"# Tides\n")
    with pytest.raises(InvalidCrate, match="twice"):
        there.imported(twice.getvalue())
    data = bytearray(rewritten(crate[1], lambda _description, _entries: None))
    first = data.rindex(b"PK\x01\x02", 0, data.rindex(b"README.md"))
    second = data.rindex(b"PK\x01\x02", 0, data.rindex(b"empty"))
    data[first + 42 : first + 46] = data[second + 42 : second + 46]
    with pytest.raises(InvalidCrate, match=r"overlaps|damaged"):
        there.imported(bytes(data))


def test_damaged_files(installed: Install, crate: tuple[bytes, bytes]) -> None:
    there = installed()
    for data in (b"", b"no zip", crate[1][:-40], crate[1][: len(crate[1]) // 2], crate[1][1000:]):
        with pytest.raises(InvalidCrate):
            there.imported(data)
    random_ = random.Random(3)
    for _ in range(30):
        flipped = bytearray(crate[1])
        flipped[random_.randrange(len(flipped))] ^= 1 << random_.randrange(8)
        try:
            assert there.imported(bytes(flipped)).id == crate[0]
        except InvalidCrate:
            continue


def test_progress_and_cancelling(installed: Install, crate: tuple[bytes, bytes]) -> None:
    here, there = installed(), installed()
    id_ = here.snapshot(FILES)
    told: list[tuple[int, int]] = []
    here.exported(id_, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > len(LARGE)
    told.clear()
    there.imported(crate[1], progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    for call in (
        lambda: here.exported(id_, cancelled=lambda: len(told) > 0),
        lambda: there.imported(crate[1], cancelled=lambda: True),
    ):
        with pytest.raises(Cancelled):
            call()


MEASURED = """
import io, os, random, resource, sys
from pathlib import Path
from nuvo_jupyter.interop.crate import CrateMetadata
from nuvo_jupyter.interop.export import export_crate
from nuvo_jupyter.interop.importing import import_crate
from nuvo_jupyter.model.nodes import Manifest, Node, NodeKind
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.manifest import add_manifest
from tests.interop.conftest import Installation

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

for name in ("a", "b"):
    os.mkdir(name)
here, there = Installation(Path("a")), Installation(Path("b"))
seeded = random.Random(1)
size = 300 << 20
with here.store.writer() as writer:
    content = writer.add_stream(seeded.randbytes(1 << 20) for _ in range(300))
    root = tree.build({"large.parquet": Node(NodeKind.FILE, 0o644, size, 5, content)}, writer)
    id_ = add_manifest(writer, Manifest(root, files=1, size=size))
    writer.flush()
    with here.catalog.write() as connection:
        writer.commit(connection)
before = peak()
read, write = os.pipe()
with open("crate.zip", "wb") as out:
    class Stream(io.RawIOBase):
        def writable(self): return True
        def write(self, data): return out.write(data)
    export_crate(here.store, id_, Stream(), metadata=CrateMetadata(name="n", description="d", published="2026-11-21"))
after = peak()
with open("crate.zip", "rb") as file, there.store.writer() as writer:
    assert import_crate(file, writer).id == id_
print(os.path.getsize("crate.zip") > size, after - before, peak() - after)
"""


def test_memory_stays_flat(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    found = subprocess.run(
        [sys.executable, "-c", MEASURED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    whole, exporting, importing = found.stdout.split()
    assert whole == "True"
    assert (int(exporting) < 60, int(importing) < 120) == (True, True), found.stdout
