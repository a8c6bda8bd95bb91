"""``python -m bench``: measure Nuvo beside its peers and print what came out."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench import corpora
from bench.disk import NoDisk, fresh_disk, has_no_journal
from bench.environments import measure_environments
from bench.figures import Figures
from bench.growth import measure_growth
from bench.handout import measure_handout, measure_preview
from bench.measuring import CommandFailed
from bench.picture import draw
from bench.report import PICTURE, Report, write_into
from bench.scales import SCALES, Scale
from bench.serving import measure_serving
from bench.setup.peers import set_up
from bench.startup import measure_startup
from bench.states import Say, measure_states
from bench.stored import encode, first_version, merged
from bench.tables import measure_tables
from bench.tools import TOOLS
from bench.tools.base import Tool

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
WORK = Path(__file__).resolve().parent / ".work"
DISK_SIZE = 24 << 30


PARTS = {
    "A": "a course or research folder",
    "B": "few large files",
    "C": "very many tiny files",
    "D": "handing out",
    "T": "a table of millions of rows",
    "E": "an environment for a class",
    "start": "the command's start",
    "server": "a running Jupyter server",
    "growth": "ours against files, targets, snapshots",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        Exit code: 1 if a tool failed or brought back something wrong.
    """
    options = _options(arguments)
    if options.merge:
        return _told(merged(options.merge), options)
    scale = SCALES[options.scale]
    load, started = os.getloadavg()[0], time.monotonic()
    say = _silent if options.quiet else lambda text: _say(f"{time.monotonic() - started:6.0f} s  {text}")
    say("setting up")
    ready, missing = set_up([TOOLS[name] for name in options.tools], install=not options.no_setup)
    for name, why in missing.items():
        _say(f"{name} is left out: {why}")
    figures = Figures()
    options.folder.mkdir(parents=True, exist_ok=True)
    outer = Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
    # PostgreSQL's server does not run as root, and has to get in.
    outer.chmod(0o711)
    versions = {tool.name: tool.version() for tool in ready}
    report = Report(scale, options.runs, ready, missing, versions, figures, "", load, options.remark)
    try:
        with ExitStack() as disk:
            folder = disk.enter_context(fresh_disk(outer, DISK_SIZE)) if options.fresh_disk else outer
            report = replace(report, file_system=_file_system(folder))
            for part in options.corpora:
                try:
                    _measure(part, options, scale, ready, folder, figures, say)
                except CommandFailed as error:
                    figures.failures["ours"] = f"{part}: {error}"
                if options.json:
                    # After each part, so that what was measured outlives whatever ends the run.
                    Path(options.json).write_text(encode(report))
            say("cleaning up")
    except NoDisk as error:
        _say(str(error))
        return 2
    finally:
        shutil.rmtree(outer, ignore_errors=True)
    return _told(report, options)


def _told(report: Report, options: argparse.Namespace) -> int:
    report = replace(report, first=first_version(report.scale.name))
    print(report.text())
    if options.json:
        Path(options.json).write_text(encode(report))
    if options.write:
        write_into(PAGE, report.markdown())
        if report.figures.curves:
            draw(list(report.figures.curves.values()), PAGE.parent / PICTURE)
    return 1 if report.figures.failures or not all(report.figures.checks.values()) else 0


def _measure(
    part: str,
    options: argparse.Namespace,
    scale: Scale,
    ready: list[Tool],
    folder: Path,
    figures: Figures,
    say: Say,
) -> None:
    kinds = {"A": "notebooks", "B": "large", "C": "tiny"}
    names = [tool.name for tool in ready]
    if part in kinds:
        say(f"{part}: writing the corpus")
        live, sizes = folder / "live", getattr(scale, kinds[part])
        corpora.make(kinds[part], live, *sizes)
        measure_states(
            part,
            live,
            ready,
            options.runs,
            folder / "stores",
            figures,
            say,
            small_files=part != "B",
            size=sizes[1],
            slow_runs=options.slow_runs,
        )
        shutil.rmtree(live)
    elif part == "D":
        measure_handout(scale, ready, options.runs, options.slow_runs, folder / "handout", figures, say)
        if "ours" in names:
            measure_preview(scale, folder / "preview", figures, say)
    elif part == "T":
        measure_tables(scale, ready, options.runs, options.slow_runs, folder / "tables", figures, say)
    elif part == "E":
        measure_environments(
            scale, ready, options.runs, options.slow_runs, folder / "environments", figures, say
        )
    elif part == "start" and "ours-cli" in names:
        say("start of the command")
        measure_startup(options.runs, folder / "start", figures)
    elif part == "server" and "ours" in names:
        measure_serving(scale, options.runs, folder / "server", figures, say)
    elif part == "growth" and "ours" in names:
        measure_growth(scale, folder / "growth", figures, say)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, help="how large (default: default)")
    parser.add_argument("--full", action="store_true", help="the same as --scale full; takes half an hour")
    parser.add_argument("--runs", type=_positive, default=5, help="interleaved runs (default: %(default)s)")
    parser.add_argument(
        "--slow-runs",
        type=_positive,
        help="in how many of them rsync, git, borg, restic and nbgitpuller take part (default: all)",
    )
    parser.add_argument(
        "--tools", type=_names(TOOLS), default=list(TOOLS), help=f"of {','.join(TOOLS)} (default: all)"
    )
    parser.add_argument(
        "--corpora",
        type=_names(PARTS),
        help=f"of {','.join(PARTS)} (default: all, growth only with --full)",
    )
    parser.add_argument(
        "--growth", action="store_true", help="only growth, at full size unless --scale says otherwise"
    )
    parser.add_argument("--folder", type=Path, default=WORK, help="where to work, on the disk to measure")
    parser.add_argument(
        "--fresh-disk",
        action="store_true",
        help="as root: on an ext4 of its own, in an image file in that folder",
    )
    parser.add_argument("--no-setup", action="store_true", help="install nothing; leave out what is missing")
    parser.add_argument("--json", metavar="FILE", help="also write every single measurement, after each part")
    parser.add_argument(
        "--merge",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="measure nothing: put together what --json wrote, as if it had been one run",
    )
    parser.add_argument(
        "--write", action="store_true", help=f"also put the tables into {PAGE.parent.name}/{PAGE.name}"
    )
    parser.add_argument(
        "--remark", default="", help="printed with the figures, e.g. what else the machine was doing"
    )
    parser.add_argument("--quiet", action="store_true", help="do not tell what is being done")
    options = parser.parse_args(arguments)
    options.folder = options.folder.absolute()
    options.scale = options.scale or ("full" if options.full or options.growth else "default")
    options.slow_runs = options.slow_runs or options.runs
    if options.growth:
        options.corpora = ["growth"]
    elif options.corpora is None:
        options.corpora = [part for part in PARTS if part != "growth" or options.full]
    return options


def _names(known: Iterable[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise argparse.ArgumentTypeError(
                f"{', '.join(unknown) or 'nothing'} is none of {', '.join(known)}"
            )
        return [name for name in known if name in names]

    return parse


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


def _file_system(folder: Path) -> str:
    done = subprocess.run(["df", "--output=fstype", folder], capture_output=True, text=True, check=False)
    name = (done.stdout.split() or ["unknown file system"])[-1]
    if has_no_journal(folder):
        name += " without a journal (makes files slowly after others were deleted; see --fresh-disk)"
    return name


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _silent(_: str) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())
