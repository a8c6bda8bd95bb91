"""Where each package of an environment can be had again: on an index, with its hash, or as a wheel packed here."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from packaging.utils import canonicalize_name

from nuvo_jupyter.model.errors import EnvironmentFailed, NuvoError
from nuvo_jupyter.workspace.applications import uv, wheel
from nuvo_jupyter.workspace.applications.failures import failure, is_network, package_of
from nuvo_jupyter.workspace.applications.installed import Distribution
from nuvo_jupyter.workspace.applications.interpreter import Interpreter
from nuvo_jupyter.workspace.applications.lock import Entry, File, from_uv, local_file, public
from nuvo_jupyter.workspace.applications.programs import Told

_ROUNDS_MAX = 50
_BUILD_SECONDS = 300.0
_ANSWER_SECONDS = "10"
_YANKED = re.compile(
    r"warning: `([A-Za-z0-9._-]+)==[^`]*` is yanked(?: \(reason: \"?(.*?)\"?\))?$", re.MULTILINE
)


class Sources(msgspec.Struct):
    """Where packages can be had again.

    Args:
        entries: for the lock, by package.
        packed: wheels made or copied here, which are to be moved into the definition.
        missing: package → why it can be had nowhere.
        yanked: package → why its index advises against it.
    """

    entries: dict[str, Entry] = {}
    packed: list[Path] = []
    missing: dict[str, str] = {}
    yanked: dict[str, str] = {}


def on_index(
    wanted: Mapping[str, str],
    python: str,
    folder: Path,
    *,
    offline: bool,
    check: Callable[[], None] | None = None,
) -> tuple[Sources, list[str]]:
    """Look packages up on the indexes uv is set up with: first what its cache knows, then the network.

    Args:
        wanted: package → exact version.
        python: path of the interpreter they are for.
        folder: of ours, to work in.
        offline: never use the network.

    Returns:
        What was found, and packages to pack: on no index, without a wheel there, or no index answers.
    """
    found = Sources()
    if not wanted:
        return found, []
    rounds = [(False, 1)] if not offline else []
    rounds += [(True, _ROUNDS_MAX)] if not offline else []
    # Where no index answers, the cache may still know some of them.
    rounds += [(False, _ROUNDS_MAX)]
    for network, most in rounds:
        rest = dict(wanted)
        for _ in range(most):
            told = _compile(rest, python, folder, network, check)
            if told.code == 0:
                entries, without = from_uv((folder / _OUT).read_bytes())
                found.entries = {entry.name: _with_index(entry) for entry in entries}
                found.yanked = {
                    canonicalize_name(name): why or "withdrawn" for name, why in _YANKED.findall(told.text)
                }
                return found, sorted([*without, *(wanted.keys() - rest.keys())])
            named = package_of(told.text)
            if network and is_network(told.text):
                break
            if named is None or canonicalize_name(named) not in rest:
                break
            del rest[canonicalize_name(named)]
            if not rest:
                return found, sorted(wanted)
    return found, sorted(wanted)


def _with_index(entry: Entry) -> Entry:
    """Name the index a package came from, which uv's lock does not; only those in variables are known to us."""
    host = urlsplit(entry.files[0].url).netloc
    for name in _INDEXES:
        for address in os.environ.get(name, "").split():
            # May be written name=address.
            index = public(address[address.find("http") :])
            if host and urlsplit(index).netloc == host and local_file(entry.files[0]) == "":
                return msgspec.structs.replace(entry, index=index)
    return entry


_INDEXES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_IN, _OUT = "wanted.txt", "pylock.found.toml"


def _compile(
    wanted: Mapping[str, str], python: str, folder: Path, network: bool, check: Callable[[], None] | None
) -> Told:
    (folder / _IN).write_text("".join(f"{name}=={version}\n" for name, version in sorted(wanted.items())))
    (folder / _OUT).unlink(missing_ok=True)
    arguments = ["pip", "compile", "--no-deps", "--no-header", "--format", "pylock.toml", "--python", python]
    arguments += ["-o", _OUT, _IN, *([] if network else ["--offline"])]
    # A snapshot waits for this: an index that does not answer soon is as good as none.
    waiting = {"UV_HTTP_TIMEOUT": os.environ.get("UV_HTTP_TIMEOUT", _ANSWER_SECONDS)}
    return uv.run(arguments, folder=folder, variables=waiting, check=check)


def pack(distribution: Distribution, interpreter: Interpreter, folder: Path) -> tuple[Entry, Path]:
    """Pack an installed package into a wheel.

    Raises:
        EnvironmentFailed: it has no RECORD, or is not as it was installed.
    """
    if distribution.recorded is None:
        raise EnvironmentFailed(f"{distribution.name} has no RECORD, so that it cannot be packed.")
    path = wheel.rebuild(distribution, interpreter.prefix, interpreter.scripts, folder)
    return as_entry(distribution.name, distribution.version, path), path


def as_entry(name: str, version: str, path: Path) -> Entry:
    """A wheel of a definition for the lock."""
    return Entry(name=name, version=version, files=(File(sha256=wheel.sha256(path), wheel=path.name),))


def take_local(entry: Entry, folder: Path) -> tuple[Entry, Path] | None:
    """Copy a wheel that an index on this machine has, since others do not have that index.

    Returns:
        ``None`` if the package lies on an index elsewhere.

    Raises:
        EnvironmentFailed: the file is not what the index says.
    """
    files = [file for file in entry.files if local_file(file)]
    if not files:
        return None
    source = Path(local_file(files[0]))
    target = folder / source.name
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise EnvironmentFailed(f"{source.name} cannot be read: {error.strerror}.") from error
    if wheel.sha256(target) != files[0].sha256:
        raise EnvironmentFailed(f"{source.name} has another hash than its index says.")
    return as_entry(entry.name, entry.version, target), target


def build(
    project: Path, python: str, folder: Path, *, offline: bool, check: Callable[[], None] | None = None
) -> Path:
    """Build a wheel of a project that is installed editable, as it is now.

    Raises:
        EnvironmentFailed: the project is gone or does not build.
        NuvoError: uv cannot get what it is built with.
    """
    if not project.is_dir():
        raise EnvironmentFailed(f"its project folder {project} is gone")
    out = folder / "built"
    text = ""
    ways: Iterable[list[str]] = [["--offline"], [], ["--offline", "--no-build-isolation"]]
    for way in ways:
        if offline and not way:
            continue
        shutil.rmtree(out, ignore_errors=True)
        told = uv.run(
            ["build", "--wheel", "--python", python, "--out-dir", str(out), *way, str(project)],
            folder=folder,
            check=check,
            patience=_BUILD_SECONDS,
        )
        text = text or told.text
        built = [path for path in out.iterdir() if path.suffix == ".whl"] if out.is_dir() else []
        if told.code == 0 and built:
            return built[0]
        text = told.text if way != ["--offline"] or offline else text
    raise EnvironmentFailed(f"it could not be built from {project}: {_last(text)}")


def why(error: NuvoError) -> str:
    """An error as the reason why one package is not complete."""
    return error.message.rstrip(".")


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[-3:])[:400] or failure(text, offline=False).message
