"""Re-create an application from its definition: its environment, and its kernel in the launcher."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import blake3
import msgspec
from packaging.utils import parse_wheel_filename

from nuvo_jupyter.model.applications import Python, Realised
from nuvo_jupyter.model.errors import (
    ConfirmationNeeded,
    EnvironmentFailed,
    PackageUnavailable,
    PythonUnsuitable,
)
from nuvo_jupyter.model.objects import APPLICATIONS
from nuvo_jupyter.workspace.applications import definition, install, kernel, sources, uv
from nuvo_jupyter.workspace.applications.compare import mismatch
from nuvo_jupyter.workspace.applications.conda.locked import CondaLock
from nuvo_jupyter.workspace.applications.conda.records import platform
from nuvo_jupyter.workspace.applications.definition import LOGOS, Written, small_files
from nuvo_jupyter.workspace.applications.interpreter import Interpreter, ask, looks, program_in
from nuvo_jupyter.workspace.applications.kernel import Owner
from nuvo_jupyter.workspace.applications.known import Known
from nuvo_jupyter.workspace.applications.lock import Entry
from nuvo_jupyter.workspace.applications.names import kernel_name
from nuvo_jupyter.workspace.applications.packages import Progress


def realise(
    home: Path,
    folder: Path,
    known: Known,
    space: str,
    *,
    instance: str = "",
    kernels: Path | None = None,
    python: Path | None = None,
    any_python: bool = False,
    confirmed: bool = False,
    offline: bool = False,
    check: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> Realised:
    """Build an application's environment, or find it, and install its kernel as ``NAME (SPACE)``.

    Until the new environment is complete nothing changes; afterwards the old one is only no longer used.

    Args:
        home: Nuvo's.
        folder: of the definition.
        known: what this machine knows of it; brought up to date.
        space: name of the space, shown beside the application's.
        instance: name of the instance, shown too where another instance has a kernel of this name already.
        kernels: folder of kernels; by default the user's own.
        python: interpreter to build with; by default the one this program runs on, or one that fits.
        any_python: also with another minor version or platform, which chooses packages' files anew.
        confirmed: the user has seen which command the kernel runs, and wants it.
        offline: never use the network.
        check: called ten times a second; raises to cancel.
        progress: told how many packages are installed, of how many.

    Raises:
        PythonUnsuitable: made for another Python or platform.
        ConfirmationNeeded: the kernel is not started as Python kernels are; the message shows how.
        NotFound, ApplicationDamaged, PackageUnavailable, StorageFull, EnvironmentFailed: as :func:`install.build`.
    """
    written = definition.read(folder)
    if written.kernel and not kernel.is_standard(written.kernel) and not confirmed:
        raise ConfirmationNeeded(
            f"The kernel of {folder.name} runs another command than Python kernels do: "
            f"{' '.join(kernel.what_is_run(written.kernel))}",
            hint="Confirm only if you know what it does and trust who made it.",
        )
    entries, conda = written.entries, written.conda
    if conda and not conda.platform:
        # Only a list.
        conda = None
    if conda and conda.python:
        base = _own(python)
    else:
        base = suitable(written, folder.name, python, any_python, home)
        if mismatch(written.definition.python, base.python):
            entries = _ported(written, base, offline, check)
    if conda:
        _fits(written, conda, folder.name, base)
    if conda and conda.python:
        # The Python that conda brings is what it is found again by, not the one that builds it.
        base = msgspec.structs.replace(base, python=written.definition.python)
    prefix, built, looked = install.build(
        home, folder, entries, base, conda=conda, offline=offline, check=check, progress=progress
    )
    interpreter = ask(program_in(prefix))
    known.prefix = str(prefix)
    known.interpreter, known.program = interpreter, looks(prefix)
    known.looked = looked
    known.checked, known.conda, known.projects, known.spec = {}, {}, {}, ""
    known.definition = written.digest
    known.variables = written.definition.variables
    unset = tuple(name for name in written.definition.variables if name not in os.environ)
    packages = len(entries) + len(conda.wanted if conda else ())
    if not written.kernel:
        return Realised(prefix=str(prefix), built=built, packages=packages, unset=unset)
    return _install_kernel(
        written,
        folder,
        known,
        space,
        instance,
        kernels or kernel.kernels_folder(),
        built,
        packages,
        unset,
    )


def suitable(written: Written, name: str, python: Path | None, any_python: bool, work: Path) -> Interpreter:
    """The interpreter to build an application with.

    Raises:
        PythonUnsuitable: there is none that packages built for the one it was captured with run on.
    """
    wanted = written.definition.python
    found = at_hand(wanted, work) if python is None else ask(python)
    reasons = mismatch(wanted, found.python)
    if reasons and not any_python:
        raise PythonUnsuitable(
            f"{name} cannot be re-created as it was. {' '.join(reasons)}",
            hint=f"Install Python {wanted.minor}, or allow another Python: then the same versions are looked up for it.",
        )
    return found


def _own(python: Path | None = None) -> Interpreter:
    """The interpreter that is asked for, or the one this program runs on."""
    return ask(python or Path(getattr(sys, "_base_executable", sys.executable)))


def _fits(written: Written, conda: CondaLock, name: str, base: Interpreter) -> None:
    """Refuse packages of conda on a platform that they are not built for.

    Raises:
        PythonUnsuitable: this is another one.
    """
    wanted, found = written.definition.python, base.python
    if wanted.platform != found.platform or conda.platform != platform((), found):
        was = wanted.platform if wanted.platform != found.platform else conda.platform
        raise PythonUnsuitable(
            f"{name} cannot be re-created as it was. It was made on {was}, and this is {found.platform}.",
            hint="Conda's packages are built for one platform: capture the application again on one like this.",
        )


def at_hand(wanted: Python, work: Path) -> Interpreter:
    """The interpreter of this machine that fits an application; where none does, the one this program runs on.

    Args:
        wanted: the one the application was captured with.
        work: a folder for uv, made if missing.

    Raises:
        EnvironmentFailed: not even this program's Python runs.
    """
    here = _own()
    if mismatch(wanted, here.python):
        other = _find(f"{wanted.implementation}@{wanted.minor}", work)
        if other is not None and not mismatch(wanted, other.python):
            return other
    return here


def _find(request: str, work: Path) -> Interpreter | None:
    work.mkdir(parents=True, exist_ok=True)
    told = uv.run(["python", "find", "--offline", "--no-project", "--system", request], folder=work)
    if told.code:
        return None
    try:
        return ask(Path(told.out.strip()))
    except EnvironmentFailed:
        return None


def _ported(
    written: Written, base: Interpreter, offline: bool, check: Callable[[], None] | None
) -> tuple[Entry, ...]:
    """The same versions for another Python: looked up anew, or from the definition where a wheel runs anywhere."""
    kept = [
        entry
        for entry in written.entries
        if any(file.wheel and _runs_anywhere(file.wheel) for file in entry.files)
    ]
    names = {entry.name for entry in kept}
    wanted = {entry.name: entry.version for entry in written.entries if entry.name not in names}
    with tempfile.TemporaryDirectory(prefix="nuvo-") as work:
        found, unknown = sources.on_index(wanted, base.base, Path(work), offline=offline, check=check)
    if unknown:
        raise PackageUnavailable(
            f"For Python {base.python.version} on {base.python.platform} these cannot be had: {', '.join(unknown)}."
        )
    return (*kept, *found.entries.values())


def _install_kernel(
    written: Written,
    folder: Path,
    known: Known,
    space: str,
    instance: str,
    kernels: Path,
    built: bool,
    packages: int,
    unset: tuple[str, ...],
) -> Realised:
    prefix = Path(known.prefix)
    whose = Owner(os.path.realpath(known.workspace), folder.name, known.prefix)
    name, display_name = kernel_name(space, folder.name), f"{folder.name} ({space})"
    other = kernel.owner(kernels, name)
    taken = (kernels / name).exists() and other is None
    if taken or (
        other and other.prefix != whose.prefix and other.workspace != whose.workspace and _alive(other)
    ):
        # Two instances of one user whose environments differ: notebooks of the first keep the plain name.
        mark = blake3.blake3(os.fsencode(whose.workspace)).hexdigest(length=3)
        name, display_name = f"{name}-{mark}", f"{folder.name} ({space}, {instance or mark})"
    elif other and other.application != whose.application and _is_there(other):
        # Names as "a b" and "a-b", which the names of kernels do not tell apart.
        mark = blake3.blake3(os.fsencode(f"{whose.workspace}/{whose.application}")).hexdigest(length=3)
        name = f"{name}-{mark}"
    python = program_in(prefix)
    content = kernel.render(written.kernel, prefix, python, display_name, whose)
    kernel.install(kernels, name, content, dict(small_files(folder, LOGOS)))
    known.kernel, known.spec = name, str(kernels / name)
    return Realised(
        prefix=known.prefix,
        built=built,
        packages=packages,
        kernel=name,
        display_name=display_name,
        argv=tuple(content["argv"]),
        unset=unset,
    )


def _alive(other: Owner) -> bool:
    return os.path.isdir(other.prefix) and os.path.isdir(other.workspace)


def _is_there(other: Owner) -> bool:
    return _alive(other) and definition.exists(Path(other.workspace) / APPLICATIONS / other.application)


def _runs_anywhere(name: str) -> bool:
    tags = parse_wheel_filename(name)[3]
    return any(tag.abi == "none" and tag.platform == "any" and tag.interpreter == "py3" for tag in tags)
