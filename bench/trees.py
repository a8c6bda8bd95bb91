"""Whether what came back is what was kept, and how much room a store takes."""

from __future__ import annotations

import filecmp
import os
from pathlib import Path


def files_of(folder: Path, ignore: tuple[str, ...] = ()) -> dict[str, Path]:
    """All files below a folder by their relative paths, without folders called as in ``ignore``."""
    found: dict[str, Path] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in ignore]
        for name in names:
            path = Path(parent, name)
            found[str(path.relative_to(folder))] = path
    return found


def differences(wanted: Path, there: Path, *, more: bool = False, ignore: tuple[str, ...] = ()) -> list[str]:
    """Paths whose content differs between two folders, or which only one has.

    Args:
        more: whether ``there`` may hold other files, too.
        ignore: names of folders that do not count.
    """
    left, right = files_of(wanted, ignore), files_of(there, ignore)
    wrong = set(left) - set(right) if more else set(left) ^ set(right)
    filecmp.clear_cache()
    wrong |= {
        path for path in left.keys() & right.keys() if not filecmp.cmp(left[path], right[path], shallow=False)
    }
    return sorted(wrong)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder, those with several names once."""
    sizes = {}
    for path in files_of(folder).values():
        status = path.lstat()
        sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())
