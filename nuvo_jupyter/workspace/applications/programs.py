"""Running a program: watched, cancelled with all it started, and never waiting for a terminal."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from nuvo_jupyter.model.errors import EnvironmentFailed

_LISTEN_SECONDS = 0.1
_TOLD_MAX = 1 << 20
_PATIENCE_SECONDS = 3600.0
# The interpreter is always named; one that happens to be active must not be taken for it.
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PROJECT", "UV_PYTHON")


class Told(msgspec.Struct, frozen=True):
    """How a program ended.

    Args:
        code: 0 if it did what it was asked.
        text: what it said on its error output.
        out: its standard output.
    """

    code: int
    text: str
    out: str


def watched(
    program: Iterable[str],
    *,
    name: str,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    check: Callable[[], None] | None = None,
    listen: Callable[[str], None] | None = None,
    held: Iterable[int] = (),
    patience: float = _PATIENCE_SECONDS,
) -> Told:
    """Run a program to its end.

    Args:
        program: with its arguments.
        name: as people know it.
        folder: it runs in.
        variables: of its environment, besides those of this process.
        check: called ten times a second; raises to cancel, which ends the program and what it started.
        listen: called with each line it writes to its error output.
        held: descriptors of locks it shall hold too, so that nobody thinks it dead if this process is.
        patience: seconds after which it is ended.

    Raises:
        EnvironmentFailed: it does not end.
    """
    environment = {**os.environ, **(variables or {})}
    for active in _ACTIVE:
        environment.pop(active, None)
    process = subprocess.Popen(
        list(program),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=tuple(held),
        start_new_session=True,
    )
    try:
        return _watch(process, name, check, listen, patience)
    finally:
        _end(process)


def _watch(
    process: subprocess.Popen[bytes],
    name: str,
    check: Callable[[], None] | None,
    listen: Callable[[str], None] | None,
    patience: float,
) -> Told:
    assert process.stdout
    assert process.stderr
    told = {"out": bytearray(), "err": bytearray()}
    heard = 0
    end = time.monotonic() + patience
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, "out")
        selector.register(process.stderr, selectors.EVENT_READ, "err")
        while selector.get_map():
            for key, _ in selector.select(_LISTEN_SECONDS):
                data = os.read(key.fd, 1 << 16)
                if not data:
                    selector.unregister(key.fileobj)
                    continue
                if len(told[key.data]) < _TOLD_MAX:
                    told[key.data] += data
            if listen:
                done = told["err"].rfind(b"\n") + 1
                for line in told["err"][heard:done].decode(errors="replace").splitlines():
                    listen(line)
                heard = max(heard, done)
            if check:
                check()
            if time.monotonic() > end:
                raise EnvironmentFailed(f"{name} did not end within {patience:.0f} seconds, and was stopped.")
    code = process.wait()
    return Told(code, told["err"].decode(errors="replace"), told["out"].decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    process.wait()
