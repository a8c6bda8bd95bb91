"""What is captured and handed out: made anew in each run, always the same bytes.

Run as a program, so that the measuring process stays small: the memory of a child counts from its parent's.
"""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

SEED = 20261
CHANGED_SHARE = 0.01
UPDATED_FILES = 4
_BLOCK = 4 << 20
_NIBBLES = bytes(b"0123456789abcdef,;.\n"[value % 16] for value in range(256))


def make(kind: str, folder: Path, *arguments: object) -> None:
    """Write a corpus, or change one, in a process of its own.

    Args:
        kind: a name in :data:`_KINDS`.
        folder: made if missing.
        arguments: numbers of files, bytes or a version, as the kind's function takes them.

    Raises:
        subprocess.CalledProcessError: it could not be written.
    """
    command = [sys.executable, "-m", "bench.corpora", kind, str(folder), *map(str, arguments)]
    subprocess.run(command, check=True)


def notebooks(folder: Path, files: int, size: int) -> None:
    """Corpus A: of ten files four notebooks with pictures, four scripts and two CSV files."""
    rng = random.Random(f"{SEED} A")
    text = _Text(rng)
    weights = [rng.lognormvariate(0, 0.8) * (7.5, 0.8, 4.5)[_suffix(number)] for number in range(files)]
    for number, wanted in enumerate(_shares(weights, size)):
        name = f"topic-{number // 100:03d}/{('notebook', 'script', 'table')[_suffix(number)]}-{number:05d}"
        path = folder / f"{name}{('.ipynb', '.py', '.csv')[_suffix(number)]}"
        _write(path, (text.notebook, text.code, text.table)[_suffix(number)](wanted))


