"""The house: each part imports only parts below it, and merge/ does no I/O (DESIGN, section 4)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "nuvo_jupyter"
FLOORS = [
    {"model", "native"},
    {"catalog"},
    {"store"},
    {"workspace"},
    {"merge"},
    {"interop"},
    {"delivery"},
    {"engine"},
    {"clients"},
    {"handlers", "magics", "cli", "demo"},
]
FLOOR = {part: height for height, floor in enumerate(FLOORS) for part in floor}
PURE_MAY_IMPORT = {"model", "merge"}
PURE_OF_OS = {"fsencode", "fsdecode", "path"}
IMPURE = {
    "io",
    "pathlib",
    "socket",
    "subprocess",
    "shutil",
    "tempfile",
    "time",
    "random",
    "secrets",
    "sqlalchemy",
    "uuid",
}
# Decided in one place, and imported where it is started: the demo is started by the command line.
ALLOWED = {("cli", "demo")}


def imported(path: Path) -> set[str]:
    """Modules a file imports, by full name, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def parts(names: set[str]) -> set[str]:
    """Our own parts among modules."""
    found = {name.split(".")[1] for name in names if name.startswith("nuvo_jupyter.")}
    return found & FLOOR.keys()


@pytest.mark.parametrize("part", sorted(FLOOR))
def test_a_part_imports_only_parts_below_it(part: str) -> None:
    files = [path for path in (PACKAGE / part).rglob("*.py") if "course" not in path.parts]
    assert files, f"{part}/ holds nothing"
    for path in files:
        for other in parts(imported(path)) - {part}:
            assert FLOOR[other] < FLOOR[part] or (part, other) in ALLOWED, f"{path} imports {other}"


def test_every_part_has_its_floor() -> None:
    found = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert found == FLOOR.keys()


def test_merge_is_pure() -> None:
    for path in (PACKAGE / "merge").rglob("*.py"):
        names = imported(path)
        assert parts(names) <= PURE_MAY_IMPORT, path
        assert not {name.split(".")[0] for name in names} & IMPURE, path
        used = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
        }
        assert used <= PURE_OF_OS, path
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        opened = [
            node
            for node in calls
            if isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input")
        ]
        assert not opened, path
