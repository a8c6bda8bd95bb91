"""The applications of one instance on this machine: the door through which the engine does everything with them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from nuvo_jupyter.model.applications import (
    Application,
    Definition,
    PackageProblem,
    Python,
    Realised,
    Standing,
)
from nuvo_jupyter.model.errors import (
    AlreadyExists,
    ApplicationDamaged,
    EnvironmentFailed,
    InvalidInput,
    NotFound,
    StorageFull,
)
from nuvo_jupyter.model.objects import APPLICATIONS
from nuvo_jupyter.workspace.applications import capture as capturing
from nuvo_jupyter.workspace.applications import compare, definition, kernel, known, unused
from nuvo_jupyter.workspace.applications.failures import explained
from nuvo_jupyter.workspace.applications.known import Known
from nuvo_jupyter.workspace.applications.names import check_name, lock_name
from nuvo_jupyter.workspace.applications.packages import Progress
from nuvo_jupyter.workspace.applications.realise import realise
from nuvo_jupyter.workspace.applications.settings import (
    apply_settings,
    compare_settings,
    in_words,
    settings_folder,
)
from nuvo_jupyter.workspace.applications.unused import Environment


class Applications:
    """The applications of one instance on this machine.

    Args:
        home: Nuvo's.
        workspace: folder of the instance.
        space: name of its space.
        instance: its name.
        kernels: folder of kernels; by default the user's own.
    """

    def __init__(
        self, home: Path, workspace: Path, space: str, instance: str = "", kernels: Path | None = None
    ) -> None:
        self.home = home
        self.workspace = workspace
        self.space, self.instance = space, instance
        self._kernels = kernels

    @property
    def kernels(self) -> Path:
        """The folder that kernels are installed in."""
        return self._kernels or kernel.kernels_folder()

    def folder(self, name: str) -> Path:
        """The folder of an application's definition.

        Raises:
            InvalidInput: no application can have that name.
            ApplicationDamaged: the way there leads through a link.
        """
        way = self.workspace
        for part in APPLICATIONS.split("/"):
            way = way / part
            if way.is_symlink():
                raise ApplicationDamaged(
                    f"{way} is a link: applications are only kept in the instance itself."
                )
        return way / check_name(name)

    def names(self) -> list[str]:
        """The names of all applications."""
        try:
            found = sorted(os.listdir(self.workspace / APPLICATIONS))
        except OSError:
            return []
        return [name for name in found if definition.exists(self.workspace / APPLICATIONS / name)]

    def show(self, name: str) -> Application:
        """An application with its packages.

        Raises:
            NotFound: there is none.
            ApplicationDamaged: its definition cannot be read.
        """
        written = definition.read(self.folder(name))
        here = known.load(self.home, self.workspace, name)
        return Application(
            name=name,
            definition=written.definition,
            packages=tuple(compare.packages_of(written)),
            argv=kernel.what_is_run(written.kernel) if written.kernel else (),
            prefix=here.prefix if here else "",
            kernel=here.kernel if here else "",
            pending=here is None or here.definition != written.digest,
            settings=compare_settings(self.folder(name), settings_folder()),
        )

    def look(self, name: str) -> Application:
        """:meth:`show` for who looks at many: of one that is damaged, what is wrong with it."""
        try:
            return self.show(name)
        except (ApplicationDamaged, InvalidInput, NotFound) as error:
            problem = str(error)
            unknown = Python(implementation="", version="", system="", machine="")
            return Application(
                name=name,
                definition=Definition(
                    name=name,
                    python=unknown,
                    complete=False,
                    problems=(PackageProblem(package="", reason=problem),),
                ),
                packages=(),
                argv=(),
                prefix="",
                kernel="",
                pending=False,
                problem=problem,
            )

    def add(
        self,
        name: str,
        prefix: Path,
        *,
        spec: Path | None = None,
        settings: Path | None = None,
        variables: Iterable[str] = (),
        seal: bool = False,
        offline: bool = False,
        check: Callable[[], None] | None = None,
        progress: Progress | None = None,
    ) -> Application:
        """Capture an environment as a new application.

        Args:
            name: of the application.
            prefix: of the environment: ``sys.prefix`` of a kernel, a virtual or a conda environment.
            spec: folder of the kernel's ``kernel.json``; by default the environment's own.
            settings: folder of JupyterLab's user settings; by default where JupyterLab keeps them.
            variables: names of environment variables it expects. Values are never written.
            seal: put all wheels into the definition.
            offline: never use the network.
            check: called often; raises to cancel.
            progress: told packages done, packages in all, and what is being done.

        Raises:
            AlreadyExists: the name is taken.
            InvalidInput: no application can have that name.
            EnvironmentFailed: there is no environment, or its Python does not run.
        """
        folder = self.folder(name)
        if definition.exists(folder):
            raise AlreadyExists(
                f"There is an application {name} already.", hint="Use another name, or delete it first."
            )
        fresh = Known(
            workspace=os.path.realpath(self.workspace),
            application=name,
            prefix=os.path.abspath(prefix),
            spec=os.path.abspath(spec) if spec else "",
            variables=tuple(variables),
            seal=seal,
            settings=str(settings or settings_folder()),
        )
        with explained(f"{name} could not be captured"):
            capturing.capture(folder, fresh, offline=offline, check=check, progress=progress)
            known.save(self.home, fresh)
        return self.show(name)

    def refresh(
        self,
        name: str,
        *,
        seal: bool | None = None,
        force: bool = False,
        offline: bool = False,
        check: Callable[[], None] | None = None,
        progress: Progress | None = None,
    ) -> Standing:
        """Bring a definition up to date with its live environment, before a snapshot.

        A definition that came by a delivery or restore, and is not realised yet, is left alone: it says what
        shall be, not what is.

        Args:
            name: of the application.
            seal: from now on put all wheels into the definition, or no longer.
            force: write it from the live environment even so.

        Raises:
            NotFound: there is no such application.
            EnvironmentFailed: the live environment cannot be read.
            NuvoError: from ``check``.
        """
        folder = self.folder(name)
        if not definition.exists(folder):
            raise NotFound(f"There is no application {name}.")
        here = known.load(self.home, self.workspace, name)
        if here is None or not os.path.isdir(here.prefix):
            return Standing.NO_ENVIRONMENT
        if here.definition != definition.digest(folder) and not force:
            return Standing.PENDING
        if seal is not None and seal != here.seal:
            here.seal, here.looked = seal, ""
        if force:
            here.looked = ""
        before = msgspec.msgpack.encode(here)
        with explained(f"{name} could not be captured"):
            written = capturing.capture(folder, here, offline=offline, check=check, progress=progress)
            if msgspec.msgpack.encode(here) != before or force or seal is not None:
                known.save(self.home, here)
        return Standing.REFRESHED if written else Standing.UNCHANGED

    def refresh_all(
        self,
        *,
        offline: bool = False,
        check: Callable[[], None] | None = None,
        progress: Progress | None = None,
        prints: dict[str, str] | None = None,
    ) -> dict[str, Standing]:
        """:meth:`refresh` of every application, as before a snapshot; a broken environment stops none of it.

        Args:
            prints: how environments look that were looked at just now, for who refreshes many instances at once.
        """
        found = {}
        for name in self.names():
            here = None if prints is None else known.load(self.home, self.workspace, name)
            try:
                if here and prints is not None and capturing.is_unchanged(self.folder(name), here, prints):
                    found[name] = Standing.UNCHANGED
                    continue
                found[name] = self.refresh(name, offline=offline, check=check, progress=progress)
            except (ApplicationDamaged, EnvironmentFailed, StorageFull):
                found[name] = Standing.FAILED
        return found

    def realise(
        self,
        name: str,
        *,
        python: Path | None = None,
        any_python: bool = False,
        confirmed: bool = False,
        offline: bool = False,
        check: Callable[[], None] | None = None,
        progress: Progress | None = None,
    ) -> Realised:
        """Re-create an application from its definition; see :func:`realise.realise` for arguments and errors."""
        folder = self.folder(name)
        here = known.load(self.home, self.workspace, name) or Known(
            workspace=os.path.realpath(self.workspace), application=name, prefix=""
        )
        here.seal = here.seal or definition.read(folder).definition.sealed
        with explained(f"{name} could not be re-created"):
            done = realise(
                self.home,
                folder,
                here,
                self.space,
                instance=self.instance,
                kernels=self.kernels,
                python=python,
                any_python=any_python,
                confirmed=confirmed,
                offline=offline,
                check=check,
                progress=progress,
            )
            known.save(self.home, here)
        return done

    def apply_settings(self, name: str) -> tuple[str, ...]:
        """Put an application's settings in the place of JupyterLab's, keeping copies; says which files, in sentences.

        Raises:
            ApplicationDamaged: the way to it leads through a link.
            EnvironmentFailed: a file cannot be written.
        """
        folder = settings_folder()
        try:
            return in_words(apply_settings(self.folder(name), folder, datetime.now(UTC)))
        except OSError as error:
            raise EnvironmentFailed(
                f"The environment of {name} is built, but its settings could not all be written: {error}.",
                hint=f"Look at {folder}: what was replaced there has a copy beside it, named .backup.",
            ) from error

    def rename(self, old: str, new: str) -> None:
        """Rename an application; its kernel keeps working and gets the new name when it is next realised.

        Raises:
            NotFound: there is no such application.
            AlreadyExists: the new name is taken.
        """
        source, target = self.folder(old), self.folder(new)
        if not definition.exists(source):
            raise NotFound(f"There is no application {old}.")
        if os.path.lexists(target):
            raise AlreadyExists(f"There is an application {new} already.")
        here = known.load(self.home, self.workspace, old)
        matched = here is not None and here.definition == definition.digest(source)
        written = definition.read(source)
        os.rename(source, target)
        for path in target.glob("pylock.*.toml"):
            path.rename(target / lock_name(new))
        renamed = msgspec.structs.replace(written.definition, name=new)
        definition.put(target / definition.APP, msgspec.json.format(msgspec.json.encode(renamed)) + b"\n")
        if here is not None:
            here.application = new
            if matched:
                here.definition = definition.digest(target)
            known.save(self.home, here)
            known.forget(self.home, self.workspace, old)

    def delete(self, name: str) -> None:
        """Delete an application's definition and kernel; its environment stays until unused ones are removed.

        Raises:
            NotFound: there is no such application.
        """
        folder = self.folder(name)
        if not os.path.lexists(folder):
            raise NotFound(f"There is no application {name}.")
        here = known.load(self.home, self.workspace, name)
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink()
        else:
            shutil.rmtree(folder)
        if here is not None:
            whose = kernel.owner(self.kernels, here.kernel) if here.kernel else None
            if whose and whose.workspace == here.workspace and whose.application == name:
                kernel.remove(self.kernels, here.kernel)
            known.forget(self.home, self.workspace, name)


def list_environments(home: Path, kernels: Path | None = None) -> list[Environment]:
    """Every environment in Nuvo's home, and which applications and kernels use it."""
    used: dict[str, list[str]] = {}
    for one in known.everything(home):
        folder = Path(one.workspace) / APPLICATIONS / one.application
        # An instance that is not there now, such as on a disk not mounted, may come back.
        if definition.exists(folder) or not os.path.isdir(one.workspace):
            used.setdefault(one.prefix, []).append(f"{one.workspace}: {one.application}")
    for name, whose in kernel.installed(kernels or kernel.kernels_folder()).items():
        used.setdefault(whose.prefix, []).append(f"kernel {name}")
    return unused.listing(home, used)


def remove_unused(home: Path, kernels: Path | None = None) -> list[str]:
    """Remove environments that no application and no kernel uses and no program runs in; returns their names."""
    return unused.remove(home, list_environments(home, kernels))
