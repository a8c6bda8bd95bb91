"""Installing what is compared: Debian packages as root, PyPI packages in an environment beside the benchmark."""

from __future__ import annotations

from collections.abc import Iterable

from bench.setup import debian, pypi
from bench.tools.base import Tool


def set_up(tools: Iterable[Tool], *, install: bool) -> tuple[list[Tool], dict[str, str]]:
    """Make the tools ready.

    Args:
        install: whether missing ones may be installed; else they are only looked for.

    Returns:
        Those that are ready, and for each other's name why it is not.
    """
    wanted = list(tools)
    problems: dict[str, str] = {}
    if install:
        problem = debian.install(
            sorted({tool.package for tool in wanted if tool.package and not _is_there(tool)})
        )
        problems |= {tool.name: problem for tool in wanted if problem and tool.package}
        for tool in wanted:
            if tool.requirement and not _is_there(tool) and (problem := pypi.install(tool.requirement)):
                problems[tool.name] = problem
    ready = [tool for tool in wanted if _is_there(tool)]
    missing = {tool.name: problems.get(tool.name) or _how(tool) for tool in wanted if tool not in ready}
    return ready, missing


def _is_there(tool: Tool) -> bool:
    if tool.requirement:
        return pypi.program(tool.program).exists()
    return not tool.program or debian.is_there(tool.program)


def _how(tool: Tool) -> str:
    if tool.requirement:
        return f"not installed; run without --no-setup, which installs {tool.requirement} from PyPI"
    return f"not installed; as root: apt-get install {tool.package or tool.program}"
