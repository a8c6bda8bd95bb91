"""What a running Jupyter server feels: its start, its idle time, other requests while Nuvo works, one file restored."""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import corpora
from bench.figures import Figures
from bench.measuring import Cost, make_room, settle
from bench.scales import Scale
from bench.server import Server
from bench.targets import IDLE, OTHERS, REST, START
from bench.tools.ours import OURS

Say = Callable[[str], None]
EVERY_SECONDS = 0.02
RESTORES = 100
FILES = 200
_SPACE = "bench"
_MASTER = f"{_SPACE}/master"
_WORKER_POLL = 4.0
"""Longest time between two looks of an idle executor; the server is idle once the first has passed."""


def measure_serving(scale: Scale, runs: int, folder: Path, figures: Figures, say: Say) -> None:
    """Measure everything that needs a real server.

    Args:
        folder: emptied again.
    """
    folder.mkdir(parents=True)
    say("server: start and idle time")
    _idle(scale.idle, folder, figures)
    _start(scale.starts, folder, figures)
    say(f"server: one file restored, {scale.snapshots:,} snapshots in the store")
    _restore_one(scale, folder / "one", figures)
    for letter, kind in (("A", "notebooks"), ("C", "tiny")):
        say(f"server: other requests while {letter} is kept and restored")
        _beside_states(letter, kind, scale, runs, folder / letter, figures)
    say("server: other requests during a hand-out")
    _beside_handout(scale, folder / "class", figures)
    shutil.rmtree(folder)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of all does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def _start(starts: int, folder: Path, figures: Figures) -> None:
    # The home exists, as on every start but the first: the idle server has made it.
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(starts):
        for extension in (True, False):
            settle()
            home = folder / ("with" if extension else "without") / "home"
            server = Server(folder, home, extension=extension)
            seconds[extension].append(server.start_seconds)
            server.close()
    # The least of each: a start is a second of Python at work, and whatever else runs only adds to it.
    figures.add("server: start without Nuvo", OURS.name, Cost(min(seconds[False]), 0))
    later = max(0.0, min(seconds[True]) - min(seconds[False]))
    figures.add(START, OURS.name, Cost(later, 0))


def _idle(seconds: float, folder: Path, figures: Figures) -> None:
    server = Server(folder, folder / "with" / "home")
    try:
        with server.client() as client:
            client.ask("GET", "nuvo/api/status")
        time.sleep(min(seconds, _WORKER_POLL))
        before = server.cpu_seconds()
        time.sleep(seconds)
        share = (server.cpu_seconds() - before) / seconds
    finally:
        server.close()
    figures.add(IDLE, OURS.name, Cost(share, 0))


def _restore_one(scale: Scale, folder: Path, figures: Figures) -> None:
    live = folder / "live"
    corpora.make("held", live, FILES, 0)
    server = Server(folder, folder / "nuvo" / "home")
    try:
        with server.client() as client:
            client.ask(
                "POST", "nuvo/api/spaces", {"name": _SPACE, "kind": "research", "workspace": str(live)}
            )
            path = sorted(live.rglob("*.txt"))[FILES // 2]
            content = path.read_bytes()
            for number in range(scale.snapshots):
                path.write_bytes(b"version %d\n" % number + content)
                client.finish("POST", "nuvo/api/snapshots", {"instance": _MASTER})
            seconds = []
            # The backup, a snapshot of what is spoiled, becomes the latest one.
            asked = {"source": f"{_MASTER}@{scale.snapshots}", "paths": [str(path.relative_to(live))]}
            wanted = path.read_bytes()
            settle()
            for number in range(RESTORES):
                path.write_bytes(b"spoiled %d\n" % number)
                seconds.append(client.finish("POST", "nuvo/api/restore", asked)[1].seconds)
                if path.read_bytes() != wanted:
                    figures.check("REST: one file restored", OURS.name, [str(path)])
    finally:
        server.close()
    figures.check("REST: one file restored", OURS.name, [])
    figures.add(f"{REST}50", OURS.name, Cost(percentile(seconds, 0.5), 0))
    figures.add(f"{REST}99", OURS.name, Cost(percentile(seconds, 0.99), 0))
    shutil.rmtree(folder)


def _beside_states(letter: str, kind: str, scale: Scale, runs: int, folder: Path, figures: Figures) -> None:
    live = folder / "live"
    corpora.make(kind, live, *getattr(scale, kind))
    for number in range(runs):
        settle()
        make_room(getattr(scale, kind)[1])
        server = Server(folder, folder / f"{number}" / "home")
        try:
            with server.client() as client:
                space = {"name": _SPACE, "kind": "research", "workspace": str(live)}
                client.ask("POST", "nuvo/api/spaces", space)
                with _Others(server, f"{letter} first snapshot", figures):
                    client.finish("POST", "nuvo/api/snapshots", {"instance": _MASTER})
                target = folder / f"restored-{number}"
                target.mkdir()
                made = {"space": _SPACE, "name": "restored", "workspace": str(target), "source": ""}
                client.ask("POST", "nuvo/api/instances", made)
                asked = {"source": f"{_MASTER}@latest", "instance": f"{_SPACE}/restored"}
                settle()
                with _Others(server, f"{letter} full restore", figures):
                    client.finish("POST", "nuvo/api/restore", asked)
        finally:
            server.close()
        shutil.rmtree(folder / f"restored-{number}")
        shutil.rmtree(folder / f"{number}")
    shutil.rmtree(folder)


def _beside_handout(scale: Scale, folder: Path, figures: Figures) -> None:
    course = folder / "course"
    corpora.make("course", course, *scale.course)
    names = [f"student-{number:03d}" for number in range(scale.targets)]
    for number, name in enumerate(names):
        corpora.held(folder / "home" / name, scale.held, number)
    server = Server(folder, folder / "nuvo" / "home")
    try:
        with server.client() as client:
            client.ask(
                "POST", "nuvo/api/spaces", {"name": _SPACE, "kind": "course", "workspace": str(course)}
            )
            for name in names:
                made = {"space": _SPACE, "name": name, "workspace": str(folder / "home" / name), "source": ""}
                client.ask("POST", "nuvo/api/instances", made)
            asked = {"source": _MASTER, "whole": True, "to": names}
            settle()
            with _Others(server, "D preview for all", figures):
                client.finish("POST", "nuvo/api/distributions/preview", asked)
            with _Others(server, "D first hand-out", figures):
                client.finish("POST", "nuvo/api/distributions", asked)
    finally:
        server.close()
    shutil.rmtree(folder)


class _Others:
    """Two other clients that ask every 20 ms while a piece of work is done.

    A request that had to wait for the one before is counted from when it was due: a server that stands still for a
    second has let fifty people wait, not one.
    """

    def __init__(self, server: Server, work: str, figures: Figures) -> None:
        self._server = server
        self._work = work
        self._figures = figures
        self._done = threading.Event()
        self._seconds: list[float] = []
        self._threads = [
            threading.Thread(target=self._ask, args=(path,), daemon=True)
            for path in ("api/contents?content=0", "nuvo/api/status")
        ]

    def _ask(self, path: str) -> None:
        with self._server.client() as client:
            client.ask("GET", path)
            due = time.perf_counter()
            while not self._done.is_set():
                client.ask("GET", path)
                answered = time.perf_counter()
                self._seconds.append(answered - due)
                due += EVERY_SECONDS
                time.sleep(max(0.0, due - answered))

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            cost = Cost(percentile(self._seconds, share), 0)
            self._figures.add(f"{OTHERS}{self._work}, {name}", OURS.name, cost)
