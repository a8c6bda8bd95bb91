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
from pathlib import Path

from bench import corpora
from bench.disk import NoDisk, fresh_disk, has_no_journal
from bench.figures import Figures
from bench.handout import measure_handout
from bench.measuring import CommandFailed
from bench.report import Report, write_into
from bench.scales import SCALES, Scale
from bench.setup.peers import set_up
from bench.startup import measure_startup
from bench.states import Say, measure_states
from bench.tools import TOOLS
from bench.tools.base import Tool

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
WORK = Path(__file__).resolve().parent / ".work"
DISK_SIZE = 40 << 30


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        Exit code: 1 if a tool failed or brought back something wrong.
    """
    options = _options(arguments)
    scale = SCALES["full" if options.full else options.scale]
    load, started = os.getloadavg()[0], time.monotonic()
    say = _silent if options.quiet else lambda text: _say(f"{time.monotonic() - started:6.0f} s  {text}")
    say("setting up")
    ready, missing = set_up([TOOLS[name] for name in options.tools], install=not options.no_setup)
    for name, why in missing.items():
        _say(f"{name} is left out: {why}")
    figures = Figures()
    options.folder.mkdir(parents=True, exist_ok=True)
    outer = Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
    try:
        with ExitStack() as disk:
            folder = disk.enter_context(fresh_disk(outer, DISK_SIZE)) if options.fresh_disk else outer
            _measure(options, scale, ready, folder, figures, say)
            file_system = _file_system(folder)
            if has_no_journal(folder):
                file_system += (
                    " without a journal (makes files slowly after others were deleted; see --fresh-disk)"
                )
            say("cleaning up")
    except NoDisk as error:
        _say(str(error))
        return 2
    finally:
        shutil.rmtree(outer, ignore_errors=True)
    versions = {tool.name: tool.version() for tool in ready}
    report = Report(scale, options.runs, ready, missing, versions, figures, file_system, load, options.remark)
    print(report.text())
    if options.json:
        Path(options.json).write_text(report.json())
    if options.write:
        write_into(PAGE, report.markdown())
    return 1 if figures.failures or not all(figures.checks.values()) else 0


def _measure(
    options: argparse.Namespace, scale: Scale, ready: list[Tool], folder: Path, figures: Figures, say: Say
) -> None:
    for letter, kind in (("A", "notebooks"), ("B", "large"), ("C", "tiny")):
        if letter in options.corpora:
            say(f"{letter}: writing the corpus")
            live = folder / "live"
            corpora.make(kind, live, *getattr(scale, kind))
            small_files = letter != "B"
            measure_states(
                letter, live, ready, options.runs, folder / "stores", figures, say, small_files=small_files
            )
            shutil.rmtree(live)
    if "D" in options.corpora:
        measure_handout(scale, ready, options.runs, folder / "handout", figures, say)
    if "ours-cli" in [tool.name for tool in ready]:
        say("start of the command")
        try:
            measure_startup(options.runs, folder / "start", figures)
        except CommandFailed as error:
            figures.failures["ours-cli"] = str(error)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="default", help="how large (default: %(default)s)")
    parser.add_argument("--full", action="store_true", help="the same as --scale full; takes an hour or more")
    parser.add_argument("--runs", type=_positive, default=3, help="interleaved runs (default: %(default)s)")
    parser.add_argument(
        "--tools", type=_names(TOOLS), default=list(TOOLS), help=f"of {','.join(TOOLS)} (default: all)"
    )
    letters = {letter: letter for letter in "ABCD"}
    parser.add_argument(
        "--corpora", type=_names(letters), default=list(letters), help="of A,B,C,D (default: all)"
    )
    parser.add_argument("--folder", type=Path, default=WORK, help="where to work, on the disk to measure")
    parser.add_argument(
        "--fresh-disk",
        action="store_true",
        help="as root: on an ext4 of its own, in an image file in that folder",
    )
    parser.add_argument("--no-setup", action="store_true", help="install nothing; leave out what is missing")
    parser.add_argument("--json", metavar="FILE", help="also write every single measurement")
    parser.add_argument(
        "--write", action="store_true", help=f"also put the tables into {PAGE.parent.name}/{PAGE.name}"
    )
    parser.add_argument(
        "--remark", default="", help="printed with the figures, e.g. what else the machine was doing"
    )
    parser.add_argument("--quiet", action="store_true", help="do not tell what is being done")
    options = parser.parse_args(arguments)
    options.folder = options.folder.absolute()
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
    return (done.stdout.split() or ["unknown file system"])[-1]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _silent(_: str) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())
