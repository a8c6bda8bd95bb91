"""`nuvo --install-completion`: what makes the shell ask `nuvo` on Tab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from nuvo_jupyter.cli.declare import Context, end
from nuvo_jupyter.model.errors import InvalidInput

if TYPE_CHECKING:
    from click.shell_completion import ShellComplete

_VARIABLE = "_NUVO_COMPLETE"
_ZSH_LINE = "fpath+=~/.zfunc; autoload -Uz compinit; compinit"


def install(context: Context, wanted: bool) -> bool:
    """Write the script for the current shell where that shell reads it, and end."""
    if wanted and not context.resilient_parsing:
        shell, script = _script()
        file = write_for(shell, script, Path.home())
        print(f"{shell} completion is installed in {file}; it works in the next terminal.")
        end(0)
    return wanted


def show(context: Context, wanted: bool) -> bool:
    """Write the script to standard output, and end."""
    if wanted and not context.resilient_parsing:
        print(_script()[1])
        end(0)
    return wanted


def _script() -> tuple[str, str]:
    from click.shell_completion import get_completion_class

    shell = _shell()
    kind: type[ShellComplete] | None = get_completion_class(shell)
    if kind is None:
        raise InvalidInput(
            f"There is no completion for the shell {shell!r}.", hint="There is for bash, zsh and fish."
        )
    from nuvo_jupyter.cli.main import build

    return shell, kind(build(), {}, "nuvo", _VARIABLE).source().strip()


def _shell() -> str:
    import shellingham

    try:
        return str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure:
        # Started by something that is no shell: the one the user logs in with.
        return os.path.basename(os.environ.get("SHELL", ""))


def write_for(shell: str, script: str, home: Path) -> Path:
    """Write a shell's script below a home folder, have the shell read it, and say where it is."""
    if shell == "fish":
        return _write(home / ".config/fish/completions/nuvo.fish", script)
    if shell == "zsh":
        file = _write(home / ".zfunc/_nuvo", script)
        _add_line(home / ".zshrc", _ZSH_LINE)
        return file
    file = _write(home / ".bash_completions/nuvo.sh", script)
    _add_line(home / ".bashrc", f"source '{file}'")
    return file


def _write(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(script + "\n")
    return file


def _add_line(file: Path, line: str) -> None:
    before = file.read_text() if file.exists() else ""
    if line not in before.splitlines():
        file.write_text(f"{before.rstrip()}\n{line}\n".lstrip("\n"))
