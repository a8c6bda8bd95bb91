"""Building an environment from a lock: offline first, then with the network, and every file verified at the end."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import blake3
import msgspec

from nuvo_jupyter.model.errors import ApplicationDamaged, EnvironmentFailed
from nuvo_jupyter.workspace.applications import definition, environments, installed, lock, uv, wheel
from nuvo_jupyter.workspace.applications.conda import placing, records
from nuvo_jupyter.workspace.applications.conda.locked import CondaLock
from nuvo_jupyter.workspace.applications.failures import explained, failure, is_network
from nuvo_jupyter.workspace.applications.installed import Distribution
from nuvo_jupyter.workspace.applications.interpreter import Interpreter, ask, program_in
from nuvo_jupyter.workspace.applications.lock import Entry
from nuvo_jupyter.workspace.applications.packages import Progress

_LOCK = "pylock.nuvo.toml"
_VERIFIED = ".verified"


def build(
    home: Path,
    folder: Path,
    entries: Iterable[Entry],
    base: Interpreter,
    *,
    conda: CondaLock | None = None,
    offline: bool = False,
    check: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> tuple[Path, bool, str]:
    """The environment of a lock: the one that is there and intact, or a new one.

    Args:
        home: Nuvo's.
        folder: of the definition, for its wheels.
        entries: of its lock.
        base: interpreter to build it with.
        conda: what conda installed. Its Python, if it has one, is then the environment's.
        offline: never use the network.
        check: called ten times a second; raises to cancel, which leaves nothing.
        progress: told how many packages are installed, of how many.

    Returns:
        Its folder, whether it was built now, and how its files look.

    Raises:
        ApplicationDamaged: a wheel is missing or not what the lock says.
        PackageUnavailable: a package cannot be had; named.
        PythonUnsuitable: no file of a package fits this platform.
        StorageFull: no space is left.
        EnvironmentFailed: anything else.
    """
    entries = tuple(entries)
    packages = conda.wanted if conda else ()
    name = environments.key(entries, base.python, packages)
    with (
        explained("The environment could not be built"),
        environments.building(home, name, check) as (work, held),
    ):
        found = environments.ready(home, name)
        if found:
            return found[0], False, found[1]
        local = _provide(home, folder, entries, check)
        target = environments.place(home, name)
        made = work / "env"
        if conda is None or conda.python is None:
            _venv(made, base, work, held, check)
        minor = base.python.minor
        if conda and (packages or conda.python):
            placing.place(
                home / environments.FOLDER,
                folder,
                conda,
                made,
                target,
                work,
                held=[held],
                offline=offline,
                check=check,
                progress=progress,
            )
            placed = ask(program_in(made))
            placing.stays_inside(placed)
            minor = placed.python.minor
        (work / _LOCK).write_bytes(lock.write(entries, minor, local))
        with placing.movable(made):
            _sync(made, work, held, entries, offline, check, progress, beside=conda is not None)
        interpreter = ask(program_in(made))
        own = msgspec.structs.replace(
            interpreter,
            sites=tuple(site for site in interpreter.sites if site.startswith(interpreter.prefix + os.sep)),
        )
        _assure(home, made, own, work, held, entries, offline, check, beside=conda is not None)
        looked = environments.mark(made, own, entries, packages if conda else None)
        os.rename(made, target)
        return target, True, looked


def _provide(
    home: Path, folder: Path, entries: Iterable[Entry], check: Callable[[], None] | None
) -> dict[str, str]:
    """Copy the definition's wheels, verified, to where uv's cache finds them again whoever asks for them."""
    found: dict[str, str] = {}
    for entry in entries:
        for file in entry.files:
            if not file.wheel:
                continue
            if check:
                check()
            target = home / environments.FOLDER / environments.WHEELS / file.sha256 / file.wheel
            if not target.is_file() or wheel.sha256(target) != file.sha256:
                _copy_verified(folder, entry, file.wheel, file.sha256, target)
            found[file.sha256] = str(target)
    return found


def _copy_verified(folder: Path, entry: Entry, name: str, digest: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f"{definition.TEMPORARY}{secrets.token_hex(8)}"
    try:
        with open(definition.open_wheel(folder, name), "rb") as source, temporary.open("xb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        if wheel.sha256(temporary) != digest:
            raise ApplicationDamaged(
                f"The package {entry.name} is not what was captured: {name} has another hash than the lock says."
            )
        wheel.check_members(temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _venv(made: Path, base: Interpreter, work: Path, held: int, check: Callable[[], None] | None) -> None:
    told = uv.run(
        ["venv", "--relocatable", "--no-project", "--offline", "--python", base.base, str(made)],
        folder=work,
        check=check,
        held=[held],
    )
    if told.code:
        raise failure(told.text, offline=True)


def _sync(
    made: Path,
    work: Path,
    held: int,
    entries: tuple[Entry, ...],
    offline: bool,
    check: Callable[[], None] | None,
    progress: Progress | None,
    again: Iterable[str] = (),
    beside: bool = False,
) -> None:
    """Install what the lock says, and beside conda's packages, if there are any, nothing less."""
    count = _Count(made, len(entries), progress)
    # Wheels need no build, and what a definition names is never run while it is installed.
    arguments = ["pip", "sync", "--python", str(made), "--no-build", "--allow-empty-requirements", _LOCK]
    if beside and not entries:
        return
    if beside:
        # `sync` would remove what conda installed; an environment of ours is nobody else's to manage.
        arguments = ["pip", "install", "--python", str(made), "--no-build", "--no-deps"]
        arguments += ["--break-system-packages", "-r", _LOCK]
    for name in again:
        arguments += ["--reinstall-package", name]

    def watch() -> None:
        if check:
            check()
        count.look()

    told = uv.run([*arguments, "--offline"], folder=work, check=watch, listen=count.hear, held=[held])
    if told.code and not offline and is_network(told.text):
        count.say("downloading")
        told = uv.run(arguments, folder=work, check=watch, listen=count.hear, held=[held])
    if told.code:
        raise failure(told.text, offline=offline)
    count.look()


