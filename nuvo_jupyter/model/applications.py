"""Applications as they are written down and compared: ``app.json``, packages, what changed between two."""

from __future__ import annotations

import enum

import msgspec

from nuvo_jupyter.model.changes import Outcome
from nuvo_jupyter.model.inspected import inspected

FORMAT = 1
"""Version of what ``app.json`` says; higher ones are not read."""


class Python(msgspec.Struct, frozen=True, kw_only=True):
    """The interpreter an application was captured with; a lock does not hold it.

    Args:
        implementation: ``cpython``, ``pypy``, as ``sys.implementation.name``.
        version: such as ``3.11.7``.
        system: ``linux``, ``darwin``, ``win32``, as ``sys.platform``.
        machine: ``x86_64``, ``aarch64``, ``arm64``.
        libc: ``glibc``, ``musl`` or ``""``: wheels for one do not run on another.
    """

    implementation: str
    version: str
    system: str
    machine: str
    libc: str = ""

    @property
    def minor(self) -> str:
        """Such as ``3.11``: packages are built for one of these."""
        return ".".join(self.version.split(".")[:2])

    @property
    def platform(self) -> str:
        """As people read it: ``linux x86_64 (glibc)``."""
        libc = f" ({self.libc})" if self.libc else ""
        return f"{self.system} {self.machine}{libc}"


