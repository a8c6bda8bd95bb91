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
        snapshots: how many the store holds when one file is restored over REST.
        watched: to how many targets the preview is measured beside :attr:`targets`.
        rows: T, the table that is kept and handed out to the targets.
        packages: E, the environment that is re-created.
        students: for so many.
        idle: seconds an idle server is watched.
        starts: how often it is started, with and without Nuvo.
        growth_files, growth_targets, growth_snapshots: the sizes that growth is measured at.
    """

    name: str
    notebooks: tuple[int, int]
    large: tuple[int, int]
    tiny: tuple[int, int]
    course: tuple[int, int]
    targets: int
    held: int
    sample: int
    snapshots: int
    watched: int
    rows: int
    packages: int
    students: int
    idle: float = 20.0
    starts: int = 7
    growth_files: tuple[int, ...] = (100, 1_000, 10_000)
    growth_targets: tuple[int, ...] = (10, 100, 1_000)
    growth_snapshots: tuple[int, ...] = (10, 100, 1_000)


SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            "tiny",
            notebooks=(60, 2 * MB),
            large=(1, 6 * MB),
            tiny=(200, MB),
            course=(12, MB),
            targets=3,
            held=5,
            sample=2,
            snapshots=10,
            watched=6,
            rows=20_000,
            packages=3,
            students=3,
            idle=0.5,
            starts=1,
            growth_files=(50, 200),
            growth_targets=(2, 4),
            growth_snapshots=(5, 10),
        ),
        Scale(
            "small",
            notebooks=(500, 24 * MB),
            large=(1, 32 << 20),
            tiny=(5_000, 15 * MB),
            course=(100, 5 * MB),
            targets=5,
            held=100,
            sample=2,
            snapshots=100,
            watched=20,
            rows=200_000,
            packages=20,
            students=5,
        ),
        Scale(
            "default",
            notebooks=(2_000, 96 * MB),
            large=(1, 128 << 20),
            tiny=(20_000, 60 * MB),
            course=(200, 20 * MB),
            targets=20,
            held=200,
            sample=3,
            snapshots=1_000,
            watched=100,
            rows=1_000_000,
            packages=60,
            students=10,
        ),
        Scale(
            "full",
            notebooks=(10_000, 479 * MB),
            large=(8, 1024 << 20),
            tiny=(100_000, 300 * MB),
            course=(200, 100 * MB),
            targets=100,
            held=1_000,
            sample=10,
            snapshots=1_000,
            watched=1_000,
            rows=5_000_000,
            packages=60,
            students=30,
            growth_files=(1_000, 10_000, 100_000),
            growth_targets=(10, 100, 1_000, 10_000),
            growth_snapshots=(10, 1_000, 10_000),
        ),
    )
}