class _Count:
    """How many packages are installed so far, told when it changes."""

    def __init__(self, made: Path, total: int, progress: Progress | None) -> None:
        self._made, self._total, self._progress = made, total, progress
        self._done = -1
        self._before = self._count()

    def _count(self) -> int:
        return sum(1 for _ in self._made.glob("lib/python*/site-packages/*.dist-info"))

    def look(self) -> None:
        if self._progress is None:
            return
        done = max(self._count() - self._before, 0)
        if done != self._done:
            self._done = done
            self._progress(min(done, self._total), self._total, "installing packages")

    def hear(self, line: str) -> None:
        words = line.split()
        if len(words) > 1 and words[0] in ("Downloading", "Downloaded", "Prepared"):
            self.say(line.strip())

    def say(self, text: str) -> None:
        if self._progress:
            self._progress(max(self._done, 0), self._total, text)


def _assure(
    home: Path,
    made: Path,
    interpreter: Interpreter,
    work: Path,
    held: int,
    entries: tuple[Entry, ...],
    offline: bool,
    check: Callable[[], None] | None,
    *,
    beside: bool,
) -> None:
    """Every file is what its package says; what uv's cache has wrong is fetched anew.

    The cache's files are linked into environments, so that who edits one in place changes it for the next.
    """
    bad = _verify(home, interpreter, check, beside)
    if bad:
        uv.run(["cache", "clean", *bad], folder=work, check=check, held=[held])
        _sync(made, work, held, entries, offline, check, None, again=bad, beside=beside)
        bad = _verify(home, interpreter, check, beside)
    if bad:
        name, said = next(iter(bad.items()))
        raise EnvironmentFailed(f"The package {name} could not be installed as it was captured: {said}.")
    there = {one.name: one.version for one in installed.distributions(interpreter.sites)}
    for entry in entries:
        if entry.name not in there:
            raise EnvironmentFailed(f"The package {entry.name} was not installed.")


def _verify(
    home: Path, interpreter: Interpreter, check: Callable[[], None] | None, beside: bool
) -> dict[str, str]:
    """Damage by package; files that are the very ones verified for another environment are not read again.

    What conda installed was verified with its archives.
    """
    path = home / environments.FOLDER / _VERIFIED
    try:
        known = msgspec.msgpack.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        known = {}
    listed = installed.distributions(interpreter.sites)
    if beside:
        prefix = Path(interpreter.prefix)
        theirs = records.owned(prefix, records.records(prefix)[0])
        listed = [one for one in listed if not records.brought(one, theirs)]
    prints = {one.name: _same_files(one) for one in listed}
    stale = [one for one in listed if known.get(f"{one.name}=={one.version}") != prints[one.name]]
    said = installed.damages(stale, check=check)
    new = {f"{one.name}=={one.version}": prints[one.name] for one in stale if not said[one.name]}
    if new:
        definition.put(path, msgspec.msgpack.encode(known | new))
    return {name: damage for name, damage in said.items() if damage}


def _same_files(one: Distribution) -> str:
    digest = blake3.blake3()
    for entry in one.recorded or ():
        # Programs and what installers write are made anew for each environment.
        if entry.path.startswith("..") or os.path.basename(entry.path) in installed.BROUGHT_BY_INSTALLERS:
            continue
        try:
            status = os.lstat(one.where(entry.path))
            look: Mapping[str, int] | tuple[int, ...] = (
                status.st_dev,
                status.st_ino,
                status.st_size,
                status.st_mtime_ns,
            )
        except OSError:
            look = ()
        digest.update(f"{entry.path}\0{look}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest(length=16)
