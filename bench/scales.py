"""How large a run is."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True)
class Scale:
    """Sizes of the corpora and of the class, in files and bytes.

    Args:
        notebooks: corpus A, a course or research folder: notebooks, scripts, CSV.
        large: corpus B, few large files, half of them random.
        tiny: corpus C, a folder like an environment: very many tiny files.
        course: D, what is handed out.
        targets: how many folders it is handed out to.
        held: files of its own each target holds before.
        sample: to how many targets slow tools really deliver; their figures are scaled to all.
    """

    name: str
    notebooks: tuple[int, int]
    large: tuple[int, int]
    tiny: tuple[int, int]
    course: tuple[int, int]
    targets: int
    held: int
    sample: int


SCALES = {
    scale.name: scale
    for scale in (
        Scale("tiny", (60, 2 * MB), (1, 6 * MB), (200, MB), (12, MB), 3, 5, 2),
        Scale("small", (500, 24 * MB), (1, 32 << 20), (5_000, 15 * MB), (100, 5 * MB), 5, 100, 2),
        Scale("default", (2_000, 96 * MB), (1, 128 << 20), (20_000, 60 * MB), (200, 20 * MB), 20, 200, 3),
        Scale(
            "full", (10_000, 479 * MB), (8, 1024 << 20), (100_000, 300 * MB), (200, 100 * MB), 100, 1_000, 10
        ),
    )
}