def large(folder: Path, files: int, size: int) -> None:
    """Corpus B: large files, half of each random, half compressible, nothing in them twice."""
    rng = random.Random(f"{SEED} B")
    for number in range(files):
        _write(folder / f"data-{number}.bin", _half_random(rng, size // files))


def tiny(folder: Path, files: int, size: int) -> None:
    """Corpus C: very many tiny files in many folders, some of them empty, like an environment."""
    rng = random.Random(f"{SEED} C")
    text = _Text(rng)
    weights = [0.0 if number % 10 == 0 else rng.lognormvariate(0, 1) for number in range(files)]
    for number, wanted in enumerate(_shares(weights, size)):
        name = "__init__.py" if number % 10 == 0 else f"module_{number:06d}.py"
        _write(
            folder / f"package_{number // 100:04d}" / f"part_{number // 10 % 10}" / name, text.code(wanted)
        )


def course(folder: Path, files: int, size: int) -> None:
    """D: what is handed out, in twelve weeks."""
    rng = random.Random(f"{SEED} D")
    text = _Text(rng)
    weights = [rng.lognormvariate(0, 1) for _ in range(files)]
    for number, wanted in enumerate(_shares(weights, size)):
        content = (text.notebook, text.code, text.table)[_suffix(number)](wanted)
        _write(folder / course_path(number), content)


def course_path(number: int) -> str:
    """Path of one of the course's files inside it."""
    return f"week-{number % 12 + 1:02d}/{number:03d}{('.ipynb', '.py', '.csv')[_suffix(number)]}"


def update(folder: Path, files: int, version: int) -> None:
    """Another version of four of the course's files, in place."""
    rng = random.Random(f"{SEED} {version}")
    text = _Text(rng)
    for part in range(UPDATED_FILES):
        number = part * files // UPDATED_FILES
        path = folder / course_path(number)
        _write(path, (text.notebook, text.code, text.table)[_suffix(number)](path.stat().st_size))


def change(folder: Path, version: int) -> None:
    """Edit one per cent of a corpus's files, at least one: a line in the middle, as a person does."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    step = round(1 / CHANGED_SHARE)
    for path in paths[version % step :: step] or paths[:1]:
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + f"# edited {version}\n".encode() + content[middle:])


def held(folder: Path, files: int, owner: int) -> None:
    """What a target holds before: its owner's own files of a few kilobytes."""
    rng = random.Random(f"{SEED} own {owner}")
    for number in range(files):
        content = rng.randbytes(rng.randrange(500, 7_000)).translate(_NIBBLES)
        _write(folder / f"own-{number // 50:02d}" / f"note-{number:04d}.txt", [content])


class _Text:
    """Text like that of notebooks: lines of words, some of them again and again; zstd makes a third of it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        letters = "abcdefghijklmnopqrstuvwxyz_"
        words = ["".join(rng.choices(letters, k=rng.randrange(2, 11))) for _ in range(3_000)]
        signs = [" = ", "(", ")", ", ", ".", " ", " + ", "[0]", ": "]
        common = [1 / (rank + 5) for rank in range(len(words))]
        lines = []
        for _ in range(20_000):
            picked = rng.choices(words, weights=common, k=rng.randrange(2, 9))
            lines.append(
                "    " * rng.randrange(4) + "".join(word + rng.choice(signs) for word in picked) + "\n"
            )
        often = [1 / (rank + 20) for rank in range(len(lines))]
        self._slab = "".join(rng.choices(lines, weights=often, k=150_000))

    def part(self, size: int) -> str:
        """Some text of at most ``size`` characters."""
        start = self._rng.randrange(max(1, len(self._slab) - size))
        return self._slab[start : start + size]

    def code(self, size: int) -> Iterator[bytes]:
        """A script of exactly ``size`` bytes."""
        while size > 0:
            piece = self.part(min(size, 100_000)).encode()
            size -= len(piece)
            yield piece

    def table(self, size: int) -> Iterator[bytes]:
        """CSV of exactly ``size`` bytes."""
        while size > 0:
            digits = self._rng.randbytes(min(size, 1 << 20)).translate(_NIBBLES)
            size -= len(digits)
            yield digits

    def notebook(self, size: int) -> Iterator[bytes]:
        """A notebook of about ``size`` bytes, two fifths of it pictures, in one cell of four."""
        cells: list[dict[str, object]] = []
        left = size - 300
        while left > 0:
            source, printed = self.part(min(left // 2, 2_500)), self.part(min(left // 2, 2_500))
            outputs: list[dict[str, object]] = [{"output_type": "stream", "name": "stdout", "text": printed}]
            if len(cells) % 4 == 1:
                picture = base64.b64encode(self._rng.randbytes(min(left // 3, 11_000))).decode()
                outputs.append(
                    {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}
                )
                left -= len(picture)
            cells.append(
                {
                    "cell_type": "code",
                    "id": f"{self._rng.getrandbits(64):016x}",
                    "execution_count": len(cells) + 1,
                    "metadata": {},
                    "source": source.splitlines(keepends=True),
                    "outputs": outputs,
                }
            )
            left -= int(len(source) * 1.4) + len(printed) + 350
        whole = {
            "cells": cells,
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        yield json.dumps(whole, indent=1).encode()


def _half_random(rng: random.Random, size: int) -> Iterator[bytes]:
    number = 0
    while size > 0:
        block = rng.randbytes(min(size, _BLOCK))
        size -= len(block)
        number += 1
        yield block if number % 2 else block.translate(_NIBBLES)


def _suffix(number: int) -> int:
    return (0, 1, 2, 0, 1, 0, 1, 2, 0, 1)[number % 10]


def _shares(weights: Sequence[float], total: int) -> list[int]:
    whole = sum(weights)
    return [round(total * weight / whole) for weight in weights]


def _write(path: Path, pieces: Iterator[bytes] | list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.writelines(pieces)


_KINDS: dict[str, Callable[..., None]] = {
    function.__name__: function for function in (notebooks, large, tiny, course, update, change, held)
}

if __name__ == "__main__":
    _KINDS[sys.argv[1]](Path(os.path.abspath(sys.argv[2])), *map(int, sys.argv[3:]))
