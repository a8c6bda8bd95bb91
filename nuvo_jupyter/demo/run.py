"""`nuvo demo`: make the demo course if it is not there yet, then open JupyterLab in it or check the whole story."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path

from nuvo_jupyter.demo.place import Place
from nuvo_jupyter.demo.student_names import student_names
from nuvo_jupyter.model.errors import InvalidInput, NuvoError

DEFAULT_FOLDER = "nuvo-demo"


def main(argv: list[str]) -> int:
    """Run ``nuvo demo``; its exit code.

    Args:
        argv: what follows ``nuvo demo``.
    """
    wanted = _parser().parse_args(argv)
    try:
        if wanted.check:
            from nuvo_jupyter.demo.check import check

            return check(Path(wanted.folder) if wanted.folder else None)
        return _open(wanted)
    except NuvoError as error:
        print(f"nuvo demo: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nuvo demo",
        description='Make the course "Intro to Data Science" with 30 students who have worked in it, and open JupyterLab '
        "as its instructor. Everything lies in one folder, and nothing outside of it is touched.",
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        help=f"where the demo lies; default: {DEFAULT_FOLDER} in the current folder",
    )
    parser.add_argument(
        "--as", dest="username", metavar="USER", default="", help="open it as a student, for example anna"
    )
    parser.add_argument("--no-browser", action="store_true", help="start the server, and print its address")
    parser.add_argument(
        "--port", type=int, help="the server's port; default: the first free one from 8888 on"
    )
    parser.add_argument(
        "--reset", action="store_true", help="delete an earlier demo in the folder, and make it anew"
    )
    parser.add_argument("--no-lab", action="store_true", help="only make the course")
    parser.add_argument(
        "--check",
        action="store_true",
        help="run the whole story without a browser, in a temporary folder; say what happened; fail if anything is off",
    )
    return parser


def _open(wanted: argparse.Namespace) -> int:
    place = Place(Path(wanted.folder or DEFAULT_FOLDER).resolve())
    known = [student.username for student in student_names()]
    if wanted.username and wanted.username not in known:
        raise InvalidInput(
            f"{wanted.username!r} is no student of the course.", hint=f"There are {', '.join(known)}."
        )
    place.claim(wanted.reset)
    if place.ready:
        print(f"The demo in {place.folder} is used as it is (--reset makes it anew).")
    else:
        _make(place)
    again = shlex.join(["nuvo", "demo", *(["--folder", wanted.folder] if wanted.folder else [])])
    print(f"\nThe folder of the demo: {place.folder}")
    if wanted.username:
        print(f"You are {wanted.username}, a student; the instructor's view: {again}")
    else:
        print(f"You are the instructor; as a student, in another terminal: {again} --as anna")
    if wanted.no_lab:
        print(f"Open it in JupyterLab: {again}{f' --as {wanted.username}' if wanted.username else ''}")
        return 0
    from nuvo_jupyter.demo.lab import become_lab

    become_lab(place, wanted.username, browser=not wanted.no_browser, port=wanted.port)
    return 0


def _make(place: Place) -> None:
    from nuvo_jupyter.demo.progress import Steps
    from nuvo_jupyter.demo.set_up import set_up

    begun = time.monotonic()
    print(f"Making the demo in {place.folder}")
    with Steps() as steps:
        set_up(place, steps.say)
    print(f"A course with 30 students, made in {time.monotonic() - begun:.0f} s.")
