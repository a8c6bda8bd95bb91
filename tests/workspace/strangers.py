"""Running a piece of a test as a user whom permissions stop; root is stopped by none."""

from __future__ import annotations

import json
import os
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOBODY = 65534


def as_nobody(run: Callable[[], Any], *folders: Path) -> Any:
    """Run a function in a child process as an unprivileged user and return its (JSON) result.

    Args:
        folders: given to that user, with all they hold; the folders above are opened for passing through.
    """
    if os.geteuid() == 0:
        for folder in folders:
            _give(folder)
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # The child runs nothing of the other threads'.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            answer = json.dumps({"result": run()})
        except BaseException:
            answer = json.dumps({"error": traceback.format_exc()})
        try:
            data = answer.encode()
            while data:
                data = data[os.write(writer, data) :]
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        received = pipe.read()
    os.waitpid(child, 0)
    found = json.loads(received)
    assert "error" not in found, found["error"]
    return found["result"]


def _give(folder: Path) -> None:
    above = folder.parent
    while above != above.parent and above.stat().st_uid == os.geteuid() and above.parts[1:2] != ():
        if above.stat().st_mode & 0o011 != 0o011:
            above.chmod(above.stat().st_mode | 0o011)
        above = above.parent
    for top, names, files in os.walk(folder):
        for name in [".", *names, *files]:
            os.chown(os.path.join(top, name), NOBODY, NOBODY, follow_symlinks=False)
