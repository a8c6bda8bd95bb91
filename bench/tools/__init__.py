"""The tools that are compared, each in a file of its own."""

from __future__ import annotations

from bench.tools.base import Tool
from bench.tools.borg import BORG
from bench.tools.cp import CP, CP_SYNC, CP_TWO
from bench.tools.databases import DUCKDB_FILE, PG_DUMP
from bench.tools.environments import PIP
from bench.tools.git import GIT
from bench.tools.nbgitpuller import NBGITPULLER
from bench.tools.ours import OURS, OURS_CLI
from bench.tools.restic import RESTIC
from bench.tools.rsync import RSYNC

TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        *(OURS, OURS_CLI, CP, CP_SYNC, CP_TWO, RSYNC, GIT, BORG, RESTIC, NBGITPULLER),
        *(DUCKDB_FILE, PG_DUMP, PIP),
    )
}
"""By name, in the order of the columns."""