class PackageProblem(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """Why a package of an application is not captured completely.

    Args:
        package: normalised name; ``""`` for the environment as a whole.
        version: of the package.
        reason: in one sentence.
        locked: whether the package will be installed all the same, from its hashed source.
    """

    package: str
    version: str = ""
    reason: str
    locked: bool = False


@inspected
class Definition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``app.json``: what an application is, besides its lock, kernel, wheels and settings.

    Args:
        name: of the application when it was captured; the name of its folder is what counts.
        python: interpreter it was captured with.
        complete: every package's files are as installed and every one has a source with a hash.
        problems: why it is not complete, package by package.
        sealed: all wheels, and all archives of conda packages, are in the definition, so that nothing else is needed.
        variables: NAMES of environment variables the kernel expects. Their values are never written.
        settings: files of JupyterLab's user settings in ``settings/``.
        left_out: settings left out since they look like secrets.
        conda: the environment is conda's: ``conda.lock.json`` tells what conda installed in it.
        format: of this file.
    """

    name: str
    python: Python
    complete: bool
    problems: tuple[PackageProblem, ...] = ()
    sealed: bool = False
    variables: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    conda: bool = False
    format: int = FORMAT


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A package of an application's lock.

    Args:
        name: normalised.
        version: as locked.
        hashes: SHA-256 of the files it may be installed from.
        wheel: file in ``wheels/`` it is installed from; ``""`` if from an index.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    wheel: str = ""


class SettingsStanding(enum.StrEnum):
    """How a file of an application's settings stands to JupyterLab's on this machine."""

    NEW = "new"
    SAME = "same"
    DIFFERENT = "different"


SETTINGS_IN_WORDS = {
    SettingsStanding.NEW: "you have none",
    SettingsStanding.SAME: "the same as yours",
    SettingsStanding.DIFFERENT: "different from yours",
}


class SettingsFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of JupyterLab's settings that an application carries.

    Args:
        path: in the folder of the user's settings.
        standing: to the user's own: there is none, it says the same, or something different.
    """

    path: str
    standing: SettingsStanding


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """An application as it is shown.

    Args:
        name: of its folder.
        definition: ``app.json``.
        packages: of its lock.
        argv: what its kernel runs, as a template.
        prefix: its live environment on this machine; ``""`` if none is known.
        kernel: name of its kernel on this machine; ``""`` if none is installed.
        pending: the definition is another than that of the live environment: build it.
        settings: of JupyterLab, which it carries; they are applied only where that is asked for.
        problem: why its definition cannot be read; all else but the name is empty then.
    """

    name: str
    definition: Definition
    packages: tuple[Package, ...]
    argv: tuple[str, ...]
    prefix: str
    kernel: str
    pending: bool
    settings: tuple[SettingsFile, ...] = ()
    problem: str = ""


class PackageChangeKind(enum.StrEnum):
    """What happens to a package when one definition takes another's place."""

    ADDED = "added"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    REBUILT = "rebuilt"


class PackageChange(msgspec.Struct, frozen=True, kw_only=True):
    """A package that differs between two definitions.

    Args:
        name: normalised.
        kind: added, removed, upgraded, downgraded, or rebuilt (the same version with other content).
        before: version in the first definition; ``None`` if only in the second.
        after: version in the second.
    """

    name: str
    kind: PackageChangeKind
    before: str | None = None
    after: str | None = None


class ApplicationComparison(msgspec.Struct, frozen=True, kw_only=True):
    """How two definitions of an application differ.

    Args:
        packages: that differ, by name.
        unchanged: how many are the same.
        kernel: whether other programs or arguments are run as kernel.
        settings: files of settings that differ.
        warnings: sentences about Python, platform and completeness that a person should read first.
    """

    packages: tuple[PackageChange, ...] = ()
    unchanged: int = 0
    kernel: bool = False
    settings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class ApplicationChange(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one application of a target.

    Args:
        name: in the target.
        outcome: of the application as a whole.
        comparison: of its definition there with the one it gets.
    """

    name: str
    outcome: Outcome
    comparison: ApplicationComparison


_NAMED = 8


def in_words(found: ApplicationComparison, most: int = _NAMED) -> str:
    """A comparison in one line: ``numpy 1.26 → 2.0, +polars 1.2, −six; 58 the same``.

    Args:
        most: packages to name; of the others it is only said how many they are.
    """
    named = [_in_words(change) for change in found.packages[:most]]
    if len(found.packages) > most:
        named.append(f"{len(found.packages) - most} more")
    parts = [", ".join(named)] if named else []
    if found.unchanged:
        parts.append(f"{found.unchanged} {'package' if found.unchanged == 1 else 'packages'} the same")
    if found.kernel:
        parts.append("its kernel is started otherwise")
    if found.settings:
        parts.append(f"settings: {', '.join(found.settings[:most])}")
    return "; ".join(parts)


def _in_words(change: PackageChange) -> str:
    match change.kind:
        case PackageChangeKind.ADDED:
            return f"+{change.name} {change.after}"
        case PackageChangeKind.REMOVED:
            return f"−{change.name}"
        case PackageChangeKind.REBUILT:
            return f"{change.name} {change.after} with other content"
        case _:
            return f"{change.name} {change.before} → {change.after}"


class Standing(enum.StrEnum):
    """How an application's definition stands to its live environment, after it was asked to be refreshed."""

    UNCHANGED = "unchanged"
    """The definition says what the environment is."""
    REFRESHED = "refreshed"
    """The environment had changed, and the definition was written anew."""
    PENDING = "pending"
    """The definition was delivered or restored and its environment is not built yet; it was left alone."""
    NO_ENVIRONMENT = "no_environment"
    """No live environment is known on this machine, or it is gone; the definition was left alone."""
    FAILED = "failed"
    """The environment could not be read; the definition was left alone."""


class Realised(msgspec.Struct, frozen=True, kw_only=True):
    """An application that can be used: its environment is built and its kernel is installed.

    Args:
        prefix: folder of the environment.
        built: whether it was built now, not found complete.
        packages: how many it has.
        kernel: name of the kernel, as notebooks record it.
        display_name: as the launcher shows it: ``NAME (SPACE)``.
        argv: what is run to start it.
        unset: environment variables it expects that are not set.
    """

    prefix: str
    built: bool
    packages: int
    kernel: str = ""
    display_name: str = ""
    argv: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
