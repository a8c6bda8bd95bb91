"""What changes when one definition of an application takes another's place: what a preview shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from packaging.version import InvalidVersion, Version

from nuvo_jupyter.model.applications import (
    ApplicationComparison,
    Package,
    PackageChange,
    PackageChangeKind,
    Python,
)
from nuvo_jupyter.workspace.applications import definition
from nuvo_jupyter.workspace.applications.definition import SETTINGS, Written, small_files
from nuvo_jupyter.workspace.applications.kernel import is_standard, what_is_run


def compare(before: Path | None, after: Path | None, here: Python | None = None) -> ApplicationComparison:
    """Compare two definitions.

    Args:
        before: folder of the one that is there; ``None`` if there is none.
        after: folder of the one that takes its place; ``None`` if it is deleted.
        here: Python of the machine it will run on, to warn if it does not fit.

    Raises:
        ApplicationDamaged: one cannot be read.
    """
    old = definition.read(before) if before else None
    new = definition.read(after) if after else None
    changes, unchanged = packages(packages_of(old), packages_of(new))
    settings = _settings(before) ^ _settings(after)
    return ApplicationComparison(
        packages=tuple(changes),
        unchanged=unchanged,
        kernel=_argv(old) != _argv(new),
        settings=tuple(sorted({path for path, _ in settings})),
        warnings=tuple(_warnings(old, new, here)),
    )


def packages(before: Sequence[Package], after: Sequence[Package]) -> tuple[list[PackageChange], int]:
    """Which packages differ, by name, and how many do not."""
    old = {package.name: package for package in before}
    new = {package.name: package for package in after}
    changes = []
    for name in sorted(old.keys() | new.keys()):
        kind = _kind(old.get(name), new.get(name))
        if kind is not None:
            was, now = old.get(name), new.get(name)
            changes.append(
                PackageChange(
                    name=name,
                    kind=kind,
                    before=was.version if was else None,
                    after=now.version if now else None,
                )
            )
    return changes, len(old.keys() & new.keys()) - sum(
        1 for change in changes if change.before and change.after
    )


def mismatch(wanted: Python, here: Python) -> list[str]:
    """In which ways a Python does not fit an application, as sentences; none if packages built for one run on it."""
    found = []
    if wanted.implementation != here.implementation:
        found.append(f"It was made with {wanted.implementation}, and here is {here.implementation}.")
    elif wanted.minor != here.minor:
        found.append(f"It was made with Python {wanted.minor}, and here is Python {here.minor}.")
    if wanted.platform != here.platform:
        found.append(f"It was made on {wanted.platform}, and this is {here.platform}.")
    return found


def _kind(old: Package | None, new: Package | None) -> PackageChangeKind | None:
    if old is None:
        return PackageChangeKind.ADDED
    if new is None:
        return PackageChangeKind.REMOVED
    if old.version == new.version:
        # An index adds files to a version as time passes: one in common is the same package.
        same = set(old.hashes) & set(new.hashes) or (bool(old.wheel) != bool(new.wheel))
        return None if same else PackageChangeKind.REBUILT
    try:
        return (
            PackageChangeKind.UPGRADED
            if Version(old.version) < Version(new.version)
            else PackageChangeKind.DOWNGRADED
        )
    except InvalidVersion:
        return PackageChangeKind.REBUILT


def _warnings(old: Written | None, new: Written | None, here: Python | None) -> list[str]:
    found: list[str] = []
    if new is None:
        return found
    if here is not None:
        if new.conda and new.conda.python:
            # It brings its own Python.
            wanted = new.definition.python
            here = msgspec.structs.replace(here, implementation=wanted.implementation, version=wanted.version)
        found += mismatch(new.definition.python, here)
    if old is not None:
        was, now = old.definition.python, new.definition.python
        if was.implementation != now.implementation or was.minor != now.minor:
            found.append(
                f"Python changes from {was.implementation} {was.minor} to {now.implementation} {now.minor}."
            )
        if here is None and was.platform != now.platform:
            found.append(f"The platform changes from {was.platform} to {now.platform}.")
    if not new.definition.complete:
        problems = [problem for problem in new.definition.problems if not problem.locked]
        named = [problem.package for problem in problems if problem.package]
        why = [f"{', '.join(named[:5])} will be missing"] if named else []
        why += [problem.reason for problem in problems if not problem.package]
        found.append(f"It was not captured completely{': ' if why else ''}{'; '.join(why)}.")
    if new.kernel and not is_standard(new.kernel):
        found.append(f"Its kernel starts another program: {' '.join(what_is_run(new.kernel))}")
    return found


def packages_of(written: Written | None) -> list[Package]:
    """All packages of a definition by name; of one that both brought, what pip put over conda's."""
    if written is None:
        return []
    conda = {one.package.name: one.package for one in written.conda.packages} if written.conda else {}
    named = conda | {entry.package.name: entry.package for entry in written.entries}
    return [named[name] for name in sorted(named)]


def _argv(written: Written | None) -> tuple[str, ...]:
    return what_is_run(written.kernel) if written and written.kernel else ()


def _settings(folder: Path | None) -> set[tuple[str, bytes]]:
    return set(small_files(folder, SETTINGS)) if folder else set()
